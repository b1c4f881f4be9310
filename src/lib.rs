//! igctl shows what the endpoint pickers of Kubernetes inference gateways have counted: requests, errors
//! and latency per model.
//!
//! Data moves one way:
//! discover → authenticate → forward → scrape → exposition → snapshot → report → render.

pub mod cli;
pub mod config;
pub mod exposition;
pub mod histogram;
pub mod render;
pub mod report;
pub mod snapshot;
pub mod visible;
pub mod vocabulary;
