//! A pool's picker is a Service: is it there, do its ports agree with the pool's and the pods', and does it select pods?

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;
use serde_json::{Value, json};

use super::again;
use super::dial::Closed;
use super::picker::Wanted;
use super::pods::{self, declared_ports};
use super::step::{Name, Step};
use super::workload::{self, Kind, POOL, Workload};
use crate::cluster::{Cluster, Right, is_name};
use crate::config::{ClusterSource, Select};
use crate::discover::Setting;
use crate::discover::pool::{Pool, RESOURCE};
use crate::shell::{json_patch, merge_patch, word};

const NAME: Name = Name::Picker;
/// The port of pickers, and of a reference that names none.
const GRPC: u16 = 9002;
/// The port that a picker is told to be asked on.
const GRPC_PORT: Setting = Setting {
    flags: ["grpc-port", "grpcPort"],
    variable: "IGW_GRPC_PORT",
};
/// The port on which pickers tell their health by gRPC.
const HEALTH: u16 = 9003;
/// The same, as a picker is told it.
const HEALTH_PORT: Setting = Setting {
    flags: ["grpc-health-port", "grpcHealthPort"],
    variable: "IGW_GRPC_HEALTH_PORT",
};

/// The Service is not there: another one is meant, or it is to be made.
pub(super) async fn missing(
    cluster: &Cluster,
    source: &ClusterSource,
    wanted: &Wanted,
    name: &str,
) -> Step {
    let namespace = &wanted.namespace;
    let step = match wanted.pools.first() {
        Some(pool) => Step::fail(
            NAME,
            format!(
                "InferencePool {} names Service {namespace}/{name}, which does not exist",
                pool.name
            ),
        ),
        None => Step::fail(NAME, format!("there is no Service {namespace}/{name}")),
    };
    let (services, workloads) =
        tokio::join!(list(cluster, namespace), workload::list(cluster, namespace));
    let port = wanted.pools.iter().find_map(port_of).unwrap_or(GRPC);
    // Of pools' pickers their Services are known; where none is, a Service may be one of a picker by its port.
    let is_likely =
        |service: &Service| wanted.pools.is_empty() && self::port(service, port).is_some();
    let others: Vec<&Service> = services
        .iter()
        .filter(|service| is_of_a_picker(service, &workloads, &wanted.pools) || is_likely(service))
        .collect();
    let is_its_own = |pool: &&Pool| {
        let pool = std::slice::from_ref(*pool);
        others
            .iter()
            .any(|service| is_of_a_picker(service, &workloads, pool))
    };
    match (
        &others[..],
        workload::only_picker(&workloads, &wanted.pools),
        wanted.pools.iter().find(is_its_own),
    ) {
        ([other], _, Some(pool)) => {
            let other = other.metadata.name.as_deref().unwrap_or_default();
            step.because([format!("Service {other} is one of a picker")])
                .mended_by([patch_pool(cluster, pool, json!({ "name": other }))])
        }
        ([other], _, None) => {
            let other = other.metadata.name.as_deref().unwrap_or_default();
            step.mended_by([again::command(&ClusterSource {
                select: Select::Service(other.to_owned()),
                ..source.clone()
            })])
        }
        ([], Some(picker), _) => {
            let step = step.because([format!("{picker} is a picker")]);
            if !may_have(name) {
                return step.because([format!("no Service can have the name {name:?}")]);
            }
            // What kubectl exposes.
            if picker.kind != Kind::Deployment {
                return step;
            }
            step.mended_by([format!(
                "{} expose deployment {} -n {} --name={} --port={port}",
                cluster.admin,
                word(picker.name()),
                word(namespace),
                word(name)
            )])
        }
        _ => step.because([format!(
            "{} get services -n {}",
            cluster.kubectl,
            word(namespace)
        )]),
    }
}

