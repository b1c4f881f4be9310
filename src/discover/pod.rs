//! A pod as Kubernetes describes it → a target: is it alive, and on which port are its metrics?

use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod as KubePod, PodStatus};
use serde::{Deserialize, Serialize};

/// The port of every picker's metrics, unless its manifest says otherwise.
const DEFAULT_PORT: u16 = 9090;
/// The pickers' flag, as spelt by GIE since v1.0.0 and before, and gateway-core's variable.
const PORT: Setting = Setting {
    flags: ["metrics-port", "metricsPort"],
    variable: "IGW_METRICS_PORT",
};
/// Labels that change with each revision or replica of the same workload.
const REVISION_LABELS: [&str; 4] = [
    "pod-template-hash",
    "controller-revision-hash",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
];

/// Whose metrics they are. Files and URLs have a name alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// The pod's name, or the file's or the address.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Kubernetes' identity of it: a pod of the same name and another UID is another pod.
    pub uid: Option<String>,
    /// The Service or Deployment through which it was found.
    pub picker: Option<String>,
    /// The InferencePools that it picks for.
    pub pools: Vec<String>,
    /// Whether it takes traffic; a standby of a picker with leader election does not.
    pub ready: Option<bool>,
    /// Whether it holds the Lease of its picker; `None` where nobody is known to, as without leader election.
    pub holds_lease: Option<bool>,
    /// When the container started that has the metrics.
    pub started: Option<Timestamp>,
    /// How often that container was restarted.
    pub restarts: Option<u32>,
    /// What that container runs.
    pub image: Option<String>,
}

impl Pod {
    /// Something that is not a pod: a file, an address.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// `namespace/name`, or just the name of what is no pod.
    pub fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A pod to scrape.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whose metrics.
    pub pod: Pod,
    /// Where it serves them.
    pub port: u16,
    /// Whether there is something to connect to.
    pub state: State,
    pub(crate) ip: Option<IpAddr>,
    /// The name of its own ServiceAccount.
    pub(crate) account: String,
    /// The names of its Service, of which its certificate should have one.
    pub(crate) tls_names: Vec<String>,
    /// A selector for its successors, if it was asked for by name.
    pub(crate) kin: Option<String>,
}

/// Whether a pod can be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Yes.
    Running,
    /// Not yet: what it waits for.
    Waiting(String),
}

impl Target {
    /// Reads what Kubernetes says about a pod. `None` if it has ended, was evicted, or is being deleted.
    pub(crate) fn of(pod: &KubePod, port: Option<u16>) -> Option<Self> {
        let status = pod.status.as_ref();
        let phase = status.and_then(|status| status.phase.as_deref());
        if matches!(phase, Some("Succeeded" | "Failed"))
            || pod.metadata.deletion_timestamp.is_some()
        {
            return None;
        }
        let containers = pod.spec.as_ref().map_or(&[][..], |spec| &spec.containers);
        let (container, found) = metrics_port(containers);
        let running = status.and_then(|status| {
            let statuses = status.container_statuses.as_deref().unwrap_or_default();
            statuses
                .iter()
                .find(|status| container.is_some_and(|container| container.name == status.name))
        });
        Some(Self {
            pod: Pod {
                name: pod.metadata.name.clone()?,
                namespace: pod.metadata.namespace.clone(),
                uid: pod.metadata.uid.clone(),
                ready: status.and_then(ready),
                started: running
                    .and_then(|status| status.state.as_ref()?.running.as_ref()?.started_at.as_ref())
                    .map(|time| time.0),
                restarts: running.and_then(|status| status.restart_count.try_into().ok()),
                image: container.and_then(|container| container.image.clone()),
                ..Pod::default()
            },
            port: port.unwrap_or(found),
            state: match phase {
                Some("Running") | None => State::Running,
                Some(_) => State::Waiting(status.map_or_else(|| "Pending".into(), waits_for)),
            },
            ip: status.and_then(|status| status.pod_ip.as_ref()?.parse().ok()),
            account: pod
                .spec
                .as_ref()
                .and_then(|spec| spec.service_account_name.clone())
                .unwrap_or_else(|| "default".into()),
            tls_names: Vec::new(),
            kin: pod.metadata.labels.as_ref().and_then(|labels| {
                let lasting = labels
                    .iter()
                    .filter(|(key, _)| !REVISION_LABELS.contains(&key.as_str()));
                let terms: Vec<String> = lasting
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                (!terms.is_empty()).then(|| terms.join(","))
            }),
        })
    }

