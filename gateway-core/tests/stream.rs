//! Conversations that broke other endpoint pickers, replayed as real gRPC
//! messages (`tests/fixtures/README.md` says where they are from).

mod support;

use std::time::Duration;

use gateway_core::proto::envoy::service::ext_proc::v3::{
    HttpBody, HttpHeaders, ProcessingRequest, processing_request::Request,
};
use gateway_core::{Config, Rewrites};
use prost::Message;
use serde_json::json;
use support::frames::{DATA, Frames, GOAWAY};
use support::relay::Relay;
use support::replay::{Conversations, describe, request_piece};
use support::{ENDPOINT, Gateway, config};

#[tokio::test]
async fn a_body_in_many_pieces_goes_back_in_pieces_that_envoy_takes() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::read("46-request-body-in-pieces")
        .replay(&gateway)
        .await;
    let described: Vec<_> = replies[1].iter().map(describe).collect();
    assert_eq!(
        described,
        [
            "request-headers x-gateway-destination-endpoint=127.0.0.1:8000 content-length=300029",
            "request-body streamed=62000",
            "request-body streamed=62000",
            "request-body streamed=62000",
            "request-body streamed=62000",
            "request-body streamed=52029 end",
            "response-headers",
            "response-body streamed=146 end",
        ]
    );
}

#[tokio::test]
async fn a_body_in_many_pieces_goes_back_as_it_came() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::read("46-request-body-in-pieces")
        .replay(&gateway)
        .await;
    let returned: Vec<_> = replies[1].iter().flat_map(request_piece).collect();
    let prompt = "x".repeat(300_000);
    let sent = format!(r#"{{"model":"m-big","prompt":"{prompt}"}}"#);
    assert!(
        returned.concat() == sent.as_bytes(),
        "{} pieces",
        returned.len()
    );
}

#[tokio::test]
async fn a_name_cut_inside_a_letter_is_read_whole() {
    let gateway = Gateway::start(config()).await;
    Conversations::read("46-request-body-in-pieces")
        .replay(&gateway)
        .await;
    let counts = gateway.counts().await;
    let requests: Vec<_> = counts
        .iter()
        .filter(|line| line.starts_with("request_total"))
        .collect();
    assert_eq!(
        requests,
        [
            r#"request_total{model_name="m-big",target_model_name="m-big"} 1"#,
            r#"request_total{model_name="m-ä/7b:q4",target_model_name="m-ä/7b:q4"} 1"#,
        ]
    );
}

#[tokio::test]
async fn a_servers_error_is_passed_on_and_counted_by_its_status() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::read("48-upstream-plain-text-error")
        .replay(&gateway)
        .await;
    let described: Vec<_> = replies[0].iter().map(describe).collect();
    assert_eq!(
        (described, gateway.counts().await),
        (
            vec![
                "request-headers x-gateway-destination-endpoint=127.0.0.1:8000".to_owned(),
                "request-body".to_owned(),
                "response-headers".to_owned(),
                "response-body".to_owned(),
            ],
            vec![
                r#"request_duration_seconds_count{model_name="m-a",target_model_name="m-a"} 1"#.to_owned(),
                r#"request_error_total{error_code="503",model_name="m-a",target_model_name="m-a"} 1"#.to_owned(),
                r#"request_processing_duration_seconds_count{model_name="m-a",target_model_name="m-a"} 1"#.to_owned(),
                r#"request_sizes_count{model_name="m-a",target_model_name="m-a"} 1"#.to_owned(),
                r#"request_total{model_name="m-a",target_model_name="m-a"} 1"#.to_owned(),
                r#"response_sizes_count{model_name="m-a",target_model_name="m-a"} 1"#.to_owned(),
                r#"running_requests{model_name="m-a"} 0"#.to_owned(),
            ]
        )
    );
}

