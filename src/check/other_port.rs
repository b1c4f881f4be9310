//! No metrics on a pod's port: are they on another one that its manifest names?

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Container, Pod};
use serde_json::json;

use super::again;
use super::dial::{Greeting, is_probed, listens, listens_at_address};
use super::pods::{Replica, declared_ports};
use super::step::Step;
use super::workload;
use crate::cluster::Cluster;
use crate::collect::PodError;
use crate::collect::link::Link;
use crate::config::ClusterSource;
use crate::discover::{Target, told_port};
use crate::snapshot::Snapshot;

/// What each port may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The port of pickers that declare none.
const USUAL: u16 = 9090;

/// Looks at the ports that the picker's containers declare or are told, and completes the step by what was found.
pub(super) async fn look(
    cluster: &Cluster,
    source: &ClusterSource,
    replicas: &[Replica],
    step: Step,
) -> Step {
    let Some(Replica { pod, target }) = replicas.iter().find(|replica| replica.takes_requests())
    else {
        return step;
    };
    let declared = declared_ports(pod).filter_map(|port| u16::try_from(port.container_port).ok());
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports: Vec<u16> = containers
        .filter_map(told_port)
        .chain(declared)
        .chain([USUAL])
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports.retain(|port| *port != target.port);
    let looks = ports
        .iter()
        .map(|port| has_metrics(cluster, source, target, *port));
    let found = join_all(looks).await;
    let Some(port) = ports
        .iter()
        .zip(found)
        .find_map(|(port, has)| has.then_some(*port))
    else {
        return match found_elsewhere(cluster, source, pod, target).await {
            Some(who) => step.because([format!(
                "{who} somebody there, at the pod's own address: what listens on that alone is out of a port-forward's \
                 reach; from inside the cluster --direct is not"
            )]),
            None => step,
        };
    };
    let step = step.because([format!("its metrics are on port {port}")]);
    let usual = Target::of(pod, None).map(|target| target.port);
    if source.metrics_port.is_some() {
        let metrics_port = Some(port).filter(|port| usual != Some(*port));
        return step.mended_by([again::command(&ClusterSource {
            metrics_port,
            ..source.clone()
        })]);
    }
    let fix = declare(cluster, pod, port).await;
    step.mended_by([fix.unwrap_or_else(|| {
        again::command(&ClusterSource {
            metrics_port: Some(port),
            ..source.clone()
        })
    })])
}

/// Who finds somebody at the pod's own address where a port-forward, to its localhost, finds nobody.
async fn found_elsewhere(
    cluster: &Cluster,
    source: &ClusterSource,
    pod: &Pod,
    target: &Target,
) -> Option<&'static str> {
    if source.direct
        || listens(cluster, source, target, target.port, Greeting::Http).await != Some(false)
    {
        return None;
    }
    if target.pod.ready == Some(true) && is_probed(pod, target.port) {
        return Some("its readiness probe finds");
    }
    let is_there = listens_at_address(cluster, target, target.port).await == Some(true);
    is_there.then_some("the API server finds")
}

/// Whether a picker's metrics are there, or are asked a token for.
async fn has_metrics(
    cluster: &Cluster,
    source: &ClusterSource,
    target: &Target,
    port: u16,
) -> bool {
    let target = Target {
        port,
        ..target.clone()
    };
    let Ok(mut link) = Link::to_pod(cluster, &target, source).await else {
        return false;
    };
    match link.try_once(None, PATIENCE).await {
        Ok(page) => Snapshot::read(&page.body).is_ok(),
        Err(PodError::Scrape(fault)) => fault.asks_for_token(),
        Err(_) => false,
    }
}

/// The command by which a container declares that the port named `metrics` is this one.
async fn declare(cluster: &Cluster, pod: &Pod, port: u16) -> Option<String> {
    let place = |container: &Container| {
        let mut ports = container.ports.iter().flatten();
        ports.position(|port| port.name.as_deref() == Some("metrics"))
    };
    let mut containers = pod.spec.as_ref()?.containers.iter();
    let declares = containers.find(|container| place(container).is_some())?;
    let described = workload::described(cluster, pod, &declares.name).await?;
    let at = place(&described.container)?;
    Some(described.patch(cluster, &format!("ports/{at}/containerPort"), json!(port)))
}