/// A Service that is but another name for a host leads to no pods.
pub(super) fn external_name(cluster: &Cluster, service: &Service) -> Option<Step> {
    let spec = service.spec.as_ref()?;
    let host = spec
        .external_name
        .as_ref()
        .filter(|_| spec.type_.as_deref() == Some("ExternalName"))?;
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let name = service.metadata.name.as_deref().unwrap_or_default();
    Some(
        Step::fail(
            NAME,
            format!(
                "Service {namespace}/{name} is an ExternalName: it leads to {host}, not to pods"
            ),
        )
        .mended_by([format!(
            "{} patch service {} -n {} {}",
            cluster.admin,
            word(name),
            word(namespace),
            merge_patch(&json!({ "spec": { "type": "ClusterIP", "externalName": null } }))
        )]),
    )
}

/// What is wrong with the Service's ports, by what is declared.
pub(super) fn ports(
    cluster: &Cluster,
    wanted: &Wanted,
    service: &Service,
    pods: &[Pod],
) -> Option<Step> {
    let name = service.metadata.name.as_deref().unwrap_or_default();
    for pool in &wanted.pools {
        let asked = port_of(pool).unwrap_or(GRPC);
        let Some((at, port)) = port(service, asked) else {
            let has: Vec<String> = ports_of(service)
                .map(|port| port.port.to_string())
                .collect();
            if let Some(step) = other_protocol(cluster, service, asked) {
                return Some(step);
            }
            let step = Step::fail(
                NAME,
                format!(
                    "InferencePool {} asks for port {asked} of Service {name}, which has {}",
                    pool.name,
                    has.join(", ")
                ),
            );
            return Some(match grpc_port(service) {
                Some(port) => step.mended_by([patch_pool(
                    cluster,
                    pool,
                    match pool.is_v1() {
                        true => json!({ "port": { "number": port } }),
                        false => json!({ "portNumber": port }),
                    },
                )]),
                None => step,
            });
        };
        if let Some(IntOrString::String(target)) = &port.target_port
            && !pods.is_empty()
            && !pods.iter().any(|pod| named_port(pod, target).is_some())
        {
            let step = Step::fail(
                NAME,
                format!(
                    "Service {name}:{asked} leads to the port named {target:?}, which its pods do not have"
                ),
            );
            return Some(retarget(cluster, service, at, None, pods, step));
        }
    }
    None
}

/// The port is there, but not for TCP, which gRPC needs.
fn other_protocol(cluster: &Cluster, service: &Service, asked: u16) -> Option<Step> {
    let ports = service.spec.as_ref()?.ports.as_ref()?;
    let at = ports
        .iter()
        .position(|port| port.port == i32::from(asked))?;
    let name = service.metadata.name.as_deref().unwrap_or_default();
    Some(
        Step::fail(
            NAME,
            format!(
                "port {asked} of Service {name} is for {}, and gRPC needs TCP",
                ports[at].protocol.as_deref().unwrap_or_default()
            ),
        )
        .mended_by([format!(
            "{} patch service {} -n {} {}",
            cluster.admin,
            word(name),
            word(service.metadata.namespace.as_deref().unwrap_or_default()),
            json_patch(
                "replace",
                &format!("/spec/ports/{at}/protocol"),
                json!("TCP")
            )
        )]),
    )
}

/// Where the Service's port leads in a pod, for each pool that asks for one: the pool's port, its place in the Service,
/// and the pod's port.
pub(super) fn targets(wanted: &Wanted, service: &Service, pod: &Pod) -> Vec<(u16, usize, u16)> {
    let mut found: Vec<(u16, usize, u16)> = Vec::new();
    for pool in &wanted.pools {
        let asked = port_of(pool).unwrap_or(GRPC);
        let Some((at, port)) = port(service, asked) else {
            continue;
        };
        let target = match &port.target_port {
            Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
            Some(IntOrString::String(name)) => named_port(pod, name),
            None => Some(asked),
        };
        if let Some(target) = target.filter(|_| found.iter().all(|known| known.0 != asked)) {
            found.push((asked, at, target));
        }
    }
    found
}

