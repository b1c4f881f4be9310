//! What the arguments of `igctl smoke` mean: every assertion is read before anything is contacted.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io};

use reqwest::header::HeaderMap;

use super::diff::saved_or_path;
use super::{Input, Source, UsageError, does_not_change, form, is_of_one_moment, stdin_twice};
use crate::assertion::{Assertion, Claim, Quantity, SyntaxError};
use crate::cli::{self, SmokeOutput};
use crate::probe::{self, Probe, ProbeError};
use crate::render::Form;

/// What one request of a probe may take, unless `--request-timeout` says otherwise: a model may be slow.
const PROBE_TIME: Duration = Duration::from_secs(60);

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
    /// What to send through the gateway first.
    pub probe: Option<Probe>,
    /// What was good.
    pub baseline: Option<BaselineConfig>,
    /// The form of the output.
    pub format: SmokeFormat,
}

/// What was good, and how much worse it may be.
#[derive(Debug, Clone)]
pub struct BaselineConfig {
    /// A saved scrape, a recording's moment, or a report.
    pub source: Source,
    /// As a share of what it was.
    pub tolerance: f64,
}

/// The form of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmokeFormat {
    /// One that every command has.
    Form(Form),
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
    /// A probe that cannot be sent.
    #[error(transparent)]
    Probe(#[from] ProbeError),
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
        if assertions.is_empty() && args.probe.is_none() && args.baseline.is_none() {
            let problem = "there is nothing to assert: give --assert 'requests >= 1', say";
            return Err(UsageError::new(problem.to_owned()).into());
        }
        let of_rate = assertions.iter().find(|assertion| {
            matches!(&assertion.claim, Claim::All(test) | Claim::Each(test) if test.quantity == Quantity::Rate)
        });
        if let (Some(assertion), None) = (of_rate, args.window) {
            let problem = format!(
                "{}: a rate is one within a window: add --window 30s, say",
                assertion.text
            );
            return Err(UsageError::new(problem).into());
        }
        if args.window.is_some() && !input.has_windows() {
            return Err(is_of_one_moment("--window").into());
        }
        if args.wait.is_some() && !input.changes() {
            return Err(does_not_change("--wait").into());
        }
        if args.probe.is_some() && !input.changes() {
            return Err(does_not_change("--probe").into());
        }
        let baseline = match &args.baseline {
            Some(text) => Some(BaselineConfig {
                source: saved_or_path(text, args.source.max_scrape)?,
                tolerance: args.tolerance,
            }),
            None => None,
        };
        if input.is_stdin() && baseline.as_ref().is_some_and(|b| b.source.is_stdin()) {
            return Err(stdin_twice().into());
        }
        Ok(Self {
            input,
            assertions,
            min_samples: args.min_samples,
            allow_inconclusive: args.allow_inconclusive,
            wait: args.wait,
            window: args.window,
            probe: probe(args)?,
            baseline,
            format: match args.output {
                SmokeOutput::Form(output) => SmokeFormat::Form(form(output)),
                SmokeOutput::Junit => SmokeFormat::Junit,
                SmokeOutput::Github => SmokeFormat::Github {
                    summary: env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from),
                },
            },
        })
    }
}

fn probe(args: &cli::Smoke) -> Result<Option<Probe>, SmokeUsage> {
    let (Some(count), Some(url), Some(model)) = (args.probe, &args.probe_url, &args.probe_model)
    else {
        return Ok(None);
    };
    let address = reqwest::Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = address else {
        let problem =
            format!("--probe-url {url}: not an address like http://gateway/v1/completions");
        return Err(UsageError::new(problem).into());
    };
    Ok(Some(Probe {
        count,
        url,
        model: model.clone(),
        stream: args.probe_stream,
        headers: match &args.probe_header_file {
            Some(path) => probe::headers(path)?,
            None => HeaderMap::new(),
        },
        ca_file: args.probe_ca_file.clone(),
        time: args.source.request_timeout.unwrap_or(PROBE_TIME),
    }))
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
