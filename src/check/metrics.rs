//! Do the pickers show their metrics?

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::rights::Granted;
use super::step::{Name, Step};
use crate::by_hand::ByHand;
use crate::cluster::Cluster;
use crate::collect::PodError;
use crate::collect::link::Link;
use crate::config::{ClusterSource, UrlSource};
use crate::discover::{State, Target};
use crate::scrape::{Page, ScrapeError, patience, shown};
use crate::token::Token;

const NAME: Name = Name::Metrics;

/// What the pods of one picker answered.
pub(super) struct Answers {
    pods: Vec<Answer>,
    time: Duration,
}

struct Answer {
    name: String,
    /// Whether it takes requests: what is wrong with a pod that does not is told of the picker.
    ready: bool,
    link: Option<Link>,
    /// Without a token.
    bare: Result<Page, PodError>,
    /// With one, where it was asked for.
    shown: Option<Result<Page, PodError>>,
    /// What the answer to the token took.
    took: Duration,
}

/// What a broken link before this one explains.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Explained {
    /// That no page came at all.
    pub(super) connection: bool,
    /// That the picker refused, or that there was no token to show.
    pub(super) refusal: bool,
}

/// A picker's "no" to a token, by what it could not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It could not have the token reviewed, or it is none.
    Token,
    /// It could not have the owner's right reviewed.
    Review,
    /// The owner may not.
    Owner,
}

/// Asks every pod that runs, without a token.
pub(super) async fn ask(cluster: &Cluster, source: &ClusterSource, targets: &[&Target]) -> Answers {
    let time = patience(source.request_timeout, true);
    let running = targets
        .iter()
        .filter(|target| target.state == State::Running);
    let pods = join_all(running.map(|target| async move {
        Answer {
            ready: target.pod.ready != Some(false),
            ..Answer::to(
                target.pod.full_name(),
                Link::to_pod(cluster, target, source).await,
                // It has nobody to ask yet, whom it might have to wait for.
                time.min(cluster.timeout),
            )
            .await
        }
    }))
    .await;
    Answers { pods, time }
}

/// Asks at an address, without a token.
pub(super) async fn ask_at(source: &UrlSource, link: Result<Link, PodError>) -> Answers {
    let time = patience(source.request_timeout, true);
    Answers {
        pods: vec![Answer::to(shown(&source.url), link, time).await],
        time,
    }
}

impl Answers {
    /// Shows the token to those who ask for one.
    pub(super) async fn show(&mut self, token: &Token) {
        let time = self.time;
        join_all(
            self.pods
                .iter_mut()
                .filter(|pod| pod.asks())
                .map(|pod| async move {
                    let begun = Instant::now();
                    if let Some(link) = &mut pod.link {
                        pod.shown = Some(link.try_once(Some(token), time).await);
                    }
                    pod.took = begun.elapsed();
                }),
        )
        .await;
    }

    /// Whether any asks for a token.
    pub(super) fn asks(&self) -> bool {
        self.pods.iter().any(Answer::asks)
    }

    /// Whether pages came without a token, and none asks for one.
    pub(super) fn is_open(&self) -> bool {
        !self.asks() && self.pods.iter().any(|pod| pod.bare.is_ok())
    }

