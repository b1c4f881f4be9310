//! What was meant by the arguments: defaults filled in, flags checked against each other, every name
//! typed. Nothing after this sees a raw string.

pub mod check;
pub mod diff;
pub mod rbac;
pub mod record;
pub mod smoke;
mod source;
mod top;

use crate::cli;
use crate::glob::Glob;
use crate::render::Form;
use crate::vocabulary::Signal;
pub use source::{
    ClusterSource, FileSource, FilesSource, Impersonate, Input, MaxScrape, RecordingSource, Select,
    Source, Tls, TokenSource, UrlSource, by_hand,
};
pub use top::{Pace, TopConfig};

/// An argument that clap could not check by itself.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{problem}")]
pub struct UsageError {
    problem: String,
    hint: Option<String>,
}

impl UsageError {
    fn new(problem: String) -> Self {
        let hint = None;
        Self { problem, hint }
    }

    /// The next thing to try, where that is more than the help.
    pub fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

fn models(glob: Option<&str>) -> Result<Option<Glob>, UsageError> {
    let wrong = |glob, fault| UsageError::new(format!("-m {glob}: {fault}"));
    glob.map(|glob| Glob::parse(glob).map_err(|fault| wrong(glob, fault)))
        .transpose()
}

fn latency(latency: cli::Latency) -> Signal {
    match latency {
        cli::Latency::E2e => Signal::Latency,
        cli::Latency::Ttft => Signal::TimeToFirstToken,
        cli::Latency::Tpot => Signal::TimePerOutputToken,
        cli::Latency::Itl => Signal::InterTokenLatency,
        cli::Latency::Ntpot => Signal::NormalizedTimePerOutputToken,
    }
}

/// What `-o` means, for every command.
pub(crate) fn form(output: cli::Output) -> Form {
    match output {
        cli::Output::Table => Form::Table,
        cli::Output::Wide => Form::Wide,
        cli::Output::Json => Form::Json,
        cli::Output::Yaml => Form::Yaml,
        cli::Output::Csv => Form::Csv,
    }
}

fn is_of_one_moment(flag: &str) -> UsageError {
    UsageError::new(format!(
        "{flag} needs a source that can be read twice, not a saved scrape"
    ))
}

fn stdin_twice() -> UsageError {
    UsageError::new("stdin can be read only once: - stands twice".to_owned())
}

fn does_not_change(flag: &str) -> UsageError {
    UsageError::new(format!(
        "{flag} needs a source that changes, not a saved one"
    ))
}
