//! Any messages in any order as one request: whatever a gateway sends, each
//! message is answered as its mode wants, a request that was counted as sent
//! ends once, nothing is left running, and in full duplex a response comes back
//! as it went in.

use std::sync::{Arc, Once};

use bytes::Bytes;

use crate::metrics::Metrics;
use crate::names::ModelNames;
use crate::pick::{Limits, Pool};
use crate::proto::envoy::config::core::v3::{HeaderMap, HeaderValue};
use crate::proto::envoy::extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode;
use crate::proto::envoy::service::ext_proc::v3::{
    BodyResponse, HttpBody, HttpHeaders, HttpTrailers, ProcessingRequest, ProcessingResponse,
    ProtocolConfiguration, body_mutation::Mutation, processing_request::Request,
    processing_response::Response,
};
use crate::rewrite::{LiveRewrites, Rewrites};
use crate::stream::{Exchange, Picker, Replies};

/// Each line is a message: a letter says which, what follows is in it. Requests
/// for the model `r` are rewritten.
///
/// # Panics
/// Something does not hold.
pub fn check(text: &[u8]) {
    let pool = Arc::new(Pool::new(Limits {
        in_flight: Some(1),
        ..Limits::default()
    }));
    pool.replace(["10.0.0.1:8000".parse().expect("an address")]);
    // Names of rewrites are counted as themselves whatever else comes.
    let names = ModelNames::new(["r", "target"].map(Into::into), 2);
    let metrics = Arc::new(Metrics::new(names, "p"));
    let rewrite = "r=target:1".parse().expect("a rewrite");
    let rewrites = Rewrites::new([rewrite]).expect("rewrites");
    let mut exchange = Exchange::new(Arc::new(Picker {
        pool: pool.clone(),
        rewrites: Arc::new(LiveRewrites::new(rewrites)),
        metrics: metrics.clone(),
        max_body: 1 << 10,
        conformance: false,
        hidden_bodies: Once::new(),
        hidden_headers: Once::new(),
    }));
    let mut replies = Replies::new();
    let mut expected = Expected::default();
    let mut is_begun = false;
    let (mut sent, mut returned) = (Vec::new(), Vec::new());
    for line in text.split(|&byte| byte == b'\n') {
        let Some(message) = message(line) else {
            continue;
        };
        // Gateways say how they are set up before all else, or not at all.
        if message.protocol_config.is_some() && is_begun {
            continue;
        }
        is_begun |= message.request.is_some();
        expected.take_modes(&message);
        let piece = match &message.request {
            Some(Request::ResponseBody(piece)) => piece.body.clone(),
            _ => Bytes::new(),
        };
        let request = message.request.clone();
        exchange.receive(message, &mut replies);
        if let Some(request) = &request {
            expected.check_replies(request, replies.make_contiguous(), exchange.is_refused());
        }
        let mut back = replies.drain(..).filter_map(streamed).peekable();
        if back.peek().is_some() {
            sent.extend_from_slice(&piece);
            returned.extend(back.flatten());
        }
        if exchange.is_refused() {
            break;
        }
    }

    drop(exchange);
    let page = metrics.page();
    if !page.contains("target_model_name=\"target\"") {
        assert_eq!(returned, sent);
    }
    let ended =
        count(&page, "request_duration_seconds_count") + count(&page, "request_cancelled_total");
    let sent_on = count(&page, "request_total");
    let hides_responses = matches!(
        expected.response_mode,
        BodySendMode::None | BodySendMode::BufferedPartial
    );
    if hides_responses {
        assert!(ended <= sent_on, "{page}");
    } else {
        assert_eq!(ended, sent_on, "{page}");
    }
    assert_eq!(count(&page, "running_requests"), 0, "{page}");
    assert!(pool.pick(None).is_ok(), "the endpoint is still busy");
}

/// What the picker owes the gateway.
struct Expected {
    request_mode: BodySendMode,
    response_mode: BodySendMode,
    /// Whether the request's headers wait for its body.
    is_held: bool,
    /// Whether there is an answer already. If it came early, nobody waits for
    /// the request any more.
    is_answered: bool,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            request_mode: BodySendMode::FullDuplexStreamed,
            response_mode: BodySendMode::FullDuplexStreamed,
            is_held: false,
            is_answered: false,
        }
    }
}

impl Expected {
    fn take_modes(&mut self, message: &ProcessingRequest) {
        if let Some(config) = &message.protocol_config {
            self.request_mode = config.request_body_mode();
            self.response_mode = config.response_body_mode();
        }
    }

