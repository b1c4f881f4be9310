//! The pods of a cluster, over hours: they vanish, are replaced, restart, and credentials end.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::link::Link;
use super::{Moment, PodError, PodPage};
use crate::auth::{Asker, Tokens, near_miss};
use crate::cause;
use crate::cluster::{ApiError, Cluster};
use crate::config::{ClusterSource, Select};
use crate::discover::{DiscoverError, Found, Missing, State, Target, discover};
use crate::error::Error;
use crate::forward::ForwardError;
use crate::kubeconfig::{self, ConnectError, connect};
use crate::scrape::{Page, ScrapeError, patience};

/// How often new pods are looked for while all known ones answer.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a look waits for a discovery; one that takes longer is taken over by a later look.
const LOOK_TIME: Duration = Duration::from_secs(5);
/// How long before its end the user's own credential is fetched anew.
const CREDENTIAL_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// The pods of a cluster.
pub(super) struct Fleet {
    cluster: Cluster,
    source: ClusterSource,
    tokens: Tokens,
    pods: Vec<Watched>,
    /// Pickers of which the last discovery found no pod.
    missing: Vec<Missing>,
    /// When the last discovery ended.
    looked: Instant,
    /// At most one discovery, beside the looks: a silent API server must not hold up a table whose pods answer.
    looking: JoinSet<Result<Found, DiscoverError>>,
    /// When the user's credential was last fetched anew.
    renewed: Option<Instant>,
    /// At most one such fetch, beside the looks: a plugin may take its time.
    renewing: JoinSet<Result<Cluster, ConnectError>>,
    /// What the last discovery said beside the pods, so that it is said once.
    said: Vec<String>,
    notices: Vec<String>,
}

struct Watched {
    target: Target,
    /// Kept while it works.
    link: Option<Link>,
    /// Whether this is not the first try.
    tried: bool,
    /// Of the look under way.
    outcome: Option<Result<Page, PodError>>,
}

impl Fleet {
    pub(super) async fn open(source: &ClusterSource) -> Result<Self, Error> {
        let cluster = connect(source).await?;
        let found = discover(&cluster, source).await?;
        tracing::info!("found {} pods", found.targets.len());
        let mut fleet = Self {
            notices: kubeconfig::warnings(&cluster),
            cluster,
            source: source.clone(),
            tokens: Tokens::new(source.token.clone()),
            pods: found.targets.into_iter().map(Watched::new).collect(),
            missing: found.missing,
            looked: Instant::now(),
            looking: JoinSet::new(),
            renewed: None,
            renewing: JoinSet::new(),
            said: Vec::new(),
        };
        fleet.say_once(found.notices);
        Ok(fleet)
    }

    /// Scrapes all pods; looks for new ones when it is time or one failed; then scrapes once more where that may help.
    pub(super) async fn collect(&mut self, at: Timestamp) -> Moment {
        self.renew(at).await;
        if self.looked.elapsed() >= LOOK_EVERY {
            self.look();
        }
        self.scrape().await;
        let found = if self.pods.iter().any(Watched::may_have_changed) {
            self.look();
            timeout(LOOK_TIME, self.looking.join_next())
                .await
                .ok()
                .flatten()
        } else {
            self.looking.try_join_next()
        };
        if let Some(found) = found {
            self.looked = Instant::now();
            match found.expect("a discovery is never cancelled, and does not panic") {
                Ok(found) => self.update(found),
                Err(fault) => self.doubt(&fault),
            }
            self.pods
                .iter_mut()
                .filter(|pod| pod.deserves_another_try())
                .for_each(|pod| pod.outcome = None);
            self.scrape().await;
        }
        let pods = self.pods.iter_mut().map(Watched::take_page);
        let missing = self.missing.iter().map(|missing| PodPage {
            pod: missing.entry.clone(),
            page: Err(PodError::Missing(Arc::clone(&missing.fault))),
        });
        Moment {
            at,
            pods: pods.chain(missing).collect(),
            notices: mem::take(&mut self.notices),
        }
    }

