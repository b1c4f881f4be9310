//! A watch survives the night: each fault that a cluster knows is really made, while `igctl metrics top -w` looks on.
//!
//! Faults like these hit everything that runs in the cluster, so the tests run one after the other, and only on a
//! cluster that `tests/run` has started for itself: `KUBE_RUN` is its folder. The other variables are those of the
//! end-to-end tests.
#![allow(missing_docs)]

#[allow(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../e2e/cluster.rs"]
mod cluster;
#[path = "../e2e/envoy.rs"]
mod envoy;
#[allow(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../e2e/gateway.rs"]
mod gateway;
#[allow(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../e2e/igctl.rs"]
mod igctl;
#[path = "../e2e/looks.rs"]
mod looks;
mod node;
#[allow(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../e2e/process.rs"]
mod process;
mod watch;
