//! Does a pool name a picker, and has it endpoints that take requests?

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;
use serde_json::json;

use super::dial::{Greeting, closed, is_probed};
use super::pods::{self, Replica};
use super::service::{patch_pool, patch_pool_spec};
use super::step::{Name, Step};
use super::workload::{self, Workload};
use crate::cluster::{Cluster, Right};
use crate::config::ClusterSource;
use crate::discover::pool::{Pool, RESOURCE};
use crate::discover::{Target, ready};
use crate::shell::{json_patch, word};

const NAME: Name = Name::Pool;
/// So many endpoints are connected to.
const DIALLED: usize = 8;

/// Looks at the pickers and endpoints that pools name.
pub(super) async fn check(cluster: &Cluster, source: &ClusterSource, pools: &[Pool]) -> Step {
    // The same pool in both API groups, as during a move from one to the other, has the same endpoints.
    let mut distinct: Vec<&Pool> = Vec::new();
    for pool in pools {
        if distinct
            .iter()
            .all(|known| (&known.namespace, &known.name) != (&pool.namespace, &pool.name))
        {
            distinct.push(pool);
        }
    }
    let endpoints = join_all(distinct.iter().map(|pool| endpoints(cluster, pool))).await;
    let about: Vec<String> = distinct
        .iter()
        .zip(&endpoints)
        .map(|(pool, endpoints)| about(pool, endpoints))
        .collect();
    let step = match &about[..] {
        [only] => Step::ok(NAME, only),
        several => Step::ok(NAME, format!("{} pools", several.len())).because(several),
    };
    let looks = distinct
        .iter()
        .zip(&endpoints)
        .map(|(pool, endpoints)| fault(cluster, source, pool, endpoints));
    let faults: Vec<Step> = join_all(looks).await.into_iter().flatten().collect();
    match faults.into_iter().max_by_key(Step::is_broken) {
        Some(fault) if distinct.len() == 1 || fault.is_broken() => fault,
        Some(fault) => fault.because(about),
        None => step,
    }
}

/// The pods that a pool's selector selects; `None` where they may not be listed.
async fn endpoints(cluster: &Cluster, pool: &Pool) -> Option<Vec<Pod>> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &pool.namespace);
    let labels = ListParams::default().labels(&selector(pool));
    let right = Right::list("", "pods", Some(&pool.namespace));
    let list = cluster.ask(right, pods.list(&labels)).await.ok()?;
    let lives = |pod: &Pod| {
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
    };
    Some(list.items.into_iter().filter(lives).collect())
}

/// `app=model-server`
fn selector(pool: &Pool) -> String {
    let selector: Selector = pool.selector.clone().into_iter().collect();
    selector.to_string()
}

fn is_ready(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(ready) == Some(true)
}

fn about(pool: &Pool, endpoints: &Option<Vec<Pod>>) -> String {
    let count = match endpoints {
        None => String::new(),
        Some(pods) => {
            let ready = pods.iter().filter(|pod| is_ready(pod)).count();
            match (pods.len(), ready) {
                (1, 1) => ", 1 endpoint".into(),
                (all, ready) if all == ready => format!(", {all} endpoints"),
                (all, ready) => format!(", {ready} of {all} endpoints ready"),
            }
        }
    };
    let ports: Vec<String> = pool.ports.iter().map(u16::to_string).collect();
    let ports = match (ports.is_empty(), endpoints) {
        (false, Some(_)) => format!(" on port {}", ports.join(", ")),
        _ => String::new(),
    };
    format!(
        "{}/{} ({}){count}{ports}",
        pool.namespace, pool.name, pool.api
    )
}

async fn fault(
    cluster: &Cluster,
    source: &ClusterSource,
    pool: &Pool,
    endpoints: &Option<Vec<Pod>>,
) -> Option<Step> {
    if let Some(step) = no_picker(cluster, pool).await {
        return Some(step);
    }
    let pods = endpoints.as_ref()?;
    if pods.is_empty() {
        return Some(no_endpoints(cluster, pool).await);
    }
    if let Some(step) = closed_port(cluster, source, pool, pods).await {
        return Some(step);
    }
    if pool.is_ending {
        return Some(
            Step::warn(NAME, format!("{} is being deleted", full_name(pool)))
                .because(["gateways no longer count on it, though a finalizer holds it"]),
        );
    }
    if !pool.complaints.is_empty() {
        return Some(
            Step::warn(
                NAME,
                format!("a gateway does not accept {}", full_name(pool)),
            )
            .because(&pool.complaints),
        );
    }
    let waiting = Replica::of(pods.iter().find(|pod| !is_ready(pod))?)?;
    let step = match pods.iter().any(is_ready) {
        true => Step::warn(NAME, about(pool, endpoints)),
        false => Step::fail(
            NAME,
            format!(
                "{} has no endpoint that is ready, of {}",
                full_name(pool),
                pods.len()
            ),
        ),
    };
    Some(pods::why_not_ready(cluster, &waiting, step).await)
}

fn full_name(pool: &Pool) -> String {
    format!("InferencePool {}/{}", pool.namespace, pool.name)
}

