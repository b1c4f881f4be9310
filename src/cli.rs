//! What can be typed. The doc comments are the help and the man pages; [`crate::config`] says what it
//! means.

#![allow(missing_docs, reason = "the help texts are the documentation")]

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

/// Per-model request counts and latency quantiles of Kubernetes inference gateways
///
/// igctl finds the endpoint pickers of your InferencePools, gets a token that may read their metrics,
/// opens a port-forward, reads the metrics and shows requests, errors and latency per model.
#[derive(Debug, Parser)]
#[command(name = "igctl", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Log what igctl does to stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  ok
  1  error
  2  wrong usage
  3  an assertion or a check failed
  4  partial data: some pods could not be read
  5  authentication or authorization
  6  nothing found
  7  timeout";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Metrics of endpoint pickers
    #[command(subcommand)]
    Metrics(Metrics),
    /// Assert on what pickers have counted, for pipelines
    ///
    /// Passes only on data: see Assertions below. Exits with 0 where all assertions hold, with 3 where
    /// one fails or is inconclusive, and as the other commands where there is nothing to judge.
    #[command(after_long_help = SMOKE_HELP)]
    Smoke(Box<Smoke>),
    /// Print the completions of a shell
    ///
    /// For example: igctl completion bash > /etc/bash_completion.d/igctl
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub enum Metrics {
    /// Show requests, errors and latency per model
    ///
    /// On a terminal the table refreshes in place until Ctrl-C, over the last minute or what there is
    /// of it. Piped, or with --once or -o, it prints once.
    #[command(after_help = TOP_EXAMPLES)]
    Top(Box<Top>),
    /// List the signals and the metric names that they are read from
    ///
    /// With a source, also which of the names it emits.
    Catalog(Box<Catalog>),
    /// Print the metrics text as it came
    ///
    /// Of several pods one after the other, each behind a comment with its name. On a terminal control
    /// characters are written out.
    Dump(Box<Dump>),
}

const SMOKE_HELP: &str = r#"Examples:
  igctl smoke pool/qwen -n llm --wait 2m --assert 'requests >= 20' --assert 'error_rate < 1%'
  igctl smoke -n llm --window 30s --assert 'each(p99 < 5s)' --assert 'rate("qwen*") > 5/s'
  igctl smoke -f scrape.prom --assert-file smoke.txt -o junit

Assertions:
  QUANTITY COMPARISON NUMBER         of all models together, or of those that match
  each(QUANTITY COMPARISON NUMBER)   of every model by itself
  absent("GLOB")                     no model of such a name was counted
  generation == NAME                 the metric names that the pickers use; or !=

  QUANTITY is one of
    requests, errors, cancelled, in_flight         a count, for example requests >= 20
    requests("GLOB")                               of models that match: requests("qwen*") >= 20
    error_rate                                     errors / (requests + refused requests): error_rate < 1%
    rate                                           requests per second, with --window: rate > 5/s
    p99, p99.9, p50(SIGNAL), p95(SIGNAL, "GLOB")   a quantile: p95(ttft, "qwen3-32b") <= 800ms
    ready_endpoints, queue, kv_cache, running      the pool as its picker sees it: ready_endpoints >= 2
  SIGNAL is latency (the default), ttft, tpot, itl, ntpot, request_size, response_size, input_tokens,
    output_tokens, cached_tokens, scheduler, request_overhead or response_overhead.
  COMPARISON is <, <=, >, >=, == or !=.
  NUMBER has the unit of its quantity: us, ms, s or m for times; B, kB, MB or GB for sizes; % for
    error_rate and kv_cache; /s for rate; none for counts and tokens.
  GLOB is a model's whole name; * stands for anything, ? for one character, {a,b} for either.
  NAME is llm_d_epp, llm_d_router_epp, inference_objective or inference_model.

A selector takes all its matches together: counts and buckets are added. An assertion passes only on
data: where nothing matches, a value is not known, a quantile lies beyond the last bucket (>3600s), a
pod cannot be read, or a quantile or error_rate rests on fewer than --min-samples, it is inconclusive,
which fails the command unless --allow-inconclusive."#;

