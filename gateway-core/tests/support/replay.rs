//! Conversations as JSON files, replayed as real gRPC messages.
//!
//! A file holds streams; a stream holds messages in the order in which a proxy
//! sends them, and how the gRPC stream ends.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use futures::channel::mpsc;
use gateway_core::proto::envoy::config::core::v3::{HeaderMap, HeaderValue, Metadata};
use gateway_core::proto::envoy::extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode;
use gateway_core::proto::envoy::service::ext_proc::v3::{
    HttpBody, HttpHeaders, HttpTrailers, ProcessingRequest, ProcessingResponse,
    ProtocolConfiguration, body_mutation::Mutation, processing_request::Request,
    processing_response::Response,
};
use prost_types::{ListValue, Struct, Value, value::Kind};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;
use tonic::Streaming;

use super::Gateway;

#[derive(Deserialize)]
pub(crate) struct Conversations {
    body_mode: String,
    streams: Vec<Conversation>,
}

#[derive(Deserialize)]
struct Conversation {
    messages: Vec<Message>,
    end: End,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    Close,
    Cancel,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    ProtocolConfig(Modes),
    RequestHeaders(Headers),
    RequestBody(Body),
    RequestTrailers {},
    ResponseHeaders(Headers),
    ResponseBody(Body),
    ResponseTrailers {},
    #[serde(untagged)]
    Wait {
        within_ms: u64,
    },
}

#[derive(Deserialize)]
struct Modes {
    request_body_mode: String,
    response_body_mode: String,
}

