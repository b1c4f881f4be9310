//! A model server for tests: it speaks the parts of the OpenAI API that the gateway reads, and behaves as its
//! client asks.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /v1/completions`, `/v1/chat/completions` | the model's own name echoed, `max_tokens` words (3 unless told), usage |
//! | the same with `"stream": true` | one event per word, then usage if `stream_options.include_usage`, then `[DONE]` |
//! | `GET /v1/models`, `GET /health` | 200 |
//! | header `x-mock-delay-ms: N` | the answer begins after N milliseconds |
//! | header `x-mock-status: N` | an OpenAI-like error with that status |

mod answer;
mod request;

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use answer::Body;
use request::{Completion, Kind};

/// Serves every connection of `listener`, HTTP/1.1 or HTTP/2 in clear text, until the listener fails.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // A client that goes away in the middle is the client's business.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(respond))
                .await;
        });
    }
}

async fn respond(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Ok(answer::error(
            StatusCode::BAD_REQUEST,
            "the request's body was cut off",
        ));
    };
    if let Some(delay) = number(&head.headers, "x-mock-delay-ms") {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if let Some(status) = number(&head.headers, "x-mock-status") {
        let status = u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok());
        return Ok(answer::error(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            "as the client asked",
        ));
    }
    let kind = match (&head.method, head.uri.path()) {
        (&Method::GET, "/health") => return Ok(Response::new(answer::whole(""))),
        (&Method::GET, "/v1/models") => return Ok(answer::models()),
        (&Method::POST, "/v1/completions") => Kind::Text,
        (&Method::POST, "/v1/chat/completions") => Kind::Chat,
        _ => return Ok(answer::error(StatusCode::NOT_FOUND, "no such page")),
    };
    Ok(
        match serde_json::from_slice::<Completion>(&body.to_bytes()) {
            Ok(completion) if completion.stream => answer::stream(kind, &completion),
            Ok(completion) => answer::document(kind, &completion),
            Err(error) => answer::error(StatusCode::BAD_REQUEST, &error.to_string()),
        },
    )
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
