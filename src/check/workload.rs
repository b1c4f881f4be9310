//! The Deployments of a namespace: which of them are pickers, and how to change them.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Pod};
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

/// The Deployments of a namespace; none where they may not be listed.
pub(super) async fn list(cluster: &Cluster, namespace: &str) -> Vec<Deployment> {
    let api: Api<Deployment> = Api::namespaced(cluster.client.clone(), namespace);
    let right = Right::list("apps", "deployments", Some(namespace));
    let list = cluster.ask(right, api.list(&ListParams::default())).await;
    list.map_or_else(|_| Vec::new(), |list| list.items)
}

pub(super) fn name(deployment: &Deployment) -> &str {
    deployment.metadata.name.as_deref().unwrap_or_default()
}

/// The labels by which a Deployment knows its pods, if it does so by labels.
pub(super) fn labels(deployment: &Deployment) -> Option<Value> {
    let labels = deployment.spec.as_ref()?.selector.match_labels.as_ref()?;
    (!labels.is_empty()).then(|| json!(labels))
}

pub(super) fn is_scaled_to_none(deployment: &Deployment) -> bool {
    deployment.spec.as_ref().and_then(|spec| spec.replicas) == Some(0)
}

/// Since when its pods have all been ready at once as they are now described, if ever.
///
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment>
pub(super) fn complete_since(deployment: &Deployment) -> Option<Timestamp> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let complete = conditions.iter().find(|condition| {
        condition.type_ == "Progressing"
            && condition.reason.as_deref() == Some("NewReplicaSetAvailable")
    })?;
    Some(complete.last_update_time.as_ref()?.0)
}

/// Completes a step by the command that gives a Deployment a pod again.
pub(super) fn scale_up(
    cluster: &Cluster,
    namespace: &str,
    deployment: &Deployment,
    step: Step,
) -> Step {
    let name = name(deployment);
    step.because([format!("Deployment {name} is scaled to 0")])
        .mended_by([format!(
            "{} scale deployment {} -n {} --replicas=1",
            cluster.admin,
            word(name),
            word(namespace)
        )])
}

/// Completes a step by why a Deployment that wants pods has none.
pub(super) fn not_made(
    cluster: &Cluster,
    namespace: &str,
    deployment: &Deployment,
    step: Step,
) -> Step {
    let conditions = deployment
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_deref());
    let failure = conditions
        .unwrap_or_default()
        .iter()
        .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")
        .and_then(|condition| condition.message.clone());
    let account = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.template.spec.as_ref()?.service_account_name.clone());
    let step = step.because([format!("Deployment {} cannot make them", name(deployment))]);
    match (failure, account) {
        (Some(failure), Some(account))
            if failure.contains(&format!("serviceaccount \"{account}\" not found")) =>
        {
            step.because([failure]).mended_by([
                format!(
                    "{} create serviceaccount {} -n {}",
                    cluster.admin,
                    word(&account),
                    word(namespace)
                ),
                format!(
                    "{} rollout restart deployment {} -n {}",
                    cluster.admin,
                    word(name(deployment)),
                    word(namespace)
                ),
            ])
        }
        (Some(failure), _) => step.because([failure]),
        (None, _) => step.because([format!(
            "{} describe deployment {} -n {}",
            cluster.kubectl,
            word(name(deployment)),
            word(namespace)
        )]),
    }
}

/// Whether a Deployment's pods have these labels.
pub(super) fn is_selected<'a>(
    deployment: &Deployment,
    mut selector: impl Iterator<Item = (&'a String, &'a String)>,
) -> bool {
    let labels =
        template(deployment).and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    labels.is_some_and(|labels| selector.all(|(key, value)| labels.get(key) == Some(value)))
}

/// Whether it is an endpoint picker, by what it is told.
pub(super) fn is_picker(deployment: &Deployment) -> bool {
    let containers = template(deployment).and_then(|template| template.spec.as_ref());
    containers.is_some_and(|spec| names_a_pool(&spec.containers))
}

/// The pool that a picker is told to pick for.
pub(super) fn pool_of(deployment: &Deployment) -> Option<String> {
    let spec = template(deployment)?.spec.as_ref()?;
    spec.containers
        .iter()
        .find_map(|container| POOL.of(container))
}

/// Whether it is a picker of one of these pools, or, of none, any picker.
pub(super) fn is_picker_of(deployment: &Deployment, pools: &[Pool]) -> bool {
    let namespace = deployment.metadata.namespace.as_deref().unwrap_or_default();
    let containers = template(deployment).and_then(|template| template.spec.as_ref());
    let mut told = containers
        .iter()
        .flat_map(|spec| &spec.containers)
        .filter_map(|container| told_pool(container, namespace));
    match pools {
        [] => is_picker(deployment),
        pools => told.any(|told| pools.iter().any(|pool| is(pool, &told))),
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

/// The one Deployment of a namespace that is a picker of one of these pools, or, of none, any picker.
pub(super) fn only_picker<'a>(
    deployments: &'a [Deployment],
    pools: &[Pool],
) -> Option<&'a Deployment> {
    let mut pickers = deployments
        .iter()
        .filter(|deployment| is_picker_of(deployment, pools));
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

/// A command that sets one place of a Deployment's first pod template.
pub(super) fn patch(
    cluster: &Cluster,
    namespace: &str,
    deployment: &str,
    path: &str,
    value: Value,
) -> String {
    format!(
        "{} patch deployment {} -n {} {}",
        cluster.admin,
        word(deployment),
        word(namespace),
        json_patch("replace", &format!("/spec/template/spec/{path}"), value)
    )
}

/// A command by which a picker's Deployment tells its container, the one at a place, something else.
pub(super) fn tell(
    cluster: &Cluster,
    pod: &Pod,
    at: usize,
    setting: &Setting,
    value: &str,
) -> Option<String> {
    let deployment = deployment_of(pod)?;
    let namespace = pod.metadata.namespace.as_deref()?;
    let container = pod.spec.as_ref()?.containers.get(at)?;
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
        let path = format!("containers/{at}/args/{place}");
        return Some(patch(cluster, namespace, deployment, &path, json!(value)));
    }
    // A flag of the command is no place that one knows by its number.
    let is_by_variable = container
        .env
        .iter()
        .flatten()
        .any(|variable| variable.name == setting.variable);
    is_by_variable.then(|| {
        format!(
            "{} set env deployment {} -n {} -c {} {}={}",
            cluster.admin,
            word(deployment),
            word(namespace),
            word(&container.name),
            setting.variable,
            word(value)
        )
    })
}

pub(super) fn template(
    deployment: &Deployment,
) -> Option<&k8s_openapi::api::core::v1::PodTemplateSpec> {
    deployment.spec.as_ref().map(|spec| &spec.template)
}
