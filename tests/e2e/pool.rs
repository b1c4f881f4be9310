//! The picker follows its pool.

use crate::gateway::Gateway;
use crate::igctl::top;
use crate::process::wait_for;

#[test]
fn picks_follow_the_pool() {
    let gateway = Gateway::deploy("scaled");

    scale(&gateway, 3);
    scale(&gateway, 1);
    let answered = (0..20)
        .filter(|_| gateway.complete("qwen3-32b").status == 200)
        .count();

    assert_eq!(answered, 20);
}

/// Changes how many model servers there are, and waits until the picker knows.
fn scale(gateway: &Gateway, replicas: u64) {
    gateway.namespace.kubectl([
        "scale",
        "deployment/model-server",
        &format!("--replicas={replicas}"),
    ]);
    wait_for("the picker to see its pool's change", || {
        (ready_endpoints(gateway)? == replicas).then_some(())
    });
}

/// How many endpoints the picker says it has.
fn ready_endpoints(gateway: &Gateway) -> Option<u64> {
    let shown = top(&gateway.namespace, &[]).json();
    shown["pool"]["ready_endpoints"].as_u64()
}