    /// Whether a token is asked for; `None` where no pod answered.
    pub(super) fn guarded(&self) -> Option<bool> {
        match (self.asks(), self.is_open()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Whether any page came for the token that was shown.
    pub(super) fn any_page(&self) -> bool {
        self.pods.iter().any(|pod| matches!(pod.shown, Some(Ok(_))))
    }

    /// How the token was refused, if it was.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.pods.iter().find_map(Answer::refused)
    }

    /// The longest time that a refusal took.
    pub(super) fn slowest_refusal(&self) -> Option<Duration> {
        self.pods
            .iter()
            .filter(|pod| pod.refused().is_some())
            .map(|pod| pod.took)
            .max()
    }

    /// Whether it is but a certificate that keeps a page from being read.
    pub(super) fn is_untrusted(&self) -> bool {
        self.pods.iter().any(|pod| {
            matches!(
                pod.outcome(),
                Err(PodError::Scrape(
                    ScrapeError::Untrusted { .. } | ScrapeError::WrongName { .. }
                ))
            )
        })
    }

    /// What is to be said where a certificate is asked for.
    pub(super) fn demand(&self, hand: &ByHand) -> Option<Step> {
        let wants = |pod: &Answer| {
            matches!(
                pod.outcome(),
                Err(PodError::Scrape(ScrapeError::WantsCertificate { .. }))
            )
        };
        let is_wanted = self.pods.iter().any(wants);
        is_wanted.then(|| self.judge(None, Explained::default(), false, hand))
    }

    /// Whether connections are taken, or seem to be, and nothing comes.
    pub(super) fn is_silent(&self) -> bool {
        self.pods.iter().any(|pod| {
            matches!(
                pod.outcome(),
                Err(PodError::Scrape(ScrapeError::Silent { .. }))
            )
        })
    }

    /// Whether some pod answers but where it is shown a token.
    pub(super) fn is_silent_to_token(&self) -> bool {
        self.pods.iter().any(|pod| {
            matches!(
                &pod.shown,
                Some(Err(PodError::Scrape(ScrapeError::Silent { .. })))
            )
        })
    }

    /// The pages that came, and whose.
    pub(super) fn pages(&self) -> impl Iterator<Item = (&str, &Page)> {
        self.pods
            .iter()
            .filter_map(|pod| Some((pod.name.as_str(), pod.outcome().as_ref().ok()?)))
    }

    /// What came of it all, but for what is `explained` above; `fresh` says that no picker can know the token.
    pub(super) fn judge(
        &self,
        granted: Option<&Granted>,
        explained: Explained,
        fresh: bool,
        hand: &ByHand,
    ) -> Step {
        if let Some(right) = granted.and_then(Granted::lacks_forward) {
            return Step::skip(NAME, format!("you may not {right}"));
        }
        let some_page = self.pages().next().is_some();
        let faults: Vec<(&Answer, &PodError)> = self
            .pods
            .iter()
            .filter(|pod| pod.ready || pod.asks() || !some_page)
            .filter_map(|pod| Some((pod, pod.outcome().as_ref().err()?)))
            .collect();
        match &faults[..] {
            [] if self.pods.is_empty() && explained.connection => Step::behind(NAME),
            [] if self.pods.is_empty() => Step::fail(NAME, "no pod of the picker runs"),
            [] => Step::ok(NAME, self.summary()),
            _ if explained.connection => Step::behind(NAME),
            faults if explained.refusal && faults.iter().all(|(pod, _)| pod.asks()) => {
                Step::behind(NAME)
            }
            [(first, fault), ..] => {
                let step = Step::fail_with(NAME, *fault);
                // What the API server lets it do is nothing that a binding would add.
                let has_own_rules =
                    first.refused() == Some(Refused::Owner) && fresh && !explained.refusal;
                let step = match first.refused() {
                    Some(Refused::Owner) if !fresh => step.because([
                        "a picker remembers a refusal for 30 s, of a token that it has seen",
                    ]),
                    _ if has_own_rules => step.because([
                        "the API server lets it get /metrics: the picker, or a proxy before it, has rules of its own",
                    ]),
                    _ => step,
                };
                let further = faults[1..].iter().map(|(pod, fault)| {
                    let line = fault.to_string();
                    let line = line.lines().next().unwrap_or_default();
                    match line.contains(&pod.name) {
                        true => line.to_owned(),
                        false => format!("pod {}: {line}", pod.name),
                    }
                });
                step.because(further)
                    .advised(fault.hint(hand).filter(|_| !has_own_rules))
            }
        }
    }

    fn summary(&self) -> String {
        let pages: Vec<&Page> = self.pages().map(|(_, page)| page).collect();
        let bytes: u64 = pages.iter().map(|page| page.body.len() as u64).sum();
        let slowest = pages
            .iter()
            .map(|page| page.elapsed)
            .max()
            .unwrap_or_default();
        let pods = match pages.len() {
            1 => "1 page".to_owned(),
            count => format!("{count} pages"),
        };
        let token = if self.asks() {
            "with a token"
        } else {
            "without a token"
        };
        format!(
            "{pods}, {token}, {} kB in {} ms",
            bytes.div_ceil(1000),
            slowest.as_millis()
        )
    }
}

impl Answer {
    /// The answer that comes by a link, without a token.
    async fn to(name: String, link: Result<Link, PodError>, time: Duration) -> Self {
        let (link, bare) = match link {
            Ok(mut link) => {
                let bare = link.try_once(None, time).await;
                (Some(link), bare)
            }
            Err(fault) => (None, Err(fault)),
        };
        Self {
            name,
            ready: true,
            link,
            bare,
            shown: None,
            took: Duration::ZERO,
        }
    }

    /// What counts of it.
    fn outcome(&self) -> &Result<Page, PodError> {
        self.shown.as_ref().unwrap_or(&self.bare)
    }

    fn asks(&self) -> bool {
        matches!(&self.bare, Err(PodError::Scrape(fault)) if fault.asks_for_token())
    }

    fn refused(&self) -> Option<Refused> {
        match self.shown.as_ref()?.as_ref().err()? {
            PodError::Scrape(fault) => match fault {
                ScrapeError::Unauthenticated { .. } | ScrapeError::Unchecked { .. } => {
                    Some(Refused::Token)
                }
                ScrapeError::Unauthorizable { .. } => Some(Refused::Review),
                ScrapeError::Forbidden { .. } => Some(Refused::Owner),
                _ => None,
            },
            _ => None,
        }
    }
}
