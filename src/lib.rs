//! igctl shows what the endpoint pickers of Kubernetes inference gateways have counted: requests, errors
//! and latency per model.
//!
//! Data moves one way:
//! discover → authenticate → forward → scrape → exposition → snapshot → report → verdict → render.

pub mod assertion;
pub mod auth;
mod body;
mod cause;
pub mod cli;
pub mod cluster;
pub mod collect;
pub mod command;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod discover;
pub mod error;
pub mod exposition;
pub mod forward;
pub mod histogram;
pub mod kubeconfig;
mod plugin;
pub mod render;
pub mod report;
pub mod scrape;
pub mod snapshot;
mod token;
pub mod verdict;
pub mod visible;
pub mod vocabulary;
