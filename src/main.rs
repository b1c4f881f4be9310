//! `igctl`: arguments, logging, run; then the error with its hint, and the exit code.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use igctl::{by_hand::ByHand, cli::Cli, command, config::by_hand, error::Error, visible::visible};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    // Two of our libraries use rustls: they must not have to guess which cryptography is meant.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    log(cli.verbose);
    let name = cli.command.name();
    let hand = cli.command.source().map(by_hand).unwrap_or_default();
    match command::run(cli).await {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let _ = tell(&error, name, &hand);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Notices to stderr; with `-v` what is done, with `-vv` also what our libraries do.
///
/// kube's client quotes whole answers that it cannot read, a token among them: that part of it is never heard.
fn log(verbose: u8) {
    let filter = match verbose {
        0 => "warn,kube=off,hyper=off,tower=off,gateway_core=off",
        1 => "warn,kube=off,igctl=info",
        _ => {
            "info,igctl=debug,kube_client=debug,kube_client::client=off,kube_client::client::builder=debug"
        }
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(EnvFilter::new(filter))
        .with_target(verbose > 1)
        .without_time()
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
}

fn tell(error: &Error, command: &str, hand: &ByHand) -> io::Result<()> {
    let mut out = io::stderr().lock();
    let lines = |text: &str| {
        text.lines()
            .map(|line| visible(line).into_owned())
            .collect::<Vec<_>>()
            .join("\n")
    };
    writeln!(out, "error: {}", lines(&error.told()))?;
    let help = || matches!(error, Error::Usage(_)).then(|| format!("igctl {command} --help"));
    if let Some(hint) = error.hint(hand).or_else(help) {
        writeln!(out, "hint: {}", lines(&hint))?;
    }
    Ok(())
}
