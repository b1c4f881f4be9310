//! Following an InferencePool of a real Kubernetes: picks follow within a
//! second of what the API says, and no request is lost to it.
//!
//! `tests/run` starts the cluster and sets `IGCTL_TEST_KUBECONFIG` and
//! `IGCTL_TEST_IMAGE`; `kubectl` is found by `PATH`. The command runs on this
//! machine, so that no port-forward stands between it and the test: that would
//! break with the API server.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::picker::{Picker, set};
use support::replay::{Conversations, describe};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// One of them ends the API server.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn picks_follow_the_pool_within_a_second_and_lose_no_request() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let namespace = Namespace::with_pool("picks");
    let [a, b] = ["a", "b"].map(|name| namespace.pod(name));
    let picker = Picker::start(&kubeconfig(), &namespace.0, OPEN).await;
    let (a, b) = (a.as_str(), b.as_str());

    namespace.set_ready("a", true);
    let mut seen = vec![picker.picks_become_within(SECOND, &[a]).await];
    let requests = Requests::start(&picker);
    let both = if a < b { [a, b] } else { [b, a] };
    namespace.set_ready("b", true);
    seen.push(picker.picks_become_within(SECOND, &both).await);
    namespace.set_ready("b", false);
    seen.push(picker.picks_become_within(SECOND, &[a]).await);
    namespace.set_ready("b", true);
    seen.push(picker.picks_become_within(SECOND, &both).await);
    namespace.kubectl(&["delete", "pod", "b", "--wait=false"]);
    seen.push(picker.picks_become_within(SECOND, &[a]).await);

    let expected: [&[&str]; 5] = [&[a], &both, &[a], &both, &[a]];
    assert_eq!(
        (seen, requests.lost().await),
        (expected.map(set).into(), vec![])
    );
}

#[tokio::test]
async fn while_the_api_server_is_away_requests_go_where_they_went() {
    let Some(cluster) = OwnCluster::find() else {
        return;
    };
    let _alone = ONE_AT_A_TIME.lock().await;
    let namespace = Namespace::with_pool("outage");
    let [a, b] = ["a", "b"].map(|name| namespace.pod(name));
    let mut picker = Picker::start(&kubeconfig(), &namespace.0, OPEN).await;
    namespace.set_ready("a", true);
    picker.picks_become(&[&a]).await;
    let requests = Requests::start(&picker);

    cluster.kill_api_server();
    picker.run.line("watching the pool's pods failed").await;
    let while_away = picker.picks_for(&[]).await;
    cluster.start_api_server().await;
    namespace.set_ready("b", true);
    let both = if a < b { [&*a, &*b] } else { [&*b, &*a] };
    let afterwards = picker.picks_become_within(SECOND, &both).await;

    assert_eq!(
        (while_away, afterwards, requests.lost().await),
        (set(&[&a]), set(&both), vec![])
    );
}

const OPEN: &[&str] = &["--metrics-endpoint-auth=false"];

/// Requests one after the other, all the time.
struct Requests {
    is_over: Arc<AtomicBool>,
    lost: JoinHandle<Vec<String>>,
}

impl Requests {
    fn start(picker: &Picker) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let gateway = support::Gateway { ..picker.gateway };
        let stop = is_over.clone();
        let lost = tokio::spawn(async move {
            let mut lost = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let replies = Conversations::get(&[]).replay(&gateway).await;
                let reply = replies[0].first().map(describe).unwrap_or_default();
                if !reply.contains("x-gateway-destination-endpoint=") {
                    lost.push(reply);
                }
            }
            lost
        });
        Self { is_over, lost }
    }

    /// Ends them; what those were answered that were sent nowhere.
    async fn lost(self) -> Vec<String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.lost.await.expect("requests")
    }
}

/// A namespace with a pool `p`; it is deleted when this is dropped.
struct Namespace(String);

