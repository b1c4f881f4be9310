//! The Deployments and StatefulSets of a namespace: which of them are pickers, and how to change them.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, StatefulSet};
use k8s_openapi::api::core::v1::{Container, Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::step::Step;
use crate::cluster::{Cluster, Right};
use crate::discover::Setting;
use crate::discover::pool::Pool;
use crate::shell::{json_patch, word};

/// The pool that a picker is told to pick for.
pub(super) const POOL: Setting = Setting {
    flags: ["pool-name", "poolName"],
    variable: "IGW_POOL_NAME",
};
/// Where that pool is; the picker's own namespace unless told.
pub(super) const POOL_NAMESPACE: Setting = Setting {
    flags: ["pool-namespace", "poolNamespace"],
    variable: "IGW_POOL_NAMESPACE",
};
/// The API group of that pool, which GIE's pickers are told by a flag alone.
pub(super) const POOL_GROUP: Setting = Setting {
    flags: ["pool-group", "poolGroup"],
    variable: "",
};

/// What makes pods, and keeps so many of them.
pub(super) struct Workload {
    pub(super) kind: Kind,
    pub(super) metadata: ObjectMeta,
    pub(super) template: PodTemplateSpec,
    selector: LabelSelector,
    /// How many pods it is to keep, and how many it has.
    wants: i32,
    has: i32,
    is_paused: bool,
    conditions: Vec<DeploymentCondition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }
}

/// `Deployment epp`
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.text(), self.name())
    }
}

/// The Deployments and StatefulSets of a namespace; none where they may not be listed.
pub(super) async fn list(cluster: &Cluster, namespace: &str) -> Vec<Workload> {
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), namespace);
    let sets: Api<StatefulSet> = Api::namespaced(cluster.client.clone(), namespace);
    let right = |resource| Right::list("apps", resource, Some(namespace));
    let params = ListParams::default();
    let (deployments, sets) = tokio::join!(
        cluster.ask(right("deployments"), deployments.list(&params)),
        cluster.ask(right("statefulsets"), sets.list(&params)),
    );
    let deployments = deployments.into_iter().flat_map(|list| list.items);
    let sets = sets.into_iter().flat_map(|list| list.items);
    deployments
        .filter_map(Workload::of_deployment)
        .chain(sets.filter_map(Workload::of_set))
        .collect()
}

impl Workload {
    fn of_deployment(found: Deployment) -> Option<Self> {
        let (spec, status) = (found.spec?, found.status.unwrap_or_default());
        Some(Self {
            kind: Kind::Deployment,
            metadata: found.metadata,
            template: spec.template,
            selector: spec.selector,
            wants: spec.replicas.unwrap_or(1),
            has: status.replicas.unwrap_or(0),
            is_paused: spec.paused.unwrap_or(false),
            conditions: status.conditions.unwrap_or_default(),
        })
    }

    fn of_set(found: StatefulSet) -> Option<Self> {
        let spec = found.spec?;
        Some(Self {
            kind: Kind::StatefulSet,
            metadata: found.metadata,
            template: spec.template,
            selector: spec.selector,
            wants: spec.replicas.unwrap_or(1),
            has: found.status.map_or(0, |status| status.replicas),
            is_paused: false,
            conditions: Vec::new(),
        })
    }

