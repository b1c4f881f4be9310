//! A watch goes on, whatever happens to what it watches.

use crate::gateway::{Gateway, reader_manifests};
use crate::looks::Watch;
use crate::node::{self, Container, Frozen};

/// Both replicas of the picker.
const PICKERS: usize = 2;

fn pickers(gateway: &Gateway) -> Vec<String> {
    gateway.namespace.of_pods("gateway-core", ".metadata.name")
}

#[test]
fn an_evicted_pod_has_a_successor() {
    let gateway = Gateway::deploy("evicted");
    let evicted = &pickers(&gateway)[0];
    let mut watch = Watch::begin(&gateway.namespace, None, PICKERS);

    gateway.namespace.evict(evicted);

    watch.until("the successor instead of the evicted pod", |look| {
        look.read().len() == PICKERS && !look.read().contains(&evicted.as_str())
    });
}

#[test]
fn a_process_that_is_restarted_in_place_begins_anew() {
    let gateway = Gateway::deploy("in-place");
    for _ in 0..8 {
        gateway.complete("qwen3-32b");
    }
    let crashed = &pickers(&gateway)[0];
    let mut watch = Watch::begin(&gateway.namespace, None, PICKERS);

    Container::of(&gateway.namespace, crashed).kill();

    watch.until("the same pod with a new process", |look| {
        look.read().len() == PICKERS && look.restarted() == [crashed.as_str()]
    });
}

#[test]
fn a_pod_that_is_rolled_out_is_followed_through_its_owner() {
    let gateway = Gateway::deploy("rolled-out");
    let before = pickers(&gateway);
    let mut watch = Watch::begin(&gateway.namespace, Some(&format!("pod/{}", before[0])), 1);

    gateway
        .namespace
        .kubectl(["rollout", "restart", "deployment/gateway-core"]);

    watch.until("a pod of the new rollout alone", |look| {
        !look.read().is_empty()
            && look
                .read()
                .iter()
                .all(|pod| !before.iter().any(|old| old == pod))
    });
}

#[test]
fn the_api_server_is_restarted() {
    let gateway = Gateway::deploy("api-server");
    let mut watch = Watch::begin(&gateway.namespace, None, PICKERS);

    node::signal("kube-apiserver", "-KILL");
    watch.until("that no pod can be read", |look| look.read().is_empty());
    node::start("kube-apiserver");

    watch.until("both pods again, and the gap", |look| {
        look.read().len() == PICKERS && look.notes("could not be read at")
    });
}

#[test]
fn a_frozen_picker_does_not_hide_the_other() {
    let gateway = Gateway::deploy("frozen");
    let frozen = &pickers(&gateway)[0];
    let process = Container::of(&gateway.namespace, frozen);
    let mut watch = Watch::begin(&gateway.namespace, None, PICKERS);

    process.pause();
    watch.until("the frozen pod failed and the other read", |look| {
        look.unread() == [frozen.as_str()] && look.read().len() == PICKERS - 1
    });
    process.resume();

    watch.until("both pods again, and the gap", |look| {
        look.read().len() == PICKERS && look.notes("could not be read at")
    });
}

#[test]
fn the_kubelet_is_restarted() {
    let gateway = Gateway::deploy("kubelet");
    let mut watch = Watch::begin(&gateway.namespace, None, PICKERS);

    // Forwards that are open end with it, in the middle of an answer or between two.
    node::signal("kubelet", "-KILL");
    watch.until("that no pod can be read", |look| look.read().is_empty());
    node::start("kubelet");

    watch.until("both pods again", |look| look.read().len() == PICKERS);
}

#[test]
fn forwards_that_are_open_and_never_answer() {
    let gateway = Gateway::deploy("stalled");
    let mut watch = Watch::begin(&gateway.namespace, None, PICKERS);

    let frozen = Frozen::new("kubelet");
    watch.until("that no pod answers in time", |look| {
        look.unread().len() == PICKERS
    });
    drop(frozen);

    watch.until("both pods again", |look| look.read().len() == PICKERS);
}

#[test]
fn a_token_that_is_no_longer_good_is_replaced() {
    let gateway = Gateway::deploy("token");
    let before = pickers(&gateway);
    let namespace = &gateway.namespace;
    let mut watch = Watch::begin(namespace, None, PICKERS);

    // Its tokens end with an account; new pickers remember none of them.
    namespace.kubectl([
        "delete",
        "serviceaccount",
        "inference-gateway-sa-metrics-reader",
    ]);
    namespace.apply(&reader_manifests(namespace.name()));
    namespace.kubectl(["rollout", "restart", "deployment/gateway-core"]);

    watch.until("new pods read with a new token", |look| {
        look.read().len() == PICKERS
            && look
                .read()
                .iter()
                .all(|pod| !before.iter().any(|old| old == pod))
    });
}
