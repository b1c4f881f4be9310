//! The command itself, as a process.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::Gateway;

/// A run of the command on free ports, logging JSON; it is killed when this is
/// dropped.
pub(crate) struct Run {
    process: Child,
    /// Its lines. They are taken in as they come: a reader who lets them lie may miss some.
    pub(crate) log: mpsc::UnboundedReceiver<Value>,
    is_log_left: Arc<Notify>,
}

impl Run {
    pub(crate) fn start(arguments: &[&str], kubeconfig: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-core"));
        command
            .env_clear()
            .env("IGW_LOG_FORMAT", "json")
            .args(["--grpc-port=0", "--grpc-health-port=0", "--metrics-port=0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(path) = kubeconfig {
            command.env("KUBECONFIG", path);
        }
        let mut process = command.spawn().expect("the command starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let (sender, log) = mpsc::unbounded_channel();
        let is_log_left = Arc::<Notify>::default();
        let is_left = is_log_left.clone();
        tokio::spawn(async move {
            loop {
                let line = tokio::select! {
                    line = lines.next_line() => line.expect("a readable log"),
                    // The pipe stays open.
                    () = is_left.notified() => pending().await,
                };
                let Some(line) = line else { break };
                let line = serde_json::from_str(&line).expect("a line of JSON");
                // Nobody needs the rest of a test's log.
                let _ = sender.send(line);
            }
        });
        Self {
            process,
            log,
            is_log_left,
        }
    }

    /// Lets the lines that come from now on lie.
    pub(crate) fn leave_log(&self) {
        self.is_log_left.notify_one();
    }

    /// The next line of the log with this message, or nothing if the log ends.
    pub(crate) async fn line(&mut self, message: &str) -> Option<Value> {
        let found = async {
            while let Some(line) = self.log.recv().await {
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

    /// Where it listens.
    pub(crate) async fn gateway(&mut self) -> Gateway {
        let line = self.line("listening").await.expect("it listens");
        let address = |purpose: &str| {
            let address = line[purpose].as_str().expect("an address");
            let address: SocketAddr = address.parse().expect("an address");
            (Ipv4Addr::LOCALHOST, address.port()).into()
        };
        Gateway {
            grpc: address("grpc"),
            health: address("health"),
            metrics: address("metrics"),
        }
    }

    pub(crate) async fn exit(&mut self) -> ExitStatus {
        let exit = timeout(Duration::from_secs(20), self.process.wait()).await;
        exit.expect("it ends in time").expect("it ends")
    }

    pub(crate) fn terminate(&self) {
        let id = self.process.id().expect("it runs").to_string();
        let killed = std::process::Command::new("kill").arg(id).status();
        assert!(killed.expect("kill is there").success());
    }
}
