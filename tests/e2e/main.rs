//! End to end: gateway-core deployed on a real Kubernetes with its own manifests, real Envoy in front of it, requests
//! through Envoy, and igctl reading what was counted.
//!
//! `tests/run` starts a cluster of its own and sets these variables; another cluster serves as well:
//!
//! | variable | |
//! | --- | --- |
//! | `IGCTL_TEST_KUBECONFIG` | the cluster's kubeconfig, of a user who may do everything |
//! | `IGCTL_TEST_IMAGE` | an image of gateway-core that its nodes have or can pull |
//! | `IGCTL_TEST_MODEL_SERVER_IMAGE` | one of `tests/model-server`; without it the pool's pods are placeholders, and a model server on this machine answers for them |
//! | `IGCTL_TEST_ENVOY` | Envoy's program |
//!
//! `kubectl`, `jq` and `prometheus` are found by `PATH`. Nothing here needs to reach a pod's address: every connection into
//! the cluster is a port-forward.
#![allow(missing_docs)]

mod by_hand;
mod check;
mod cluster;
mod envoy;
mod gateway;
mod igctl;
#[allow(dead_code, reason = "the tests of faults use all of it")]
mod looks;
mod pipeline;
mod pool;
mod process;
mod refused;
mod scraped;
mod top;
mod watch;