/// Requests, durations, and what tokens came to, of the one model `m-a`.
async fn tokens(gateway: &Gateway) -> [Option<f64>; 6] {
    let page = gateway.page().await;
    [
        "request_total",
        "request_duration_seconds_count",
        "input_tokens_count",
        "input_tokens_sum",
        "output_tokens_count",
        "output_tokens_sum",
    ]
    .map(|name| {
        let series =
            format!(r#"inference_model_{name}{{model_name="m-a",target_model_name="m-a"}} "#);
        let value = page.lines().find_map(|line| line.strip_prefix(&series))?;
        Some(value.parse().expect("a number"))
    })
}

#[tokio::test]
async fn usage_counts_from_any_event_and_not_at_all_without_one() {
    let gateway = Gateway::start(config()).await;
    Conversations::read("49-usage-event-before-done")
        .replay(&gateway)
        .await;
    assert_eq!(tokens(&gateway).await, [2., 2., 1., 11., 1., 4.].map(Some));
}

#[tokio::test]
async fn usage_in_two_events_is_merged_by_field() {
    let gateway = Gateway::start(config()).await;
    Conversations::read("51-usage-in-two-events")
        .replay(&gateway)
        .await;
    assert_eq!(tokens(&gateway).await, [2., 2., 2., 26., 2., 8.].map(Some));
}

#[tokio::test]
async fn a_proxy_that_buffers_gets_each_answer_without_waiting_for_more() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::read("52-buffered-mode-deadlock")
        .replay(&gateway)
        .await;
    let described: Vec<Vec<_>> = replies
        .iter()
        .map(|stream| stream.iter().map(describe).collect())
        .collect();
    assert_eq!(
        described,
        [
            vec![
                "request-headers",
                "request-body x-gateway-destination-endpoint=127.0.0.1:8000",
                "response-headers",
                "response-body",
            ],
            vec![
                "request-headers x-gateway-destination-endpoint=127.0.0.1:8000",
                "response-headers"
            ],
        ]
    );
}

#[tokio::test]
async fn where_bodies_are_hidden_nothing_is_counted() {
    let gateway = Gateway::start(config()).await;
    Conversations::read("52-buffered-mode-deadlock")
        .replay(&gateway)
        .await;
    let requests = tokens(&gateway).await[0];
    assert_eq!(requests, Some(1.));
}

