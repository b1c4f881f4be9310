//! What the arguments of `igctl smoke` mean: every assertion is read before anything is contacted.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io};

use super::{Input, UsageError, cannot_be_read_again};
use crate::assertion::{Assertion, Claim, Quantity, SyntaxError};
use crate::cli::{self, SmokeOutput};

/// What `igctl smoke` shall do.
#[derive(Debug, Clone)]
pub struct SmokeConfig {
    /// What to read.
    pub input: Input,
    /// What must hold.
    pub assertions: Vec<Assertion>,
    /// Fewer observations prove nothing.
    pub min_samples: u32,
    /// Whether what is inconclusive does no harm.
    pub allow_inconclusive: bool,
    /// How long to look again while not all holds.
    pub wait: Option<Duration>,
    /// Counts are of this time rather than since the start.
    pub window: Option<Duration>,
    /// The form of the output.
    pub format: SmokeFormat,
}

/// The form of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmokeFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For what reads test results.
    Junit,
    /// For GitHub Actions.
    Github {
        /// The file that the step's summary is written to.
        summary: Option<PathBuf>,
    },
}

/// Why there is nothing to assert, or not on this source.
#[derive(Debug, thiserror::Error)]
pub enum SmokeUsage {
    /// Flags that contradict each other.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// An assertion that cannot be read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A file of assertions that cannot be read.
    #[error("cannot read the assertions of {}", .path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        fault: io::Error,
    },
}

impl SmokeConfig {
    /// What the arguments of `smoke` mean.
    ///
    /// # Errors
    /// For an assertion that cannot be read, and for flags that do not go together.
    pub fn from_args(args: &cli::Smoke) -> Result<Self, SmokeUsage> {
        let input = Input::from_args(&args.source)?;
        let assertions = assertions(args)?;
        if assertions.is_empty() {
            let problem = "there is nothing to assert: give --assert 'requests >= 1', say";
            return Err(UsageError(problem.to_owned()).into());
        }
        let of_rate = assertions.iter().find(|assertion| {
            matches!(&assertion.claim, Claim::All(test) | Claim::Each(test) if test.quantity == Quantity::Rate)
        });
        if let (Some(assertion), None) = (of_rate, args.window) {
            let problem = format!(
                "{}: a rate is one within a window: add --window 30s, say",
                assertion.text
            );
            return Err(UsageError(problem).into());
        }
        if !input.changes() {
            for (flag, given) in [("--window", args.window), ("--wait", args.wait)] {
                if given.is_some() {
                    return Err(cannot_be_read_again(flag).into());
                }
            }
        }
        Ok(Self {
            input,
            assertions,
            min_samples: args.min_samples,
            allow_inconclusive: args.allow_inconclusive,
            wait: args.wait,
            window: args.window,
            format: match args.output {
                SmokeOutput::Table => SmokeFormat::Table,
                SmokeOutput::Json => SmokeFormat::Json,
                SmokeOutput::Junit => SmokeFormat::Junit,
                SmokeOutput::Github => SmokeFormat::Github {
                    summary: env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from),
                },
            },
        })
    }
}

fn assertions(args: &cli::Smoke) -> Result<Vec<Assertion>, SmokeUsage> {
    let mut assertions = Vec::new();
    for text in &args.assertions {
        assertions.push(Assertion::parse(text)?);
    }
    for path in &args.assert_files {
        let lines = fs::read_to_string(path).map_err(|fault| SmokeUsage::File {
            path: path.clone(),
            fault,
        })?;
        assertions.extend(Assertion::parse_lines(&lines, &path.display().to_string())?);
    }
    Ok(assertions)
}
