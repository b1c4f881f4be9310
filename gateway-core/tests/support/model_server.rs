//! A model server in process: it keeps what it got and answers as it is asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::sleep;

use super::free_socket;

/// A running model server; it stops with the test's runtime.
pub(crate) struct ModelServer {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Bytes>>>,
}

/// What the header `x-answer` asks for.
#[derive(Clone, Copy)]
enum Answer {
    /// The request's body again, as JSON.
    Echo,
    /// Events with usage in the last but one, one every 20 ms.
    Stream,
    /// Events without an end.
    Endless,
    Status(u16),
}

pub(crate) const EVENTS: [&str; 4] = [
    "data: {\"model\":\"m\",\"choices\":[{\"text\":\"a\"}],\"usage\":null}\n\n",
    "data: {\"model\":\"m\",\"choices\":[{\"text\":\"b\"}],\"usage\":null}\n\n",
    "data: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":4}}\n\n",
    "data: [DONE]\n\n",
];

impl ModelServer {
    pub(crate) async fn start() -> Self {
        let listener = free_socket().await;
        let server = Self {
            address: listener.local_addr().expect("a bound socket"),
            received: Arc::default(),
        };
        let received = server.received.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let received = received.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, received.clone()));
                    // Clients that leave are part of the tests.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        server
    }

    /// The bodies that arrived, in order.
    pub(crate) fn received(&self) -> Vec<Bytes> {
        self.received.lock().expect("nobody panicked").clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    received: Arc<Mutex<Vec<Bytes>>>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let asked = request
        .headers()
        .get("x-answer")
        .map(|value| value.to_str().expect("text"));
    let asked = match asked {
        None => Answer::Echo,
        Some("stream") => Answer::Stream,
        Some("endless") => Answer::Endless,
        Some(status) => Answer::Status(status.parse().expect("a status")),
    };
    let body = request.into_body().collect().await?.to_bytes();
    received.lock().expect("nobody panicked").push(body.clone());
    let response = Response::builder();
    let response = match asked {
        Answer::Echo => response
            .header("content-type", "application/json")
            .body(Full::new(body).boxed()),
        Answer::Status(status) => response
            .status(status)
            .header("content-type", "text/plain")
            .body(Full::new(Bytes::from_static(b"no such thing")).boxed()),
        Answer::Stream => response
            .header("content-type", "text/event-stream")
            .body(events(EVENTS.to_vec())),
        Answer::Endless => response
            .header("content-type", "text/event-stream")
            .body(events(vec![EVENTS[0]; 10_000])),
    };
    Ok(response.expect("a response"))
}

fn events(events: Vec<&'static str>) -> BoxBody<Bytes, Infallible> {
    let frames = stream::iter(events).then(|event| async move {
        sleep(Duration::from_millis(20)).await;
        Ok(Frame::data(Bytes::from_static(event.as_bytes())))
    });
    BodyExt::boxed(StreamBody::new(frames))
}
