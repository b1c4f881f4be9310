//! One look at what was asked for: what all its pods said at one moment.

use jiff::Timestamp;
#[cfg(feature = "demo")]
use tokio::time;

use crate::{
    collect::{Collector, Moment, Pod},
    config::{Input, Source},
    error::Error,
    report::PodSample,
    snapshot::Snapshot,
};
#[cfg(feature = "demo")]
use crate::{
    config::{Tls, TokenSource, UrlSource},
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
        let live = collector.is_live();
        Self::of(collector.collect().await, live)
    }

    fn of(moment: Moment, live: bool) -> Self {
        let mut failures = Vec::new();
        let pods = moment
            .pods
            .into_iter()
            .map(|entry| {
                let name = entry.pod.full_name();
                let (at, outcome) = match entry.page {
                    Ok(page) => (page.taken, read(&name, &page.body)),
                    Err(error) => (moment.at, Err(Error::Pod(error))),
                };
                PodSample {
                    id: entry.pod.uid.clone().unwrap_or_else(|| name.clone()),
                    pool: pool_name(&entry.pod),
                    picker: entry.pod.picker.clone(),
                    ready: entry.pod.ready,
                    holds_lease: entry.pod.holds_lease,
                    at,
                    live,
                    outcome: outcome.map_err(|error| {
                        let text = one_line(&error);
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

fn read(name: &str, body: &[u8]) -> Result<Snapshot, Error> {
    Snapshot::read(body).map_err(|fault| Error::Snapshot {
        pod: name.to_owned(),
        fault,
    })
}

/// An error for a table's cell.
pub(super) fn one_line(error: &Error) -> String {
    error
        .to_string()
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}
