//! The cluster under test, spoken to as a user does: with kubectl.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;

use serde_json::json;

use crate::process::Running;

/// Held by tests that use the ClusterRole of the metrics guide, whose name is the same for all.
pub(crate) static GUIDES_ROLE: Mutex<()> = Mutex::new(());

/// The kubeconfig of the cluster under test.
pub(crate) fn kubeconfig() -> PathBuf {
    variable("IGCTL_TEST_KUBECONFIG").into()
}

/// A variable that `tests/run` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/run, which sets it"))
}

/// `kubectl` for the cluster under test.
pub(crate) fn kubectl_command<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", kubeconfig()).args(arguments);
    command
}

/// What kubectl prints; it must succeed.
pub(crate) fn kubectl<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let mut command = kubectl_command(arguments);
    let output = command.output().expect("kubectl runs");
    success(&command, output)
}

/// Applies manifests in `namespace`.
pub(crate) fn apply(namespace: &str, manifests: &str) {
    given(&["-n", namespace, "apply", "-f", "-"], manifests);
}

/// Runs kubectl with `input` on its stdin; it must succeed.
fn given(arguments: &[&str], input: &str) {
    let mut command = kubectl_command(arguments.iter().copied());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin
        .write_all(input.as_bytes())
        .expect("kubectl reads its input");
    drop(stdin);
    success(&command, child.wait_with_output().expect("kubectl ends"));
}

fn success(command: &Command, output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {stderr}");
    String::from_utf8(output.stdout).expect("kubectl prints text")
}

/// Makes the InferencePool API known to the cluster, unless it is.
pub(crate) fn ensure_inference_api() {
    static ENSURED: OnceLock<()> = OnceLock::new();
    ENSURED.get_or_init(|| {
        let pools = "crd/inferencepools.inference.networking.k8s.io";
        let known = kubectl_command(["get", pools])
            .output()
            .expect("kubectl runs");
        if !known.status.success() {
            apply("default", include_str!("../cluster/crds.yaml"));
        }
        kubectl([
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            pools,
        ]);
    });
}

/// A namespace, which is rid of what a test has put there when it is dropped.
pub(crate) struct Namespace {
    name: String,
    ours: bool,
}

impl Namespace {
    /// A new one; its name is unique among tests that run at once, also those of another process.
    pub(crate) fn create(purpose: &str) -> Namespace {
        let name = format!("igctl-{purpose}-{}", std::process::id());
        kubectl(["create", "namespace", &name]);
        Namespace { name, ours: true }
    }

    /// The namespace `default`, unless somebody uses it.
    pub(crate) fn default() -> Namespace {
        let there = kubectl(["-n", "default", "get", "deployments", "-o", "name"]);
        assert_eq!(there, "", "the namespace `default` is not empty");
        Namespace {
            name: "default".to_owned(),
            ours: false,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kubectl<'a>(&'a self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        kubectl(["-n", self.name()].into_iter().chain(arguments))
    }

    pub(crate) fn apply(&self, manifests: &str) {
        apply(self.name(), manifests);
    }

    /// Waits until all pods of a Deployment are ready, and all earlier ones gone.
    pub(crate) fn rolled_out(&self, deployment: &str) {
        let target = format!("deployment/{deployment}");
        let arguments = [
            "-n",
            self.name(),
            "rollout",
            "status",
            "--timeout=180s",
            &target,
        ];
        let status = kubectl_command(arguments)
            .output()
            .expect("kubectl runs")
            .status;
        if !status.success() {
            let looks: [&[&str]; 3] = [
                &["get", "replicasets,pods", "-o", "wide"],
                &["get", "events", "--sort-by=.lastTimestamp"],
                &["logs", &target, "--all-containers", "--tail=20"],
            ];
            let seen = looks.map(|look| self.whatever_it_says(look)).concat();
            panic!("{deployment} does not become ready:\n{seen}");
        }
    }

    /// What kubectl prints, be it that it failed: a pod that has not started has no logs, and that is worth seeing.
    fn whatever_it_says(&self, arguments: &[&str]) -> String {
        let arguments = ["-n", self.name()]
            .into_iter()
            .chain(arguments.iter().copied());
        let output = kubectl_command(arguments).output().expect("kubectl runs");
        [output.stdout, output.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat()
    }

    /// Asks for a pod's end as a drained node does.
    #[allow(dead_code, reason = "the faults under a watch use it")]
    pub(crate) fn evict(&self, pod: &str) {
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": self.name()},
        });
        let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", self.name());
        given(
            &["create", "--raw", &path, "-f", "-"],
            &eviction.to_string(),
        );
    }

    /// The words that a JSONPath finds in the pods labelled `app=APP`.
    pub(crate) fn of_pods(&self, app: &str, path: &str) -> Vec<String> {
        let path = format!("jsonpath={{.items[*]{path}}}");
        let found = self.kubectl(["get", "pods", "-l", &format!("app={app}"), "-o", &path]);
        found.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Namespace {
    /// The manifests' cluster-wide objects do not go with the namespace; tests give them its name.
    fn drop(&mut self) {
        let delete = |objects: &[&str]| {
            let delete = [
                "-n",
                &self.name,
                "delete",
                "--wait=false",
                "--ignore-not-found",
            ];
            let _ = kubectl_command(delete.into_iter().chain(objects.iter().copied())).output();
        };
        if self.ours {
            delete(&[
                &format!("namespace/{}", self.name),
                &format!("clusterrolebinding/gateway-core-{}", self.name),
                &format!(
                    "clusterrolebinding/inference-gateway-sa-metrics-reader-role-binding-{}",
                    self.name
                ),
                &format!(
                    "clusterrolebinding/gateway-core-auth-delegator-{}",
                    self.name
                ),
                &format!("clusterrole/inference-gateway-metrics-reader-{}", self.name),
            ]);
        } else {
            delete(&[
                "-f",
                concat!(env!("CARGO_MANIFEST_DIR"), "/gateway-core/deploy"),
            ]);
            delete(&["deployment/model-server"]);
        }
    }
}

/// A way from a port of this machine to a port of a pod.
pub(crate) struct Forward {
    pub(crate) port: u16,
    _kubectl: Running,
}

impl Forward {
    pub(crate) fn open(namespace: &Namespace, target: &str, port: u16) -> Forward {
        let port = format!(":{port}");
        let mut command = kubectl_command(["-n", namespace.name(), "port-forward", target, &port]);
        let (kubectl, mut lines) = Running::lines(&mut command);
        let line = lines.next().expect("kubectl opens the port");
        // Read on, or kubectl stops when the pipe is full.
        thread::spawn(move || lines.for_each(drop));
        // Forwarding from 127.0.0.1:41234 -> 9090
        let port = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("127.0.0.1:")?.parse().ok());
        let port = port.unwrap_or_else(|| panic!("kubectl port-forward says {line:?}"));
        Forward {
            port,
            _kubectl: kubectl,
        }
    }
}
