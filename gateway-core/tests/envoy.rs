//! Through a real Envoy, in every way in which it can show bodies: what is
//! counted is what was sent, and no byte changes on the way.

mod support;

use bytes::Bytes;
use gateway_core::{Config, Rewrites};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use support::envoy::{Envoy, Route, Setup};
use support::model_server::{EVENTS, ModelServer};
use support::{Gateway, begin, config, get, send};

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

/// How Envoy shows the bodies of requests and of responses.
const SETUPS: [(&str, &str); 4] = [
    ("FULL_DUPLEX_STREAMED", "FULL_DUPLEX_STREAMED"),
    ("BUFFERED", "BUFFERED"),
    ("STREAMED", "STREAMED"),
    ("FULL_DUPLEX_STREAMED", "NONE"),
];

/// One chain for each way.
async fn chains() -> Vec<Chain> {
    let mut chains = Vec::new();
    for (request_body, response_body) in SETUPS {
        chains.push(Chain::start(Setup::modes(request_body, response_body)).await);
    }
    chains
}

/// A completion that the model server answers in a certain way.
fn answered(how: &str) -> Request<Full<Bytes>> {
    let mut request = request("/v1/completions", &body(10));
    request
        .headers_mut()
        .insert("x-answer", how.parse().expect("a header"));
    request
}

/// How the one request of a chain was counted, once it is over.
async fn end(chain: &Chain) -> String {
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

const ANSWERED: &str = "request_total 1, request_duration 1, running_requests 0";
const FAILED: &str =
    "request_total 1, request_duration 1, request_error_total 503 1, running_requests 0";
const CANCELLED: &str = "request_total 1, request_cancelled_total 1, running_requests 0";

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let answer = send(chain.envoy.address, answered("stream"))
            .await
            .into_body();
        seen.push((answer == EVENTS.concat(), end(&chain).await));
    }
    assert_eq!(seen, [(); 4].map(|()| (true, ANSWERED.to_owned())));
}

#[tokio::test]
async fn a_streams_usage_is_counted_where_it_is_shown() {
    let mut seen = Vec::new();
    for chain in chains().await {
        send(chain.envoy.address, answered("stream")).await;
        end(&chain).await;
        let counts = chain.gateway.counts().await;
        seen.push(
            counts
                .iter()
                .filter(|line| line.contains("_tokens_count{"))
                .count(),
        );
    }
    assert_eq!(seen, [2, 2, 2, 0]);
}

#[tokio::test]
async fn a_servers_error_is_passed_on_and_counted() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let answer = send(chain.envoy.address, answered("503")).await;
        let status = answer.status().as_u16();
        seen.push((status, answer.into_body(), end(&chain).await));
    }
    let expected = (503, Bytes::from_static(b"no such thing"), FAILED.to_owned());
    assert_eq!(seen, [(); 4].map(|()| expected.clone()));
}

#[tokio::test]
async fn an_endpoint_that_is_down_counts_as_the_gateways_answer() {
    let mut seen = Vec::new();
    for mut chain in chains().await {
        chain.server.stop().await;
        let status = chain.post(&body(10)).await.status().as_u16();
        seen.push((status, end(&chain).await));
    }
    assert_eq!(seen, [(); 4].map(|()| (503, FAILED.to_owned())));
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_as_that_and_not_as_an_error() {
    let mut seen = Vec::new();
    for chain in &chains().await[..3] {
        let client = tokio::spawn(send(chain.envoy.address, answered("endless")));
        let is_sent =
            |counts: &[String]| counts.iter().any(|line| line.starts_with("request_total"));
        chain.gateway.counts_when(is_sent).await;
        client.abort();
        seen.push(end(chain).await);
    }
    assert_eq!(seen, [CANCELLED; 3]);
}

#[tokio::test]
async fn where_responses_are_hidden_the_end_of_one_is_its_beginning() {
    let chain = Chain::start(Setup::modes("FULL_DUPLEX_STREAMED", "NONE")).await;
    let response = begin(chain.envoy.address, answered("endless")).await;
    let ended = end(&chain).await;
    drop(response);
    assert_eq!(ended, ANSWERED);
}

#[tokio::test]
async fn a_response_that_breaks_off_is_counted_as_cancelled() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let response = begin(chain.envoy.address, answered("broken")).await;
        let is_whole = response.into_body().collect().await.is_ok();
        seen.push((is_whole, end(&chain).await));
    }
    assert_eq!(
        seen,
        [
            (false, CANCELLED.to_owned()),
            (true, CANCELLED.to_owned()),
            (false, CANCELLED.to_owned()),
            (false, ANSWERED.to_owned())
        ]
    );
}

