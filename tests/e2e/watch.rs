//! A watch goes on while pods come and go.

use std::process::Command;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::igctl::igctl_command;
use crate::process::Running;

#[test]
fn a_watch_goes_on_with_the_pod_that_replaces_a_deleted_one() {
    let gateway = Gateway::deploy("replaced");
    let namespace = &gateway.namespace;
    let mut command = igctl_command([
        "metrics",
        "top",
        "-n",
        namespace.name(),
        "-w",
        "--interval",
        "1s",
        "-o",
        "json",
    ]);
    let (_watch, mut looks) = looks(&mut command);
    let before = readable_pods(&looks.next().expect("the watch begins"));

    let deleted = &before[0];
    namespace.kubectl([
        "delete",
        "pod",
        deleted.rsplit('/').next().expect("a name"),
        "--wait=false",
    ]);

    // A pod takes a few seconds to start, on a busy machine some more.
    let after = looks
        .take(60)
        .map(|look| readable_pods(&look))
        .find(|pods| pods.len() == 2 && !pods.contains(deleted));
    assert!(
        after.is_some(),
        "a minute after {deleted} was deleted its successor is not shown"
    );
}

/// The documents that a watch prints.
fn looks(command: &mut Command) -> (Running, impl Iterator<Item = Value> + use<>) {
    let (watch, lines) = Running::lines(command);
    (
        watch,
        lines.map(|line| {
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
        }),
    )
}

/// The pods whose numbers are part of what is shown.
fn readable_pods(look: &Value) -> Vec<String> {
    let pods = look["pods"].as_array().expect("pods are a list").iter();
    let readable = pods.filter(|pod| pod["error"].is_null());
    readable
        .map(|pod| pod["name"].as_str().expect("a pod has a name").to_owned())
        .collect()
}
