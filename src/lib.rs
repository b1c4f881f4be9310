//! igctl shows what the endpoint pickers of Kubernetes inference gateways have counted: requests, errors
//! and latency per model.
//!
//! Data moves one way:
//! discover → authenticate → forward → scrape → exposition → snapshot → report → verdict → render.
//! A recording stands in for everything up to the scrape; diff, probe and baseline are beside the report and
//! the verdict.

pub mod assertion;
pub mod auth;
pub mod baseline;
mod body;
pub mod by_hand;
mod cause;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod collect;
pub mod command;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod diff;
pub mod discover;
pub mod error;
pub mod exposition;
mod few;
pub mod forward;
pub mod glob;
pub mod histogram;
pub mod kubeconfig;
mod plugin;
pub mod probe;
pub mod rbac;
pub mod recording;
pub mod render;
pub mod report;
mod retry;
pub mod scrape;
pub mod shape;
mod shell;
pub mod snapshot;
mod token;
pub mod verdict;
pub mod visible;
pub mod vocabulary;
