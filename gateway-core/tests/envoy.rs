//! Through a real Envoy, in every way in which it can show bodies: what is
//! counted is what was sent, and no byte changes on the way.

mod support;

use bytes::Bytes;
use gateway_core::Config;
use http_body_util::Full;
use hyper::{Request, Response};
use support::envoy::{Envoy, Setup};
use support::model_server::ModelServer;
use support::{Gateway, config, send};

/// A client, Envoy, the picker, and one model server.
struct Chain {
    envoy: Envoy,
    gateway: Gateway,
    server: ModelServer,
}

impl Chain {
    async fn start(setup: Setup) -> Self {
        Self::start_with(setup, config()).await
    }

    /// With more of a configuration; its endpoint is the chain's own.
    async fn start_with(setup: Setup, config: Config) -> Self {
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

    async fn post(&self, body: &Bytes) -> Response<Bytes> {
        send(self.envoy.address, request("/v1/completions", body)).await
    }
}

fn request(path: &str, body: &Bytes) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "test")
        .header("content-type", "application/json")
        .body(Full::new(body.clone()))
        .expect("a request")
}

/// A body for model `m` of about so many bytes.
fn body(length: usize) -> Bytes {
    let prompt: String = ('a'..='z').cycle().take(length).collect();
    format!(r#"{{"model":"m","prompt":"{prompt}"}}"#).into()
}

/// Bodies short enough to print: their length and a hash.
fn digest(body: &Bytes) -> (usize, u64) {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    (body.len(), hasher.finish())
}

const SIZES: [usize; 2] = [100 << 10, 4 << 20];

/// Sends a body of each size, one of a single byte, and a GET; checks that
/// bodies arrive and come back as they were sent; returns what was counted.
async fn counts_of_all_sizes(mode: &'static str) -> Vec<String> {
    let chain = Chain::start(Setup::mode(mode)).await;
    let smallest = Bytes::from_static(br#"{"model":"m"}"#);
    let bodies: Vec<_> = [smallest].into_iter().chain(SIZES.map(body)).collect();
    let mut answers = Vec::new();
    for body in &bodies {
        answers.push(chain.post(body).await);
    }
    let expected: Vec<_> = bodies.iter().map(digest).collect();
    let received: Vec<_> = chain.server.received().iter().map(digest).collect();
    let answered: Vec<_> = answers.iter().map(|answer| digest(answer.body())).collect();
    assert_eq!((&received, &answered), (&expected, &expected), "{mode}");
    chain.post(&Bytes::from_static(b"x")).await;
    chain.gateway.counts().await
}

/// Three requests and one that was refused.
fn three_and_a_bad_one() -> Vec<String> {
    let labels = r#"{model_name="m",target_model_name="m"}"#;
    [
        format!("request_duration_seconds_count{labels} 3"),
        r#"request_error_total{error_code="BadRequest",model_name="",target_model_name=""} 1"#
            .to_owned(),
        format!("request_processing_duration_seconds_count{labels} 3"),
        format!("request_sizes_count{labels} 3"),
        format!("request_total{labels} 3"),
        format!("response_sizes_count{labels} 3"),
        r#"running_requests{model_name="m"} 0"#.to_owned(),
    ]
    .into()
}

#[tokio::test]
async fn full_duplex_counts_all_sizes() {
    assert_eq!(
        counts_of_all_sizes("FULL_DUPLEX_STREAMED").await,
        three_and_a_bad_one()
    );
}

#[tokio::test]
async fn buffered_counts_all_sizes() {
    assert_eq!(counts_of_all_sizes("BUFFERED").await, three_and_a_bad_one());
}

#[tokio::test]
async fn streamed_counts_all_sizes() {
    assert_eq!(counts_of_all_sizes("STREAMED").await, three_and_a_bad_one());
}

#[tokio::test]
async fn without_bodies_nothing_is_counted_and_all_sizes_pass() {
    assert_eq!(counts_of_all_sizes("NONE").await, [""; 0]);
}
