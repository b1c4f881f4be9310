//! What is counted is what was sent, in every way in which Envoy can show
//! bodies.

use bytes::Bytes;
use gateway_core::{Config, Rewrites};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chain::{
    ANSWERED, ANSWERS, CANCELLED, Chain, FAILED, FAILED_UNSEEN, SETUPS, UNSEEN, answered, body,
    chains, digest, end, request,
};
use crate::client::Protocol;
use crate::support::envoy::Setup;
use crate::support::frames::{Frames, HEADERS};
use crate::support::model_server::EVENTS;
use crate::support::{begin, config, get, send};

const SIZES: [usize; 2] = [100 << 10, 4 << 20];

const FAILURES: [&str; 4] = [FAILED, FAILED, FAILED, FAILED_UNSEEN];

/// Sends a body of each size and one that names no model; checks that bodies
/// arrive and come back as they were sent; returns what was counted.
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

#[tokio::test]
async fn of_bodies_that_may_be_cut_nothing_is_counted_and_all_sizes_pass() {
    assert_eq!(counts_of_all_sizes("BUFFERED_PARTIAL").await, [""; 0]);
}

#[tokio::test]
async fn a_response_that_is_shown_up_to_a_limit_has_no_end() {
    let chain = Chain::start(Setup::modes("FULL_DUPLEX_STREAMED", "BUFFERED_PARTIAL")).await;
    let body = body(12 << 20);
    let answer = chain.post(&body).await;
    let is_same = digest(answer.body()) == digest(&body);
    assert_eq!((is_same, end(&chain).await.as_str()), (true, UNSEEN));
}

#[tokio::test]
async fn where_not_even_the_headers_of_responses_are_shown_nothing_is_cancelled() {
    let mut seen = Vec::new();
    for response_body in ["NONE", "STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"] {
        let chain = Chain::start(Setup {
            shows_response_headers: false,
            ..Setup::modes("FULL_DUPLEX_STREAMED", response_body)
        })
        .await;
        chain.post(&body(10)).await;
        seen.push(end(&chain).await);
    }
    assert_eq!(seen, [UNSEEN, ANSWERED, ANSWERED, ANSWERED]);
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_is_counted_without_a_model() {
    let chain = Chain::start(Setup::mode("STREAMED")).await;
    let half = "POST /v1/completions HTTP/1.1\r\nhost: test\r\nx-answer: early\r\n\
                content-length: 1000\r\n\r\n{\"model\":\"m\",";
    let mut socket = TcpStream::connect(chain.envoy.address)
        .await
        .expect("somebody listens");
    socket
        .write_all(half.as_bytes())
        .await
        .expect("Envoy reads");
    let mut status = [0; 12];
    socket.read_exact(&mut status).await.expect("an answer");
    let ended = end(&chain).await;
    let counts = chain.gateway.counts().await;
    let is_named = counts.iter().any(|line| line.contains("\"m\""));
    assert_eq!(
        (&status, ended.as_str(), is_named),
        (b"HTTP/1.1 401", &*FAILED.replace("503", "401"), false)
    );
}

#[tokio::test]
async fn what_the_gateway_answers_before_it_has_the_body_is_not_counted() {
    let mut statuses = Vec::new();
    let chain = Chain::start(Setup::mode("BUFFERED")).await;
    for (protocol, megabytes) in [(Protocol::Http1, 11), (Protocol::Http2, 20)] {
        let request = request("/v1/completions", &body(megabytes << 20));
        let answer = protocol.ask(chain.envoy.address, request).await;
        statuses.push(answer.status);
    }
    let counts = chain.gateway.counts().await;
    assert_eq!((statuses, counts), (vec![413, 413], vec![]));
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    let mut seen = Vec::new();
    for chain in chains().await {
        let answer = send(chain.envoy.address, answered("stream"))
            .await
            .into_body();
        seen.push((answer == EVENTS.concat(), end(&chain).await));
    }
    assert_eq!(seen, ANSWERS.map(|end| (true, end.to_owned())));
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
    let text = Bytes::from_static(b"no such thing");
    assert_eq!(
        seen,
        FAILURES.map(|end| (503, text.clone(), end.to_owned()))
    );
}

#[tokio::test]
async fn an_endpoint_that_is_down_counts_as_the_gateways_answer() {
    let mut seen = Vec::new();
    for mut chain in chains().await {
        chain.server.stop().await;
        let status = chain.post(&body(10)).await.status().as_u16();
        seen.push((status, end(&chain).await));
    }
    assert_eq!(seen, FAILURES.map(|end| (503, end.to_owned())));
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

/// All requests of an Envoy's worker share one connection to the picker.
#[tokio::test]
async fn a_client_that_sends_many_frames_at_once_ends_no_others_request() {
    let cancelled = |frames: &mut Frames| {
        for stream in (1..200).step_by(2) {
            frames.post(stream, "/v1/completions", "application/json");
            frames.cancel(stream);
        }
    };
    let in_small_pieces = |frames: &mut Frames| {
        frames.post(1, "/v1/completions", "application/json");
        for byte in body(5_000) {
            frames.data(1, &[byte], false);
        }
    };
    let bursts: [&dyn Fn(&mut Frames); 2] = [&cancelled, &in_small_pieces];
    let mut seen = Vec::new();
    for burst in bursts {
        let chain = Chain::start(Setup::mode("FULL_DUPLEX_STREAMED")).await;
        let _other = begin(chain.envoy.address, answered("endless")).await;
        let mut frames = Frames::to(chain.envoy.address).await;
        burst(&mut frames);
        frames.post(201, "/v1/files", "application/json");
        frames.data(201, b"{}", true);
        frames.send().await;
        frames.read(&[HEADERS]).await;
        let counts = chain.gateway.counts().await;
        let ends = ["request_cancelled_total", "running_requests"];
        let is_end = |line: &&String| ends.iter().any(|end| line.starts_with(end));
        seen.push(counts.iter().filter(is_end).cloned().collect::<Vec<_>>());
    }
    assert_eq!(seen, [[r#"running_requests{model_name="m"} 1"#]; 2]);
}

#[tokio::test]
async fn where_responses_are_hidden_requests_run_to_their_beginning() {
    let chain = Chain::start(Setup::modes("FULL_DUPLEX_STREAMED", "NONE")).await;
    let response = begin(chain.envoy.address, answered("endless")).await;
    let ended = end(&chain).await;
    drop(response);
    assert_eq!(ended, UNSEEN);
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
            (false, UNSEEN.to_owned())
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