    /// Scrapes, side by side, every pod that has not been in this look.
    async fn scrape(&mut self) {
        let Self {
            pods,
            cluster,
            source,
            tokens,
            ..
        } = self;
        let waiting = pods.iter_mut().filter(|pod| pod.outcome.is_none());
        let said = join_all(waiting.map(|pod| pod.scrape(cluster, source, tokens))).await;
        self.notices.extend(said.concat());
    }

    /// Starts a discovery, if none is under way.
    fn look(&mut self) {
        if self.looking.is_empty() {
            let (cluster, source, kin) = (self.cluster.clone(), self.source.clone(), self.kin());
            self.looking
                .spawn(async move { look(&cluster, &source, kin.as_deref()).await });
        }
    }

    /// Fetches the user's credential anew before it ends; a look waits for it only where it has ended.
    async fn renew(&mut self, at: Timestamp) {
        let Some(end) = self.cluster.expires else {
            return;
        };
        let was_just_tried = self.renewed.is_some_and(|at| at.elapsed() < LOOK_EVERY);
        if at + CREDENTIAL_MARGIN > end && self.renewing.is_empty() && !was_just_tried {
            let source = self.source.clone();
            self.renewed = Some(Instant::now());
            self.renewing.spawn(async move { connect(&source).await });
        }
        let connected = if at >= end {
            timeout(LOOK_TIME, self.renewing.join_next())
                .await
                .ok()
                .flatten()
        } else {
            self.renewing.try_join_next()
        };
        match connected.map(|done| done.expect("a connect is never cancelled, and does not panic"))
        {
            Some(Ok(cluster)) => self.cluster = cluster,
            Some(Err(fault)) => self.say_once(vec![cause::in_a_line(&fault)]),
            None => {}
        }
    }

    /// Takes over what a discovery found: pods that stay keep their connections.
    fn update(&mut self, found: Found) {
        let mut known = mem::take(&mut self.pods);
        let mut came = Vec::new();
        for target in found.targets {
            match known.iter().position(|pod| pod.is(&target)) {
                Some(at) => {
                    let pod = known.swap_remove(at);
                    self.pods.push(Watched { target, ..pod });
                }
                None => {
                    came.push(name(&target));
                    self.pods.push(Watched::new(target));
                }
            }
        }
        // A pod on its way out is kept for as long as it answers, unless its successor has its name.
        let (staying, gone): (Vec<Watched>, Vec<Watched>) = known.into_iter().partition(|pod| {
            matches!(pod.outcome, Some(Ok(_)))
                && self
                    .pods
                    .iter()
                    .all(|other| other.target.key() != pod.target.key())
        });
        self.pods.extend(staying);
        self.pods.sort_by_key(|pod| pod.target.key());
        if let (Select::Pod(asked), [only]) = (&mut self.source.select, &self.pods[..]) {
            asked.clone_from(&only.target.pod.name);
        }
        let gone: Vec<String> = gone.iter().map(|pod| name(&pod.target)).collect();
        self.notices.extend(match (&gone[..], &came[..]) {
            ([], []) => None,
            ([], came) => Some(format!("found pod {}", came.join(", "))),
            (gone, []) => Some(format!("pod {} is gone", gone.join(", "))),
            (gone, came) => Some(format!(
                "pod {} was replaced by {}",
                gone.join(", "),
                came.join(", ")
            )),
        });
        self.missing = found.missing;
        self.say_once(found.notices);
    }

    /// Goes on with the pods that are known.
    fn doubt(&mut self, fault: &DiscoverError) {
        if let DiscoverError::Api(ApiError::Unauthenticated { .. }) = fault {
            self.cluster.expires = Some(Timestamp::MIN);
        }
        let summary = fault
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        self.say_once(vec![summary]);
    }

    fn say_once(&mut self, notices: Vec<String>) {
        self.notices.extend(
            notices
                .iter()
                .filter(|notice| !self.said.contains(notice))
                .cloned(),
        );
        self.said = notices;
    }

    /// The selector for the successor of a pod that was asked for by name.
    fn kin(&self) -> Option<String> {
        match (&self.source.select, &self.pods[..]) {
            (Select::Pod(_), [pod]) => pod.target.kin.clone(),
            _ => None,
        }
    }
}

