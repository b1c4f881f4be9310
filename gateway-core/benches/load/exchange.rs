//! One HTTP request as Envoy tells it in full duplex: its messages, in their
//! order, each sent when Envoy sends it.

use bytes::Bytes;
use futures::channel::mpsc::{self, UnboundedSender};
use gateway_core::proto::envoy::config::core::v3::{HeaderMap, HeaderValue, Metadata};
use gateway_core::proto::envoy::extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode;
use gateway_core::proto::envoy::service::ext_proc::v3::{
    BodyResponse, HttpBody, HttpHeaders, ProcessingRequest, ProcessingResponse,
    ProtocolConfiguration, body_mutation::Mutation,
    external_processor_client::ExternalProcessorClient, processing_request::Request,
    processing_response::Response,
};
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// What is sent for one HTTP request: its half at once, and the response's
/// half when the first has come back.
pub(crate) struct Exchange {
    request: Vec<ProcessingRequest>,
    response: Vec<ProcessingRequest>,
    /// How many messages of the response come at once.
    at_once: usize,
}

impl Exchange {
    /// A completion of this body, answered with this.
    pub(crate) fn completion(request: &[u8], answer: &Answer) -> Self {
        let mut request = half(
            Request::RequestHeaders,
            Request::RequestBody,
            &[
                (":authority", "inference.example.com"),
                (":path", "/v1/chat/completions"),
                (":method", "POST"),
                (":scheme", "http"),
                ("content-type", "application/json"),
                ("content-length", &request.len().to_string()),
                ("accept", "application/json"),
                ("user-agent", "OpenAI/Python 1.99.6"),
                (
                    "authorization",
                    "Bearer sk-0123456789abcdef0123456789abcdef",
                ),
                ("x-forwarded-for", "10.244.0.9"),
                ("x-forwarded-proto", "http"),
                ("x-request-id", "2f0c6f9e-9f65-4a3d-8f5e-6c1f0d2b7a11"),
            ],
            [Bytes::copy_from_slice(request)],
        );
        request[0].protocol_config = Some(ProtocolConfiguration {
            request_body_mode: BodySendMode::FullDuplexStreamed.into(),
            response_body_mode: BodySendMode::FullDuplexStreamed.into(),
            send_body_without_waiting_for_header_response: false,
        });
        let response = half(
            Request::ResponseHeaders,
            Request::ResponseBody,
            &[
                (":status", &answer.status.to_string()),
                ("content-type", answer.kind),
                ("server", "uvicorn"),
                ("date", "Mon, 01 Jan 2024 00:00:00 GMT"),
                ("x-envoy-upstream-service-time", "312"),
            ],
            answer.pieces.iter().cloned(),
        );
        Self {
            request,
            at_once: if answer.comes_slowly {
                1
            } else {
                response.len()
            },
            response,
        }
    }

    /// The same without a body: the request ends with its headers.
    pub(crate) fn without_body(mut self) -> Self {
        self.request.truncate(1);
        if let Some(Request::RequestHeaders(headers)) = &mut self.request[0].request {
            headers.end_of_stream = true;
        }
        self
    }

    /// Plays it up to `stop`; an answer of the server's own ends it too.
    pub(crate) async fn play(
        &self,
        client: &mut ExternalProcessorClient<Channel>,
        stop: Stop,
    ) -> Result<(), Status> {
        let (messages, receiver) = mpsc::unbounded();
        let sent = match stop {
            Stop::InRequest => 1,
            _ => self.request.len(),
        };
        send(&messages, &self.request[..sent]);
        let mut replies = client.process(receiver).await?.into_inner();
        if stop == Stop::InRequest || !self.passes(&mut replies).await? {
            return Ok(());
        }
        let answered = match stop {
            Stop::Never => &self.response[..],
            // The headers and the first piece.
            Stop::InResponse => &self.response[..2],
            Stop::InRequest | Stop::BeforeResponse => return Ok(()),
        };
        for pieces in answered.chunks(self.at_once) {
            send(&messages, pieces);
            for _ in pieces {
                let reply = replies.message().await?;
                reply.ok_or_else(|| Status::aborted("the replies ended early"))?;
            }
        }
        if stop == Stop::Never {
            messages.close_channel();
            while replies.message().await?.is_some() {}
        }
        Ok(())
    }