/// Nobody is reached where the Service's port leads.
pub(super) fn leads_nowhere(
    cluster: &Cluster,
    service: &Service,
    pod: &Pod,
    way: (u16, usize, u16),
    closed: Closed,
) -> Step {
    let (asked, _, target) = way;
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let found = match closed.is_local {
        true => format!(
            "pod {pod_name} listens on port {target} on its localhost alone, and Service {name}:{asked} leads to its address"
        ),
        false => format!(
            "nothing listens on port {target} of pod {pod_name}, where Service {name}:{asked} leads"
        ),
    };
    let step = Step::fail(NAME, found).because(closed.evidence);
    leads_astray(cluster, service, pod, way, step)
}

/// The Service's port leads to one of the pods' that answers no gateway; `what` says what is there.
pub(super) fn leads_elsewhere(
    cluster: &Cluster,
    service: &Service,
    pod: &Pod,
    way: (u16, usize, u16),
    what: &str,
) -> Step {
    let (asked, _, target) = way;
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let found = format!("Service {name}:{asked} leads to port {target} of its pods, where {what}");
    leads_astray(cluster, service, pod, way, Step::fail(NAME, found))
}

/// Whether a picker tells its health on a port, and is asked on another, as far as its manifest says.
pub(super) fn is_for_health(pod: &Pod, port: u16) -> bool {
    let spec = pod.spec.iter();
    let is_told = spec
        .flat_map(|spec| &spec.containers)
        .filter(|container| GRPC_PORT.is_given(container) || POOL.is_given(container))
        .any(|container| match HEALTH_PORT.is_given(container) {
            true => HEALTH_PORT.of(container) == Some(port.to_string()),
            false => port == HEALTH,
        });
    let is_named = declared_ports(pod).any(|declared| {
        let name = declared.name.as_deref().unwrap_or_default();
        declared.container_port == i32::from(port) && name.contains("health")
    });
    let serving = serving(std::slice::from_ref(pod));
    (is_told || is_named) && serving.is_none_or(|(serving, _)| serving != i32::from(port))
}

fn leads_astray(
    cluster: &Cluster,
    service: &Service,
    pod: &Pod,
    (_, at, target): (u16, usize, u16),
    step: Step,
) -> Step {
    let pods = std::slice::from_ref(pod);
    retarget(cluster, service, at, Some(target.into()), pods, step)
}

/// The Service selects a pod on which nobody is asked, beside pickers.
pub(super) async fn selects_too(
    cluster: &Cluster,
    wanted: &Wanted,
    service: &Service,
    pod: &Pod,
) -> Step {
    let namespace = &wanted.namespace;
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let found = format!("Service {name} also selects pod {pod_name}, which is no picker");
    let step = Step::fail(NAME, found).because(["requests that go there fail"]);
    let workloads = workload::list(cluster, namespace).await;
    let picker = workload::only_picker(&workloads, &wanted.pools);
    let own = picker.and_then(|picker| Some((picker, picker.labels()?)));
    let has = json!(pod.metadata.labels);
    let is_apart = |labels: &Value| {
        let mut labels = labels.as_object().into_iter().flatten();
        labels.any(|(key, value)| has[key] != *value)
    };
    match own.filter(|(_, labels)| is_apart(labels)) {
        Some((picker, labels)) => step
            .because([labelled(picker, &labels)])
            .mended_by([select(cluster, namespace, name, labels)]),
        None => step.because([show_labels(cluster, namespace)]),
    }
}

fn labelled(picker: &Workload, labels: &Value) -> String {
    format!("{picker} is a picker, its pods are labelled {labels}")
}

/// The command by which a Service selects what has these labels, and nothing else.
fn select(cluster: &Cluster, namespace: &str, service: &str, labels: Value) -> String {
    format!(
        "{} patch service {} -n {} {}",
        cluster.admin,
        word(service),
        word(namespace),
        json_patch("add", "/spec/selector", labels)
    )
}