#[derive(Deserialize)]
struct Headers {
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    header_list: Vec<Header>,
    end_of_stream: bool,
    /// The gateway's subset of endpoints: a text or a list.
    subset: Option<Subset>,
    /// The endpoint that served the request, as the gateway says.
    served: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Subset {
    Text(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
struct Header {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    raw_value: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Plain {
        body: String,
        end_of_stream: bool,
    },
    Base64 {
        body_b64: String,
        end_of_stream: bool,
    },
    Generated {
        body_generate: Generated,
        piece_bytes: usize,
    },
}

#[derive(Deserialize)]
struct Generated {
    json_with_model: String,
    prompt_bytes: usize,
}

impl Conversations {
    /// Reads `tests/fixtures/NAME.json`.
    pub(crate) fn read(name: &str) -> Self {
        let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let json = std::fs::read_to_string(&path).expect("the fixture is there");
        serde_json::from_str(&json).expect("the fixture is a conversation")
    }

    /// One completion for each body, answered with 200, in full duplex.
    pub(crate) fn completions(bodies: impl IntoIterator<Item = String>) -> Self {
        let streams = bodies.into_iter().map(|body| {
            json!({"end": "close", "messages": [
                {"request_headers": {
                    "headers": {":method": "POST", ":path": "/v1/completions"},
                    "end_of_stream": false,
                }},
                {"request_body": {"body": body, "end_of_stream": true}},
                {"response_headers": {"headers": {":status": "200"}, "end_of_stream": false}},
                {"response_body": {"body": "{}", "end_of_stream": true}},
            ]})
        });
        let streams: Vec<_> = streams.collect();
        serde_json::from_value(json!({"body_mode": "FULL_DUPLEX_STREAMED", "streams": streams}))
            .expect("conversations")
    }

    /// A GET with these headers, as far as the picker's answer.
    pub(crate) fn get(headers: &[(&str, &str)]) -> Self {
        let headers: BTreeMap<_, _> = headers.iter().copied().collect();
        Self::of([json!({"request_headers": {"headers": headers, "end_of_stream": true}})])
    }

    /// A GET that may go to these endpoints alone: a text or a list.
    pub(crate) fn get_of_subset(subset: serde_json::Value) -> Self {
        Self::of([json!({"request_headers": {"subset": subset, "end_of_stream": true}})])
    }

    /// One request in full duplex.
    pub(crate) fn of(messages: impl IntoIterator<Item = serde_json::Value>) -> Self {
        let messages: Vec<_> = messages.into_iter().collect();
        serde_json::from_value(json!({
            "body_mode": "FULL_DUPLEX_STREAMED",
            "streams": [{"end": "close", "messages": messages}],
        }))
        .expect("a conversation")
    }

    /// Begins the first stream, in which each message has one answer, and keeps
    /// it open.
    pub(crate) async fn hold(&self, gateway: &Gateway) -> Open {
        let mut open = self.streams[0].open(&self.body_mode, gateway).await;
        open.read_answers().await;
        open
    }

    /// Replays every stream to its end; the replies by stream.
    pub(crate) async fn replay(&self, gateway: &Gateway) -> Vec<Vec<ProcessingResponse>> {
        let mut replies = Vec::new();
        for conversation in &self.streams {
            replies.push(conversation.replay(&self.body_mode, gateway).await);
        }
        replies
    }
}

/// A stream in which everything was said.
pub(crate) struct Open {
    sender: mpsc::UnboundedSender<ProcessingRequest>,
    replies: Streaming<ProcessingResponse>,
    seen: Vec<ProcessingResponse>,
    /// How many messages were sent.
    sent: usize,
}

impl Open {
    /// Reads until each message has one answer.
    async fn read_answers(&mut self) {
        while self.seen.len() < self.sent && self.read().await {}
    }

    /// Reads until the end.
    async fn read_all(&mut self) {
        while self.read().await {}
    }

    async fn read(&mut self) -> bool {
        let reply = self.replies.next().await;
        let reply = reply.map(|reply| reply.expect("an answer that is no error"));
        let is_one = reply.is_some();
        self.seen.extend(reply);
        is_one
    }
}

impl Conversation {
    async fn replay(&self, body_mode: &str, gateway: &Gateway) -> Vec<ProcessingResponse> {
        let mut open = self.open(body_mode, gateway).await;
        match self.end {
            End::Close => {
                open.sender.close_channel();
                open.read_all().await;
            }
            // Everything is to be taken in before the client leaves; outside
            // full duplex each message has one answer.
            End::Cancel => open.read_answers().await,
        }
        open.seen
    }

    async fn open(&self, body_mode: &str, gateway: &Gateway) -> Open {
        let (sender, receiver) = mpsc::unbounded();
        let mut replies = gateway
            .client()
            .await
            .process(receiver)
            .await
            .expect("the stream opens")
            .into_inner();
        let mut seen = Vec::new();
        let mut config = Some(modes(body_mode, body_mode));
        let mut sent = 0;
        for message in &self.messages {
            let requests = match message {
                Message::ProtocolConfig(modes_) => {
                    config = Some(modes(&modes_.request_body_mode, &modes_.response_body_mode));
                    continue;
                }
                Message::Wait { within_ms } => {
                    let reply = timeout(Duration::from_millis(*within_ms), replies.next());
                    let reply = reply.await.expect("an answer in time").expect("an answer");
                    seen.push(reply.expect("an answer that is no error"));
                    continue;
                }
                Message::RequestHeaders(headers) => {
                    vec![Request::RequestHeaders(headers.message())]
                }
                Message::ResponseHeaders(headers) => {
                    vec![Request::ResponseHeaders(headers.message())]
                }
                Message::RequestTrailers {} => {
                    vec![Request::RequestTrailers(HttpTrailers::default())]
                }
                Message::ResponseTrailers {} => {
                    vec![Request::ResponseTrailers(HttpTrailers::default())]
                }
                Message::RequestBody(body) => body.messages().map(Request::RequestBody).collect(),
                Message::ResponseBody(body) => body.messages().map(Request::ResponseBody).collect(),
            };
            let mut metadata = match message {
                Message::RequestHeaders(headers) | Message::ResponseHeaders(headers) => {
                    headers.metadata()
                }
                _ => None,
            };
            for request in requests {
                sent += 1;
                let message = ProcessingRequest {
                    request: Some(request),
                    protocol_config: config.take(),
                    metadata_context: metadata.take(),
                };
                // A refusal ends the stream; what would have followed is moot.
                let _ = sender.unbounded_send(message);
            }
        }
        Open {
            sender,
            replies,
            seen,
            sent,
        }
    }
}

impl Headers {
    fn metadata(&self) -> Option<Metadata> {
        let text = |text: &String| Value {
            kind: Some(Kind::StringValue(text.clone())),
        };
        let (namespace, key, value) = match (&self.subset, &self.served) {
            (Some(subset), _) => {
                let value = match subset {
                    Subset::Text(one) => text(one),
                    Subset::List(texts) => Value {
                        kind: Some(Kind::ListValue(ListValue {
                            values: texts.iter().map(text).collect(),
                        })),
                    },
                };
                let key = "x-gateway-destination-endpoint-subset";
                ("envoy.lb.subset_hint", key, value)
            }
            (None, Some(served)) => {
                let key = "x-gateway-destination-endpoint-served";
                ("envoy.lb", key, text(served))
            }
            (None, None) => return None,
        };
        let values = Struct {
            fields: [(key.to_owned(), value)].into(),
        };
        Some(Metadata {
            filter_metadata: [(namespace.to_owned(), values)].into(),
        })
    }

    fn message(&self) -> HttpHeaders {
        let plain = self.headers.iter().map(|(key, value)| HeaderValue {
            key: key.clone(),
            raw_value: value.clone().into(),
            ..HeaderValue::default()
        });
        let listed = self.header_list.iter().map(|header| HeaderValue {
            key: header.key.clone(),
            value: header.value.clone(),
            raw_value: header.raw_value.clone().into(),
        });
        HttpHeaders {
            headers: Some(HeaderMap {
                headers: plain.chain(listed).collect(),
            }),
            end_of_stream: self.end_of_stream,
        }
    }
}

impl Body {
    fn messages(&self) -> impl Iterator<Item = HttpBody> {
        let (bytes, piece, end_of_stream) = match self {
            Self::Plain {
                body,
                end_of_stream,
            } => (body.clone().into_bytes(), usize::MAX, *end_of_stream),
            Self::Base64 {
                body_b64,
                end_of_stream,
            } => {
                let bytes = BASE64_STANDARD
                    .decode(body_b64)
                    .expect("base64 in the fixture");
                (bytes, usize::MAX, *end_of_stream)
            }
            Self::Generated {
                body_generate:
                    Generated {
                        json_with_model,
                        prompt_bytes,
                    },
                piece_bytes,
            } => {
                let prompt = "x".repeat(*prompt_bytes);
                let body = format!(r#"{{"model":"{json_with_model}","prompt":"{prompt}"}}"#);
                (body.into_bytes(), *piece_bytes, true)
            }
        };
        let mut pieces: Vec<_> = bytes
            .chunks(piece)
            .map(|piece| HttpBody {
                body: piece.to_vec().into(),
                end_of_stream: false,
            })
            .collect();
        if pieces.is_empty() {
            pieces.push(HttpBody::default());
        }
        pieces.last_mut().expect("at least one piece").end_of_stream = end_of_stream;
        pieces.into_iter()
    }
}

fn modes(request: &str, response: &str) -> ProtocolConfiguration {
    let mode = |name| {
        BodySendMode::from_str_name(name)
            .expect("a body mode")
            .into()
    };
    ProtocolConfiguration {
        request_body_mode: mode(request),
        response_body_mode: mode(response),
        send_body_without_waiting_for_header_response: false,
    }
}

/// The bytes of a request's body in a reply, in full duplex.
pub(crate) fn request_piece(reply: &ProcessingResponse) -> Option<&[u8]> {
    let Some(Response::RequestBody(body)) = &reply.response else {
        return None;
    };
    let mutation = body.response.as_ref()?.body_mutation.as_ref()?;
    match mutation.mutation.as_ref()? {
        Mutation::StreamedResponse(piece) => Some(&piece.body),
        _ => None,
    }
}

/// What a reply is, in a word and with what matters of it.
pub(crate) fn describe(reply: &ProcessingResponse) -> String {
    let common = |name: &str,
                  response: &Option<
        gateway_core::proto::envoy::service::ext_proc::v3::CommonResponse,
    >| {
        let mut text = name.to_owned();
        let Some(response) = response else {
            return text;
        };
        for option in response
            .header_mutation
            .iter()
            .flat_map(|mutation| &mutation.set_headers)
        {
            let header = option.header.as_ref().expect("a header");
            assert!(
                header.value.is_empty(),
                "only raw_value may be set: {header:?}"
            );
            text += &format!(
                " {}={}",
                header.key,
                String::from_utf8_lossy(&header.raw_value)
            );
        }
        match response
            .body_mutation
            .as_ref()
            .and_then(|mutation| mutation.mutation.as_ref())
        {
            Some(Mutation::StreamedResponse(piece)) => {
                text += &format!(" streamed={}", piece.body.len());
                if piece.end_of_stream {
                    text += " end";
                }
            }
            Some(Mutation::Body(body)) => {
                text += &format!(" body={}", String::from_utf8_lossy(body))
            }
            Some(Mutation::ClearBody(_)) => text += " cleared",
            None => {}
        }
        text
    };
    match reply.response.as_ref().expect("a response") {
        Response::RequestHeaders(headers) => common("request-headers", &headers.response),
        Response::ResponseHeaders(headers) => common("response-headers", &headers.response),
        Response::RequestBody(body) => common("request-body", &body.response),
        Response::ResponseBody(body) => common("response-body", &body.response),
        Response::RequestTrailers(_) => "request-trailers".to_owned(),
        Response::ResponseTrailers(_) => "response-trailers".to_owned(),
        Response::ImmediateResponse(answer) => format!(
            "immediate {} {}",
            answer.status.as_ref().expect("a status").code,
            String::from_utf8_lossy(&answer.body)
        ),
    }
}
