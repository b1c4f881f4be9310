//! How Envoy reaches the picker, and the endpoint that it picked.

use gateway_core::Config;

use crate::chain::{ANSWERS, Chain, SETUPS, body, end, request};
use crate::client::PROTOCOLS;
use crate::support::envoy::{Envoy, Route, Setup, binary};
use crate::support::model_server::ModelServer;
use crate::support::{Gateway, config, send};

#[tokio::test]
async fn a_gateway_that_speaks_tls_is_understood_without_being_told() {
    let mut seen = Vec::new();
    for (request_body, response_body) in SETUPS {
        let chain = Chain::start(Setup {
            is_tls: true,
            ..Setup::modes(request_body, response_body)
        })
        .await;
        let mut statuses = Vec::new();
        for protocol in PROTOCOLS {
            let request = request("/v1/completions", &body(100_000));
            statuses.push(protocol.ask(chain.envoy.address, request).await.status);
        }
        seen.push((statuses, end(&chain).await));
    }
    let expected = ANSWERS.map(|end| (vec![200, 200], end.replace(" 1", " 2")));
    assert_eq!(seen, expected);
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
    let mut served = Vec::new();
    for (request_body, response_body) in SETUPS {
        let setup = Setup {
            route: Route::Metadata(vec![other.address, picked.address]),
            ..Setup::modes(request_body, response_body)
        };
        let envoy = Envoy::start(gateway.grpc, &setup).await;
        for _ in 0..5 {
            let answer = send(envoy.address, request("/v1/completions", &body(10))).await;
            let told = answer.headers().get("x-conformance-test-served-endpoint");
            served.push(told.map(|value| value.to_str().expect("text").to_owned()));
        }
    }
    let expected = vec![Some(picked.address.to_string()); 20];
    assert_eq!((served, other.received().len()), (expected, 0));
}

#[test]
fn the_example_is_one_that_envoy_takes() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/envoy.yaml");
    let checked = std::process::Command::new(binary())
        .args(["--mode", "validate", "-c", example])
        .output()
        .expect("Envoy starts");
    let log = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{log}");
}
