//! The HTTP server of `/metrics` and `/healthz`.

use std::convert::Infallible;
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    HeaderMap, HeaderValue, VARY,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Duration, timeout};
use tracing::debug;

use crate::accept::{Tls, connections};
use crate::authorize::{Denied, Reviewer};
use crate::metrics::Metrics;
use crate::pick::Pool;

/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How many pages may be written or on their way at one time. With a thousand
/// models one has tens of megabytes, which readers shall not multiply, be they
/// many or slow; nor shall a slow one keep the others out.
const PAGES: usize = 2;

/// How much of a page is given to the connection at one time, which may copy it.
const PIECE: usize = 64 << 10;

/// What the server serves, and whom.
#[derive(Debug)]
pub(crate) struct Page {
    metrics: Arc<Metrics>,
    pool: Arc<Pool>,
    are_endpoints_known: watch::Receiver<bool>,
    /// Without one, everybody may read.
    reviewer: Option<Reviewer>,
    turns: Arc<Semaphore>,
}

/// A page, and the turn of its reader for as long as any of it is in memory.
struct Written {
    page: Vec<u8>,
    _turn: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        &self.page
    }
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// Serves until dropped; connections end with it.
pub(crate) async fn serve(listener: TcpListener, tls: Tls, page: Arc<Page>) -> Infallible {
    let mut incoming = pin!(connections(listener, tls));
    let mut open = JoinSet::new();
    loop {
        let Some(Ok(connection)) = incoming.next().await else {
            continue;
        };
        open.spawn(converse(connection, page.clone()));
        while open.try_join_next().is_some() {}
    }
}

/// Answers what is asked on a connection.
async fn converse(connection: impl AsyncRead + AsyncWrite + Unpin, page: Arc<Page>) {
    let (page, begun) = (&*page, &Notify::new());
    let answer = service_fn(async |request| {
        let answer = page.answer(&request).await;
        begun.notify_one();
        Ok::<_, Infallible>(answer)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(connection), answer);
    let overdue = async { while timeout(ANSWER_TIMEOUT, begun.notified()).await.is_ok() {} };
    tokio::select! {
        served = served => {
            if let Err(error) = served {
                debug!(%error, "a reader of the metrics went away");
            }
        }
        () = overdue => debug!("a reader of the metrics does not take its answer"),
    }
}

impl Page {
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        pool: Arc<Pool>,
        are_endpoints_known: watch::Receiver<bool>,
        reviewer: Option<Reviewer>,
    ) -> Self {
        Self {
            metrics,
            pool,
            are_endpoints_known,
            reviewer,
            turns: Arc::new(Semaphore::new(PAGES)),
        }
    }

    async fn answer<B>(&self, request: &Request<B>) -> Answer {
        match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "ok"),
            "/metrics" => match self.check(request).await {
                Err(denied) => {
                    let status = StatusCode::from_u16(denied.status());
                    text(
                        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                        &denied.to_string(),
                    )
                }
                Ok(()) if matches!(*request.method(), Method::GET | Method::HEAD) => {
                    self.metrics(request.headers()).await
                }
                Ok(()) => {
                    let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
                    refusal
                        .headers_mut()
                        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                    refusal
                }
            },
            _ => text(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    async fn check<B>(&self, request: &Request<B>) -> Result<(), Denied> {
        let Some(reviewer) = &self.reviewer else {
            return Ok(());
        };
        let authorization = request.headers().get(AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        let verb = request.method().as_str().to_ascii_lowercase();
        reviewer.check(authorization, &verb).await
    }

    async fn metrics(&self, headers: &HeaderMap) -> Answer {
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.expect("nobody closes it");
        if *self.are_endpoints_known.borrow() {
            self.metrics.endpoints(self.pool.len());
        }
        let metrics = self.metrics.clone();
        let is_packed = takes_gzip(headers);
        // It takes long: not for a thread that has requests to decide on. It goes
        // on if the reader leaves, and so does its turn.
        let page = spawn_blocking(move || {
            let page = metrics.page().into_bytes();
            let page = if is_packed { gzip(&page) } else { page };
            Bytes::from_owner(Written { page, _turn: turn })
        })
        .await
        .expect("writing the page does not panic");
        let length = page.len();
        let mut response = Response::new(in_pieces(page));
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(prometheus_text::CONTENT_TYPE),
        );
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if is_packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

fn in_pieces(page: Bytes) -> BoxBody<Bytes, Infallible> {
    let pieces = stream::unfold(page, async |mut rest| {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then(|| (Ok(Frame::data(piece)), rest))
    });
    BoxBody::new(StreamBody::new(pieces))
}

/// Whether `Accept-Encoding` names gzip and does not rule it out by `q=0`.
fn takes_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let quality = quality.trim().strip_prefix("q=").unwrap_or("1");
            name.trim().eq_ignore_ascii_case("gzip") && quality.parse() != Ok(0.0)
        })
}

fn gzip(page: &[u8]) -> Vec<u8> {
    // The lines of a page are so alike that the fastest level is enough.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(page)
        .expect("writing to memory cannot fail");
    encoder.finish().expect("writing to memory cannot fail")
}

fn text(status: StatusCode, text: &str) -> Answer {
    let text = Bytes::copy_from_slice(text.as_bytes());
    let mut response = Response::new(Full::new(text).boxed());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::ModelNames;
    use tokio::io::AsyncWriteExt;

    fn page(are_endpoints_known: bool) -> Page {
        let metrics = Arc::new(Metrics::new(ModelNames::new([], 1), "p"));
        let are_known = watch::Sender::new(are_endpoints_known);
        Page::new(metrics, Arc::default(), are_known.subscribe(), None)
    }

    #[tokio::test]
    async fn who_comes_while_two_pages_are_read_waits_for_the_end_of_one() {
        let page = page(true);
        let headers = HeaderMap::new();
        let first = page.metrics(&headers).await;
        let _second = page.metrics(&headers).await;
        let mut third = pin!(page.metrics(&headers));
        let waits = timeout(Duration::from_millis(50), &mut third).await;
        drop(first);
        let comes = timeout(Duration::from_secs(5), third).await;
        assert_eq!((waits.is_err(), comes.is_ok()), (true, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_left_after_a_while() {
        let page = Arc::new(page(true));
        let (mut reader, connection) = tokio::io::duplex(100);
        let get = b"GET /metrics HTTP/1.1\r\nhost: test\r\n\r\n";
        reader.write_all(get).await.expect("it is read");
        let left = timeout(2 * ANSWER_TIMEOUT, converse(connection, page.clone())).await;
        assert_eq!(
            (left.is_ok(), page.turns.available_permits()),
            (true, PAGES)
        );
    }

    #[tokio::test]
    async fn how_many_endpoints_there_are_is_not_told_before_it_is_known() {
        let mut told = Vec::new();
        for are_known in [false, true] {
            let answer = page(are_known).metrics(&HeaderMap::new()).await;
            let body = answer.into_body().collect().await.expect("a whole page");
            let text = String::from_utf8(body.to_bytes().into()).expect("text");
            told.push(text.contains("inference_pool_ready_pods{name=\"p\"} 0"));
        }
        assert_eq!(told, [false, true]);
    }
}
