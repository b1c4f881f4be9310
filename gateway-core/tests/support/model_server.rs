//! A model server in process: it keeps what it got and answers as it is asked.

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
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::free_socket;

/// A running model server; it stops with the test's runtime.
pub(crate) struct ModelServer {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Bytes>>>,
    task: JoinHandle<()>,
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
    /// Events that break off.
    Broken,
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
        let received = Arc::<Mutex<Vec<Bytes>>>::default();
        let kept = received.clone();
        let task = tokio::spawn(async move {
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
        self.received.lock().expect("nobody panicked").clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    received: Arc<Mutex<Vec<Bytes>>>,
) -> Result<Response<BoxBody<Bytes, std::io::Error>>, hyper::Error> {
    let asked = request
        .headers()
        .get("x-answer")
        .map(|value| value.to_str().expect("text"));
    let asked = match asked {
        None => Answer::Echo,
        Some("stream") => Answer::Stream,
        Some("endless") => Answer::Endless,
        Some("broken") => Answer::Broken,
        Some(status) => Answer::Status(status.parse().expect("a status")),
    };
    let body = request.into_body().collect().await?.to_bytes();
    received.lock().expect("nobody panicked").push(body.clone());
    let response = Response::builder();
    let response = match asked {
        Answer::Echo => response
            .header("content-type", "application/json")
            .body(whole(body)),
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
    };
    Ok(response.expect("a response"))
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
