//! InferencePools and the Services that they name as their endpoint pickers.
//!
//! Two API groups carry them: `inference.networking.k8s.io/v1` (field `endpointPickerRef`) and before that
//! `inference.networking.x-k8s.io/v1alpha2` (field `extensionRef`). Clusters on the move serve both. Which ones, is asked
//! by API discovery, open to every user; CustomResourceDefinitions are not.
//! <https://gateway-api-inference-extension.sigs.k8s.io/reference/spec/>

use std::collections::BTreeMap;

use futures::future::join_all;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};

use super::DiscoverError;
use crate::cluster::{ApiError, Cluster, Right};

const RESOURCE: &str = "inferencepools";
const V1: &str = "inference.networking.k8s.io";
const V1ALPHA2: &str = "inference.networking.x-k8s.io";

/// A Service that picks endpoints, and for which pools.
pub(super) struct Picker {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) pools: Vec<String>,
}

pub(super) struct Pools {
    /// Each Service once.
    pub(super) pickers: Vec<Picker>,
    pub(super) notices: Vec<String>,
}

/// All pools of a namespace, or of the cluster.
pub(super) async fn list(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<Pools, DiscoverError> {
    let scope = namespace.map_or("-n NAMESPACE".into(), |namespace| format!("-n {namespace}"));
    let apis = served(cluster, &scope).await?;
    let lists = apis.iter().map(|(group, resource)| async move {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, resource),
            None => Api::all_with(cluster.client.clone(), resource),
        };
        cluster
            .ask(
                Right::list(group, RESOURCE, namespace),
                api.list(&ListParams::default()),
            )
            .await
    });
    let mut pools = Vec::new();
    let mut notices = Vec::new();
    let mut refusal = None;
    for outcome in join_all(lists).await {
        match outcome {
            Ok(list) => pools.extend(list.items),
            Err(fault) => {
                notices.push(fault.to_string());
                refusal.get_or_insert(fault);
            }
        }
    }
    match refusal {
        Some(cause) if pools.is_empty() => Err(DiscoverError::PoolsRefused { cause, scope }),
        _ if pools.is_empty() => Err(DiscoverError::NoPools {
            place: namespace.map_or("in any namespace".into(), |namespace| {
                format!("in namespace {namespace}")
            }),
            kubectl: cluster.kubectl.clone(),
        }),
        _ => pickers(&pools, notices, &scope),
    }
}

/// The pool of that name; where both API groups have one, both.
pub(super) async fn get(cluster: &Cluster, name: &str) -> Result<Pools, DiscoverError> {
    let namespace = cluster.namespace.as_str();
    let scope = format!("-n {namespace}");
    let apis = served(cluster, &scope).await?;
    let gets = apis.iter().map(|(group, resource)| {
        let api: Api<DynamicObject> =
            Api::namespaced_with(cluster.client.clone(), namespace, resource);
        async move {
            cluster
                .ask(Right::get(group, RESOURCE, namespace, name), api.get(name))
                .await
        }
    });
    let mut pools = Vec::new();
    for outcome in join_all(gets).await {
        match outcome {
            Ok(pool) => pools.push(pool),
            Err(ApiError::NotFound { .. }) => {}
            Err(cause) => return Err(DiscoverError::PoolsRefused { cause, scope }),
        }
    }
    if pools.is_empty() {
        return Err(DiscoverError::NoSuch {
            kind: "InferencePool",
            name: name.into(),
            namespace: namespace.into(),
            because: String::new(),
            list: format!("{} get {RESOURCE} -n {namespace}", cluster.kubectl),
        });
    }
    pickers(&pools, Vec::new(), &scope)
}

/// The pool APIs that this cluster serves.
async fn served(
    cluster: &Cluster,
    scope: &str,
) -> Result<Vec<(&'static str, ApiResource)>, DiscoverError> {
    let asked = [(V1, "v1"), (V1ALPHA2, "v1alpha2")].map(|(group, version)| async move {
        let api_version = format!("{group}/{version}");
        match cluster
            .ask(
                Right::discovery(group),
                cluster.client.list_api_group_resources(&api_version),
            )
            .await
        {
            Ok(list) => Ok(list
                .resources
                .iter()
                .any(|resource| resource.name == RESOURCE)
                .then(|| {
                    let resource = ApiResource {
                        group: group.into(),
                        version: version.into(),
                        api_version,
                        kind: "InferencePool".into(),
                        plural: RESOURCE.into(),
                    };
                    (group, resource)
                })),
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(fault) => Err(DiscoverError::Api(fault)),
        }
    });
    let served: Vec<_> = join_all(asked)
        .await
        .into_iter()
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    match served.is_empty() {
        true => Err(DiscoverError::NoPoolApi {
            scope: scope.into(),
        }),
        false => Ok(served),
    }
}

fn pickers(
    pools: &[DynamicObject],
    mut notices: Vec<String>,
    scope: &str,
) -> Result<Pools, DiscoverError> {
    let mut by_service: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut without = None;
    for pool in pools {
        let (namespace, name) = (
            pool.metadata.namespace.clone().unwrap_or_default(),
            pool.metadata.name.clone().unwrap_or_default(),
        );
        match service_of(pool) {
            Some(service) => {
                let pools = by_service
                    .entry((namespace, service.to_owned()))
                    .or_default();
                // The same pool in both API groups, as during a move from one to the other.
                if !pools.contains(&name) {
                    pools.push(name);
                }
            }
            None => {
                let fault = DiscoverError::NoPicker {
                    pool: format!("{namespace}/{name}"),
                    scope: scope.into(),
                };
                notices.push(fault.to_string());
                without.get_or_insert(fault);
            }
        }
    }
    match without {
        Some(fault) if by_service.is_empty() => Err(fault),
        _ => {
            let pickers = by_service
                .into_iter()
                .map(|((namespace, name), pools)| Picker {
                    namespace,
                    name,
                    pools,
                })
                .collect();
            Ok(Pools { pickers, notices })
        }
    }
}

/// The name of the Service in `endpointPickerRef` or `extensionRef`; their `kind` defaults to Service.
fn service_of(pool: &DynamicObject) -> Option<&str> {
    let spec = pool.data.get("spec")?;
    let reference = spec
        .get("endpointPickerRef")
        .or_else(|| spec.get("extensionRef"))?;
    match reference.get("kind").and_then(|kind| kind.as_str()) {
        None | Some("" | "Service") => reference.get("name")?.as_str(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn picks(spec: serde_json::Value, service: Option<&str>) {
        let pool: DynamicObject =
            serde_json::from_value(json!({ "metadata": {}, "spec": spec })).expect("an object");
        assert_eq!(service_of(&pool), service);
    }

    #[test]
    fn both_generations_name_a_service() {
        picks(
            json!({ "endpointPickerRef": { "name": "epp", "port": { "number": 9002 } } }),
            Some("epp"),
        );
        picks(
            json!({ "extensionRef": { "group": "", "kind": "Service", "name": "epp" } }),
            Some("epp"),
        );
    }

    #[test]
    fn a_reference_to_something_else_is_no_picker() {
        picks(
            json!({ "endpointPickerRef": { "kind": "Backend", "name": "epp" } }),
            None,
        );
        picks(json!({ "selector": {} }), None);
    }
}