    pub(super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// `deployment epp -n llm`, of a command.
    fn words(&self, namespace: &str) -> String {
        let kind = self.kind.text().to_lowercase();
        format!("{kind} {} -n {}", word(self.name()), word(namespace))
    }

    /// Whether it has made a pod.
    pub(super) fn made(&self, pod: &Pod) -> bool {
        let mut owners = pod.metadata.owner_references.iter().flatten();
        match self.kind {
            Kind::Deployment => deployment_of(pod) == Some(self.name()),
            Kind::StatefulSet => {
                owners.any(|owner| owner.kind == self.kind.text() && owner.name == self.name())
            }
        }
    }

    /// The labels by which it knows its pods, if it does so by labels.
    pub(super) fn labels(&self) -> Option<Value> {
        let labels = self.selector.match_labels.as_ref()?;
        (!labels.is_empty()).then(|| json!(labels))
    }

    /// Why it cannot make pods, in Kubernetes' words.
    fn failure(&self) -> Option<&str> {
        let mut conditions = self.conditions.iter();
        conditions
            .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")?
            .message
            .as_deref()
    }

    /// What is to be said where it has fewer pods than it is to keep.
    pub(super) fn lacks_pods(&self) -> Option<Vec<String>> {
        let failure = self.failure();
        let (wants, has) = (self.wants, self.has);
        (failure.is_some() || has < wants).then(|| {
            let count = format!("{self} is to have {wants} pods and has {has}");
            let lines = [Some(count), failure.map(Into::into)];
            lines.into_iter().flatten().collect()
        })
    }

    /// Since when its pods have all been ready at once as they are now described, if ever.
    ///
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment>
    pub(super) fn complete_since(&self) -> Option<Timestamp> {
        let complete = self.conditions.iter().find(|condition| {
            condition.type_ == "Progressing"
                && condition.reason.as_deref() == Some("NewReplicaSetAvailable")
        })?;
        Some(complete.last_update_time.as_ref()?.0)
    }

    /// Completes a step by why there are no pods of it, and the command that makes some.
    pub(super) fn no_pods(&self, cluster: &Cluster, namespace: &str, step: Step) -> Step {
        if self.wants == 0 {
            return self.scale_up(cluster, namespace, step);
        }
        let (admin, words) = (&cluster.admin, self.words(namespace));
        let spec = self.template.spec.as_ref();
        let account = spec.and_then(|spec| spec.service_account_name.as_deref());
        let cannot = format!("{self} cannot make them");
        match (self.failure(), account) {
            (Some(failure), Some(account))
                if failure.contains(&format!("serviceaccount \"{account}\" not found")) =>
            {
                step.because([cannot, failure.into()]).mended_by([
                    format!(
                        "{admin} create serviceaccount {} -n {}",
                        word(account),
                        word(namespace)
                    ),
                    format!("{admin} rollout restart {words}"),
                ])
            }
            (Some(failure), _) => step.because([cannot, failure.into()]),
            (None, _) if self.is_paused => step
                .because([format!("{self} is paused")])
                .mended_by([format!("{admin} rollout resume {words}")]),
            (None, _) => step.because([cannot, format!("{} describe {words}", cluster.kubectl)]),
        }
    }

    fn scale_up(&self, cluster: &Cluster, namespace: &str, step: Step) -> Step {
        let step = step.because([format!("{self} is scaled to 0")]);
        let mut owners = self.metadata.owner_references.iter().flatten();
        match owners.find(|owner| owner.controller == Some(true)) {
            // Which would take it back.
            Some(owner) => {
                step.because([format!("by {} {}, which made it", owner.kind, owner.name)])
            }
            None => step.mended_by([format!(
                "{} scale {} --replicas=1",
                cluster.admin,
                self.words(namespace)
            )]),
        }
    }

    /// Whether its pods have these labels.
    pub(super) fn is_selected<'a>(
        &self,
        mut selector: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> bool {
        let labels = self.template.metadata.as_ref();
        let labels = labels.and_then(|metadata| metadata.labels.as_ref());
        labels.is_some_and(|labels| selector.all(|(key, value)| labels.get(key) == Some(value)))
    }

    fn containers(&self) -> &[Container] {
        let spec = self.template.spec.as_ref();
        spec.map_or(&[], |spec| &spec.containers)
    }

    /// Whether it is an endpoint picker, by what it is told.
    pub(super) fn is_picker(&self) -> bool {
        names_a_pool(self.containers())
    }

    /// The pool that a picker is told to pick for.
    pub(super) fn pool(&self) -> Option<String> {
        let mut containers = self.containers().iter();
        containers.find_map(|container| POOL.of(container))
    }

    /// Whether it is a picker of one of these pools, or, of none, any picker.
    pub(super) fn is_picker_of(&self, pools: &[Pool]) -> bool {
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let containers = self.containers().iter();
        let mut told = containers.filter_map(|container| told_pool(container, namespace));
        match pools {
            [] => self.is_picker(),
            pools => told.any(|told| pools.iter().any(|pool| is(pool, &told))),
        }
    }
}

/// Whether a pool has this namespace and name.
pub(super) fn is(pool: &Pool, (namespace, name): &(String, String)) -> bool {
    pool.namespace == *namespace && pool.name == *name
}

/// The pool, namespace and name, that a container in a namespace is told to pick for.
pub(super) fn told_pool(container: &Container, namespace: &str) -> Option<(String, String)> {
    let place = POOL_NAMESPACE.of(container);
    Some((
        place.unwrap_or_else(|| namespace.to_owned()),
        POOL.of(container)?,
    ))
}

/// The only one that is a picker of one of these pools, or, of none, any picker.
pub(super) fn only_picker<'a>(workloads: &'a [Workload], pools: &[Pool]) -> Option<&'a Workload> {
    let mut pickers = workloads
        .iter()
        .filter(|workload| workload.is_picker_of(pools));
    let first = pickers.next()?;
    pickers.next().is_none().then_some(first)
}

