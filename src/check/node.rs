//! The node that a pod runs on: what its kubelet does not do, no pod of it does.
//! <https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats>

use http::header::DATE;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::client::Body;
use tokio::time::timeout;

use crate::cluster::{Cluster, Right};

/// Where kubelets report, each in a Lease of its node's name.
const LEASES: &str = "kube-node-lease";
/// For how long a kubelet's report is good, unless its Lease says otherwise; it reports four times as often.
const GOOD_FOR: i32 = 40;

/// What is wrong with a node.
pub(super) struct Fault {
    pub(super) told: String,
    /// Kubernetes does not count on the node any more; else its kubelet is but late.
    pub(super) is_certain: bool,
}

impl Fault {
    fn certain(told: String) -> Self {
        Self {
            told,
            is_certain: true,
        }
    }
}

/// What is wrong with a pod's node. `None` where nothing is, or it may not be read.
pub(super) async fn fault(cluster: &Cluster, pod: &Pod) -> Option<Fault> {
    let name = pod.spec.as_ref()?.node_name.as_deref()?;
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), LEASES);
    let right = Right {
        verb: "get",
        group: "",
        resource: "nodes",
        namespace: None,
        name: Some(name.into()),
    };
    let (node, lease) = tokio::join!(
        cluster.ask(right, nodes.get_opt(name)),
        cluster.ask(
            Right::get("coordination.k8s.io", "leases", LEASES, name),
            leases.get(name)
        ),
    );
    match node {
        Ok(None) => return Some(Fault::certain(format!("node {name} is gone"))),
        Ok(Some(node)) => {
            if let Some(told) = not_ready(name, &node) {
                return Some(Fault::certain(told));
            }
        }
        Err(_) => {}
    }
    Some(Fault {
        told: silent(cluster, name, &lease.ok()?).await?,
        is_certain: false,
    })
}

fn not_ready(name: &str, node: &Node) -> Option<String> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions
        .iter()
        .find(|condition| condition.type_ == "Ready" && condition.status != "True")?;
    let message = ready.message.as_deref().unwrap_or_default();
    Some(format!("node {name} is not ready: {message}"))
}

/// Its kubelet may be dead before Kubernetes counts the node as not ready.
async fn silent(cluster: &Cluster, name: &str, lease: &Lease) -> Option<String> {
    let spec = lease.spec.as_ref()?;
    let renewed = spec.renew_time.as_ref()?.0;
    let good_for = spec.lease_duration_seconds.unwrap_or(GOOD_FOR);
    let since = time_of(cluster).await?.duration_since(renewed);
    (since > SignedDuration::from_secs(good_for.into()))
        .then(|| format!("the kubelet of node {name} has not reported since {renewed:.0}"))
}

/// The API server's time: by this machine's clock all kubelets may be late.
async fn time_of(cluster: &Cluster) -> Option<Timestamp> {
    let request = http::Request::get("/version").body(Body::empty()).ok()?;
    let answer = timeout(cluster.timeout, cluster.client.send(request)).await;
    let answer = answer.ok()?.ok()?;
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}
