//! The namespace that is looked in: is it there, and is it there to stay?
//! <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus>

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use super::step::{Name, Step};
use crate::cluster::{ApiError, Cluster, Right};
use crate::shell::word;

/// Who may not get a namespace is not told that it is missing.
pub(super) async fn exists(cluster: &Cluster) -> bool {
    !matches!(get(cluster).await, Err(ApiError::NotFound { .. }))
}

/// What is to be said of one that is being deleted: whatever is missing in it is missing for that.
pub(super) async fn ending(cluster: &Cluster) -> Option<Step> {
    let namespace = get(cluster).await.ok()?;
    let since = namespace.metadata.deletion_timestamp.as_ref()?.0;
    let name = cluster.namespace();
    let conditions = namespace.status.iter();
    let conditions = conditions.flat_map(|status| status.conditions.iter().flatten());
    let left = conditions
        .filter(|condition| condition.status == "True")
        .map(|condition| {
            let message = condition.message.as_deref().unwrap_or_default();
            format!("{}: {message}", condition.type_)
        });
    let found = format!("namespace {name} is being deleted, with all that is in it");
    Some(
        Step::fail(Name::Pool, found)
            .because([format!("since {since}")])
            .because(left)
            .because([format!(
                "{} get namespace {} -o yaml",
                cluster.kubectl,
                word(name)
            )]),
    )
}

async fn get(cluster: &Cluster) -> Result<Namespace, ApiError> {
    let name = cluster.namespace();
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let right = Right {
        verb: "get",
        group: "",
        resource: "namespaces",
        namespace: None,
        name: Some(name.into()),
    };
    cluster.ask(right, namespaces.get(name)).await
}
