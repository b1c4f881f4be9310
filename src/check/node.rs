//! The node that a pod runs on: what its kubelet does not do, no pod of it does.
//! <https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats>

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;

use crate::cluster::{Cluster, Right};

/// Where kubelets report, each in a Lease of its node's name.
const LEASES: &str = "kube-node-lease";
/// A kubelet reports every ten seconds: two reports are missing.
const SILENT: SignedDuration = SignedDuration::from_secs(25);

/// What is wrong with a pod's node. `None` where nothing is, or it may not be read.
pub(super) async fn fault(cluster: &Cluster, pod: &Pod) -> Option<String> {
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
        Ok(None) => Some(format!("node {name} is gone")),
        Ok(Some(node)) => not_ready(name, &node).or_else(|| silent(name, &lease.ok()?)),
        Err(_) => silent(name, &lease.ok()?),
    }
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
fn silent(name: &str, lease: &Lease) -> Option<String> {
    let renewed = lease.spec.as_ref()?.renew_time.as_ref()?.0;
    let since = Timestamp::now().duration_since(renewed);
    (since > SILENT)
        .then(|| format!("the kubelet of node {name} has not reported since {renewed:.0}"))
}
