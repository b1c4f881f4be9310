//! The command itself: starting, refusing to start, guarding its metrics,
//! stopping.

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::proto::envoy::service::ext_proc::v3::external_processor_client::ExternalProcessorClient;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;
use support::api_server::ApiServer;
use support::send;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{sleep, timeout};

/// A run of the command, logging JSON.
struct Run {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Run {
    fn start(arguments: &[&str], kubeconfig: Option<&std::path::Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-core"));
        command
            .env_clear()
            .args(["--grpc-port=0", "--grpc-health-port=0", "--metrics-port=0"])
            .args(["--log-format", "json", "--endpoints", "127.0.0.1:8000"])
            .args(arguments)
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(path) = kubeconfig {
            command.env("KUBECONFIG", path);
        }
        let mut process = command.spawn().expect("the command starts");
        let log = process.stderr.take().expect("a pipe");
        Self {
            process,
            log: BufReader::new(log).lines(),
        }
    }

    /// The next line of the log with this message, or nothing if the log ends.
    async fn line(&mut self, message: &str) -> Option<Value> {
        let found = async {
            while let Some(line) = self.log.next_line().await.expect("a readable log") {
                let line: Value = serde_json::from_str(&line).expect("a line of JSON");
                if line["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(message))
                {
                    return Some(line);
                }
            }
            None
        };
        timeout(Duration::from_secs(20), found)
            .await
            .expect("a line in time")
    }

    /// Where it listens for a purpose.
    async fn address(&mut self, purpose: &str) -> SocketAddr {
        let line = self.line("listening").await.expect("it listens");
        let address = line[purpose].as_str().expect("an address");
        let address: SocketAddr = address.parse().expect("an address");
        (Ipv4Addr::LOCALHOST, address.port()).into()
    }

    async fn exit(&mut self) -> ExitStatus {
        let exit = timeout(Duration::from_secs(20), self.process.wait()).await;
        exit.expect("it ends in time").expect("it ends")
    }

    fn terminate(&self) {
        let id = self.process.id().expect("it runs").to_string();
        let killed = std::process::Command::new("kill").arg(id).status();
        assert!(killed.expect("kill is there").success());
    }
}

/// Status and body that `/metrics` has for this authorization.
async fn metrics(address: SocketAddr, authorization: Option<&str>) -> (u16, String) {
    let mut request = Request::get("/metrics").header("host", "test");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let answer = send(
        address,
        request.body(Full::<Bytes>::default()).expect("a request"),
    )
    .await;
    let status = answer.status().as_u16();
    let body = String::from_utf8(answer.into_body().into()).expect("text");
    // A page is known by its first words.
    (status, body.chars().take(70).collect())
}

#[tokio::test]
async fn only_a_reader_that_the_cluster_allows_gets_the_metrics() {
    let api = ApiServer::start().await;
    let folder = TempDir::new().expect("a temporary folder");
    let mut run = Run::start(&[], Some(&api.kubeconfig(folder.path())));
    let address = run.address("metrics").await;
    let mut seen = Vec::new();
    for authorization in [
        None,
        Some("Basic Z29vZDo="),
        Some("Bearer "),
        Some("Bearer unknown"),
        Some("Bearer expired"),
        Some("Bearer denied"),
        Some("Bearer unreviewable"),
        Some("bearer allowed"),
    ] {
        seen.push(metrics(address, authorization).await);
    }
    let expected = [
        (401, "Unauthorized"),
        (401, "Unauthorized"),
        (401, "Unauthorized"),
        (401, "Unauthorized"),
        (500, "Authentication failed"),
        (
            403,
            "Authorization denied for user system:serviceaccount:ns:denied",
        ),
        (
            500,
            "Authorization for user system:serviceaccount:ns:unreviewable failed",
        ),
        (
            200,
            "# HELP inference_extension_info The build that runs here, always 1.\n# ",
        ),
    ];
    assert_eq!(
        seen,
        expected.map(|(status, body)| (status, body.to_owned()))
    );
}

#[tokio::test]
async fn the_cluster_is_asked_once_about_a_reader_that_comes_often() {
    let api = ApiServer::start().await;
    let folder = TempDir::new().expect("a temporary folder");
    let mut run = Run::start(&[], Some(&api.kubeconfig(folder.path())));
    let address = run.address("metrics").await;
    for _ in 0..3 {
        metrics(address, Some("Bearer allowed")).await;
        metrics(address, Some("Bearer denied")).await;
    }
    assert_eq!(
        api.reviews(),
        [
            "token allowed",
            "rights allowed",
            "token denied",
            "rights denied"
        ]
    );
}

#[tokio::test]
async fn tokens_never_reach_the_log() {
    let api = ApiServer::start().await;
    let folder = TempDir::new().expect("a temporary folder");
    let mut run = Run::start(&["--log-level=trace"], Some(&api.kubeconfig(folder.path())));
    let address = run.address("metrics").await;
    for token in ["allowed", "expired", "unreviewable"] {
        metrics(address, Some(&format!("Bearer {token}"))).await;
    }
    run.terminate();
    let mut lines = Vec::new();
    while let Some(line) = run.log.next_line().await.expect("a readable log") {
        lines.push(line);
    }
    let telling: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("expired"))
        .collect();
    assert_eq!((telling, lines.is_empty()), (Vec::<&String>::new(), false));
}

#[tokio::test]
async fn without_a_cluster_it_refuses_to_start_and_says_what_to_do() {
    let mut run = Run::start(&[], None);
    let line = run
        .line("metrics are to be shown")
        .await
        .expect("a line that says why");
    let hint = line["hint"].as_str().unwrap_or_default();
    assert!(
        hint.contains("--metrics-endpoint-auth=false") && !run.exit().await.success(),
        "{line}"
    );
}

#[tokio::test]
async fn on_sigterm_it_lets_requests_end_and_exits_0() {
    let mut run = Run::start(&["--metrics-endpoint-auth=false"], None);
    let address = run.address("grpc").await;
    let mut client = ExternalProcessorClient::connect(format!("http://{address}"))
        .await
        .expect("a connection");
    let (messages, receiver) = futures::channel::mpsc::unbounded();
    let mut replies = client
        .process(receiver)
        .await
        .expect("a stream")
        .into_inner();
    messages
        .unbounded_send(Default::default())
        .expect("an open stream");
    run.terminate();
    run.line("stopping").await;
    let is_refused = timeout(Duration::from_secs(5), async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    let is_refused = is_refused.await.is_ok();
    messages.close_channel();
    let end = replies.message().await.expect("no error");
    assert_eq!(
        (is_refused, end, run.exit().await.code()),
        (true, None, Some(0))
    );
}

#[tokio::test]
async fn the_grace_period_ends_a_stop_that_would_not() {
    let mut run = Run::start(&["--metrics-endpoint-auth=false", "--grace-period=0"], None);
    let address = run.address("grpc").await;
    let mut client = ExternalProcessorClient::connect(format!("http://{address}"))
        .await
        .expect("a connection");
    let (_messages, receiver) = futures::channel::mpsc::unbounded();
    let _replies = client.process(receiver).await.expect("a stream");
    run.terminate();
    assert_eq!(run.exit().await.code(), Some(0));
}