pub(super) fn names_a_pool(containers: &[Container]) -> bool {
    containers.iter().any(|container| POOL.is_given(container))
}

/// The name of the Deployment that a pod is of: that of its ReplicaSet, without the hash of the revision.
pub(super) fn deployment_of(pod: &Pod) -> Option<&str> {
    let owner = pod
        .metadata
        .owner_references
        .as_ref()?
        .iter()
        .find(|owner| owner.kind == "ReplicaSet")?;
    let hash = pod.metadata.labels.as_ref()?.get("pod-template-hash")?;
    owner.name.strip_suffix(hash)?.strip_suffix('-')
}

/// A container of a pod as its Deployment describes it, which is what can be changed: pods may be given more.
pub(super) struct Described {
    /// `deployment epp -n llm`
    words: String,
    /// Its place in the template.
    at: usize,
    pub(super) container: Container,
}

/// How a pod's Deployment describes its container of this name.
pub(super) async fn described(cluster: &Cluster, pod: &Pod, name: &str) -> Option<Described> {
    let namespace = pod.metadata.namespace.clone()?;
    let workloads = list(cluster, &namespace).await;
    let own = workloads.iter().find(|workload| workload.made(pod))?;
    let mut containers = own.containers().iter().enumerate();
    let (at, container) = containers.find(|(_, container)| container.name == name)?;
    Some(Described {
        words: own.words(&namespace),
        at,
        container: container.clone(),
    })
}

impl Described {
    /// The command that sets one place of it.
    pub(super) fn patch(&self, cluster: &Cluster, path: &str, value: Value) -> String {
        let path = format!("/spec/template/spec/containers/{}/{path}", self.at);
        format!(
            "{} patch {} {}",
            cluster.admin,
            self.words,
            json_patch("replace", &path, value)
        )
    }
}

/// The command by which a picker's Deployment tells its container something else.
pub(super) async fn tell(
    cluster: &Cluster,
    pod: &Pod,
    container: &str,
    setting: &Setting,
    value: &str,
) -> Option<String> {
    let described = described(cluster, pod, container).await?;
    let container = &described.container;
    let is_flag = |word: &str| {
        let flag = word.split_once('=').map_or(word, |(flag, _)| flag);
        let flag = flag.strip_prefix("--").or_else(|| flag.strip_prefix('-'));
        flag.is_some_and(|flag| setting.flags.contains(&flag))
    };
    // The last one wins.
    let args = container.args.iter().flatten().enumerate();
    if let Some((place, word)) = args.filter(|(_, word)| is_flag(word)).last() {
        let (place, value) = match word.split_once('=') {
            Some((flag, _)) => (place, format!("{flag}={value}")),
            None => (place + 1, value.to_owned()),
        };
        return Some(described.patch(cluster, &format!("args/{place}"), json!(value)));
    }
    // A flag of the command is no place that one knows by its number.
    let is_by_variable = container
        .env
        .iter()
        .flatten()
        .any(|variable| variable.name == setting.variable);
    is_by_variable.then(|| {
        format!(
            "{} set env {} -c {} {}={}",
            cluster.admin,
            described.words,
            word(&container.name),
            setting.variable,
            word(value)
        )
    })
}
