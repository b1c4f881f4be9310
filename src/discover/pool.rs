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
use serde_json::Value;

use super::{DiscoverError, Pod};
use crate::cluster::{ApiError, Cluster, Right};
use crate::shell::word;

pub(crate) const RESOURCE: &str = "inferencepools";

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

/// An InferencePool, whichever API it is from.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The group and version of its API: `inference.networking.k8s.io/v1`.
    pub(crate) api: String,
    /// What it names as its endpoint picker.
    pub(crate) picker: Option<Reference>,
    /// The labels of its endpoints.
    pub(crate) selector: BTreeMap<String, String>,
    /// The ports of its endpoints.
    pub(crate) ports: Vec<u16>,
    /// Whether it was deleted, and is held by a finalizer.
    pub(crate) is_ending: bool,
    /// What gateways do not accept of it: `Gateway gw: ResolvedRefs is False: …`.
    pub(crate) complaints: Vec<String>,
}

impl Pool {
    /// Whether it is of the stable version, whose fields have other names than those of the alpha.
    pub(crate) fn is_v1(&self) -> bool {
        self.api.ends_with("/v1")
    }

    /// The group of its API.
    pub(crate) fn group(&self) -> &'static str {
        let api = APIS.iter().find(|api| self.api.starts_with(api.group));
        api.unwrap_or(&APIS[0]).group
    }
}

/// What a pool names as its endpoint picker.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// "Service", if it is one that can be followed; of another API group "Service.example.com".
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The Service's port; 9002 in the API without one.
    pub(crate) port: Option<u16>,
}

/// A Service that picks endpoints, and for which pools.
pub(super) struct Picker {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) pools: Vec<String>,
}

impl Picker {
    /// What stands for its pods where there is none.
    pub(super) fn entry(&self) -> Pod {
        Pod {
            name: self.name.clone(),
            namespace: Some(self.namespace.clone()),
            picker: Some(self.name.clone()),
            pools: self.pools.clone(),
            ..Pod::default()
        }
    }
}

pub(super) struct Pools {
    /// Each Service once.
    pub(super) pickers: Vec<Picker>,
    /// Pools that name no Service.
    pub(super) without: Vec<(Pod, DiscoverError)>,
    pub(super) notices: Vec<String>,
}

