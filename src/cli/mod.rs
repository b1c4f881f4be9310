//! What can be typed. The doc comments are the help and the man pages; [`crate::config`] says what it
//! means.

#![allow(missing_docs, reason = "the help texts are the documentation")]

mod value;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, builder::PossibleValue};

use crate::config::MaxScrape;
use crate::recording::At;
pub use value::LONGEST;
use value::{limit, percent, positive_duration, size, tolerance};

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
    /// Find the broken link between you and the metrics, and what mends it
    ///
    /// Walks the chain from the kubeconfig to the metrics' content: kubeconfig, pool, picker, your rights,
    /// the reader's right, the picker's right, metrics, content. What is wrong comes with its evidence and,
    /// where there is one, with a command to paste. Changes nothing in the cluster. Exits with 0 where
    /// nothing failed, with 3 where something did.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Box<Check>),
    /// Rights for readers, operators and pickers
    #[command(subcommand)]
    Rbac(Rbac),
    /// Print the completions of a shell
    ///
    /// For example: igctl completion bash > /etc/bash_completion.d/igctl
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// What it is about, if it looks at pickers at all.
    pub fn source(&self) -> Option<&SourceArgs> {
        match self {
            Self::Metrics(Metrics::Top(args)) => Some(&args.source),
            Self::Metrics(Metrics::Catalog(args)) => Some(&args.source),
            Self::Metrics(Metrics::Dump(args)) => Some(&args.source),
            Self::Metrics(Metrics::Record(args)) => Some(&args.source),
            Self::Smoke(args) => Some(&args.source),
            Self::Check(args) => Some(&args.source),
            Self::Metrics(Metrics::Diff(_)) | Self::Rbac(_) | Self::Completion { .. } => None,
        }
    }

    /// Its name, as it is typed after `igctl`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Metrics(Metrics::Top(_)) => "metrics top",
            Self::Metrics(Metrics::Catalog(_)) => "metrics catalog",
            Self::Metrics(Metrics::Dump(_)) => "metrics dump",
            Self::Metrics(Metrics::Diff(_)) => "metrics diff",
            Self::Metrics(Metrics::Record(_)) => "metrics record",
            Self::Smoke(_) => "smoke",
            Self::Check(_) => "check",
            Self::Rbac(Rbac::Generate(_)) => "rbac generate",
            Self::Completion { .. } => "completion",
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Metrics {
    /// Show requests, errors and latency per model
    ///
    /// On a terminal the table refreshes in place until Ctrl-C, over the last minute or what there is
    /// of it. Piped, of files, or with --once or -o, it prints once.
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
    #[command(after_help = DUMP_EXAMPLES)]
    Dump(Box<Dump>),
    /// Show what changed between two moments
    ///
    /// BEFORE and what came after: TARGET, which may also be a file or FILE@TIME, or another source. Per
    /// model the increase of the counters and their rate where both times are known, and the share of
    /// errors and the quantiles until BEFORE and since; then the metric families and labels that came and
    /// went, restarts and builds.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Box<Diff>),
    /// Record what all pods say, for later
    ///
    /// Until --for is over, or Ctrl-C. The file is a source for other commands: -f FILE, with --at for a
    /// moment. A recording that exists is added to; one that is killed loses at most its last look. No
    /// token is ever part of it.
    #[command(allow_missing_positional = true, after_help = RECORD_EXAMPLES)]
    Record(Box<Record>),
}

const SMOKE_HELP: &str = r#"Examples:
  igctl smoke pool/qwen -n llm --wait 2m --assert 'requests >= 20' --assert 'error_rate < 1%'
  igctl smoke -n llm --window 30s --assert 'each(p99 < 5s)' --assert 'rate("qwen*") > 5/s'
  igctl smoke -f scrape.prom --assert-file smoke.txt -o junit
  igctl smoke -n llm --probe 20 --probe-url http://gateway/v1/completions --probe-model qwen3-32b
  igctl smoke -n llm --wait 2m --baseline before.igr --tolerance 10%

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
  GLOB is a model's whole name; * stands for anything, ? for one character, [ab] for one of these,
    {a,b} for either; a backslash before any of them means itself. A model that is called just as the GLOB
    is written matches, too: "a[1]" is a[1] as well as a1.
  NAME is llm_d_epp, llm_d_router_epp, inference_objective or inference_model.

A selector takes all its matches together: counts and buckets are added. An assertion passes only on
data: where nothing matches, a value is not known, a quantile lies beyond the last bucket (>3600s), a pod
cannot be read, has lines that contradict each other or say what no count can be, or restarted within the
window, a pool's picker has no pod, or a quantile or error_rate rests on fewer than --min-samples, it is
inconclusive, which fails the command unless --allow-inconclusive. So it is where only some of the pods or
models measure a quantile, where so many requests have no duration that p99 may be anything (their clients
gave up, say), where replicas see their pool differently, where a pod that is no standby names no
generation yet, and for absent where a picker has reached its cap of models and counts the others as
"other". While a pod cannot be read, what fails is only what more of it cannot mend: requests <= 10."#;

