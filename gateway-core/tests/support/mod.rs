//! A gateway-core in process, spoken to over real sockets.
#![allow(dead_code, reason = "each test target uses its own part")]

pub(crate) mod replay;

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use gateway_core::proto::envoy::service::ext_proc::v3::external_processor_client::ExternalProcessorClient;
use gateway_core::{Config, Sockets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

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

    pub(crate) async fn client(&self) -> ExternalProcessorClient<Channel> {
        ExternalProcessorClient::connect(format!("http://{}", self.grpc))
            .await
            .expect("gateway-core accepts")
    }

    /// Body of `/metrics`.
    pub(crate) async fn page(&self) -> String {
        let (_, page) = get(self.metrics, "/metrics", "").await;
        String::from_utf8(page).expect("the page is UTF-8")
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

/// One HTTP request on a connection of its own: the head and the body of the
/// answer. `headers` are whole lines.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> (String, Vec<u8>) {
    request(
        address,
        &format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n"),
    )
    .await
}

/// Sends bytes and reads the answer to its end.
pub(crate) async fn request(address: SocketAddr, request: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(address).await.expect("somebody listens");
    socket
        .write_all(request.as_ref())
        .await
        .expect("the request is taken");
    let mut answer = Vec::new();
    socket
        .read_to_end(&mut answer)
        .await
        .expect("the answer is whole");
    let head = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head")
        + 4;
    let body = answer.split_off(head);
    (String::from_utf8(answer).expect("a head in ASCII"), body)
}
