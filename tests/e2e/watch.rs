//! A watch goes on while pods come and go.

use crate::gateway::Gateway;
use crate::looks::Watch;

#[test]
fn a_watch_goes_on_with_the_pod_that_replaces_a_deleted_one() {
    let gateway = Gateway::deploy("replaced");
    let namespace = &gateway.namespace;
    let deleted = &namespace.of_pods("gateway-core", ".metadata.name")[0];
    let mut watch = Watch::begin(namespace, None, 2);

    namespace.kubectl(["delete", "pod", deleted, "--wait=false"]);

    watch.until("the successor instead of the deleted pod", |look| {
        look.read().len() == 2 && !look.read().contains(&deleted.as_str())
    });
}
