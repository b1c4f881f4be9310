//! `igctl`: arguments, logging, run; then the error with its hint, and the exit code.

use std::{
    error::Error as _,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use igctl::{cli::Cli, command, error::Error, visible::visible};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    // Two of our libraries use rustls: they must not have to guess which cryptography is meant.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    log(cli.verbose);
    match command::run(cli).await {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let _ = tell(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Notices to stderr; with `-v` what is done, with `-vv` also what our libraries do.
fn log(verbose: u8) {
    let filter = match verbose {
        0 => "warn,kube=off,hyper=off,tower=off,gateway_core=off",
        1 => "warn,igctl=info",
        _ => "info,igctl=debug,kube=debug",
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(EnvFilter::new(filter))
        .with_target(verbose > 1)
        .without_time()
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
}

fn tell(error: &Error) -> io::Result<()> {
    let mut out = io::stderr().lock();
    let lines = |text: &str| {
        text.lines()
            .map(|line| visible(line).into_owned())
            .collect::<Vec<_>>()
            .join("\n")
    };
    writeln!(out, "error: {}", lines(&error.to_string()))?;
    let mut cause = error.source();
    while let Some(error) = cause {
        writeln!(out, "  {}", lines(&error.to_string()))?;
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        writeln!(out, "hint: {}", lines(&hint))?;
    }
    Ok(())
}