const CHECK_EXAMPLES: &str = "\
Examples:
  igctl check -n llm                    every link of the chain to the pickers of llm
  igctl check pool/qwen -n llm          to one pool's picker
  igctl check svc/qwen-epp -n llm       where you may not read pools
  igctl check -n llm --wait 60s         look again until it passes, say after a fix
  igctl check -f scrape.prom            only the content of a saved scrape";

const RBAC_EXAMPLES: &str = "\
Examples:
  igctl rbac generate -n llm | kubectl apply -f -
  igctl rbac generate -n llm --only reader --token-secret
  igctl rbac generate -n llm --only operator --user jane
  igctl rbac generate -n llm --only picker --picker qwen-epp";

const TOP_EXAMPLES: &str = "\
Examples:
  igctl metrics top --demo                   a picker of our own with made-up traffic
  igctl metrics top -n llm                   the pickers of all InferencePools in llm
  igctl metrics top pool/qwen -n llm --once  those of one pool, once, since they started
  igctl metrics top -n llm --window 10s      what happened within ten seconds
  igctl metrics top -f scrape.prom -o json   a saved scrape, for a script";

const DUMP_EXAMPLES: &str = "\
Examples:
  igctl metrics dump pod/qwen-epp-0 -n llm              as it came
  igctl metrics dump -f incident.igr --at 10:05:00      a moment of a recording
  igctl metrics dump -f incident.igr --export openmetrics > incident.om
  promtool tsdb create-blocks-from openmetrics incident.om data";

const DIFF_EXAMPLES: &str = "\
Examples:
  igctl metrics diff before.prom after.prom
  igctl metrics diff incident.igr@10:00 incident.igr@10:05
  igctl metrics diff incident.igr pool/qwen -n llm    what has changed since";

const RECORD_EXAMPLES: &str = "\
Examples:
  igctl metrics record -n llm --for 10m incident.igr      all pickers of llm, every 5 seconds
  igctl metrics record pool/qwen -n llm --every 1s incident.igr
  igctl metrics top -f incident.igr --at -2m --window 30s";

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
    /// Read a saved scrape, or a recording; `-` is stdin. Several scrapes are taken as replicas of one picker
    #[arg(short, long, value_name = "FILE", help_heading = "Source", value_hint = ValueHint::FilePath, conflicts_with_all = ["url", "selector"])]
    pub file: Vec<PathBuf>,
    /// Which moment of a recording [default: its end]: 2026-11-25T10:05:00Z, 10:05:00, or -5m, so long before its end; UTC without a zone
    #[arg(
        long,
        value_name = "TIME",
        help_heading = "Source",
        requires = "file",
        allow_hyphen_values = true
    )]
    pub at: Option<At>,
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
    #[arg(long, value_name = "DURATION", help_heading = "Kubernetes", value_parser = limit)]
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

    /// The longest answer or saved scrape to read, packed and unpacked
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub max_scrape: MaxScrape,

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

    /// Refresh, even where the output is no terminal; not of what was saved
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
pub struct Diff {
    /// What it was: a saved scrape, a recording, or FILE@TIME, a moment of one
    #[arg(value_name = "BEFORE", value_hint = ValueHint::FilePath)]
    pub before: String,
    #[command(flatten)]
    pub source: SourceArgs,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// The quantiles to show, in percent
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "99", value_parser = percent)]
    pub quantiles: Vec<f64>,
    /// Which latency the quantile columns show
    #[arg(long, value_enum, default_value_t = Latency::E2e)]
    pub latency: Latency,
    /// Only models whose name matches, for example 'qwen*'
    #[arg(short, long, value_name = "GLOB")]
    pub model: Option<String>,
}

#[derive(Debug, Args)]
pub struct Dump {
    #[command(flatten)]
    pub source: SourceArgs,
    /// Write a whole recording in another form, each sample with its time
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        requires = "file",
        conflicts_with = "at"
    )]
    pub export: Option<Export>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Export {
    /// What `promtool tsdb create-blocks-from openmetrics` takes
    Openmetrics,
}

