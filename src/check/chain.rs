//! From an API server that answers to the metrics' content: what is asked side by side, and judged in order.

use futures::future::join_all;

use super::kubeconfig::Reached;
use super::metrics::{self, Explained};
use super::picker::{self, Wanted};
use super::pods::Replica;
use super::pool::Pools;
use super::rights::{self, Circumstances, Granted};
use super::step::{Name, Outcome, Step};
use super::{again, content, delegate, endpoints, namespace, node, other_port, pool, reader};
use crate::cluster::Cluster;
use crate::config::{ClusterSource, TokenSource};
use crate::discover::Target;

/// All links behind the kubeconfig.
pub(super) async fn walk(reached: &Reached, source: &ClusterSource) -> Vec<Step> {
    let Reached { cluster, .. } = reached;
    let namespace = cluster.namespace();
    let (ending, pools, granted) = tokio::join!(
        async {
            match source.all_namespaces {
                true => None,
                false => namespace::ending(cluster).await,
            }
        },
        pool::find(cluster, source),
        rights::ask(cluster, source, namespace),
    );
    if let Some(step) = ending {
        let behind = Step::behind_from(Name::Picker);
        return [step].into_iter().chain(behind).collect();
    }
    let mut steps = behind_namespace(reached, source, pools, &granted).await;
    // What is skipped is no fault of the chain; but where all is, nothing has been looked at.
    let is_seen = |step: &Step| step.name <= Name::MyRights && step.outcome != Outcome::Skip;
    if !steps.iter().any(is_seen) {
        for rights in steps.iter_mut().filter(|step| step.name == Name::MyRights) {
            rights.outcome = Outcome::Fail;
        }
    }
    steps
}

async fn behind_namespace(
    reached: &Reached,
    source: &ClusterSource,
    pools: Pools,
    granted: &Granted,
) -> Vec<Step> {
    let Reached { cluster, minor } = reached;
    let namespace = cluster.namespace();
    let wanted = Wanted::all(cluster, source, &pools).await;
    let chain = Chain {
        cluster,
        source,
        granted,
        minor: *minor,
        refused: pools.refused,
    };
    let (pool, chains) = tokio::join!(
        async {
            match pools.step {
                Some(step) => step,
                None => endpoints::check(cluster, source, &pools.pools).await,
            }
        },
        join_all(wanted.iter().map(|wanted| chain.of_picker(wanted))),
    );
    let several = wanted.len() > 1;
    let mut steps = vec![pool.clone()];
    if wanted.is_empty() {
        steps.push(Step::behind(Name::Picker));
        let circumstances = chain.circumstances(false, None);
        steps.push(rights::judge(cluster, granted, namespace, &circumstances).await);
        steps.extend(Step::behind_from(Name::ReadersRight));
    }
    for (wanted, chain) in wanted.iter().zip(chains) {
        steps.extend(chain.into_iter().map(|step| {
            // A node that is down takes endpoints and pickers alike.
            let is_told = step.name == Name::Picker && step.shares_its_cause(&pool);
            Step {
                picker: several.then(|| wanted.name()),
                ..if is_told {
                    Step::behind(step.name)
                } else {
                    step
                }
            }
        }));
    }
    steps
}

/// What the links behind the pool need.
struct Chain<'a> {
    cluster: &'a Cluster,
    source: &'a ClusterSource,
    /// In the namespace that was asked for.
    granted: &'a Granted,
    minor: Option<u32>,
    refused: bool,
}

impl Chain<'_> {
    fn circumstances(&self, pickers_found: bool, guarded: Option<bool>) -> Circumstances {
        Circumstances {
            minor: self.minor,
            pools_refused: self.refused,
            pickers_found,
            guarded,
        }
    }

    /// No pod has answered: do their nodes?
    async fn of_nodes(&self, replicas: &[Replica], step: Step) -> Step {
        let looks = replicas
            .iter()
            .map(|replica| node::fault(self.cluster, &replica.pod));
        match join_all(looks).await.into_iter().flatten().next() {
            Some(fault) => Step::fail(Name::Picker, "no pod answers")
                .because([fault.told, format!("{} get nodes", self.cluster.kubectl)]),
            None => step,
        }
    }

    async fn of_picker(&self, wanted: &Wanted) -> Vec<Step> {
        let Self {
            cluster, source, ..
        } = *self;
        let (mut picker, elsewhere) = tokio::join!(picker::check(cluster, source, wanted), async {
            match wanted.namespace == cluster.namespace() {
                true => None,
                false => Some(rights::ask(cluster, source, &wanted.namespace).await),
            }
        });
        let granted = elsewhere.as_ref().unwrap_or(self.granted);
        let Some(first) = picker.replicas.first() else {
            let rights = rights::judge(
                cluster,
                granted,
                &wanted.namespace,
                &self.circumstances(false, None),
            )
            .await;
            return [picker.step, rights]
                .into_iter()
                .chain(Step::behind_from(Name::ReadersRight))
                .collect();
        };
        let own = first.account();
        let targets: Vec<&Target> = picker.targets().collect();
        let (closed, mut answers, reader, delegated) = tokio::join!(
            picker::closed_port(cluster, source, wanted, &picker),
            metrics::ask(cluster, source, &targets),
            reader::check(cluster, source, &own),
            delegate::ask(cluster, &own),
        );
        if let Some(closed) = closed {
            picker.step = closed;
        } else if answers.guarded().is_none() && !picker.step.is_broken() {
            picker.step = self.of_nodes(&picker.replicas, picker.step).await;
        }
        if let Some(token) = &reader.token {
            answers.show(token).await;
        }
        let rights = rights::judge(
            cluster,
            granted,
            &own.namespace,
            &self.circumstances(true, answers.guarded()),
        )
        .await;
        let delegate =
            delegate::judge(cluster, &picker.replicas[0], delegated, &reader, &answers).await;
        let fresh = reader.fresh;
        let reader = match answers.guarded() {
            Some(false) => Step::ok(
                Name::ReadersRight,
                "not needed: the picker asks for no token",
            ),
            None if reader.step.is_broken() => match picker.step.is_broken() {
                true => Step::behind(Name::ReadersRight),
                false => Step::skip(
                    Name::ReadersRight,
                    "whether the picker asks for a token is not known",
                ),
            },
            _ => reader.step,
        };
        let without_token = matches!(source.token, TokenSource::None);
        let explained = Explained {
            connection: picker.step.is_broken(),
            refusal: !without_token && reader.outcome != Outcome::Ok
                || delegate.is_broken()
                || rights.is_broken(),
        };
        let metrics = answers.judge(Some(granted), explained, fresh, &source.by_hand());
        let metrics = match metrics.is_broken() {
            true if answers.is_untrusted() => {
                let mut source = source.clone();
                source.tls.insecure_skip_verify = true;
                // Whose certificate is not trusted gets no further, and so does not hear what it is asked for itself.
                let targets: Vec<&Target> = picker.targets().collect();
                let unverified = metrics::ask(cluster, &source, &targets).await;
                match unverified.demand(&source.by_hand()) {
                    Some(demand) => demand.because([metrics.found]).because(metrics.evidence),
                    None => metrics.mended_by([again::command(&source)]),
                }
            }
            // Who stands still does so on all ports.
            true if answers.is_silent() => metrics,
            true => other_port::look(cluster, source, &picker.replicas, metrics).await,
            false => metrics,
        };
        let content = content::check(answers.pages());
        let content = match content.is_broken() {
            true => other_port::look(cluster, source, &picker.replicas, content).await,
            false => content,
        };
        vec![picker.step, rights, reader, delegate, metrics, content]
    }
}