const TOP_EXAMPLES: &str = "\
Examples:
  igctl metrics top --demo                   a picker of our own with made-up traffic
  igctl metrics top -n llm                   the pickers of all InferencePools in llm
  igctl metrics top pool/qwen -n llm --once  those of one pool, once, since they started
  igctl metrics top -n llm --window 10s      what happened within ten seconds
  igctl metrics top -f scrape.prom -o json   a saved scrape, for a script";

/// Where metrics come from, and how to get at them.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// pod/NAME, svc/NAME, deploy/NAME or pool/NAME; without it, all InferencePools of the namespace
    #[arg(value_name = "TARGET", conflicts_with_all = ["selector", "demo", "file", "url"])]
    pub target: Option<String>,

    /// Run gateway-core in this process, with made-up traffic
    #[arg(long, help_heading = "Source", conflicts_with_all = ["file", "url", "selector"])]
    #[cfg_attr(not(feature = "demo"), arg(hide = true))]
    pub demo: bool,
    /// Read a saved scrape; `-` is stdin. Several are taken as replicas of one picker
    #[arg(short, long, value_name = "FILE", help_heading = "Source", value_hint = ValueHint::FilePath, conflicts_with_all = ["url", "selector"])]
    pub file: Vec<PathBuf>,
    /// Read metrics at an address, without Kubernetes
    #[arg(long, help_heading = "Source", value_hint = ValueHint::Url, conflicts_with = "selector")]
    pub url: Option<String>,
    /// Pods by label, for example app=qwen-epp
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = "Source")]
    pub selector: Option<String>,

    /// The namespace; the default is the context's
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        help_heading = "Kubernetes",
        conflicts_with = "all_namespaces"
    )]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, help_heading = "Kubernetes")]
    pub all_namespaces: bool,
    /// The kubeconfig's context to use
    #[arg(long, value_name = "CONTEXT", help_heading = "Kubernetes")]
    pub context: Option<String>,
    /// The kubeconfig file
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The user to act as
    #[arg(long = "as", value_name = "USER", help_heading = "Kubernetes")]
    pub as_user: Option<String>,
    /// A group to act as; may be repeated
    #[arg(
        long = "as-group",
        value_name = "GROUP",
        help_heading = "Kubernetes",
        requires = "as_user"
    )]
    pub as_groups: Vec<String>,
    /// How long one request may take, for example 5s; 0 is without limit
    #[arg(long, value_name = "DURATION", help_heading = "Kubernetes", value_parser = duration)]
    pub request_timeout: Option<Duration>,
    /// The pod's port that serves metrics [default: the port named `metrics`, the picker's own flag, or 9090]
    #[arg(long, value_name = "PORT", help_heading = "Kubernetes", value_parser = clap::value_parser!(u16).range(1..))]
    pub metrics_port: Option<u16>,
    /// Connect to the pod's address instead of forwarding a port: from inside the cluster
    #[arg(long, help_heading = "Kubernetes")]
    pub direct: bool,

    /// How to get a token: `auto` mints one where the picker asks for it
    #[arg(long, value_enum, default_value_t = Auth::Auto, help_heading = "Token")]
    pub auth: Auth,
    /// Mint a token of this ServiceAccount, [NAMESPACE/]NAME
    #[arg(
        long,
        value_name = "[NAMESPACE/]NAME",
        help_heading = "Token",
        group = "token"
    )]
    pub service_account: Option<String>,
    /// Read the token from a file, anew when it is needed
    #[arg(long, value_name = "FILE", help_heading = "Token", group = "token", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Read the token from a Secret of type kubernetes.io/service-account-token, [NAMESPACE/]NAME
    #[arg(
        long,
        value_name = "[NAMESPACE/]NAME",
        help_heading = "Token",
        group = "token"
    )]
    pub token_secret: Option<String>,

    /// The CA certificates to trust for HTTPS metrics, PEM
    #[arg(long, value_name = "FILE", help_heading = "TLS", value_hint = ValueHint::FilePath)]
    pub metrics_ca_file: Option<PathBuf>,
    /// Do not verify the certificate of HTTPS metrics
    #[arg(long, help_heading = "TLS")]
    pub metrics_insecure_skip_tls_verify: bool,
    /// The client certificate for HTTPS metrics, PEM
    #[arg(long, value_name = "FILE", help_heading = "TLS", requires = "metrics_client_key", value_hint = ValueHint::FilePath)]
    pub metrics_client_cert: Option<PathBuf>,
    /// The client certificate's key, PEM
    #[arg(long, value_name = "FILE", help_heading = "TLS", requires = "metrics_client_cert", value_hint = ValueHint::FilePath)]
    pub metrics_client_key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Try without; where the picker asks for a token, mint one for the metrics reader
    Auto,
    /// Never send a token
    None,
}