    /// Marks it as one that a Service selects.
    pub(crate) fn belongs_to(&mut self, namespace: &str, service: &str) {
        self.pod.picker = Some(service.to_owned());
        self.tls_names = vec![
            format!("{service}.{namespace}.svc"),
            format!("{service}.{namespace}.svc.cluster.local"),
            format!("{service}.{namespace}"),
            service.to_owned(),
        ];
    }

    /// What makes it this pod and no other of the same cluster.
    pub(crate) fn key(&self) -> (String, String) {
        (
            self.pod.namespace.clone().unwrap_or_default(),
            self.pod.name.clone(),
        )
    }
}

/// Kubernetes' word on whether a pod is ready; `None` where it has none yet.
pub(crate) fn ready(status: &PodStatus) -> Option<bool> {
    let conditions = status.conditions.as_deref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")
        .map(|condition| condition.status == "True")
}

/// What a pending pod waits for: a container's reason, else the scheduler's.
fn waits_for(status: &PodStatus) -> String {
    let containers = status
        .init_container_statuses
        .iter()
        .flatten()
        .chain(status.container_statuses.iter().flatten());
    let container = containers
        .filter_map(|container| container.state.as_ref()?.waiting.as_ref()?.reason.clone())
        .next();
    let scheduler = || {
        let conditions = status.conditions.as_deref().unwrap_or_default();
        conditions
            .iter()
            .find(|condition| condition.status == "False")
            .and_then(|condition| condition.reason.clone())
    };
    container
        .or_else(scheduler)
        .unwrap_or_else(|| "Pending".into())
}

/// The container that has the metrics, and their port: the one named `metrics`, else what the picker is told, else 9090.
fn metrics_port(containers: &[Container]) -> (Option<&Container>, u16) {
    let named = |container: &Container| {
        let ports = container.ports.as_deref().unwrap_or_default();
        ports
            .iter()
            .find(|port| port.name.as_deref() == Some("metrics"))
            .and_then(|port| port.container_port.try_into().ok())
    };
    let find = |port: &dyn Fn(&Container) -> Option<u16>| {
        containers
            .iter()
            .find_map(|container| Some((Some(container), port(container)?)))
    };
    find(&named)
        .or_else(|| find(&told_port))
        .unwrap_or((containers.first(), DEFAULT_PORT))
}

/// The port that a container is told to serve metrics on.
pub(crate) fn told_port(container: &Container) -> Option<u16> {
    let value = PORT.of(container)?;
    value.parse().ok().filter(|&port| port != 0)
}

/// Something that a picker is told by its manifest.
pub(crate) struct Setting {
    /// By GIE's flags, now and formerly.
    pub(crate) flags: [&'static str; 2],
    /// By a variable, as gateway-core reads it where there is no flag.
    pub(crate) variable: &'static str,
}

impl Setting {
    /// What a container is told.
    pub(crate) fn of(&self, container: &Container) -> Option<String> {
        let value = match argument(container, &self.flags) {
            Some(value) => value,
            None => variable(container, self.variable)?,
        };
        expanded(container, value)
    }

    /// Whether a container is told, even if what is not known here.
    pub(crate) fn is_given(&self, container: &Container) -> bool {
        argument(container, &self.flags).is_some() || variable(container, self.variable).is_some()
    }
}

/// A flag's value in a container's command line: one dash or two, `=` or an argument of its own, the last one wins.
fn argument<'a>(container: &'a Container, flags: &[&str]) -> Option<&'a str> {
    let words: Vec<&str> = container
        .command
        .iter()
        .flatten()
        .chain(container.args.iter().flatten())
        .map(String::as_str)
        .collect();
    let mut values = words.iter().enumerate().filter_map(|(at, word)| {
        let word = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
        match word.split_once('=') {
            Some((flag, value)) => flags.contains(&flag).then_some(value),
            None => flags.contains(&word).then(|| words.get(at + 1).copied())?,
        }
    });
    values.next_back()
}

/// The value of a container's variable, where the manifest has it and not an object that it refers to.
fn variable<'a>(container: &'a Container, name: &str) -> Option<&'a str> {
    let mut variables = container.env.iter().flatten();
    variables
        .find(|variable| variable.name == name)?
        .value
        .as_deref()
}

