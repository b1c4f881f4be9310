//! The same through a real Envoy, driven by wrk.

use std::time::Duration;

use tokio::process::Command;

use crate::server::Server;
use crate::support::envoy::{Envoy, Setup};
use crate::support::model_server::ModelServer;

/// What wrk posts.
const SCRIPT: &str = r#"
wrk.method = "POST"
wrk.path = "/v1/completions"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"model":"m-a","prompt":"' .. string.rep("the quick brown fox ", 50) .. '"}'
"#;

/// Drives Envoy over 16 connections with each server in turn; the line of the
/// report.
pub(crate) async fn compare(rounds: usize, span: Duration) -> String {
    if std::env::var_os("IGCTL_TEST_ENVOY").is_none() {
        return "through Envoy        not measured: IGCTL_TEST_ENVOY names none".to_owned();
    }
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(script.path(), SCRIPT).expect("a written file");
    let model_server = ModelServer::start().await;
    let endpoint = model_server.address.to_string();
    let servers = [
        Server::null(&endpoint),
        Server::gateway_core(&endpoint, &[]),
    ];
    let setup = Setup::mode("FULL_DUPLEX_STREAMED");
    let mut rates = [0.0, 0.0];
    for _ in 0..rounds {
        for (server, rate) in servers.iter().zip(&mut rates) {
            let envoy = Envoy::start(server.grpc, &setup).await;
            let wrk = Command::new("wrk")
                .args(["--threads=1", "--connections=16"])
                .arg(format!("--duration={}s", span.as_secs()))
                .arg("--script")
                .arg(script.path())
                .arg(format!("http://{}", envoy.address))
                .output()
                .await
                .expect("wrk is on the PATH");
            let report = String::from_utf8_lossy(&wrk.stdout).into_owned();
            assert!(!report.contains("Non-2xx"), "{report}");
            let per_second = report
                .lines()
                .find_map(|line| line.strip_prefix("Requests/sec:"))
                .and_then(|rate| rate.trim().parse::<f64>().ok());
            *rate += per_second.expect("wrk's rate") / rounds as f64;
        }
    }
    format!(
        "through Envoy, c=16  rps {:.2} ({:.0} / {:.0})",
        rates[1] / rates[0],
        rates[1],
        rates[0]
    )
}
