//! A model server in process: it keeps what it got and answers as it is asked.

use std::future::pending;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::free_socket;

/// A running model server; it stops with the test's runtime.
pub(crate) struct ModelServer {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Received>>,
    task: JoinHandle<()>,
}

/// What came in.
#[derive(Default)]
struct Received {
    bodies: Vec<Bytes>,
    /// Of the last request.
    trailers: HeaderMap,
}

/// What the header `x-answer` asks for.
#[derive(Clone, Copy)]
enum Answer {
    /// The request's body again, as JSON.
    Echo,
    /// The same, with trailers as gRPC has them.
    Trailers,
    /// JSON, packed with gzip.
    Packed,
    /// JSON of no bytes.
    Empty,
    /// Events with usage in the last but one, one every 20 ms.
    Stream,
    /// Events without an end.
    Endless,
    /// Events that break off.
    Broken,
    /// None at all.
    Silence,
    /// 401, before the request's body is there.
    Early,
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
        let address = listener.local_addr().expect("a bound socket");
        let received = Arc::<Mutex<Received>>::default();
        let kept = received.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let received = received.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, received.clone()));
                    // Clients that leave are part of the tests.
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Self {
            address,
            received: kept,
            task,
        }
    }

    /// Stops listening.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        // Cancelled, as it was just told.
        let _ = (&mut self.task).await;
    }

    /// The bodies that arrived, in order.
    pub(crate) fn received(&self) -> Vec<Bytes> {
        let received = self.received.lock().expect("nobody panicked");
        received.bodies.clone()
    }

    /// The trailers of the last request.
    pub(crate) fn trailers(&self) -> HeaderMap {
        let received = self.received.lock().expect("nobody panicked");
        received.trailers.clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    received: Arc<Mutex<Received>>,
) -> Result<Response<BoxBody<Bytes, std::io::Error>>, hyper::Error> {
    let asked = request
        .headers()
        .get("x-answer")
        .map(|value| value.to_str().expect("text"));
    let asked = match asked {
        None => Answer::Echo,
        Some("trailers") => Answer::Trailers,
        Some("gzip") => Answer::Packed,
        Some("empty") => Answer::Empty,
        Some("stream") => Answer::Stream,
        Some("endless") => Answer::Endless,
        Some("broken") => Answer::Broken,
        Some("silence") => Answer::Silence,
        Some("early") => Answer::Early,
        Some(status) => Answer::Status(status.parse().expect("a status")),
    };
    if let Answer::Early = asked {
        let response = Response::builder().status(401);
        let response = response.body(whole(Bytes::from_static(b"who are you?")));
        return Ok(response.expect("a response"));
    }
    let body = request.into_body().collect().await?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let body = body.to_bytes();
    {
        let mut received = received.lock().expect("nobody panicked");
        received.bodies.push(body.clone());
        received.trailers = trailers;
    }
    let response = Response::builder();
    let response = match asked {
        Answer::Echo => response
            .header("content-type", "application/json")
            .body(whole(body)),
        Answer::Trailers => {
            let status = async { Some(Ok(grpc_status())) };
            response
                .header("content-type", "application/json")
                .body(whole(body).with_trailers(status).boxed())
        }
        Answer::Packed => response
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(whole(packed())),
        Answer::Empty => response
            .header("content-type", "application/json")
            .body(whole(Bytes::new())),
        Answer::Status(status) => response
            .status(status)
            .header("content-type", "text/plain")
            .body(whole(Bytes::from_static(b"no such thing"))),
        Answer::Stream => response
            .header("content-type", "text/event-stream")
            .body(events(EVENTS.to_vec())),
        Answer::Broken => {
            let broken = Err(std::io::Error::other("broken off"));
            let events = [Ok(EVENTS[0]), Ok(EVENTS[1]), broken];
            response
                .header("content-type", "text/event-stream")
                .body(paced(events))
        }
        Answer::Endless => response
            .header("content-type", "text/event-stream")
            .body(events(vec![EVENTS[0]; 10_000])),
        Answer::Silence | Answer::Early => pending().await,
    };
    Ok(response.expect("a response"))
}

/// A completion, packed.
pub(crate) fn packed() -> Bytes {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let text = br#"{"model":"m","usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    packed.write_all(text).expect("memory takes all");
    packed.finish().expect("memory takes all").into()
}

fn grpc_status() -> HeaderMap {
    let name = hyper::header::HeaderName::from_static("grpc-status");
    HeaderMap::from_iter([(name, hyper::header::HeaderValue::from_static("0"))])
}

fn events(events: Vec<&'static str>) -> BoxBody<Bytes, std::io::Error> {
    paced(events.into_iter().map(Ok))
}

/// One after the other, with 20 ms before each.
fn paced<I>(events: I) -> BoxBody<Bytes, std::io::Error>
where
    I: IntoIterator<Item = std::io::Result<&'static str>, IntoIter: Send + Sync + 'static>,
{
    let frames = stream::iter(events).then(|event| async move {
        sleep(Duration::from_millis(20)).await;
        event.map(|event| Frame::data(Bytes::from_static(event.as_bytes())))
    });
    BodyExt::boxed(StreamBody::new(frames))
}

fn whole(body: Bytes) -> BoxBody<Bytes, std::io::Error> {
    Full::new(body).map_err(|never| match never {}).boxed()
}