    /// In full duplex a body goes back in pieces, and a request's headers may
    /// wait for it. All else has one answer. A refusal is the last.
    fn check_replies(
        &mut self,
        request: &Request,
        replies: &[ProcessingResponse],
        is_refused: bool,
    ) {
        let mode = match request {
            Request::RequestHeaders(_) | Request::RequestBody(_) | Request::RequestTrailers(_) => {
                self.request_mode
            }
            _ => self.response_mode,
        };
        let in_pieces = matches!(mode, BodySendMode::FullDuplexStreamed | BodySendMode::Grpc);
        let waits = match request {
            Request::RequestHeaders(headers) => in_pieces && !headers.end_of_stream,
            Request::RequestBody(body) => self.is_held && !body.end_of_stream || self.is_answered,
            _ => false,
        };
        assert!(!replies.is_empty() || waits, "no reply to {request:?}");
        assert!(
            replies.len() <= 1 || in_pieces,
            "{replies:?} to {request:?}"
        );
        let kinds = replies.iter().filter_map(|reply| reply.response.as_ref());
        let refusals = kinds.filter(|kind| matches!(kind, Response::ImmediateResponse(_)));
        assert_eq!(refusals.count(), usize::from(is_refused), "{replies:?}");
        if is_refused {
            return;
        }
        match (
            request,
            replies.first().and_then(|reply| reply.response.as_ref()),
        ) {
            (Request::RequestHeaders(_), None) => self.is_held = true,
            (Request::RequestHeaders(_), _) => self.is_held = false,
            (Request::RequestBody(_) | Request::RequestTrailers(_), Some(first))
                if self.is_held =>
            {
                assert!(matches!(first, Response::RequestHeaders(_)), "{replies:?}");
                self.is_held = false;
            }
            (Request::RequestBody(_) | Request::RequestTrailers(_), _) => {}
            _ => (self.is_held, self.is_answered) = (false, true),
        }
    }
}

fn message(line: &[u8]) -> Option<ProcessingRequest> {
    let (&letter, rest) = line.split_first()?;
    let headers = |pairs: &[(&str, &[u8])], end_of_stream| HttpHeaders {
        headers: Some(HeaderMap {
            headers: pairs
                .iter()
                .map(|(key, value)| HeaderValue {
                    key: (*key).to_owned(),
                    raw_value: Bytes::copy_from_slice(value),
                    ..HeaderValue::default()
                })
                .collect(),
        }),
        end_of_stream,
    };
    let post = [(":method", &b"POST"[..]), (":path", b"/v1/completions")];
    let answer = [(":status", rest), ("content-type", b"application/json")];
    let body = |end_of_stream| HttpBody {
        body: Bytes::copy_from_slice(rest),
        end_of_stream,
    };
    let mut protocol_config = None;
    let request = match letter {
        // Body modes, by their numbers.
        b'm' => {
            let mode = |index| rest.get(index).map_or(0, |&byte| i32::from(byte) - 48);
            protocol_config = Some(ProtocolConfiguration {
                request_body_mode: mode(0),
                response_body_mode: mode(1),
                send_body_without_waiting_for_header_response: false,
            });
            None
        }
        b'h' => Some(Request::RequestHeaders(headers(&post, false))),
        b'H' => Some(Request::RequestHeaders(headers(&post, true))),
        b'b' => Some(Request::RequestBody(body(false))),
        b'B' => Some(Request::RequestBody(body(true))),
        b't' => Some(Request::RequestTrailers(HttpTrailers::default())),
        b'a' => Some(Request::ResponseHeaders(headers(&answer, false))),
        b'A' => Some(Request::ResponseHeaders(headers(&answer, true))),
        b'p' => Some(Request::ResponseBody(body(false))),
        b'P' => Some(Request::ResponseBody(body(true))),
        b'T' => Some(Request::ResponseTrailers(HttpTrailers::default())),
        _ => return None,
    };
    Some(ProcessingRequest {
        request,
        protocol_config,
        metadata_context: None,
    })
}

/// The bytes of a response that go back in full duplex.
fn streamed(reply: ProcessingResponse) -> Option<Bytes> {
    let Some(Response::ResponseBody(BodyResponse {
        response: Some(response),
    })) = reply.response
    else {
        return None;
    };
    match response.body_mutation?.mutation? {
        Mutation::StreamedResponse(piece) => Some(piece.body),
        _ => None,
    }
}

/// The sum of a family's samples.
fn count(page: &str, family: &str) -> u64 {
    let samples = page.lines().filter_map(|line| {
        let labels = line
            .strip_prefix("inference_model_")?
            .strip_prefix(family)?;
        labels.starts_with('{').then(|| labels.rsplit(' ').next())?
    });
    samples
        .map(|value| value.parse::<u64>().expect("a whole number"))
        .sum()
}
