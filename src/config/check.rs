//! What the arguments of `igctl check` mean.

use std::time::Duration;

use super::{Input, UsageError, does_not_change, form};
use crate::cli;
use crate::render::Form;

/// What `igctl check` shall do.
#[derive(Debug, Clone)]
pub struct CheckConfig {
    /// What to look at.
    pub input: Input,
    /// How long to look again while something fails.
    pub wait: Option<Duration>,
    /// The form of the output.
    pub form: Form,
}

impl CheckConfig {
    /// What the arguments of `check` mean.
    ///
    /// # Errors
    /// For flags that do not go together.
    pub fn from_args(args: &cli::Check) -> Result<Self, UsageError> {
        let input = Input::from_args(&args.source)?;
        if args.wait.is_some() && !input.changes() {
            return Err(does_not_change("--wait"));
        }
        Ok(Self {
            input,
            wait: args.wait,
            form: form(args.output),
        })
    }
}