/// The command that shows what could be selected.
fn show_labels(cluster: &Cluster, namespace: &str) -> String {
    format!(
        "{} get pods -n {} --show-labels",
        cluster.kubectl,
        word(namespace)
    )
}

/// The Service selects no pod that lives.
pub(super) async fn no_pods(
    cluster: &Cluster,
    wanted: &Wanted,
    service: &Service,
    ended: &[Pod],
) -> Step {
    let namespace = &wanted.namespace;
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let selector = service
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.clone())
        .unwrap_or_default();
    let workloads = workload::list(cluster, namespace).await;
    let own = workloads
        .iter()
        .find(|workload| !selector.is_empty() && workload.is_selected(selector.iter()));
    if let Some(own) = own {
        let step = Step::fail(NAME, format!("Service {namespace}/{name} has no pods"))
            .because(ended.iter().filter_map(pods::held_up));
        return own.no_pods(cluster, namespace, step);
    }
    let step = Step::fail(
        NAME,
        match selector.is_empty() {
            true => {
                format!("Service {namespace}/{name} has no selector, so its pods are not known")
            }
            false => format!(
                "Service {namespace}/{name} selects no pod: none is labelled {}",
                selector.into_iter().collect::<Selector>()
            ),
        },
    );
    let picker = workload::only_picker(&workloads, &wanted.pools);
    match picker.and_then(|picker| Some((picker, picker.labels()?))) {
        Some((picker, labels)) => step
            .because([labelled(picker, &labels)])
            .mended_by([select(cluster, namespace, name, labels)]),
        None => step.because([show_labels(cluster, namespace)]),
    }
}

async fn list(cluster: &Cluster, namespace: &str) -> Vec<Service> {
    let api: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
    let right = Right::list("", "services", Some(namespace));
    let list = cluster.ask(right, api.list(&ListParams::default())).await;
    list.map_or_else(|_| Vec::new(), |list| list.items)
}

/// The one Service of a namespace that leads to a picker of these pools.
pub(super) async fn only_one(cluster: &Cluster, namespace: &str, pools: &[Pool]) -> Option<String> {
    let (services, workloads) =
        tokio::join!(list(cluster, namespace), workload::list(cluster, namespace));
    let mut services = services
        .into_iter()
        .filter(|service| is_of_a_picker(service, &workloads, pools));
    let first = services.next()?.metadata.name;
    first.filter(|_| services.next().is_none())
}

/// Whether a Service selects a picker of these pools, or, of none, any picker.
fn is_of_a_picker(service: &Service, workloads: &[Workload], pools: &[Pool]) -> bool {
    let selector = service
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.as_ref());
    let selects = |workload: &Workload| {
        selector.is_some_and(|labels| !labels.is_empty() && workload.is_selected(labels.iter()))
    };
    workloads
        .iter()
        .any(|workload| workload.is_picker_of(pools) && selects(workload))
}

/// RFC 1123's labels, of which names of Services are made.
fn may_have(name: &str) -> bool {
    is_name(name) && !name.contains('.') && name.len() <= 63
}

fn port_of(pool: &Pool) -> Option<u16> {
    pool.picker.as_ref()?.port
}

fn ports_of(service: &Service) -> impl Iterator<Item = &ServicePort> {
    service
        .spec
        .iter()
        .flat_map(|spec| spec.ports.iter().flatten())
}

fn port(service: &Service, number: u16) -> Option<(usize, &ServicePort)> {
    ports_of(service)
        .enumerate()
        .find(|(_, port)| port.port == i32::from(number) && is_tcp(port))
}

fn is_tcp(port: &ServicePort) -> bool {
    port.protocol.as_deref().is_none_or(|name| name == "TCP")
}

