//! A client of either version of HTTP.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::HOST;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// What a client speaks. Envoy speaks the same to the model server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

pub(crate) const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// The whole of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Protocol {
    /// One request on a connection of its own, up to the end of its answer.
    pub(crate) async fn ask<B>(self, address: SocketAddr, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
        B: Send + Unpin + 'static,
    {
        let (head, body) = self.begin(address, request).await.into_parts();
        let body = body.collect().await.expect("the whole answer");
        Answer {
            status: head.status.as_u16(),
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
        }
    }

    /// As [`Self::ask`], up to the answer's head.
    pub(crate) async fn begin<B>(
        self,
        address: SocketAddr,
        mut request: Request<B>,
    ) -> Response<Incoming>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
        B: Send + Unpin + 'static,
    {
        let socket = TcpStream::connect(address).await.expect("somebody listens");
        let socket = TokioIo::new(socket);
        match self {
            Self::Http1 => {
                let (mut sender, connection) =
                    http1::handshake(socket).await.expect("a connection");
                // It ends with the answer, or when the answer is dropped.
                tokio::spawn(connection);
                sender.send_request(request).await
            }
            Self::Http2 => {
                let uri = format!("http://test{}", request.uri().path());
                *request.uri_mut() = uri.parse().expect("a URI");
                request.headers_mut().remove(HOST);
                let (mut sender, connection) = http2::handshake(TokioExecutor::new(), socket)
                    .await
                    .expect("a connection");
                tokio::spawn(connection);
                sender.send_request(request).await
            }
        }
        .expect("an answer")
    }
}