/// A value with the container's variables put in for `$(NAME)`, as Kubernetes does; `None` where one is not known.
fn expanded(container: &Container, value: &str) -> Option<String> {
    let Some((before, rest)) = value.split_once("$(") else {
        return Some(value.to_owned());
    };
    let (name, after) = rest.split_once(')')?;
    let value = variable(container, name)?;
    Some(format!("{before}{value}{}", expanded(container, after)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(containers: Value) -> KubePod {
        serde_json::from_value(json!({
            "metadata": { "name": "epp-0", "namespace": "llm", "uid": "u1" },
            "spec": { "containers": containers },
            "status": { "phase": "Running" },
        }))
        .expect("a pod")
    }

    #[track_caller]
    fn serves_on(containers: Value, port: u16, image: &str) {
        let target = Target::of(&pod(containers.clone()), None).expect("it runs");
        assert_eq!(
            (target.port, target.pod.image.as_deref()),
            (port, Some(image)),
            "{containers}"
        );
    }

    #[test]
    fn the_port_named_metrics_comes_first() {
        serves_on(
            json!([
                { "name": "proxy", "image": "envoy", "args": ["--metrics-port=1"], "ports": [{ "containerPort": 15000 }] },
                { "name": "epp", "image": "picker", "ports": [{ "name": "metrics", "containerPort": 9191 }] },
            ]),
            9191,
            "picker",
        );
    }

    #[test]
    fn else_the_pickers_own_flag() {
        for args in [
            json!(["--pool-name", "p", "--metrics-port=9191"]),
            json!(["--metrics-port", "9191", "-v", "4"]),
            json!(["-metricsPort", "9191"]),
            json!(["-metricsPort=9191"]),
            json!(["--metrics-port=1", "--metrics-port=9191"]),
        ] {
            serves_on(
                json!([{ "name": "sidecar", "image": "envoy" }, { "name": "epp", "image": "picker", "args": args }]),
                9191,
                "picker",
            );
        }
        serves_on(
            json!([{ "name": "epp", "image": "p", "command": ["/epp", "--metrics-port=9191"] }]),
            9191,
            "p",
        );
    }

    #[test]
    fn else_what_a_variable_says() {
        let port = json!({ "name": "PORT", "value": "9191" });
        for told in [
            json!({ "args": ["--metrics-port=$(PORT)"], "env": [port] }),
            json!({ "env": [{ "name": "IGW_METRICS_PORT", "value": "9191" }] }),
            json!({ "args": ["--metrics-port=9191"], "env": [{ "name": "IGW_METRICS_PORT", "value": "1" }] }),
        ] {
            let mut container = json!({ "name": "epp", "image": "p" });
            container
                .as_object_mut()
                .expect("an object")
                .extend(told.as_object().expect("an object").clone());
            serves_on(json!([container]), 9191, "p");
        }
    }

    #[test]
    fn else_9090_of_the_first_container() {
        for args in [
            json!([]),
            json!(["--metrics-port"]),
            json!(["--metrics-port=$(PORT)"]),
            json!(["--metrics-port-x=1"]),
        ] {
            serves_on(
                json!([{ "name": "epp", "image": "p", "args": args }, { "name": "b", "image": "b" }]),
                9090,
                "p",
            );
        }
    }

    #[test]
    fn ended_and_leaving_pods_are_no_targets() {
        for (phase, deleted, lives) in [
            ("Running", None, true),
            ("Pending", None, true),
            ("Failed", None, false),
            ("Succeeded", None, false),
            ("Running", Some("2026-11-25T00:00:00Z"), false),
        ] {
            let pod: KubePod = serde_json::from_value(json!({
                "metadata": { "name": "epp-0", "deletionTimestamp": deleted },
                "status": { "phase": phase },
            }))
            .expect("a pod");
            assert_eq!(
                Target::of(&pod, None).is_some(),
                lives,
                "{phase}, deleted {deleted:?}"
            );
        }
    }

    #[test]
    fn a_pending_pod_says_what_it_waits_for() {
        let pod: KubePod = serde_json::from_value(json!({
            "metadata": { "name": "epp-0" },
            "status": {
                "phase": "Pending",
                "conditions": [{ "type": "Ready", "status": "False", "reason": "ContainersNotReady" }],
                "containerStatuses": [{
                    "name": "epp", "image": "p", "imageID": "", "ready": false, "restartCount": 0,
                    "state": { "waiting": { "reason": "ErrImagePull" } },
                }],
            },
        }))
        .expect("a pod");

        assert_eq!(
            Target::of(&pod, None).map(|target| target.state),
            Some(State::Waiting("ErrImagePull".into()))
        );
    }

    #[test]
    fn successors_have_the_same_labels_but_those_of_the_revision() {
        let pod: KubePod = serde_json::from_value(json!({
            "metadata": { "name": "epp-6c-aa", "labels": { "app": "epp", "pod-template-hash": "6c", "tier": "gw" } },
        }))
        .expect("a pod");

        assert_eq!(
            Target::of(&pod, None)
                .and_then(|target| target.kin)
                .as_deref(),
            Some("app=epp,tier=gw")
        );
    }
}
