//! One look at what was asked for: what all its pods said at one moment.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time;

use crate::{
    cause,
    collect::{Collector, Moment, Pod},
    config::{Input, Source},
    error::{Error, PARTIAL},
    report::PodSample,
    scrape::Page,
    shape::Shape,
    snapshot::{Snapshot, SnapshotError},
};
#[cfg(feature = "demo")]
use crate::{
    config::{MaxScrape, Tls, TokenSource, UrlSource},
    demo::{self, Demo},
};

/// A source that can be read, and the demo that it is of, which ends with it.
pub(super) struct Opened {
    pub(super) source: Source,
    #[cfg(feature = "demo")]
    _demo: Option<Demo>,
}

impl Opened {
    /// Starts the demo where that is meant; for a single look at it, waits until there is something to see.
    pub(super) async fn open(
        input: &Input,
        #[cfg_attr(not(feature = "demo"), expect(unused_variables, reason = "the demo's"))]
        single: bool,
    ) -> Result<Self, Error> {
        match input {
            Input::Source(source) => Ok(Self {
                source: Source::clone(source),
                #[cfg(feature = "demo")]
                _demo: None,
            }),
            #[cfg(feature = "demo")]
            Input::Demo => {
                let demo = Demo::start().await?;
                if single {
                    time::sleep(demo::WARM_UP).await;
                }
                Ok(Self {
                    source: Source::Url(UrlSource {
                        url: demo.metrics.clone(),
                        token: TokenSource::None,
                        tls: Tls::default(),
                        request_timeout: None,
                        max_scrape: MaxScrape::default(),
                    }),
                    _demo: Some(demo),
                })
            }
            #[cfg(not(feature = "demo"))]
            Input::Demo => unreachable!("refused with the arguments"),
        }
    }
}

/// What all pods said at one moment.
pub(super) struct Look {
    /// When looking began.
    pub(super) at: Timestamp,
    /// Every pod.
    pub(super) pods: Vec<PodSample>,
    /// What the person should know.
    pub(super) notices: Vec<String>,
    /// Why pods are missing in it.
    pub(super) failures: Vec<Error>,
}

impl Look {
    pub(super) async fn take(collector: &mut Collector) -> Self {
        let dated = collector.is_dated();
        Self::of(collector.collect().await, dated)
    }

    /// One look at what may be pickers of v0.1 before their first request.
    pub(super) async fn take_before_first(collector: &mut Collector) -> Self {
        let dated = collector.is_dated();
        Self::read(
            collector.collect().await,
            dated,
            Snapshot::read_before_first,
        )
    }

    /// One look, and for each pod which families and labels its text has.
    pub(super) async fn take_with_shapes(collector: &mut Collector) -> (Self, Vec<Shape>) {
        let dated = collector.is_dated();
        Self::with_shapes(collector.collect().await, dated)
    }

    /// What was said at a moment, and for each pod with which families and labels.
    pub(super) fn with_shapes(moment: Moment, dated: bool) -> (Self, Vec<Shape>) {
        let shapes = moment.pods.iter().map(|pod| {
            let mut shape = Shape::default();
            if let Ok(page) = &pod.page {
                shape.add(&page.body);
            }
            shape
        });
        let shapes = shapes.collect();
        (Self::of(moment, dated), shapes)
    }

    /// One look a `window` before another: both at once where that was recorded.
    pub(super) async fn two(
        collector: &mut Collector,
        window: Duration,
    ) -> Result<(Self, Self), Error> {
        let before = match collector.look_back(window)? {
            Some(moment) => Self::of(moment, true).or_failure()?,
            None => {
                let before = Self::take(collector).await;
                before.tell();
                let before = before.or_failure()?;
                time::sleep(window).await;
                before
            }
        };
        let now = Self::take(collector).await;
        now.tell();
        Ok((before, now))
    }

    fn of(moment: Moment, dated: bool) -> Self {
        Self::read(moment, dated, Snapshot::read)
    }

    fn read(
        moment: Moment,
        dated: bool,
        read: fn(&[u8]) -> Result<Snapshot, SnapshotError>,
    ) -> Self {
        let mut failures = Vec::new();
        let pods = moment
            .pods
            .into_iter()
            .map(|entry| {
                let name = entry.pod.full_name();
                let (at, outcome) = match entry.page {
                    Ok(page) => {
                        let pod = Box::new(entry.pod.clone());
                        let fault = |fault| Error::Snapshot { pod, fault };
                        (page.taken, read(&page.body).map_err(fault))
                    }
                    Err(error) => (moment.at, Err(Error::Pod(error))),
                };
                PodSample {
                    id: entry.pod.uid.clone().unwrap_or_else(|| name.clone()),
                    pool: pool_name(&entry.pod),
                    picker: entry.pod.picker.clone(),
                    ready: entry.pod.ready,
                    holds_lease: entry.pod.holds_lease,
                    at,
                    dated,
                    outcome: outcome.map_err(|error| {
                        let text = cause::in_a_line(&error);
                        failures.push(error);
                        text
                    }),
                    name,
                }
            })
            .collect();
        Self {
            at: moment.at,
            pods,
            notices: moment.notices,
            failures,
        }
    }

    /// Says on stderr what happened on the way.
    pub(super) fn tell(&self) {
        for notice in &self.notices {
            tracing::warn!("{notice}");
        }
    }

    /// Itself, where any pod said anything; else why the first one did not.
    pub(super) fn or_failure(mut self) -> Result<Self, Error> {
        if self.failures.len() == self.pods.len() && !self.failures.is_empty() {
            Err(self.failures.swap_remove(0))
        } else {
            Ok(self)
        }
    }
}

/// The pages that could be had and that hold what they should, with whose they are, and the exit code that tells whether
/// all could.
pub(super) async fn pages(
    source: &Source,
    holds: fn(&Page) -> Result<(), SnapshotError>,
) -> Result<(Vec<(String, Page)>, u8), Error> {
    let moment = Collector::open(source).await?.collect().await;
    for notice in &moment.notices {
        tracing::warn!("{notice}");
    }
    let mut pages = Vec::new();
    let mut failures = Vec::new();
    for entry in moment.pods {
        match entry.page {
            Ok(page) => match holds(&page) {
                Ok(()) => pages.push((entry.pod.full_name(), page)),
                Err(fault) => failures.push(Error::Snapshot {
                    pod: Box::new(entry.pod),
                    fault,
                }),
            },
            Err(fault) => failures.push(Error::Pod(fault)),
        }
    }
    if pages.is_empty() && !failures.is_empty() {
        return Err(failures.swap_remove(0));
    }
    for failure in &failures {
        tracing::warn!("{}", cause::in_a_line(failure));
    }
    Ok((pages, if failures.is_empty() { 0 } else { PARTIAL }))
}

/// `llm/qwen`; a picker of several pools has all their names.
fn pool_name(pod: &Pod) -> Option<String> {
    let namespace = pod.namespace.as_deref().unwrap_or_default();
    let names: Vec<String> = pod
        .pools
        .iter()
        .map(|pool| format!("{namespace}/{pool}"))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