#[derive(Debug, Args)]
pub struct Top {
    #[command(flatten)]
    pub source: SourceArgs,

    /// Refresh, even where the output is no terminal
    #[arg(short, long, conflicts_with = "once")]
    pub watch: bool,
    /// Print once, even on a terminal
    #[arg(long)]
    pub once: bool,
    /// Time between two refreshes
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = positive_duration)]
    pub interval: Duration,
    /// Show what happened within this time, by two reads; while refreshing, at most so far back [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub window: Option<Duration>,

    /// The form of the output
    #[arg(short, long, value_enum)]
    pub output: Option<Output>,
    /// The quantiles to show, in percent
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "50,90,99", value_parser = percent)]
    pub quantiles: Vec<f64>,
    /// Which latency the quantile columns show
    #[arg(long, value_enum, default_value_t = Latency::E2e)]
    pub latency: Latency,
    /// What a row is about [default: model,target; with several pools also pool]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    pub by: Vec<By>,
    /// Order rows by a column: requests, rate, errors, error-rate, in-flight, name, or a quantile shown, such as p99
    #[arg(long, value_name = "COLUMN", default_value = "requests")]
    pub sort: String,
    /// Show at most so many rows; the total still counts all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Only models whose name matches, for example 'qwen*'
    #[arg(short, long, value_name = "GLOB")]
    pub model: Option<String>,
}

#[derive(Debug, Args)]
pub struct Dump {
    #[command(flatten)]
    pub source: SourceArgs,
}

#[derive(Debug, Args)]
pub struct Smoke {
    #[command(flatten)]
    pub source: SourceArgs,

    /// What must hold, for example 'error_rate < 1%'; may be repeated
    #[arg(long = "assert", value_name = "ASSERTION")]
    pub assertions: Vec<String>,
    /// Assertions from a file, one a line; lines that begin with # are comments
    #[arg(long = "assert-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub assert_files: Vec<PathBuf>,
    /// Quantiles and rates of errors of fewer samples are inconclusive
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub min_samples: u32,
    /// Do not fail for what is inconclusive
    #[arg(long)]
    pub allow_inconclusive: bool,
    /// Keep reading until all assertions hold, for at most so long
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub wait: Option<Duration>,
    /// Assert on what happened within this time rather than since the start
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub window: Option<Duration>,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = SmokeOutput::Table)]
    pub output: SmokeOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SmokeOutput {
    /// For people
    Table,
    /// For programs
    Json,
    /// For what reads test results
    Junit,
    /// For GitHub Actions: annotations, and a summary where GITHUB_STEP_SUMMARY names a file
    Github,
}

#[derive(Debug, Args)]
pub struct Catalog {
    #[command(flatten)]
    pub source: SourceArgs,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = CatalogOutput::Table)]
    pub output: CatalogOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Table,
    /// For people with wide terminals: buckets, tokens, time to first token
    Wide,
    /// For programs; with -w one document a line
    Json,
    /// For spreadsheets
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CatalogOutput {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Latency {
    /// From the request to the end of the response
    E2e,
    /// Time to first token, of streamed responses
    Ttft,
    /// Time per output token, of streamed responses
    Tpot,
    /// Inter-token latency, of streamed responses
    Itl,
    /// Whole duration per output token
    Ntpot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The model that clients name
    Model,
    /// The model that requests are sent to
    Target,
    /// The InferencePool
    Pool,
    /// The picker's pod
    Pod,
    /// The requests' priority
    Priority,
    /// The requests' fairness id
    Fairness,
}

/// As kubectl reads durations: `1h2m3s`, and a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let parsed: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "not a duration; write for example 500ms, 10s or 1m30s".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|d| {
        if d.is_zero() {
            Err("must be more than 0".to_owned())
        } else {
            Ok(d)
        }
    })
}

/// A quantile in percent, as a share.
fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if (0.0..=100.0).contains(&p) => Ok(p / 100.0),
        _ => Err("not a quantile in percent; write for example 50,90,99.9".to_owned()),
    }
}
