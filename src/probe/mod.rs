//! A few small requests through the gateway, and whether the pickers have counted them.

mod counted;
mod send;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::HeaderMap;

pub(crate) use counted::has_arrived;
pub use counted::{Looks, verdicts};
pub use send::{headers, send};

use crate::scrape::ScrapeError;

/// What is sent.
#[derive(Debug, Clone)]
pub struct Probe {
    /// How many requests.
    pub count: u32,
    /// Where to.
    pub url: reqwest::Url,
    /// For which model.
    pub model: String,
    /// Whether answers shall be streamed.
    pub stream: bool,
    /// Further headers; their values are secrets.
    pub headers: HeaderMap,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What one request may take.
    pub time: Duration,
}

/// How the requests were answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// How many by status.
    pub statuses: BTreeMap<u16, u32>,
    /// How many had no whole answer, by why.
    pub failures: BTreeMap<String, u32>,
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The file of headers cannot be read.
    #[error("cannot read the headers of {}", path.display())]
    HeaderFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        fault: std::io::Error,
    },
    /// A line of it is no header; what it says may be secret.
    #[error("line {line} of {} is no header; write NAME: VALUE", path.display())]
    Header {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The CA file cannot be used.
    #[error(transparent)]
    Tls(#[from] ScrapeError),
    /// The HTTP client cannot be made.
    #[error("making a client for the probe: {0}")]
    Client(String),
}
