//! InferencePools and the Services that they name as their endpoint pickers.
//!
//! Two API groups carry them: `inference.networking.k8s.io/v1` (field `endpointPickerRef`) and before that
//! `inference.networking.x-k8s.io/v1alpha2` (field `extensionRef`). Clusters on the move serve both, so both are asked,
//! side by side. Where that is refused, API discovery, open to every user, says which are served at all.
//! <https://gateway-api-inference-extension.sigs.k8s.io/reference/spec/>

use std::collections::BTreeMap;

use futures::future::join_all;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};

use super::DiscoverError;
use crate::cluster::{ApiError, Cluster, Right};

const RESOURCE: &str = "inferencepools";

/// The APIs that carry pools, newest first.
const APIS: [PoolApi; 2] = [
    PoolApi {
        group: "inference.networking.k8s.io",
        version: "v1",
    },
    PoolApi {
        group: "inference.networking.x-k8s.io",
        version: "v1alpha2",
    },
];

#[derive(Clone, Copy)]
struct PoolApi {
    group: &'static str,
    version: &'static str,
}

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
    let lists = APIS.map(|api| async move {
        let pools: Api<DynamicObject> = match namespace {
            Some(namespace) => {
                Api::namespaced_with(cluster.client.clone(), namespace, &api.resource())
            }
            None => Api::all_with(cluster.client.clone(), &api.resource()),
        };
        api.ask(
            cluster,
            Right::list(api.group, RESOURCE, namespace),
            pools.list(&ListParams::default()),
        )
        .await
    });
    let mut pools = Vec::new();
    let mut notices = Vec::new();
    let mut refusal = None;
    let mut served = false;
    for outcome in join_all(lists).await {
        match outcome {
            Ok(Some(list)) => {
                served = true;
                pools.extend(list.items);
            }
            Ok(None) => {}
            Err(fault) => {
                notices.push(fault.to_string());
                refusal.get_or_insert(fault);
            }
        }
    }
    match refusal {
        _ if !pools.is_empty() => pickers(&pools, notices, &scope),
        Some(cause) => Err(refused(cause, scope)),
        None if !served => Err(DiscoverError::NoPoolApi { scope }),
        None => Err(DiscoverError::NoPools {
            place: namespace.map_or("in any namespace".into(), |namespace| {
                format!("in namespace {namespace}")
            }),
            kubectl: cluster.kubectl.clone(),
        }),
    }
}

/// The pool of that name; where both APIs have one, both.
pub(super) async fn get(cluster: &Cluster, name: &str) -> Result<Pools, DiscoverError> {
    let namespace = cluster.namespace.as_str();
    let scope = format!("-n {namespace}");
    let gets = APIS.map(|api| async move {
        let pools: Api<DynamicObject> =
            Api::namespaced_with(cluster.client.clone(), namespace, &api.resource());
        api.ask(
            cluster,
            Right::get(api.group, RESOURCE, namespace, name),
            pools.get(name),
        )
        .await
    });
    let found: Vec<Option<DynamicObject>> = match join_all(gets).await.into_iter().collect() {
        Ok(found) => found,
        Err(cause) => return Err(refused(cause, scope)),
    };
    let pools: Vec<DynamicObject> = found.into_iter().flatten().collect();
    if !pools.is_empty() {
        return pickers(&pools, Vec::new(), &scope);
    }
    // Not to be there is one thing for a pool, another for the API.
    let served: Result<Vec<bool>, ApiError> =
        join_all(APIS.map(|api| async move { api.is_served(cluster).await }))
            .await
            .into_iter()
            .collect();
    match served.map_err(DiscoverError::Api)?.contains(&true) {
        false => Err(DiscoverError::NoPoolApi { scope }),
        true => Err(DiscoverError::NoSuch {
            kind: "InferencePool",
            name: name.into(),
            namespace: namespace.into(),
            because: String::new(),
            list: format!("{} get {RESOURCE} -n {namespace}", cluster.kubectl),
        }),
    }
}

/// Without a right to pools a Service may still be named; without an API server nothing may.
fn refused(cause: ApiError, scope: String) -> DiscoverError {
    match cause {
        ApiError::Forbidden { .. } => DiscoverError::PoolsRefused { cause, scope },
        cause => DiscoverError::Api(cause),
    }
}

impl PoolApi {
    fn resource(self) -> ApiResource {
        ApiResource {
            group: self.group.into(),
            version: self.version.into(),
            api_version: format!("{}/{}", self.group, self.version),
            kind: "InferencePool".into(),
            plural: RESOURCE.into(),
        }
    }

    /// Asks for pools; `None` where there are none by that name, or this API is not served.
    async fn ask<T>(
        self,
        cluster: &Cluster,
        right: Right,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<Option<T>, ApiError> {
        match cluster.ask(right, call).await {
            Ok(found) => Ok(Some(found)),
            Err(ApiError::NotFound { .. }) => Ok(None),
            // Who has no right to an API is told so even where there is no such API.
            Err(fault @ ApiError::Forbidden { .. }) => Ok(match self.is_served(cluster).await? {
                true => return Err(fault),
                false => None,
            }),
            Err(fault) => Err(fault),
        }
    }

    async fn is_served(self, cluster: &Cluster) -> Result<bool, ApiError> {
        let resource = self.resource();
        let resources = cluster
            .client
            .list_api_group_resources(&resource.api_version);
        match cluster.ask(Right::discovery(self.group), resources).await {
            Ok(list) => Ok(list
                .resources
                .iter()
                .any(|resource| resource.name == RESOURCE)),
            Err(ApiError::NotFound { .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
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