impl Namespace {
    fn with_pool(purpose: &str) -> Self {
        kubectl(&["apply", "-f", "-"], CRDS);
        let established = ["wait", "--for=condition=Established", "crd", "--all"];
        kubectl(&established, "");
        let namespace = Self(format!("igctl-{purpose}-{}", std::process::id()));
        kubectl(&["create", "namespace", &namespace.0], "");
        namespace.apply(&json!({
            "apiVersion": "inference.networking.k8s.io/v1",
            "kind": "InferencePool",
            "metadata": {"name": "p"},
            "spec": {
                "selector": {"matchLabels": {"app": "m"}},
                "targetPorts": [{"number": 8000}],
                "endpointPickerRef": {"name": "picker", "port": {"number": 9002}},
            },
        }));
        namespace
    }

    /// Makes a pod of the pool that is ready when it is said to be; its endpoint.
    fn pod(&self, name: &str) -> String {
        self.apply(&json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": "m"}},
            "spec": {
                "containers": [{
                    "name": "placeholder",
                    "image": variable("IGCTL_TEST_IMAGE"),
                    "args": ["--endpoints=127.0.0.1:1", "--metrics-endpoint-auth=false"],
                }],
                "readinessGates": [{"conditionType": GATE}],
                "terminationGracePeriodSeconds": 1,
            },
        }));
        let pod = format!("pod/{name}");
        self.kubectl(&[
            "wait",
            "--for=condition=ContainersReady",
            "--timeout=180s",
            &pod,
        ]);
        let address = self.kubectl(&["get", &pod, "-o", "jsonpath={.status.podIP}"]);
        format!("{address}:8000")
    }

    /// Returns when the API says so.
    fn set_ready(&self, pod: &str, is_ready: bool) {
        let status = if is_ready { "True" } else { "False" };
        let condition = json!({"type": GATE, "status": status});
        let patch = json!({"status": {"conditions": [condition]}}).to_string();
        self.kubectl(&["patch", "pod", pod, "--subresource=status", "-p", &patch]);
        let pod = format!("pod/{pod}");
        self.kubectl(&[
            "wait",
            &format!("--for=condition=Ready={status}"),
            "--timeout=180s",
            &pod,
        ]);
    }

    fn apply(&self, object: &Value) {
        kubectl(&["-n", &self.0, "apply", "-f", "-"], &object.to_string());
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        kubectl(&[&["-n", &self.0], arguments].concat(), "")
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A second panic would hide the first.
        let _ = kubectl_command(&["delete", "namespace", &self.0, "--wait=false"]).output();
    }
}

const GATE: &str = "test.example.com/ready";

const CRDS: &str = include_str!("../../tests/cluster/crds.yaml");

/// The cluster of `tests/cluster`, whose programs may be ended.
struct OwnCluster {
    /// Its files.
    run: PathBuf,
    /// The scripts.
    scripts: PathBuf,
}

impl OwnCluster {
    /// `None` where the tests are given another one.
    fn find() -> Option<Self> {
        Some(Self {
            run: std::env::var_os("KUBE_RUN")?.into(),
            scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cluster"),
        })
    }

    fn kill_api_server(&self) {
        let id = std::fs::read_to_string(self.run.join("kube-apiserver.pid"));
        self.script("in", &["kill", "-9", id.expect("it runs").trim()]);
    }

    async fn start_api_server(&self) {
        self.script("start", &["kube-apiserver"]);
        let ready = ["get", "--raw", "/readyz"];
        while !kubectl_command(&ready)
            .output()
            .expect("kubectl runs")
            .status
            .success()
        {
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn script(&self, name: &str, arguments: &[&str]) {
        let status = Command::new(self.scripts.join(name))
            .args(arguments)
            .status();
        assert!(status.expect("a script").success(), "{name} {arguments:?}");
    }
}

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/run, which sets it"))
}

fn kubeconfig() -> PathBuf {
    variable("IGCTL_TEST_KUBECONFIG").into()
}

fn kubectl_command(arguments: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", kubeconfig()).args(arguments);
    command
}

/// What kubectl prints for this input; it must succeed.
fn kubectl(arguments: &[&str], input: &str) -> String {
    let mut kubectl = kubectl_command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    let mut stdin = kubectl.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("kubectl reads");
    drop(stdin);
    let output = kubectl.wait_with_output().expect("kubectl ends");
    assert!(output.status.success(), "kubectl {arguments:?}");
    String::from_utf8(output.stdout).expect("text")
}