/// The port of a Service that pickers are asked on: the only one, or by its number or name.
fn grpc_port(service: &Service) -> Option<i32> {
    let ports: Vec<&ServicePort> = ports_of(service).filter(|port| is_tcp(port)).collect();
    match &ports[..] {
        [only] => Some(only.port),
        ports => ports
            .iter()
            .find(|port| {
                port.port == i32::from(GRPC)
                    || port
                        .name
                        .as_deref()
                        .is_some_and(|name| name.contains("grpc"))
            })
            .map(|port| port.port),
    }
}

fn named_port(pod: &Pod, name: &str) -> Option<u16> {
    let port = declared_ports(pod).find(|port| port.name.as_deref() == Some(name))?;
    port.container_port.try_into().ok()
}

/// The port that pods are asked on, as far as their manifest tells, and how it tells.
fn serving(pods: &[Pod]) -> Option<(i32, &'static str)> {
    let specs = pods.iter().filter_map(|pod| pod.spec.as_ref());
    let mut containers = specs.flat_map(|spec| &spec.containers);
    let told = containers.find_map(|container| GRPC_PORT.of(container)?.parse().ok());
    let declared = || {
        let mut ports = pods.iter().flat_map(declared_ports);
        let port = ports.find(|port| {
            port.container_port == i32::from(GRPC) || port.name.as_deref() == Some("grpc")
        })?;
        Some((port.container_port, "declares, for gRPC, port"))
    };
    match told {
        Some(told) => Some((told, "is told to serve gRPC on port")),
        None => declared(),
    }
}

/// Lets a port of the Service, which leads to `target`, lead to the port that pickers are asked on.
fn retarget(
    cluster: &Cluster,
    service: &Service,
    at: usize,
    target: Option<i32>,
    pods: &[Pod],
    step: Step,
) -> Step {
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let serving = serving(pods);
    // It leads there already, and nothing listens.
    match serving.filter(|(port, _)| target != Some(*port)) {
        Some((port, way)) => step
            .because([format!("its container {way} {port}")])
            .mended_by([format!(
                "{} patch service {} -n {} {}",
                cluster.admin,
                word(name),
                word(namespace),
                json_patch(
                    "replace",
                    &format!("/spec/ports/{at}/targetPort"),
                    json!(port)
                )
            )]),
        None => step,
    }
}

/// Merges something into a pool's reference to its picker.
pub(super) fn patch_pool(cluster: &Cluster, pool: &Pool, reference: Value) -> String {
    let field = match pool.is_v1() {
        true => "endpointPickerRef",
        false => "extensionRef",
    };
    patch_pool_spec(cluster, pool, json!({ field: reference }))
}

/// Merges something into a pool's spec.
pub(super) fn patch_pool_spec(cluster: &Cluster, pool: &Pool, spec: Value) -> String {
    format!(
        "{} patch {RESOURCE}.{} {} -n {} {}",
        cluster.admin,
        pool.group(),
        word(&pool.name),
        word(&pool.namespace),
        merge_patch(&json!({ "spec": spec }))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::from_value;

    #[track_caller]
    fn tells_health_on(container: Value, ports: &[u16]) {
        let pod: Pod = from_value(json!({ "spec": { "containers": [container] } })).expect("a pod");
        let found = [9002, 9003, 9103].into_iter();
        let found: Vec<u16> = found.filter(|port| is_for_health(&pod, *port)).collect();
        assert_eq!(found, ports);
    }

    #[test]
    fn the_port_of_a_pickers_health_is_told_from_the_one_it_is_asked_on() {
        let picker = |more: &str| json!({ "name": "epp", "args": ["--pool-name=qwen", more] });
        tells_health_on(picker("-v=2"), &[9003]);
        tells_health_on(picker("--grpc-health-port=9103"), &[9103]);
        tells_health_on(picker("--grpc-port=9003"), &[]);
        tells_health_on(
            json!({ "name": "epp", "ports": [{ "name": "health", "containerPort": 9103 }] }),
            &[9103],
        );
        // Somebody else's program, which may be asked anywhere.
        tells_health_on(json!({ "name": "epp" }), &[]);
    }
}
