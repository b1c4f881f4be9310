//! Follows an InferencePool: its selector and ports, and the pods that are
//! ready. A pool's endpoints are its ready pods times its target ports.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use futures::stream::{self, BoxStream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Event};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};
use tracing::{info, warn};

use crate::pick::Pool;
use crate::watching::{Mirror, cause, watch};

/// How often a pool is looked for that is not there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How often a pool is looked for in a newer kind than it is followed in.
const LOOK_FOR_NEWER: Duration = Duration::from_secs(30);

/// What endpoints a pool has, in either version of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    selector: Selector,
    /// `v1`.
    #[serde(default)]
    target_ports: Vec<Port>,
    /// `v1alpha2`.
    target_port_number: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Selector {
    /// `v1`.
    #[serde(rename_all = "camelCase")]
    Match {
        match_labels: BTreeMap<String, String>,
    },
    /// `v1alpha2`.
    Labels(BTreeMap<String, String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Port {
    number: u16,
}

impl Spec {
    fn of(pool: &DynamicObject) -> Option<Self> {
        match Self::deserialize(pool.data.get("spec")?) {
            Ok(spec) => Some(spec),
            Err(error) => {
                warn!(%error, "the pool's spec is not understood");
                None
            }
        }
    }

    fn selector(&self) -> String {
        let (Selector::Match {
            match_labels: labels,
        }
        | Selector::Labels(labels)) = &self.selector;
        let terms = labels.iter().map(|(key, value)| format!("{key}={value}"));
        terms.collect::<Vec<_>>().join(",")
    }

    fn ports(&self) -> impl Iterator<Item = u16> {
        let ports = self.target_ports.iter().map(|port| port.number);
        ports.chain(self.target_port_number)
    }
}

/// The address of a pod that can take requests.
fn ready_address(pod: &Pod) -> Option<IpAddr> {
    let status = pod.status.as_ref()?;
    let is_ready = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let is_going = pod.metadata.deletion_timestamp.is_some();
    let address = status.pod_ip.as_deref()?.parse().ok()?;
    (is_ready && !is_going).then_some(address)
}

/// Keeps `pool` as the InferencePool says, for as long as it is awaited.
/// `is_known` turns true once the first whole list of pods is in.
pub(crate) async fn follow(
    client: &kube::Client,
    namespace: &str,
    name: &str,
    pool: &Pool,
    is_known: &watch::Sender<bool>,
) -> Infallible {
    loop {
        let resource = find(client, namespace, name, pool).await;
        tokio::select! {
            () = follow_to_its_end(client, &resource, namespace, name, pool, is_known) => {
                warn!(namespace, pool = name, "the pool is gone");
            }
            () = appears_newer(client, &resource, namespace, name) => {}
        }
    }
}

/// As [`follow`], as long as there is an object of this kind.
async fn follow_to_its_end(
    client: &kube::Client,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
    pool: &Pool,
    is_known: &watch::Sender<bool>,
) {
    let pools = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, resource);
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut pools = Box::pin(watch("the pool", pools, only));
    let mut specs = Mirror::default();
    let mut spec: Option<Spec> = None;
    let mut pod_events: BoxStream<'_, Event<Pod>> = stream::pending().boxed();
    let mut pods = Mirror::default();
    loop {
        let is_changed = tokio::select! {
            Some(event) = pools.next() => {
                if !specs.take(event, |pool| Some(Spec::of(pool))) {
                    continue;
                }
                let Some(new) = specs.values().next().cloned() else {
                    return;
                };
                let selector = new.as_ref().map(Spec::selector);
                if selector != spec.as_ref().map(Spec::selector) {
                    pods = Mirror::default();
                    pod_events = match selector {
                        Some(selector) => {
                            let pods = Api::namespaced(client.clone(), namespace);
                            let selected = watcher::Config::default().labels(&selector);
                            watch("the pool's pods", pods, selected).boxed()
                        }
                        None => stream::pending().boxed(),
                    };
                }
                spec = new;
                true
            }
            Some(event) = pod_events.next() => pods.take(event, ready_address),
        };
        // A list of pods that is still coming in says nothing of the others.
        let is_whole = pods.is_complete() || spec.is_none();
        if is_changed && is_whole {
            let ports: Vec<_> = spec.iter().flat_map(Spec::ports).collect();
            let addresses = pods.values().flat_map(|&address| {
                ports
                    .iter()
                    .map(move |&port| SocketAddr::new(address, port))
            });
            if pool.replace(addresses) {
                info!(ready = pool.len(), "the pool has other endpoints now");
            }
            if pods.is_complete() {
                is_known.send_replace(true);
            }
        }
    }
}

/// The kinds that a pool may be of, the newest first.
fn kinds() -> impl Iterator<Item = ApiResource> {
    let kinds = [
        ("inference.networking.k8s.io", "v1"),
        ("inference.networking.x-k8s.io", "v1alpha2"),
    ];
    kinds.into_iter().map(|(group, version)| {
        let kind = GroupVersionKind::gvk(group, version, "InferencePool");
        ApiResource::from_gvk_with_plural(&kind, "inferencepools")
    })
}

async fn is_there(
    client: &kube::Client,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
) -> Result<bool, kube::Error> {
    let pools = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, resource);
    match pools.get_opt(name).await {
        // The cluster does not know the kind.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        found => Ok(found?.is_some()),
    }
}

