//! The `gateway-core` command: arguments, logging, sockets, signals, exit code.

use std::error::Error as _;
use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use clap::Parser;
use gateway_core::{Arguments, Config, ConfigError, LogFormat, Sockets};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the arguments do not fit together")]
    Config(#[source] ConfigError),
    #[error("listening on port {port}")]
    Bind {
        port: u16,
        #[source]
        source: io::Error,
    },
    #[error("waiting for SIGTERM")]
    Signal(#[source] io::Error),
    #[error(transparent)]
    Run(#[from] gateway_core::Error),
}

impl Error {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Bind { .. } => Some(
                "another port by --grpc-port, --grpc-health-port or --metrics-port; 0 takes a free one",
            ),
            Self::Run(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Signal(_) => None,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let _written_at_the_end = log_to_stderr(&arguments);
    // Nothing else may choose; this is the one provider that is compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let causes = std::iter::successors(failure.source(), |&cause| cause.source());
            let causes: Vec<_> = causes.map(ToString::to_string).collect();
            error!(causes = ?causes, hint = failure.hint(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    // First of all: until then the first process of a container ignores it.
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signal)?;
    let sockets = Sockets {
        grpc: bind(arguments.grpc_port).await?,
        health: bind(arguments.grpc_health_port).await?,
        metrics: bind(arguments.metrics_port).await?,
    };
    let config = Config::from_arguments(arguments).map_err(Error::Config)?;
    info!(
        grpc = address(&sockets.grpc),
        health = address(&sockets.health),
        metrics = address(&sockets.metrics),
        "listening"
    );
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        info!("stopping: requests under way are let end");
    };
    gateway_core::run(sockets, config, shutdown).await?;
    info!("stopped");
    Ok(())
}

/// Both IP families where the host has both, else IPv4.
async fn bind(port: u16) -> Result<TcpListener, Error> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
            .await
            .map_err(|source| Error::Bind { port, source }),
    }
}

fn address(listener: &TcpListener) -> Option<String> {
    listener
        .local_addr()
        .ok()
        .map(|address: SocketAddr| address.to_string())
}

/// Dropping the guard writes what is still to be written.
fn log_to_stderr(arguments: &Arguments) -> WorkerGuard {
    let level = arguments.log_level;
    // The libraries' own lines are of use only when something is wrong, and
    // kube's not even then: an outage is one line of ours, not one per attempt.
    let filter = format!("warn,kube_client=off,kube_runtime=off,gateway_core={level}");
    let filter = EnvFilter::new(filter);
    // Requests do not wait for whoever reads the log: a slow one misses lines.
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(1000)
        .finish(io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(writer);
    match arguments.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    guard
}
