//! The command itself: starting, refusing to start, guarding its metrics,
//! stopping.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::proto::envoy::service::ext_proc::v3::external_processor_client::ExternalProcessorClient;
use http_body_util::Full;
use hyper::Request;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use support::api_server::{ApiServer, kubeconfig};
use support::replay::Conversations;
use support::run::Run;
use support::{free_socket, send};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

/// With an endpoint, without a pool.
fn start(arguments: &[&str], kubeconfig: Option<&Path>) -> Run {
    let endpoint = ["--endpoints", "127.0.0.1:8000"];
    Run::start(&[&endpoint, arguments].concat(), kubeconfig)
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
    let mut run = start(&[], Some(&api.kubeconfig(folder.path())));
    let address = run.gateway().await.metrics;
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
    let mut run = start(&[], Some(&api.kubeconfig(folder.path())));
    let address = run.gateway().await.metrics;
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
    let mut run = start(&["--log-level=trace"], Some(&api.kubeconfig(folder.path())));
    let address = run.gateway().await.metrics;
    let outcomes = [
        "unknown",
        "expired",
        "echoed",
        "denied",
        "unreviewable",
        "allowed",
    ];
    for outcome in outcomes {
        let token = format!("Bearer {outcome}-{SECRET}");
        metrics(address, Some(&token)).await;
    }
    run.terminate();
    let mut lines = Vec::new();
    while let Some(line) = run.log.recv().await {
        lines.push(line.to_string());
    }
    let telling: Vec<_> = lines.iter().filter(|line| line.contains(SECRET)).collect();
    let is_explained = lines.iter().any(|line| line.contains("token has expired"));
    assert_eq!((telling, is_explained), (Vec::<&String>::new(), true));
}

/// Part of every token, and of nothing else.
const SECRET: &str = "n0b0dy";

#[tokio::test]
async fn without_a_cluster_it_refuses_to_start_and_says_what_to_do() {
    let mut run = start(&[], None);
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
    let mut run = start(&["--metrics-endpoint-auth=false"], None);
    let address = run.gateway().await.grpc;
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
async fn on_sigterm_it_exits_0_while_it_waits_for_a_silent_cluster() {
    // Connections are made, but nobody takes or answers them.
    let silent = free_socket().await;
    let folder = TempDir::new().expect("a temporary folder");
    let kubeconfig = kubeconfig(silent.local_addr().expect("an address"), folder.path());
    let pool: &[&str] = &["--pool-name=p", "--metrics-endpoint-auth=false"];
    let endpoints = &["--endpoints=127.0.0.1:8000"];
    let mut exits = Vec::new();
    for arguments in [pool, endpoints] {
        let mut run = Run::start(arguments, Some(&kubeconfig));
        run.line("listening").await;
        run.terminate();
        let exit = timeout(Duration::from_secs(5), run.exit()).await;
        exits.push(exit.ok().and_then(|exit| exit.code()));
    }
    assert_eq!(exits, [Some(0), Some(0)]);
}

#[tokio::test]
async fn it_says_that_headers_of_responses_are_hidden() {
    let mut run = start(&["--metrics-endpoint-auth=false"], None);
    let gateway = run.gateway().await;
    Conversations::of([
        json!({"request_headers": {
            "headers": {":method": "POST", ":path": "/v1/completions"},
            "end_of_stream": false,
        }}),
        json!({"request_body": {"body": r#"{"model":"m"}"#, "end_of_stream": true}}),
        json!({"response_body": {"body": "{}", "end_of_stream": true}}),
    ])
    .replay(&gateway)
    .await;
    let line = run.line("the gateway does not show response headers").await;
    assert_eq!(line.expect("a line")["level"], "WARN");
}

#[tokio::test]
async fn requests_do_not_wait_for_whoever_reads_the_log() {
    let mut run = start(&["--metrics-endpoint-auth=false"], None);
    let gateway = run.gateway().await;
    run.leave_log();
    // Each refusal is a line with its path, and all of them are more than a pipe holds.
    let path = format!("/{}", "x".repeat(10_000));
    let refused = Conversations::of([json!({"request_headers": {
        "headers": {":path": path},
        "subset": [],
        "end_of_stream": true,
    }})]);
    let mut answers = 0;
    for _ in 0..30 {
        let answer = timeout(Duration::from_secs(5), refused.replay(&gateway)).await;
        answers += usize::from(answer.is_ok());
    }
    run.terminate();
    assert_eq!((answers, run.exit().await.code()), (30, Some(0)));
}

#[tokio::test]
async fn the_grace_period_ends_a_stop_that_would_not() {
    let mut run = start(&["--metrics-endpoint-auth=false", "--grace-period=0"], None);
    let address = run.gateway().await.grpc;
    let mut client = ExternalProcessorClient::connect(format!("http://{address}"))
        .await
        .expect("a connection");
    let (_messages, receiver) = futures::channel::mpsc::unbounded();
    let _replies = client.process(receiver).await.expect("a stream");
    run.terminate();
    assert_eq!(run.exit().await.code(), Some(0));
}

/// A folder with a certificate for `localhost`, and that certificate.
fn certificate() -> (TempDir, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let made = made.expect("a certificate");
    let folder = TempDir::new().expect("a temporary folder");
    let write = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).expect("a written file");
    };
    write("tls.crt", made.cert.pem());
    write("tls.key", made.signing_key.serialize_pem());
    (folder, made.cert.der().clone())
}

/// Whether somebody at this address shows this certificate, and the protocol
/// that is agreed on.
async fn handshake(
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<Option<String>> {
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    let name = "localhost".try_into().expect("a name");
    let socket = TcpStream::connect(address).await?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await?;
    let agreed = stream.get_ref().1.alpn_protocol();
    Ok(agreed.map(|protocol| String::from_utf8_lossy(protocol).into_owned()))
}

/// What somebody who speaks no TLS is told.
async fn plain(address: SocketAddr) -> String {
    let mut socket = TcpStream::connect(address).await.expect("somebody listens");
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write_all(request).await.expect("it reads");
    let mut answer = String::new();
    let end = socket.read_to_string(&mut answer).await;
    end.expect("an answer to its end");
    answer
}

#[tokio::test]
async fn with_certificates_both_ports_show_them_and_take_nothing_else() {
    let [(grpc, grpc_certificate), (metrics, metrics_certificate)] = [certificate(), certificate()];
    let mut run = start(
        &[
            "--metrics-endpoint-auth=false",
            "--secure-serving",
            &format!("--cert-path={}", grpc.path().display()),
            &format!("--metrics-cert-dir={}", metrics.path().display()),
        ],
        None,
    );
    let gateway = run.gateway().await;
    let agreed = [
        handshake(gateway.grpc, grpc_certificate, "h2").await,
        handshake(gateway.metrics, metrics_certificate, "http/1.1").await,
    ]
    .map(|agreed| agreed.expect("a handshake"));
    let told = [plain(gateway.grpc).await, plain(gateway.metrics).await];
    let no_tls =
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert_eq!(
        (agreed, told),
        (
            ["h2", "http/1.1"].map(|protocol| Some(protocol.to_owned())),
            [no_tls, no_tls].map(str::to_owned)
        )
    );
}

#[tokio::test]
async fn without_secure_serving_no_tls_is_spoken() {
    let mut run = start(
        &["--metrics-endpoint-auth=false", "--secure-serving=false"],
        None,
    );
    let address = run.gateway().await.grpc;
    let (_folder, certificate) = certificate();
    let handshake = handshake(address, certificate, "h2").await;
    assert!(handshake.is_err(), "{handshake:?}");
}
