//! A client, Envoy, the picker, and a model server, in a row.

use bytes::Bytes;
use gateway_core::Config;
use http_body_util::Full;
use hyper::{Request, Response};

use crate::support::envoy::{Envoy, Setup};
use crate::support::model_server::ModelServer;
use crate::support::{Gateway, config, send};

/// A client, Envoy, the picker, and one model server.
pub(crate) struct Chain {
    pub(crate) envoy: Envoy,
    pub(crate) gateway: Gateway,
    pub(crate) server: ModelServer,
}

impl Chain {
    pub(crate) async fn start(setup: Setup) -> Self {
        Self::start_with(setup, config()).await
    }

    /// With more of a configuration; its endpoint is the chain's own.
    pub(crate) async fn start_with(setup: Setup, config: Config) -> Self {
        let server = ModelServer::start().await;
        let endpoints = vec![server.address.to_string().parse().expect("an endpoint")];
        let gateway = Gateway::start(Config {
            endpoints,
            ..config
        })
        .await;
        let envoy = Envoy::start(gateway.grpc, &setup).await;
        Self {
            envoy,
            gateway,
            server,
        }
    }

    pub(crate) async fn post(&self, body: &Bytes) -> Response<Bytes> {
        send(self.envoy.address, request("/v1/completions", body)).await
    }
}

pub(crate) fn request(path: &str, body: &Bytes) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "test")
        .header("content-type", "application/json")
        .body(Full::new(body.clone()))
        .expect("a request")
}

/// A body for model `m` of about so many bytes.
pub(crate) fn body(length: usize) -> Bytes {
    let prompt: String = ('a'..='z').cycle().take(length).collect();
    format!(r#"{{"model":"m","prompt":"{prompt}"}}"#).into()
}

/// Bodies short enough to print: their length and a hash.
pub(crate) fn digest(body: &Bytes) -> (usize, u64) {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    (body.len(), hasher.finish())
}

/// How Envoy shows the bodies of requests and of responses.
pub(crate) const SETUPS: [(&str, &str); 4] = [
    ("FULL_DUPLEX_STREAMED", "FULL_DUPLEX_STREAMED"),
    ("BUFFERED", "BUFFERED"),
    ("STREAMED", "STREAMED"),
    ("FULL_DUPLEX_STREAMED", "NONE"),
];

/// How a request that is answered is counted in each way.
pub(crate) const ANSWERS: [&str; 4] = [ANSWERED, ANSWERED, ANSWERED, UNSEEN];

/// One chain for each way.
pub(crate) async fn chains() -> Vec<Chain> {
    let mut chains = Vec::new();
    for (request_body, response_body) in SETUPS {
        chains.push(Chain::start(Setup::modes(request_body, response_body)).await);
    }
    chains
}

/// A completion that the model server answers in a certain way.
pub(crate) fn answered(how: &str) -> Request<Full<Bytes>> {
    let mut request = request("/v1/completions", &body(10));
    request
        .headers_mut()
        .insert("x-answer", how.parse().expect("a header"));
    request
}

/// How the one request of a chain was counted, once it is over.
pub(crate) async fn end(chain: &Chain) -> String {
    let is_over = |counts: &[String]| {
        let running = counts
            .iter()
            .find(|line| line.starts_with("running_requests"));
        running.is_some_and(|line| line.ends_with(" 0"))
    };
    chain.gateway.counts_when(is_over).await;
    // Read again: the request may have ended while that page was written, after its counts and before the gauge.
    let counts = chain.gateway.counts().await;
    let families = [
        "request_total",
        "request_duration_seconds_count",
        "request_error_total",
        "request_cancelled_total",
        "running_requests",
    ];
    let counted = families.map(|family| {
        let line = counts.iter().find_map(|line| line.strip_prefix(family))?;
        let (labels, count) = line.rsplit_once(' ')?;
        let code = labels
            .strip_prefix("{error_code=\"")
            .and_then(|rest| rest.split('"').next());
        Some(format!(
            "{} {}{count}",
            family.trim_end_matches("_seconds_count"),
            code.map(|code| format!("{code} ")).unwrap_or_default()
        ))
    });
    counted.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(crate) const ANSWERED: &str = "request_total 1, request_duration 1, running_requests 0";
pub(crate) const FAILED: &str =
    "request_total 1, request_duration 1, request_error_total 503 1, running_requests 0";
/// Where the end of the response is not shown.
pub(crate) const UNSEEN: &str = "request_total 1, running_requests 0";
pub(crate) const FAILED_UNSEEN: &str =
    "request_total 1, request_error_total 503 1, running_requests 0";
pub(crate) const CANCELLED: &str = "request_total 1, request_cancelled_total 1, running_requests 0";
