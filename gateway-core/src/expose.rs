//! The HTTP server of `/metrics` and `/healthz`.

use std::convert::Infallible;
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use http_body_util::Full;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue,
    VARY,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Duration;
use tracing::debug;

use crate::accept::{Tls, connections};
use crate::authorize::{Denied, Reviewer};
use crate::metrics::Metrics;
use crate::pick::Pool;

/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What the server serves, and whom.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pool: Arc<Pool>,
    /// Without one, everybody may read.
    pub(crate) reviewer: Option<Reviewer>,
    /// Held by whoever writes the page. With a thousand models it has tens of
    /// megabytes, which readers that come together shall not multiply.
    pub(crate) writing: Arc<Mutex<()>>,
}

/// Serves until dropped; connections end with it.
pub(crate) async fn serve(listener: TcpListener, tls: Tls, page: Arc<Page>) -> Infallible {
    let mut incoming = pin!(connections(listener, tls));
    let mut open = JoinSet::new();
    loop {
        let Some(Ok(connection)) = incoming.next().await else {
            continue;
        };
        let page = page.clone();
        open.spawn(async move {
            let answer = service_fn(|request| {
                let page = page.clone();
                async move { Ok::<_, Infallible>(page.answer(&request).await) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(connection), answer)
                .await;
            if let Err(error) = served {
                debug!(%error, "a reader of the metrics went away");
            }
        });
        while open.try_join_next().is_some() {}
    }
}

impl Page {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
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

    async fn metrics(&self, headers: &HeaderMap) -> Response<Full<Bytes>> {
        self.metrics.endpoints(self.pool.len());
        let metrics = self.metrics.clone();
        let is_packed = takes_gzip(headers);
        let turn = self.writing.clone().lock_owned().await;
        // It takes long: not for a thread that has requests to decide on. It goes
        // on if the reader leaves, and so does its turn.
        let page = spawn_blocking(move || {
            let _turn = turn;
            let page = metrics.page().into_bytes();
            if is_packed { gzip(&page) } else { page }
        })
        .await
        .expect("writing the page does not panic");
        let mut response = Response::new(Full::new(Bytes::from(page)));
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(prometheus_text::CONTENT_TYPE),
        );
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if is_packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
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

fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
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
    use tokio::time::timeout;

    #[tokio::test]
    async fn pages_are_written_one_after_the_other() {
        let page = Page {
            metrics: Arc::new(Metrics::new(ModelNames::new([], 1), "p")),
            pool: Arc::default(),
            reviewer: None,
            writing: Arc::default(),
        };
        let first = page.writing.clone().lock_owned().await;
        let headers = HeaderMap::new();
        let mut second = pin!(page.metrics(&headers));
        let waits = timeout(Duration::from_millis(50), &mut second).await;
        drop(first);
        let comes = timeout(Duration::from_secs(5), second).await;
        assert_eq!((waits.is_err(), comes.is_ok()), (true, true));
    }
}
