//! What the picker answers itself reaches the client as that answer, in every
//! mode and with either version of HTTP.

use std::collections::BTreeMap;

use bytes::Bytes;
use gateway_core::Config;
use http_body_util::Full;
use hyper::Request;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::chain::{Chain, SETUPS, answered, body, chains, request};
use crate::client::{Answer, PROTOCOLS};
use crate::support::envoy::{Envoy, Setup};
use crate::support::model_server::ModelServer;
use crate::support::{Gateway, config};

const NONE_READY: &str = "503 no endpoint is ready for this request";

/// What a body of about 100 kB for `m` is answered in every mode and with
/// either version of HTTP, and the errors that are counted then.
async fn refused(config: Config) -> (Vec<String>, Vec<String>) {
    let gateway = Gateway::start(config).await;
    let mut answers = Vec::new();
    for (request_body, response_body) in SETUPS {
        let envoy = Envoy::start(gateway.grpc, &Setup::modes(request_body, response_body)).await;
        for protocol in PROTOCOLS {
            let request = request("/v1/completions", &body(100_000));
            answers.push(told(protocol.ask(envoy.address, request).await));
        }
    }
    (answers, errors(&gateway).await)
}

/// All eight answers and errors, if they are alike.
fn all(answer: &str, error: &str) -> (Vec<String>, Vec<String>) {
    (vec![answer.to_owned(); 8], vec![format!("{error} 8")])
}

#[tokio::test]
async fn without_an_endpoint_the_answer_is_503() {
    let config = Config {
        endpoints: Vec::new(),
        ..config()
    };
    assert_eq!(refused(config).await, all(NONE_READY, "ServiceUnavailable"));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_answered_413() {
    // Where bodies are streamed they go on meanwhile, so somebody must be there.
    let server = ModelServer::start().await;
    let config = Config {
        endpoints: vec![server.address.to_string().parse().expect("an endpoint")],
        max_body: 99_999,
        ..config()
    };
    let answer = "413 the request body is longer than 99999 bytes";
    assert_eq!(refused(config).await, all(answer, "PayloadTooLarge"));
}

#[tokio::test]
async fn when_all_endpoints_are_busy_the_answer_is_429() {
    let mut seen = Vec::new();
    for (request_body, response_body) in SETUPS {
        let config = Config {
            max_in_flight: Some(1.try_into().expect("a limit")),
            ..config()
        };
        let setup = Setup::modes(request_body, response_body);
        let chain = Chain::start_with(setup, config).await;
        for protocol in PROTOCOLS {
            let held = tokio::spawn(protocol.ask(chain.envoy.address, answered("silence")));
            running(&chain.gateway, 1).await;
            let request = request("/v1/completions", &body(10));
            seen.push(told(protocol.ask(chain.envoy.address, request).await));
            held.abort();
            running(&chain.gateway, 0).await;
        }
        seen.extend(errors(&chain.gateway).await);
    }
    let busy = "429 all endpoints are busy";
    assert_eq!(seen, [busy, busy, "ResourceExhausted 2"].repeat(4));
}

#[tokio::test]
async fn a_client_that_leaves_before_the_end_of_its_body_is_counted_as_nothing() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let mut socket = TcpStream::connect(chain.envoy.address)
            .await
            .expect("somebody listens");
        let half = "POST /v1/completions HTTP/1.1\r\nhost: test\r\n\
                    content-length: 1000\r\n\r\n{\"model\":\"m\",";
        socket
            .write_all(half.as_bytes())
            .await
            .expect("Envoy reads");
        drop(socket);
        // Envoy has seen the first one leave by the time it answers the next.
        chain.post(&body(10)).await;
        let counts = chain.gateway.counts().await;
        let sums: Vec<_> = counts
            .into_iter()
            .filter(|line| line.starts_with("request_total") || line.contains("cancelled"))
            .collect();
        seen.push(sums);
    }
    let one = r#"request_total{model_name="m",target_model_name="m"} 1"#;
    assert_eq!(seen, [[one]; 4]);
}

#[tokio::test]
async fn a_subset_that_a_filter_sets_is_kept_to() {
    let servers = [ModelServer::start().await, ModelServer::start().await];
    let addresses = servers.each_ref().map(|server| server.address.to_string());
    let endpoints = addresses
        .each_ref()
        .map(|text| text.parse().expect("an endpoint"));
    let gateway = Gateway::start(Config {
        endpoints: endpoints.into(),
        ..config()
    })
    .await;
    let second = addresses[1].as_str();
    let mut seen = Vec::new();
    for (request_body, response_body) in SETUPS {
        let envoy = Envoy::start(gateway.grpc, &Setup::modes(request_body, response_body)).await;
        for protocol in PROTOCOLS {
            for subset in [second, &format!("10.0.0.9:1, {second}"), "10.0.0.9:1"] {
                let before = servers.each_ref().map(|server| server.received().len());
                let answer = protocol.ask(envoy.address, limited_to(subset)).await;
                let after = servers.each_ref().map(|server| server.received().len());
                seen.push((told(answer), [after[0] - before[0], after[1] - before[1]]));
            }
        }
    }
    let answers = [
        ("200 ".to_owned(), [0, 1]),
        ("200 ".to_owned(), [0, 1]),
        (NONE_READY.to_owned(), [0, 0]),
    ];
    assert_eq!(seen, [(); 8].map(|()| answers.clone()).concat());
}

/// Waits until so many requests are running.
async fn running(gateway: &Gateway, requests: usize) {
    let line = format!("running_requests{{model_name=\"m\"}} {requests}");
    gateway.counts_when(|counts| counts.contains(&line)).await;
}

/// A request that may go to these endpoints alone, as a filter before the
/// picker's says.
fn limited_to(subset: &str) -> Request<Full<Bytes>> {
    let mut request = answered("empty");
    let subset = subset.parse().expect("a header");
    request.headers_mut().insert("x-subset", subset);
    request
}

/// How many errors of each code were counted, whatever the model: where bodies
/// are streamed some are refused before it is known.
async fn errors(gateway: &Gateway) -> Vec<String> {
    let mut errors = BTreeMap::<_, u64>::new();
    for line in gateway.counts().await {
        if let Some((code, rest)) = line
            .strip_prefix("request_error_total{error_code=\"")
            .and_then(|rest| rest.split_once('"'))
        {
            let count = rest.rsplit(' ').next().and_then(|count| count.parse().ok());
            *errors.entry(code.to_owned()).or_default() += count.unwrap_or(0);
        }
    }
    let lines = errors.iter().map(|(code, count)| format!("{code} {count}"));
    lines.collect()
}

/// Status and body in a line.
fn told(answer: Answer) -> String {
    format!(
        "{} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    )
}