/// Discovers; where a pod that was asked for by name is gone, its successor is the newest that has its labels.
async fn look(
    cluster: &Cluster,
    source: &ClusterSource,
    kin: Option<&str>,
) -> Result<Found, DiscoverError> {
    let outcome = discover(cluster, source).await;
    match (&outcome, kin) {
        (Err(DiscoverError::NoSuch { .. } | DiscoverError::NoPods { .. }), Some(kin)) => {
            let successors = ClusterSource {
                select: Select::Labels(kin.into()),
                ..source.clone()
            };
            let mut found = discover(cluster, &successors).await?;
            found.targets.sort_by_key(|target| target.pod.started);
            found.targets = found.targets.pop().into_iter().collect();
            Ok(found)
        }
        _ => outcome,
    }
}

impl Watched {
    fn new(target: Target) -> Self {
        Self {
            target,
            link: None,
            tried: false,
            outcome: None,
        }
    }

    async fn scrape(
        &mut self,
        cluster: &Cluster,
        source: &ClusterSource,
        tokens: &Tokens,
    ) -> Vec<String> {
        let mut notices = Vec::new();
        let outcome = self.page(cluster, source, tokens, &mut notices).await;
        if outcome.as_ref().is_err_and(is_about_the_connection) {
            self.link = None;
        }
        self.outcome = Some(outcome);
        notices
    }

    async fn page(
        &mut self,
        cluster: &Cluster,
        source: &ClusterSource,
        tokens: &Tokens,
        notices: &mut Vec<String>,
    ) -> Result<Page, PodError> {
        let target = &self.target;
        let link = match &mut self.link {
            Some(link) => link,
            closed => closed.insert(Link::to_pod(cluster, target, source).await?),
        };
        let is_first = !mem::replace(&mut self.tried, true);
        let time = patience(source.request_timeout, is_first);
        let asker = Asker::Pod { cluster, target };
        let mut outcome = link.page(&asker, tokens, time, notices).await;
        if let Err(PodError::Scrape(fault)) = &mut outcome
            && is_first
        {
            look_for_near_miss(cluster, fault).await;
        }
        outcome
    }

    fn is(&self, target: &Target) -> bool {
        self.target.key() == target.key() && self.target.pod.uid == target.pod.uid
    }

    fn may_have_changed(&self) -> bool {
        matches!(&self.outcome, Some(Err(fault)) if is_about_the_connection(fault))
    }

    /// Not one that was silent, for that has used up its time, nor one where nothing has changed.
    fn deserves_another_try(&self) -> bool {
        match &self.outcome {
            Some(Err(PodError::Waiting { .. })) => self.target.state == State::Running,
            Some(Err(PodError::NoAddress { .. })) => self.target.ip.is_some(),
            Some(Err(PodError::Scrape(fault))) => fault.is_broken_connection(),
            Some(Err(PodError::Forward(fault))) => {
                matches!(fault, ForwardError::Node { .. })
            }
            _ => false,
        }
    }

    fn take_page(&mut self) -> PodPage {
        let page = self
            .outcome
            .take()
            .expect("every pod is scraped in every look");
        PodPage {
            pod: self.target.pod.clone(),
            page,
        }
    }
}

/// Completes a picker's refusal by what only the API server knows.
async fn look_for_near_miss(cluster: &Cluster, fault: &mut ScrapeError) {
    let Some((namespace, name)) = fault.refused_account() else {
        return;
    };
    let found = near_miss(cluster, namespace, name).await;
    if let ScrapeError::Forbidden { near_miss, .. } = fault {
        *near_miss = found.map(Box::new);
    }
}

/// Whether there was no way to the page, rather than a page that was not given.
fn is_about_the_connection(fault: &PodError) -> bool {
    match fault {
        PodError::Scrape(fault) => {
            fault.is_broken_connection() || matches!(fault, ScrapeError::Silent { .. })
        }
        PodError::Forward(_) | PodError::Waiting { .. } | PodError::NoAddress { .. } => true,
        PodError::Missing(_)
        | PodError::Auth(_)
        | PodError::File { .. }
        | PodError::Packed { .. }
        | PodError::Recorded(_) => false,
    }
}

fn name(target: &Target) -> String {
    let (namespace, name) = target.key();
    format!("{namespace}/{name}")
}