/// Ends once the pool is there in a newer kind than this one.
async fn appears_newer(client: &kube::Client, resource: &ApiResource, namespace: &str, name: &str) {
    loop {
        sleep(LOOK_FOR_NEWER).await;
        for newer in kinds().take_while(|kind| kind != resource) {
            if matches!(is_there(client, &newer, namespace, name).await, Ok(true)) {
                return;
            }
        }
    }
}

/// Of which kind the pool is. Waits for it to be created, and empties `pool`
/// when it is not there: not before, as the endpoints of a pool that is gone
/// may be those of a newer one. Where it is not known whether there is a newer
/// one, there is no asking for an older.
async fn find(client: &kube::Client, namespace: &str, name: &str, pool: &Pool) -> ApiResource {
    let (mut is_missed, mut has_failed) = (false, false);
    loop {
        let (mut is_missing, mut fails) = (true, false);
        for resource in kinds() {
            let (group, version) = (&resource.group, &resource.version);
            match is_there(client, &resource, namespace, name).await {
                Ok(true) => {
                    info!(namespace, pool = name, group, version, "following the pool");
                    return resource;
                }
                Ok(false) => {}
                Err(error) => {
                    fails = true;
                    if !has_failed {
                        let error = cause(&error);
                        warn!(
                            namespace,
                            pool = name,
                            group,
                            error,
                            "asking for the pool failed"
                        );
                    }
                    // Who may not see pools of a kind is to follow another.
                    if !matches!(&error, kube::Error::Api(status) if status.code == 403) {
                        is_missing = false;
                        break;
                    }
                }
            }
        }
        has_failed |= fails;
        if is_missing {
            pool.replace([]);
            if !std::mem::replace(&mut is_missed, true) {
                warn!(
                    namespace,
                    pool = name,
                    "there is no such InferencePool; waiting for it"
                );
            }
        }
        sleep(LOOK_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::answering;
    use serde_json::json;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn an_older_pool_is_not_taken_while_a_newer_one_cannot_be_asked_for() {
        let pool = r#"{"kind":"InferencePool","apiVersion":"g/v","metadata":{"name":"p"}}"#;
        let endpoints = Pool::default();
        let found = [
            find(&answering(vec![Err(500), Ok(pool)]), "ns", "p", &endpoints).await,
            find(&answering(vec![Err(404), Ok(pool)]), "ns", "p", &endpoints).await,
            find(&answering(vec![Err(403), Ok(pool)]), "ns", "p", &endpoints).await,
        ];
        let versions = found.map(|resource| resource.version);
        assert_eq!(versions, ["v1", "v1alpha2", "v1alpha2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_newer_pool_is_noticed_beside_the_one_that_is_followed() {
        let pool = r#"{"kind":"InferencePool","apiVersion":"g/v","metadata":{"name":"p"}}"#;
        let mut noticed = Vec::new();
        for kind in kinds() {
            let client = answering(vec![Err(500), Err(404), Ok(pool)]);
            let appears = appears_newer(&client, &kind, "ns", "p");
            noticed.push(timeout(4 * LOOK_FOR_NEWER, appears).await.is_ok());
        }
        assert_eq!(noticed, [false, true]);
    }

    fn spec(spec: serde_json::Value) -> Option<(String, Vec<u16>)> {
        let spec = Spec::deserialize(spec).ok()?;
        Some((spec.selector(), spec.ports().collect()))
    }

    #[test]
    fn both_versions_of_a_pool_are_read() {
        let read = [
            spec(
                json!({"selector": {"matchLabels": {"a": "b", "c": "d"}}, "targetPorts": [{"number": 8000}, {"number": 8001}]}),
            ),
            spec(
                json!({"selector": {"a": "b"}, "targetPortNumber": 8000, "extensionRef": {"name": "x"}}),
            ),
            spec(json!({"targetPorts": []})),
        ];
        let expected = [
            Some(("a=b,c=d".to_owned(), vec![8000, 8001])),
            Some(("a=b".to_owned(), vec![8000])),
            None,
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn only_a_ready_pod_that_stays_has_an_address() {
        let pod = |ready: &str, going: Option<&str>| {
            let pod: Pod = serde_json::from_value(json!({
                "metadata": {"name": "p", "deletionTimestamp": going},
                "status": {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": ready}]},
            }))
            .expect("a pod");
            ready_address(&pod).map(|address| address.to_string())
        };
        assert_eq!(
            [
                pod("True", None),
                pod("False", None),
                pod("True", Some("2026-01-01T00:00:00Z"))
            ],
            [Some("10.0.0.1".to_owned()), None, None]
        );
    }
}