#[tokio::test]
async fn the_query_does_not_matter_and_helper_paths_are_no_inference() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::read("53-query-string-and-subpaths")
        .replay(&gateway)
        .await;
    let answers: Vec<_> = replies.iter().map(|stream| describe(&stream[0])).collect();
    let counts = gateway.counts().await;
    let others: Vec<_> = counts
        .iter()
        .filter(|line| !line.contains(r#"model_name="m-a""#))
        .collect();
    assert_eq!(
        (answers, tokens(&gateway).await[..2].to_vec(), others),
        (
            vec!["request-headers x-gateway-destination-endpoint=127.0.0.1:8000".to_owned(); 3],
            vec![Some(1.), Some(1.)],
            vec![]
        )
    );
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_as_that_and_leaves_nothing_running() {
    let gateway = Gateway::start(config()).await;
    Conversations::read("56-client-gone-early")
        .replay(&gateway)
        .await;
    let labels = r#"{model_name="m-a",target_model_name="m-a"}"#;
    let expected = [
        format!("request_cancelled_total{labels} 2"),
        format!("request_duration_seconds_count{labels} 1"),
        format!("request_total{labels} 3"),
        r#"running_requests{model_name="m-a"} 0"#.to_owned(),
    ];
    let is_expected = |counts: &[String]| expected.iter().all(|line| counts.contains(line));
    let counts = gateway.counts_when(is_expected).await;
    assert!(
        is_expected(&counts),
        "{expected:#?} are not all in {counts:#?}"
    );
}

#[tokio::test]
async fn headers_are_read_from_either_field_and_written_to_the_raw_one() {
    let gateway = Gateway::start(config()).await;
    // `describe` refuses replies that set the other field.
    let replies = Conversations::read("58-header-raw-value")
        .replay(&gateway)
        .await;
    let described: Vec<_> = replies.iter().flatten().map(describe).collect();
    assert_eq!(
        (described.len(), tokens(&gateway).await[..2].to_vec()),
        (4, vec![Some(1.), Some(1.)]),
        "{described:#?}"
    );
}

#[tokio::test]
async fn requests_without_a_body_are_answered_at_once_and_not_counted() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::read("61-no-body-requests")
        .replay(&gateway)
        .await;
    let first: Vec<_> = replies.iter().map(|stream| describe(&stream[0])).collect();
    assert_eq!(
        (first, gateway.counts().await),
        (
            vec!["request-headers x-gateway-destination-endpoint=127.0.0.1:8000".to_owned(); 2],
            vec![]
        )
    );
}

#[tokio::test]
async fn a_rewritten_model_is_refused_where_it_went_on_before_it_was_known() {
    let rewrite = "m-a=target:1".parse().expect("a rewrite");
    let gateway = Gateway::start(Config {
        rewrites: Rewrites::new([rewrite]).expect("rewrites"),
        ..config()
    })
    .await;
    let replies = Conversations::read("48-upstream-plain-text-error")
        .replay(&gateway)
        .await;
    let answer = replies[0].last().map(describe).unwrap_or_default();
    let errors = r#"request_error_total{error_code="NotImplemented",model_name="m-a",target_model_name="target"} 1"#;
    assert!(
        answer.starts_with("immediate 501") && gateway.counts().await == [errors],
        "{answer} {:?}",
        gateway.counts().await
    );
}

#[tokio::test]
async fn the_conformance_suites_header_counts_in_its_mode_alone() {
    let mut answers = Vec::new();
    for conformance in [false, true] {
        let gateway = Gateway::start(Config {
            conformance,
            ..config()
        })
        .await;
        let selection = [("test-epp-endpoint-selection", "10.9.9.9")];
        let replies = Conversations::get(&selection).replay(&gateway).await;
        answers.push(describe(&replies[0][0]));
    }
    assert_eq!(
        answers,
        [
            "request-headers x-gateway-destination-endpoint=127.0.0.1:8000",
            "immediate 503 no endpoint is ready for this request",
        ]
    );
}

#[tokio::test]
async fn a_subset_is_a_list_or_a_text_and_an_empty_one_allows_nothing() {
    let gateway = Gateway::start(config()).await;
    let mut answers = Vec::new();
    for subset in [
        json!(["10.0.0.9:1", ENDPOINT]),
        json!(format!("10.0.0.9:1,{ENDPOINT}")),
        json!(["10.0.0.9:1"]),
        json!([]),
        json!(""),
    ] {
        let replies = Conversations::get_of_subset(subset).replay(&gateway).await;
        answers.push(describe(&replies[0][0]));
    }
    let picked = "request-headers x-gateway-destination-endpoint=127.0.0.1:8000";
    let none = "immediate 503 no endpoint is ready for this request";
    assert_eq!(answers, [picked, picked, none, none, none]);
}

#[tokio::test]
async fn trailers_end_both_bodies_and_are_answered() {
    let gateway = Gateway::start(config()).await;
    let replies = Conversations::of([
        json!({"request_headers": {
            "headers": {":method": "POST", ":path": "/v1/completions"},
            "end_of_stream": false,
        }}),
        json!({"request_body": {"body": r#"{"model":"m-a"}"#, "end_of_stream": false}}),
        json!({"request_trailers": {}}),
        json!({"response_headers": {"headers": {":status": "200"}, "end_of_stream": false}}),
        json!({"response_body": {"body": "{}", "end_of_stream": false}}),
        json!({"response_trailers": {}}),
    ])
    .replay(&gateway)
    .await;
    let described: Vec<_> = replies[0].iter().map(describe).collect();
    assert_eq!(
        (described, tokens(&gateway).await[..2].to_vec()),
        (
            [
                "request-headers x-gateway-destination-endpoint=127.0.0.1:8000",
                "request-body streamed=15",
                "request-trailers",
                "response-headers",
                "response-body streamed=2",
                "response-trailers",
            ]
            .map(str::to_owned)
            .to_vec(),
            vec![Some(1.), Some(1.)]
        )
    );
}

#[tokio::test]
async fn the_longest_body_is_that_of_requests_that_name_a_model_and_of_nothing_else() {
    let gateway = Gateway::start(Config {
        max_body: 1 << 16,
        ..config()
    })
    .await;
    let long = "x".repeat(8 << 20);
    let mut answers = Vec::new();
    for (path, request, response) in [
        ("/v1/completions", r#"{"model":"m-a"}"#, &*long),
        ("/v1/completions", &long, "{}"),
        ("/v1/files", &long, &long),
    ] {
        let replies = Conversations::of([
            json!({"protocol_config": {
                "request_body_mode": "BUFFERED",
                "response_body_mode": "BUFFERED",
            }}),
            json!({"request_headers": {
                "headers": {":method": "POST", ":path": path},
                "end_of_stream": false,
            }}),
            json!({"request_body": {"body": request, "end_of_stream": true}}),
            json!({"response_headers": {"headers": {":status": "200"}, "end_of_stream": false}}),
            json!({"response_body": {"body": response, "end_of_stream": true}}),
        ])
        .replay(&gateway)
        .await;
        answers.push(replies[0].last().map(describe).unwrap_or_default());
    }
    assert_eq!(
        (answers, tokens(&gateway).await[..2].to_vec()),
        (
            [
                "response-body",
                "immediate 413 the request body is longer than 65536 bytes",
                "response-body",
            ]
            .map(str::to_owned)
            .to_vec(),
            vec![Some(1.), Some(1.)]
        )
    );
}

/// Two endpoints, the one of [`config`] and another.
const OTHER: &str = "127.0.0.1:8001";

fn two_endpoints() -> Config {
    Config {
        endpoints: [ENDPOINT, OTHER]
            .map(|text| text.parse().expect("an endpoint"))
            .into(),
        ..config()
    }
}

#[tokio::test]
async fn the_endpoint_that_served_is_the_one_that_is_busy() {
    let gateway = Gateway::start(Config {
        max_in_flight: Some(1.try_into().expect("a limit")),
        ..two_endpoints()
    })
    .await;
    let _held = Conversations::of([
        json!({"request_headers": {"end_of_stream": true}}),
        json!({"response_headers": {"served": OTHER, "end_of_stream": false}}),
    ])
    .hold(&gateway)
    .await;
    let mut picked = Vec::new();
    for _ in 0..2 {
        let replies = Conversations::get(&[]).replay(&gateway).await;
        picked.push(describe(&replies[0][0]));
    }
    let first = "request-headers x-gateway-destination-endpoint=127.0.0.1:8000";
    assert_eq!(picked, [first, first]);
}

#[tokio::test]
async fn endpoints_to_fall_back_to_follow_the_picked_one() {
    let gateway = Gateway::start(Config {
        fallbacks: 2,
        ..two_endpoints()
    })
    .await;
    let replies = Conversations::get(&[]).replay(&gateway).await;
    assert_eq!(
        describe(&replies[0][0]),
        "request-headers x-gateway-destination-endpoint=127.0.0.1:8000,127.0.0.1:8001"
    );
}

#[tokio::test]
async fn requests_of_a_gateway_that_vanishes_end() {
    let gateway = Gateway::start(Config {
        keepalive: Duration::from_millis(200),
        ..config()
    })
    .await;
    let relay = Relay::start(gateway.grpc).await;
    let through = Gateway {
        grpc: relay.address,
        ..gateway
    };
    let _held = Conversations::of([
        json!({"protocol_config": {
            "request_body_mode": "BUFFERED",
            "response_body_mode": "BUFFERED",
        }}),
        json!({"request_headers": {
            "headers": {":method": "POST", ":path": "/v1/completions"},
            "end_of_stream": false,
        }}),
        json!({"request_body": {"body": r#"{"model":"m-a"}"#, "end_of_stream": true}}),
    ])
    .hold(&through)
    .await;
    let running = |number| format!(r#"running_requests{{model_name="m-a"}} {number}"#);
    let is = |number| move |counts: &[String]| counts.contains(&running(number));
    gateway.counts_when(is(1)).await;
    relay.freeze();
    let counts = gateway.counts_when(is(0)).await;
    assert!(is(0)(&counts), "{counts:#?}");
}

/// Where gateways call the picker.
const PROCESS: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

/// A message as gRPC frames it.
fn message(request: Request) -> Vec<u8> {
    let message = ProcessingRequest {
        request: Some(request),
        ..ProcessingRequest::default()
    };
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0], &length.to_be_bytes()[..], &message].concat()
}

#[tokio::test]
async fn however_many_frames_come_at_once_the_others_requests_go_on() {
    let cancelled = |frames: &mut Frames| {
        for stream in (3..200).step_by(2) {
            frames.post(stream, PROCESS, "application/grpc");
            frames.cancel(stream);
        }
    };
    let in_small_pieces = |frames: &mut Frames| {
        frames.post(3, PROCESS, "application/grpc");
        let piece = HttpBody {
            body: "x".into(),
            ..HttpBody::default()
        };
        let piece = message(Request::RequestBody(piece));
        for _ in 0..5_000 {
            frames.data(3, &piece, false);
        }
    };
    let bursts: [&dyn Fn(&mut Frames); 2] = [&cancelled, &in_small_pieces];
    let mut seen = Vec::new();
    for burst in bursts {
        let gateway = Gateway::start(config()).await;
        let mut frames = Frames::to(gateway.grpc).await;
        frames.post(1, PROCESS, "application/grpc");
        frames.send().await;
        burst(&mut frames);
        let get = HttpHeaders {
            end_of_stream: true,
            ..HttpHeaders::default()
        };
        frames.data(1, &message(Request::RequestHeaders(get)), false);
        frames.send().await;
        seen.push(match frames.read(&[DATA, GOAWAY]).await {
            (DATA, _) => "an answer".to_owned(),
            (_, reason) => String::from_utf8_lossy(&reason).into_owned(),
        });
    }
    assert_eq!(seen, ["an answer"; 2]);
}