    /// Reads replies until the whole request has come back, or until the
    /// server has answered it itself: false then.
    async fn passes(&self, replies: &mut Streaming<ProcessingResponse>) -> Result<bool, Status> {
        while let Some(reply) = replies.message().await? {
            match reply.response {
                Some(Response::ImmediateResponse(_)) => return Ok(false),
                Some(Response::RequestHeaders(_)) if self.request.len() == 1 => return Ok(true),
                Some(Response::RequestBody(body)) if is_end(&body) => return Ok(true),
                _ => {}
            }
        }
        Err(Status::aborted("the replies ended early"))
    }
}

/// Where the client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It stays.
    Never,
    /// When its headers are sent, and nothing of its body.
    InRequest,
    /// When its request has been sent on.
    BeforeResponse,
    /// With the first piece of the response.
    InResponse,
}

/// What a model server answers.
pub(crate) struct Answer {
    status: u16,
    kind: &'static str,
    /// Piece by piece, or all at once.
    comes_slowly: bool,
    pieces: Vec<Bytes>,
}

impl Answer {
    /// A whole completion of about 2 kB, with usage.
    pub(crate) fn whole() -> Self {
        let text = PROSE.repeat(16);
        let body = format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m-a","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":812,"total_tokens":1188,"completion_tokens":376,"prompt_tokens_details":null}}}}"#
        );
        Self {
            status: 200,
            kind: "application/json",
            comes_slowly: false,
            pieces: vec![body.into()],
        }
    }

    /// A stream of 64 tokens, each in a piece of its own, with usage at its end.
    pub(crate) fn stream() -> Self {
        let event = |choices: &str, usage: &str| {
            format!(
                "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m-a\",\"choices\":[{choices}],\"usage\":{usage}}}\n\n"
            )
        };
        let token =
            r#"{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}"#;
        let tokens = (0..64).map(|_| event(token, "null"));
        let usage = r#"{"prompt_tokens":812,"total_tokens":876,"completion_tokens":64}"#;
        let end = [event("", usage), "data: [DONE]\n\n".to_owned()];
        Self {
            status: 200,
            kind: "text/event-stream; charset=utf-8",
            comes_slowly: true,
            pieces: tokens.chain(end).map(Bytes::from).collect(),
        }
    }

    /// Plain text with this status.
    pub(crate) fn error(status: u16) -> Self {
        Self {
            status,
            kind: "text/plain",
            comes_slowly: false,
            pieces: vec![Bytes::from_static(b"no healthy upstream")],
        }
    }
}

/// A chat of about 4 kB for this model.
pub(crate) fn chat(model: &str) -> Vec<u8> {
    let question = PROSE.repeat(36);
    format!(
        r#"{{"model":"{model}","messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"{question}"}}],"temperature":0.7,"max_tokens":512,"stream":false}}"#
    )
    .into_bytes()
}

/// 110 bytes of JSON's text, with an escape and letters of more than one byte.
const PROSE: &str = "The quick brown fox said \\\"na\u{ef}ve\\\" and jumped over the lazy dog, who did not mind it at all, being asleep.\\n";

fn half(
    headers: impl Fn(HttpHeaders) -> Request,
    body: impl Fn(HttpBody) -> Request,
    pairs: &[(&str, &str)],
    pieces: impl IntoIterator<Item = Bytes>,
) -> Vec<ProcessingRequest> {
    let pairs = pairs.iter().map(|(key, value)| HeaderValue {
        key: (*key).to_owned(),
        value: String::new(),
        raw_value: Bytes::copy_from_slice(value.as_bytes()),
    });
    let headers = headers(HttpHeaders {
        headers: Some(HeaderMap {
            headers: pairs.collect(),
        }),
        end_of_stream: false,
    });
    let piece = |bytes, end_of_stream| {
        body(HttpBody {
            body: bytes,
            end_of_stream,
        })
    };
    let pieces = pieces.into_iter().map(|bytes| piece(bytes, false));
    // Envoy tells the end of a body in a piece of its own.
    let messages = std::iter::once(headers)
        .chain(pieces)
        .chain([piece(Bytes::new(), true)]);
    messages
        .map(|message| ProcessingRequest {
            request: Some(message),
            metadata_context: Some(Metadata::default()),
            protocol_config: None,
        })
        .collect()
}

fn send(messages: &UnboundedSender<ProcessingRequest>, these: &[ProcessingRequest]) {
    for message in these {
        // A server that has answered by itself takes no more.
        let _ = messages.unbounded_send(message.clone());
    }
}

fn is_end(body: &BodyResponse) -> bool {
    let mutation = body
        .response
        .as_ref()
        .and_then(|common| common.body_mutation.as_ref());
    match mutation.and_then(|mutation| mutation.mutation.as_ref()) {
        Some(Mutation::StreamedResponse(piece)) => piece.end_of_stream,
        _ => false,
    }
}