#[tokio::test]
async fn a_rewritten_model_is_what_the_server_sees_and_the_client_does_not() {
    let mut seen = Vec::new();
    for (request_body, response_body) in SETUPS {
        let rewrite = "m=longer-name:1".parse().expect("a rewrite");
        let config = Config {
            rewrites: Rewrites::new([rewrite]).expect("rewrites"),
            ..config()
        };
        let chain = Chain::start_with(Setup::modes(request_body, response_body), config).await;
        let answer = chain
            .post(&Bytes::from_static(br#"{"n":1, "model": "m"}"#))
            .await;
        let received = chain.server.received().concat();
        seen.push(
            [received.into(), answer.into_body()]
                .map(|body: Bytes| String::from_utf8_lossy(&body).into_owned()),
        );
    }
    let target = r#"{"n":1, "model": "longer-name"}"#;
    let refused = "this model is rewritten, which needs a gateway that sends request bodies \
                   FULL_DUPLEX_STREAMED or BUFFERED, not STREAMED";
    assert_eq!(
        seen,
        [
            [target, r#"{"n":1, "model": "m"}"#],
            [target, r#"{"n":1, "model": "m"}"#],
            ["", refused],
            // Where the response's body is not shown nothing can be put back.
            [target, target],
        ]
    );
}

#[tokio::test]
async fn what_names_no_model_passes_untouched_and_uncounted() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let upload = send(chain.envoy.address, request("/v1/files", &body(100_000))).await;
        let list = get(chain.envoy.address, "/v1/models").await;
        let is_same = digest(upload.body()) == digest(&body(100_000));
        seen.push((
            is_same,
            list.status().as_u16(),
            chain.gateway.counts().await.len(),
        ));
    }
    assert_eq!(seen, [(true, 200, 0); 4]);
}

#[tokio::test]
async fn a_gateway_that_speaks_tls_is_understood_without_being_told() {
    let chain = Chain::start(Setup {
        is_tls: true,
        ..Setup::mode("FULL_DUPLEX_STREAMED")
    })
    .await;
    let status = chain.post(&body(100_000)).await.status().as_u16();
    assert_eq!((status, end(&chain).await), (200, ANSWERED.to_owned()));
}

#[tokio::test]
async fn a_gateway_that_routes_by_metadata_goes_where_it_is_told() {
    let picked = ModelServer::start().await;
    let other = ModelServer::start().await;
    let endpoints = vec![picked.address.to_string().parse().expect("an endpoint")];
    let gateway = Gateway::start(Config {
        endpoints,
        conformance: true,
        ..config()
    })
    .await;
    let envoy = Envoy::start(
        gateway.grpc,
        &Setup {
            route: Route::Metadata(vec![other.address, picked.address]),
            ..Setup::mode("FULL_DUPLEX_STREAMED")
        },
    )
    .await;
    let mut served = Vec::new();
    for _ in 0..10 {
        let answer = send(envoy.address, request("/v1/completions", &body(10))).await;
        let told = answer.headers().get("x-conformance-test-served-endpoint");
        served.push(
            told.expect("the endpoint that served")
                .to_str()
                .expect("text")
                .to_owned(),
        );
    }
    let expected = vec![picked.address.to_string(); 10];
    assert_eq!((served, other.received().len()), (expected, 0));
}
