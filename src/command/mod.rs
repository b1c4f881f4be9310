//! One file per command: collect, compute, render.

mod catalog;
mod check;
mod completion;
mod diff;
mod dump;
mod end;
mod look;
mod rbac;
mod record;
mod smoke;
mod top;

use std::io::{self, IsTerminal};

use crate::{
    cli::{Cli, Command, Metrics, Rbac},
    config::{
        self, Input, Source, TopConfig, check::CheckConfig, diff::DiffConfig, record::RecordConfig,
        smoke::SmokeConfig,
    },
    error::Error,
};

/// What became of writing a result. Who reads may have had enough of it, as `head` has; what the result was stands,
/// and so its exit code.
fn or_enough(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

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
            catalog::run(Source::if_named(&args.source)?, config::form(args.output)).await
        }
        Command::Metrics(Metrics::Dump(args)) => {
            dump::run(&Input::from_args(&args.source)?, args.export).await
        }
        Command::Metrics(Metrics::Diff(args)) => diff::run(&DiffConfig::from_args(&args)?).await,
        Command::Metrics(Metrics::Record(args)) => {
            record::run(RecordConfig::from_args(&args)?).await
        }
        Command::Smoke(args) => smoke::run(SmokeConfig::from_args(&args)?).await,
        Command::Check(args) => check::run(&CheckConfig::from_args(&args)?).await,
        Command::Rbac(Rbac::Generate(args)) => rbac::run(&config::rbac::grants(&args)?),
        Command::Completion { shell } => completion::run(shell),
    }
}
