//! A gateway-core in process, spoken to over real sockets.
#![allow(dead_code, reason = "each test target uses its own part")]

pub(crate) mod api_server;
pub(crate) mod envoy;
pub(crate) mod frames;
pub(crate) mod model_server;
pub(crate) mod picker;
pub(crate) mod pool_api;
pub(crate) mod relay;
pub(crate) mod replay;
pub(crate) mod run;

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::proto::envoy::service::ext_proc::v3::external_processor_client::ExternalProcessorClient;
use gateway_core::{Config, Sockets};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use self::replay::Conversations;

/// Where requests are sent; nobody needs to listen there.
pub(crate) const ENDPOINT: &str = "127.0.0.1:8000";

/// A running gateway-core; it stops with the test's runtime.
pub(crate) struct Gateway {
    pub(crate) grpc: SocketAddr,
    pub(crate) health: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

/// One endpoint, nobody to authorize.
pub(crate) fn config() -> Config {
    Config {
        endpoints: vec![ENDPOINT.parse().expect("an endpoint")],
        metrics_auth: false,
        ..Config::default()
    }
}

impl Gateway {
    pub(crate) async fn start(config: Config) -> Self {
        let sockets = Sockets {
            grpc: free_socket().await,
            health: free_socket().await,
            metrics: free_socket().await,
        };
        let gateway = Self {
            grpc: sockets.grpc.local_addr().expect("a bound socket"),
            health: sockets.health.local_addr().expect("a bound socket"),
            metrics: sockets.metrics.local_addr().expect("a bound socket"),
        };
        tokio::spawn(async {
            gateway_core::run(sockets, config, pending())
                .await
                .expect("gateway-core runs");
        });
        gateway
    }

    /// One that has been through everything that is counted.
    pub(crate) async fn well_used() -> Self {
        let gateway = Self::start(config()).await;
        for conversation in [
            "48-upstream-plain-text-error",
            "49-usage-event-before-done",
            "56-client-gone-early",
        ] {
            Conversations::read(conversation).replay(&gateway).await;
        }
        gateway
            .counts_when(|counts| {
                counts
                    .iter()
                    .any(|line| line.starts_with("request_cancelled_total"))
            })
            .await;
        gateway
    }

    pub(crate) async fn client(&self) -> ExternalProcessorClient<Channel> {
        ExternalProcessorClient::connect(format!("http://{}", self.grpc))
            .await
            .expect("gateway-core accepts")
    }

    /// Body of `/metrics`.
    pub(crate) async fn page(&self) -> String {
        let page = get(self.metrics, "/metrics").await.into_body();
        String::from_utf8(page.into()).expect("the page is UTF-8")
    }

    /// What was counted by model: every sample of `inference_model_*` but
    /// buckets and sums, sorted.
    pub(crate) async fn counts(&self) -> Vec<String> {
        let mut counts: Vec<_> = self
            .page()
            .await
            .lines()
            .filter(|line| line.starts_with("inference_model_"))
            .filter(|line| !line.contains("_bucket{") && !line.contains("_sum{"))
            .map(|line| line["inference_model_".len()..].to_owned())
            .collect();
        counts.sort();
        counts
    }

    /// As [`Self::counts`], once `is_wanted` holds, or after five seconds what
    /// there is then: for counts that follow from a dropped connection.
    pub(crate) async fn counts_when(&self, is_wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let counts = self.counts().await;
            if is_wanted(&counts) || Instant::now() > deadline {
                return counts;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) async fn free_socket() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

/// One HTTP request on a connection of its own, and the whole of its answer.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let (head, body) = begin(address, request).await.into_parts();
    let body = body.collect().await.expect("the whole answer");
    Response::from_parts(head, body.to_bytes())
}

/// As [`send`], but only as far as the answer's head.
pub(crate) async fn begin(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Response<Incoming> {
    let socket = TcpStream::connect(address).await.expect("somebody listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
        .await
        .expect("a connection");
    // It ends with the answer, or when the answer is dropped.
    tokio::spawn(connection);
    sender.send_request(request).await.expect("an answer")
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Response<Bytes> {
    let request = Request::get(path).header("host", "test");
    send(address, request.body(Full::default()).expect("a request")).await
}
