//! What the arguments of `igctl metrics record` mean.

use std::path::PathBuf;
use std::time::Duration;

use super::{Input, UsageError, does_not_change};
use crate::cli;

/// What `igctl metrics record` shall do.
#[derive(Debug, Clone)]
pub struct RecordConfig {
    /// What to read.
    pub input: Input,
    /// How long; `None`: until somebody ends it.
    pub time: Option<Duration>,
    /// Between two looks.
    pub every: Duration,
    /// The recording.
    pub path: PathBuf,
}

impl RecordConfig {
    /// What the arguments of `metrics record` mean.
    ///
    /// # Errors
    /// For a source that cannot be, or that does not change.
    pub fn from_args(args: &cli::Record) -> Result<Self, UsageError> {
        let input = Input::from_args(&args.source)?;
        if !input.changes() {
            return Err(does_not_change("a recording"));
        }
        Ok(Self {
            input,
            time: args.time,
            every: args.every,
            path: args.recording.clone(),
        })
    }
}