#[derive(Debug, Args)]
pub struct Record {
    #[command(flatten)]
    pub source: SourceArgs,
    /// How long [default: until Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = positive_duration)]
    pub time: Option<Duration>,
    /// Time between two looks
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = positive_duration)]
    pub every: Duration,
    /// The recording: a new file, or one to be added to
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub recording: PathBuf,
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
    /// First send so many small requests through the gateway, which must be counted, and no more
    #[arg(long, value_name = "N", help_heading = "Probe", requires_all = ["probe_url", "probe_model"], value_parser = clap::value_parser!(u32).range(1..))]
    pub probe: Option<u32>,
    /// Where to send them, for example http://gateway/v1/completions
    #[arg(long, value_name = "URL", help_heading = "Probe", requires = "probe", value_hint = ValueHint::Url)]
    pub probe_url: Option<String>,
    /// The model to ask for
    #[arg(long, value_name = "NAME", help_heading = "Probe", requires = "probe")]
    pub probe_model: Option<String>,
    /// Ask for streamed answers
    #[arg(long, help_heading = "Probe", requires = "probe")]
    pub probe_stream: bool,
    /// Headers to send, such as Authorization: one a line, NAME: VALUE
    #[arg(long, value_name = "FILE", help_heading = "Probe", requires = "probe", value_hint = ValueHint::FilePath)]
    pub probe_header_file: Option<PathBuf>,
    /// The CA certificates to trust for an HTTPS gateway, PEM
    #[arg(long, value_name = "FILE", help_heading = "Probe", requires = "probe", value_hint = ValueHint::FilePath)]
    pub probe_ca_file: Option<PathBuf>,
    /// What was good: a saved scrape, a recording (or FILE@TIME), or a report of metrics top -o json.
    /// Fails where metrics or labels are lost or renamed, or a model's p99 or error_rate got worse
    #[arg(long, value_name = "FILE", help_heading = "Baseline", value_hint = ValueHint::FilePath)]
    pub baseline: Option<String>,
    /// How much worse p99 and error_rate may be, of what they were. An error_rate that is higher by no more
    /// than chance explains (in 5 of 100 cases) is inconclusive
    #[arg(long, value_name = "PERCENT", help_heading = "Baseline", default_value = "20%", requires = "baseline", value_parser = tolerance)]
    pub tolerance: f64,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = SmokeOutput::Form(Output::Table))]
    pub output: SmokeOutput,
}

/// The forms that every output has, and those of pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmokeOutput {
    Form(Output),
    Junit,
    Github,
}

impl ValueEnum for SmokeOutput {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Form(Output::Table),
            Self::Form(Output::Wide),
            Self::Form(Output::Json),
            Self::Form(Output::Yaml),
            Self::Form(Output::Csv),
            Self::Junit,
            Self::Github,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Form(form) => form.to_possible_value(),
            Self::Junit => Some(PossibleValue::new("junit").help("For what reads test results")),
            Self::Github => Some(PossibleValue::new("github").help(
                "For GitHub Actions: annotations, and a summary where GITHUB_STEP_SUMMARY names a file",
            )),
        }
    }
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub source: SourceArgs,

    /// Look again until nothing fails, for at most so long
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub wait: Option<Duration>,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum Rbac {
    /// Print manifests that grant what is needed, for kubectl apply -f -
    ///
    /// reader: a ServiceAccount that may read the pickers' metrics, as in the metrics guide of the Gateway
    /// API Inference Extension. operator: a Role for those who run igctl, bound to --user and --group.
    /// picker: the right of a picker's ServiceAccount to ask the API server whose a token is and what its
    /// owner may do, with --picker. Contacts no cluster.
    #[command(after_help = RBAC_EXAMPLES)]
    Generate(RbacGenerate),
}

#[derive(Debug, Args)]
pub struct RbacGenerate {
    /// The pickers' namespace: a binding that names another one grants nothing
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: String,
    /// The parts to print [default: all; picker where --picker names it]
    #[arg(long, value_name = "PARTS", value_delimiter = ',', value_enum)]
    pub only: Vec<Part>,
    /// The reader's ServiceAccount
    #[arg(long, value_name = "NAME", default_value = crate::rbac::READER)]
    pub service_account: String,
    /// Also a Secret with a token of the reader that does not expire
    #[arg(long)]
    pub token_secret: bool,
    /// A user who runs igctl, as kubectl auth whoami has them; may be repeated
    #[arg(long = "user", value_name = "USER")]
    pub users: Vec<String>,
    /// A group whose members run igctl; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// The picker's ServiceAccount
    #[arg(long, value_name = "NAME")]
    pub picker: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Who may read metrics
    Reader,
    /// Who may run igctl
    Operator,
    /// What the picker may ask
    Picker,
}

#[derive(Debug, Args)]
pub struct Catalog {
    #[command(flatten)]
    pub source: SourceArgs,
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Table,
    /// For people with wide terminals: all that is known
    Wide,
    /// For programs; with -w one document a line
    Json,
    /// The same document as YAML
    Yaml,
    /// For spreadsheets: a line for each row
    Csv,
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
