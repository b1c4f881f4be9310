//! Through a real Envoy, in every way in which it can show bodies: what is
//! counted is what was sent, and no byte changes on the way.

mod bodies;
mod chain;
mod client;
mod counts;
mod refusals;
mod routes;
#[path = "../support/mod.rs"]
mod support;