async fn no_picker(cluster: &Cluster, pool: &Pool) -> Option<Step> {
    let name = full_name(pool);
    match &pool.picker {
        None => Some(Step::fail(NAME, format!("{name} names no endpoint picker"))),
        Some(reference) if reference.service().is_none() => {
            let step = Step::fail(
                NAME,
                format!(
                    "{name} names {} {} as its endpoint picker, and only a Service can be followed",
                    reference.kind, reference.name
                ),
            );
            Some(
                match service_exists(cluster, &pool.namespace, &reference.name).await {
                    true => step
                        .because(["there is a Service of that name"])
                        .mended_by([patch_pool(
                            cluster,
                            pool,
                            json!({ "group": "", "kind": "Service" }),
                        )]),
                    false => step,
                },
            )
        }
        Some(_) => None,
    }
}

async fn service_exists(cluster: &Cluster, namespace: &str, name: &str) -> bool {
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
    let right = Right::get("", "services", namespace, name);
    cluster.ask(right, services.get(name)).await.is_ok()
}

/// Whether the pool's port is closed on endpoints that are ready.
async fn closed_port(
    cluster: &Cluster,
    source: &ClusterSource,
    pool: &Pool,
    endpoints: &[Pod],
) -> Option<Step> {
    let ready = endpoints.iter().filter(|pod| is_ready(pod)).take(DIALLED);
    let looks = ready.map(|pod| async move {
        let target = Target::of(pod, None)?;
        for port in &pool.ports {
            if is_probed(pod, *port) {
                continue;
            }
            if let Some(closed) = closed(cluster, source, pod, &target, *port, Greeting::Http).await
            {
                return Some((pod, target, *port, closed));
            }
        }
        None
    });
    let looks = join_all(looks).await;
    let dialled = looks.len();
    let unreached: Vec<_> = looks.into_iter().flatten().collect();
    let (pod, target, port, closed) = unreached.first()?;
    let (name, sender) = (
        &target.pod.name,
        format!("InferencePool {} sends requests", pool.name),
    );
    let found = match closed.is_local {
        true => format!(
            "endpoint {name} listens on port {port} on its localhost alone, and {sender} to its address"
        ),
        false => format!("nothing listens on port {port} of endpoint {name}, to which {sender}"),
    };
    if unreached.len() < dialled {
        return Some(
            Step::warn(NAME, found)
                .because([format!(
                    "so with {} of the {dialled} endpoints that were looked at",
                    unreached.len()
                )])
                .because(&closed.evidence),
        );
    }
    let step = Step::fail(NAME, found).because(&closed.evidence);
    let declared: Vec<i32> = pods::declared_ports(pod)
        .map(|port| port.container_port)
        .collect();
    Some(match declared[..] {
        // A pool of several ports would lose the others; one that has this port gains nothing.
        [only] if pool.ports.len() == 1 && i32::from(*port) != only => step
            .because([format!("its container declares port {only}")])
            .mended_by([patch_pool_spec(
                cluster,
                pool,
                match pool.is_v1() {
                    true => json!({ "targetPorts": [{ "number": only }] }),
                    false => json!({ "targetPortNumber": only }),
                },
            )]),
        _ => step,
    })
}

/// No pod is selected: which Deployments could the endpoints be of?
async fn no_endpoints(cluster: &Cluster, pool: &Pool) -> Step {
    let namespace = &pool.namespace;
    let step = Step::fail(
        NAME,
        format!(
            "{} has no endpoints: no pod is labelled {}",
            full_name(pool),
            selector(pool)
        ),
    );
    let workloads = workload::list(cluster, namespace).await;
    let own = workloads
        .iter()
        .find(|workload| workload.is_selected(pool.selector.iter()));
    if let Some(own) = own {
        return own.no_pods(cluster, namespace, step);
    }
    let mut others = workloads
        .iter()
        .filter(|workload| may_serve(workload, pool))
        .filter_map(|workload| Some((workload, workload.labels()?)));
    match (others.next(), others.next()) {
        (Some((only, labels)), None) if pool.is_v1() => step
            .because([format!("the pods of {only} are labelled {labels}")])
            .mended_by([format!(
                "{} patch {RESOURCE}.{} {} -n {} {}",
                cluster.admin,
                pool.group(),
                word(&pool.name),
                word(namespace),
                json_patch("replace", "/spec/selector/matchLabels", labels)
            )]),
        _ => step.because([format!(
            "{} get pods -n {} --show-labels",
            cluster.kubectl,
            word(namespace)
        )]),
    }
}

/// Whether it looks like the pool's model servers: it declares the pool's port, or, where it declares
/// none, has a label of the pool's kind. A picker is none, nor is what a gateway is made of.
fn may_serve(workload: &Workload, pool: &Pool) -> bool {
    let template = &workload.template;
    let labels = template
        .metadata
        .iter()
        .flat_map(|metadata| metadata.labels.iter().flatten());
    let keys: Vec<&String> = labels.map(|(key, _)| key).collect();
    let is_of_gateway = |key: &&String| key.starts_with("gateway.networking.k8s.io/");
    if workload.is_picker() || keys.iter().any(is_of_gateway) {
        return false;
    }
    let spec = template.spec.iter();
    let containers = spec.flat_map(|spec| {
        spec.containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
    });
    let mut declared = containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter_map(|port| u16::try_from(port.container_port).ok())
        .peekable();
    match declared.peek() {
        Some(_) => declared.any(|port| pool.ports.contains(&port)),
        None => keys.iter().any(|key| pool.selector.contains_key(*key)),
    }
}
