//! The answers, as OpenAI's API shapes them.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::request::{Completion, Kind};

/// A body in one piece or in events.
pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// A body in one piece.
pub(crate) fn whole(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed()
}

/// The list of models, which is empty: this server plays any.
pub(crate) fn models() -> Response<Body> {
    document_of(StatusCode::OK, &json!({"object": "list", "data": []}))
}

/// An error in the shape that clients of the API expect.
pub(crate) fn error(status: StatusCode, message: &str) -> Response<Body> {
    let error =
        json!({"error": {"message": message, "type": "mock_error", "code": status.as_u16()}});
    document_of(status, &error)
}

/// The whole completion in one JSON document.
pub(crate) fn document(kind: Kind, completion: &Completion) -> Response<Body> {
    let text = vec!["word"; completion.max_tokens].join(" ");
    let choice = match kind {
        Kind::Text => json!({"index": 0, "text": text, "finish_reason": "stop"}),
        Kind::Chat => {
            json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"})
        }
    };
    let mut answer = envelope(kind, completion, json!([choice]));
    answer["usage"] = usage(completion);
    document_of(StatusCode::OK, &answer)
}

/// The completion as server-sent events, each in a piece of its own.
pub(crate) fn stream(kind: Kind, completion: &Completion) -> Response<Body> {
    let word = match kind {
        Kind::Text => json!([{"index": 0, "text": "word "}]),
        Kind::Chat => json!([{"index": 0, "delta": {"content": "word "}}]),
    };
    let mut events = vec![envelope(kind, completion, word).to_string(); completion.max_tokens];
    if completion.include_usage() {
        let mut last = envelope(kind, completion, json!([]));
        last["usage"] = usage(completion);
        events.push(last.to_string());
    }
    events.push("[DONE]".to_owned());
    let pieces = events
        .into_iter()
        .map(|event| Ok(Frame::data(Bytes::from(format!("data: {event}\n\n")))));
    let mut response = Response::new(StreamBody::new(stream::iter(pieces)).boxed());
    response.headers_mut().insert(
        CONTENT_TYPE,
        "text/event-stream".parse().expect("a valid header"),
    );
    response
}

fn envelope(kind: Kind, completion: &Completion, choices: Value) -> Value {
    let object = match (kind, completion.stream) {
        (Kind::Text, _) => "text_completion",
        (Kind::Chat, false) => "chat.completion",
        (Kind::Chat, true) => "chat.completion.chunk",
    };
    json!({"id": "mock", "object": object, "created": 0, "model": completion.model, "choices": choices})
}

fn usage(completion: &Completion) -> Value {
    let (prompt, answer) = (completion.prompt_tokens(), completion.max_tokens);
    json!({"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer})
}

fn document_of(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(whole(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        "application/json".parse().expect("a valid header"),
    );
    response
}
