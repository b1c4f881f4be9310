//! One file per command: collect, compute, render.

mod catalog;
mod completion;
mod dump;
mod look;
mod smoke;
mod top;

use std::io::{self, IsTerminal};

use crate::{
    cli::{Cli, Command, Metrics},
    config::{Input, Source, TopConfig, smoke::SmokeConfig},
    error::Error,
};

/// Runs what was asked for; the exit code tells partial success from success.
///
/// # Errors
/// Where there is nothing to show at all.
pub async fn run(cli: Cli) -> Result<u8, Error> {
    match cli.command {
        Command::Metrics(Metrics::Top(args)) => {
            top::run(TopConfig::from_args(&args, io::stdout().is_terminal())?).await
        }
        Command::Metrics(Metrics::Catalog(args)) => {
            catalog::run(Source::if_named(&args.source)?, args.output).await
        }
        Command::Metrics(Metrics::Dump(args)) => dump::run(&Input::from_args(&args.source)?).await,
        Command::Smoke(args) => smoke::run(SmokeConfig::from_args(&args)?).await,
        Command::Completion { shell } => completion::run(shell),
    }
}
