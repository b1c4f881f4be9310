//! No byte of a body changes on the way, nor do trailers get lost, in any mode
//! and with either version of HTTP.

use bytes::Bytes;
use futures::stream;
use gateway_core::{Config, Rewrites};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::{HeaderMap, Request};

use crate::chain::{ANSWERS, Chain, SETUPS, answered, body, chains, end, request};
use crate::client::{PROTOCOLS, Protocol};
use crate::support::config;
use crate::support::envoy::Setup;
use crate::support::model_server::{EVENTS, packed};

/// What a model server may answer, and the bytes of it.
fn answers() -> Vec<(&'static str, Bytes)> {
    vec![
        ("gzip", packed()),
        ("empty", Bytes::new()),
        ("stream", EVENTS.concat().into()),
        ("503", "no such thing".into()),
    ]
}

#[tokio::test]
async fn every_answer_passes_byte_for_byte() {
    let mut changed = Vec::new();
    for (setup, chain) in SETUPS.iter().zip(chains().await) {
        for protocol in PROTOCOLS {
            for (how, expected) in answers() {
                let answer = protocol.ask(chain.envoy.address, answered(how)).await;
                if answer.body != expected {
                    changed.push((setup, protocol, how, answer.body));
                }
            }
        }
    }
    assert!(changed.is_empty(), "{changed:?}");
}

#[tokio::test]
async fn large_bodies_pass_both_ways_byte_for_byte() {
    let sent = body(4 << 20);
    let mut changed = Vec::new();
    for (setup, chain) in SETUPS.iter().zip(chains().await) {
        for protocol in PROTOCOLS {
            let request = request("/v1/completions", &sent);
            let answer = protocol.ask(chain.envoy.address, request).await;
            let received = chain.server.received().pop().expect("a body arrived");
            if received != sent || answer.body != sent {
                changed.push((setup, protocol, received.len(), answer.body.len()));
            }
        }
    }
    assert!(changed.is_empty(), "not {} bytes: {changed:?}", sent.len());
}

#[tokio::test]
async fn where_the_model_is_put_back_nothing_else_changes() {
    let mut changed = Vec::new();
    for mode in ["FULL_DUPLEX_STREAMED", "BUFFERED"] {
        let rewrite = "clients=m:1".parse().expect("a rewrite");
        let config = Config {
            rewrites: Rewrites::new([rewrite]).expect("rewrites"),
            ..config()
        };
        let chain = Chain::start_with(Setup::mode(mode), config).await;
        for protocol in PROTOCOLS {
            for (how, sent) in answers() {
                let mut request = answered(how);
                *request.body_mut() = Bytes::from_static(br#"{"model":"clients"}"#).into();
                let answer = protocol.ask(chain.envoy.address, request).await;
                let expected = match how {
                    "stream" => EVENTS.concat().replace(r#""m""#, r#""clients""#).into(),
                    _ => sent,
                };
                if answer.body != expected {
                    changed.push((mode, protocol, how, answer.body));
                }
            }
        }
    }
    assert!(changed.is_empty(), "{changed:?}");
}

#[tokio::test]
async fn trailers_pass_both_ways_and_end_what_they_end() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let pieces =
            [r#"{"model":"m","#, r#""prompt":"p"}"#].map(|piece| Frame::data(piece.into()));
        let trailers = HeaderMap::from_iter([(
            "x-checksum".parse().expect("a name"),
            "17".parse().expect("a value"),
        )]);
        let frames = pieces.into_iter().chain([Frame::trailers(trailers)]);
        let frames = frames.map(Ok::<_, std::convert::Infallible>);
        let request = Request::post("/v1/completions")
            .header("content-type", "application/json")
            .header("x-answer", "trailers")
            .body(StreamBody::new(stream::iter(frames)).boxed())
            .expect("a request");
        let answer = Protocol::Http2.ask(chain.envoy.address, request).await;
        let arrived = chain.server.trailers();
        seen.push((
            String::from_utf8_lossy(&answer.body).into_owned(),
            arrived.get("x-checksum").cloned(),
            answer.trailers.get("grpc-status").cloned(),
            end(&chain).await,
        ));
    }
    let expected = ANSWERS.map(|end| {
        (
            r#"{"model":"m","prompt":"p"}"#.to_owned(),
            Some("17".parse().expect("a value")),
            Some("0".parse().expect("a value")),
            end.to_owned(),
        )
    });
    assert_eq!(seen, expected);
}
