//! A picker's metrics server on a loopback port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// What a picker shows once it has counted something.
pub const PAGE: &str = "# TYPE inference_model_request_total counter\n\
    inference_model_request_total{model_name=\"m-a\",target_model_name=\"m-a\"} 33\n";

pub type Answer = Response<Full<Bytes>>;

/// Runs until it is dropped, and its connections with it.
pub struct Picker {
    pub address: SocketAddr,
    shown: Arc<Mutex<Vec<Option<String>>>>,
    server: JoinHandle<()>,
}

impl Drop for Picker {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An answer with a body.
pub fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer
}

impl Picker {
    /// Answers every request as `respond` says, given the token that it was shown.
    pub async fn serve(respond: impl Fn(Option<&str>) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve_on(respond, None).await
    }

    /// The same over TLS.
    pub async fn serve_tls(
        respond: impl Fn(Option<&str>) -> Answer + Send + Sync + 'static,
        tls: rustls::ServerConfig,
    ) -> Self {
        Self::serve_on(respond, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    /// Answers every connection with these bytes once it has asked, then closes it.
    pub async fn raw(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut request = [0; 4096];
                    let _ = socket.read(&mut request).await;
                    let _ = socket.write_all(bytes).await;
                });
            }
        });
        Self {
            address,
            shown: Arc::default(),
            server,
        }
    }

    async fn serve_on(
        respond: impl Fn(Option<&str>) -> Answer + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shown: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let respond = Arc::new(Handler {
            respond,
            shown: Arc::clone(&shown),
        });
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (respond, tls) = (Arc::clone(&respond), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => speak(socket, respond).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                speak(socket, respond).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            shown,
            server,
        }
    }

    /// The `Authorization` of every request so far.
    pub fn shown(&self) -> Vec<Option<String>> {
        self.shown.lock().expect("no test panics with it").clone()
    }
}

struct Handler<F> {
    respond: F,
    shown: Arc<Mutex<Vec<Option<String>>>>,
}

async fn speak<F>(socket: impl AsyncRead + AsyncWrite + Unpin, handler: Arc<Handler<F>>)
where
    F: Fn(Option<&str>) -> Answer,
{
    let service = service_fn(|request: Request<Incoming>| {
        let shown = request
            .headers()
            .get(AUTHORIZATION)
            .map(|value| value.to_str().expect("ASCII").to_owned());
        let token = shown
            .as_deref()
            .and_then(|shown| shown.strip_prefix("Bearer "));
        let answer = (handler.respond)(token);
        handler
            .shown
            .lock()
            .expect("no test panics with it")
            .push(shown.clone());
        async move { Ok::<_, Infallible>(answer) }
    });
    // A client that goes away is no failure of the picker.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}