/// The pickers of all pools of a namespace, or of the cluster.
pub(super) async fn list(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<Pools, DiscoverError> {
    let (pools, notices) = all(cluster, namespace).await?;
    pickers(&pools, notices, &scope(namespace))
}

/// The picker of the pool of that name; where both APIs have one, of both.
pub(super) async fn get(cluster: &Cluster, name: &str) -> Result<Pools, DiscoverError> {
    let pools = named(cluster, name).await?;
    pickers(&pools, Vec::new(), &scope(Some(cluster.namespace())))
}

fn scope(namespace: Option<&str>) -> String {
    format!("-n {}", word(namespace.unwrap_or("NAMESPACE")))
}

/// All pools of a namespace, or of the cluster, and why there may be more of them.
pub(crate) async fn all(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<(Vec<Pool>, Vec<String>), DiscoverError> {
    let scope = scope(namespace);
    let lists = APIS.map(|api| async move {
        let pools: Api<DynamicObject> = match namespace {
            Some(namespace) => {
                Api::namespaced_with(cluster.client.clone(), namespace, &api.resource())
            }
            None => Api::all_with(cluster.client.clone(), &api.resource()),
        };
        let list = api
            .ask(
                cluster,
                Right::list(api.group, RESOURCE, namespace),
                pools.list(&ListParams::default()),
            )
            .await;
        (api, list)
    });
    let mut pools = Vec::new();
    let mut notices = Vec::new();
    let mut refusal = None;
    let mut served = false;
    for (api, outcome) in join_all(lists).await {
        match outcome {
            Ok(Some(list)) => {
                served = true;
                pools.extend(list.items.iter().map(|pool| api.read(pool)));
            }
            Ok(None) => {}
            Err(fault) => {
                notices.push(fault.to_string());
                refusal.get_or_insert(fault);
            }
        }
    }
    match refusal {
        _ if !pools.is_empty() => Ok((pools, notices)),
        Some(cause) => Err(refused(cause, scope)),
        None if !served => Err(DiscoverError::NoPoolApi { scope }),
        None => Err(DiscoverError::NoPools {
            place: namespace.map_or("in any namespace".into(), |namespace| {
                format!("in namespace {namespace}")
            }),
        }),
    }
}

/// The APIs that carry pools, newest first, and whether the cluster serves each; those that it does not tell of are left out.
pub(crate) async fn served(cluster: &Cluster) -> Vec<(String, bool)> {
    let asked = APIS.map(|api| async move {
        let served = api.is_served(cluster).await.ok()?;
        Some((format!("{}/{}", api.group, api.version), served))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// The pool of that name; where both APIs have one, both.
pub(crate) async fn named(cluster: &Cluster, name: &str) -> Result<Vec<Pool>, DiscoverError> {
    let namespace = cluster.namespace.as_str();
    let scope = scope(Some(namespace));
    let gets = APIS.map(|api| async move {
        let pools: Api<DynamicObject> =
            Api::namespaced_with(cluster.client.clone(), namespace, &api.resource());
        let pool = api
            .ask(
                cluster,
                Right::get(api.group, RESOURCE, namespace, name),
                pools.get(name),
            )
            .await?;
        Ok(pool.map(|pool| api.read(&pool)))
    });
    let found: Vec<Option<Pool>> = match join_all(gets).await.into_iter().collect() {
        Ok(found) => found,
        Err(cause) => return Err(refused(cause, scope)),
    };
    let pools: Vec<Pool> = found.into_iter().flatten().collect();
    if !pools.is_empty() {
        return Ok(pools);
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
            list: format!("{} get {RESOURCE} -n {}", cluster.kubectl, word(namespace)),
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
    /// What matters of a pool, by the names that its API has for it.
    fn read(self, pool: &DynamicObject) -> Pool {
        let spec = &pool.data["spec"];
        let labels = match &spec["selector"]["matchLabels"] {
            Value::Null => &spec["selector"],
            labels => labels,
        };
        let number = |number: &Value| number.as_u64().and_then(|n| u16::try_from(n).ok());
        let ports = spec["targetPorts"].as_array();
        Pool {
            namespace: pool.metadata.namespace.clone().unwrap_or_default(),
            name: pool.metadata.name.clone().unwrap_or_default(),
            api: format!("{}/{}", self.group, self.version),
            picker: Reference::of(spec),
            selector: labels
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
            ports: match ports {
                Some(ports) => ports
                    .iter()
                    .filter_map(|port| number(&port["number"]))
                    .collect(),
                None => number(&spec["targetPortNumber"]).into_iter().collect(),
            },
            is_ending: pool.metadata.deletion_timestamp.is_some(),
            complaints: complaints(&pool.data["status"]).collect(),
        }
    }

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

/// What the parents of a pool, which are gateways, report as not so.
fn complaints(status: &Value) -> impl Iterator<Item = String> {
    let parents = ["parents", "parent"].map(|field| status[field].as_array());
    let parents = parents.into_iter().flatten().flatten();
    parents.flat_map(|parent| {
        let name = parent["parentRef"]["name"].as_str().unwrap_or_default();
        let conditions = parent["conditions"].as_array().into_iter().flatten();
        let unmet = conditions.filter(|condition| {
            condition["status"] == "False"
                && (condition["type"] == "Accepted" || condition["type"] == "ResolvedRefs")
        });
        unmet.map(move |condition| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            format!(
                "Gateway {name}: {} is False, {}: {}",
                text("type"),
                text("reason"),
                text("message")
            )
        })
    })
}

impl Reference {
    /// `endpointPickerRef` or `extensionRef`; their `kind` defaults to Service.
    fn of(spec: &Value) -> Option<Self> {
        let reference = spec
            .get("endpointPickerRef")
            .or_else(|| spec.get("extensionRef"))?;
        let filled = |field: &str| reference[field].as_str().filter(|text| !text.is_empty());
        let port = match &reference["port"]["number"] {
            Value::Null => &reference["portNumber"],
            port => port,
        };
        Some(Self {
            kind: match (filled("kind").unwrap_or("Service"), filled("group")) {
                (kind, None) => kind.to_owned(),
                (kind, Some(group)) => format!("{kind}.{group}"),
            },
            name: reference["name"].as_str()?.into(),
            port: port.as_u64().and_then(|port| port.try_into().ok()),
        })
    }

    /// Its name, if it is a Service.
    pub(crate) fn service(&self) -> Option<&str> {
        (self.kind == "Service").then_some(&self.name)
    }
}

fn pickers(pools: &[Pool], notices: Vec<String>, scope: &str) -> Result<Pools, DiscoverError> {
    let mut by_service: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for pool in pools {
        let (namespace, name) = (pool.namespace.clone(), pool.name.clone());
        match pool.picker.as_ref().and_then(Reference::service) {
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
                let entry = Pod {
                    pools: vec![name.clone()],
                    namespace: Some(namespace),
                    ..Pod::named(name)
                };
                without.push((entry, fault));
            }
        }
    }
    if by_service.is_empty() && !without.is_empty() {
        return Err(without.swap_remove(0).1);
    }
    let pickers = by_service
        .into_iter()
        .map(|((namespace, name), pools)| Picker {
            namespace,
            name,
            pools,
        })
        .collect();
    Ok(Pools {
        pickers,
        without,
        notices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn picks(spec: serde_json::Value, service: Option<&str>) {
        let reference = Reference::of(&spec);
        assert_eq!(reference.as_ref().and_then(Reference::service), service);
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

    #[test]
    fn what_gateways_do_not_accept_is_told_whatever_the_generation() {
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "reason": "R", "message": "M" });
        let parent = |name: &str, conditions: serde_json::Value| json!({ "parentRef": { "name": name }, "conditions": conditions });
        let status = json!({
            "parents": [parent("a", json!([condition("Accepted", "True"), condition("ResolvedRefs", "False")]))],
            "parent": [
                parent("b", json!([condition("Accepted", "False")])),
                // It has not said so, or of something else.
                parent("c", json!([condition("Accepted", "Unknown"), condition("Exported", "False")])),
                parent("default", json!(null)),
            ],
        });

        let told: Vec<String> = complaints(&status).collect();

        assert_eq!(
            told,
            [
                "Gateway a: ResolvedRefs is False, R: M",
                "Gateway b: Accepted is False, R: M"
            ]
        );
        assert_eq!(complaints(&serde_json::Value::Null).count(), 0);
    }
}
