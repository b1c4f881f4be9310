//! What was meant by the arguments: defaults filled in, flags checked against each other, every name
//! typed. Nothing after this sees a raw string.

pub mod smoke;

use std::path::PathBuf;
use std::time::Duration;

use globset::{Glob, GlobMatcher};

use crate::cli;
use crate::report::{Dimension, Order};
use crate::vocabulary::Signal;

/// What to read: what there is, or what we make.
#[derive(Debug, Clone)]
pub enum Input {
    /// gateway-core in this process, with made-up traffic.
    Demo,
    /// Something that exists.
    Source(Box<Source>),
}

/// Where the metrics come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Scrapes that were saved, each of one pod.
    Files(Vec<FileSource>),
    /// A metrics page at an address.
    Url(UrlSource),
    /// Endpoint pickers in a Kubernetes cluster.
    Cluster(ClusterSource),
}

/// A scrape that was saved.
#[derive(Debug, Clone)]
pub enum FileSource {
    /// `-f -`
    Stdin,
    /// `-f FILE`
    Path(PathBuf),
}

/// A metrics page at an address.
#[derive(Debug, Clone)]
pub struct UrlSource {
    /// The whole address, path included.
    pub url: reqwest::Url,
    /// What to show when the page asks for a token.
    pub token: TokenSource,
    /// Whom to trust.
    pub tls: Tls,
}

/// Endpoint pickers in a Kubernetes cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterSource {
    /// `--kubeconfig`; else `KUBECONFIG`, `~/.kube/config`, or the pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`; else the kubeconfig's current one.
    pub context: Option<String>,
    /// `-n`; else the context's.
    pub namespace: Option<String>,
    /// `-A`
    pub all_namespaces: bool,
    /// `--as` and `--as-group`
    pub impersonate: Option<Impersonate>,
    /// How long each single request may take.
    pub request_timeout: Option<Duration>,
    /// Which pods.
    pub select: Select,
    /// `--metrics-port`; else found from the pod.
    pub metrics_port: Option<u16>,
    /// Scrape the pod's address instead of a port-forward.
    pub direct: bool,
    /// What to show when a picker asks for a token.
    pub token: TokenSource,
    /// Whom to trust.
    pub tls: Tls,
}

/// The user to act as.
#[derive(Debug, Clone)]
pub struct Impersonate {
    /// `--as`
    pub user: String,
    /// `--as-group`
    pub groups: Vec<String>,
}

/// Which pods are meant.
#[derive(Debug, Clone, Default)]
pub enum Select {
    /// The pickers of all InferencePools in the namespace.
    #[default]
    Pools,
    /// `pod/NAME`
    Pod(String),
    /// `svc/NAME`
    Service(String),
    /// `deploy/NAME`
    Deployment(String),
    /// `pool/NAME`
    Pool(String),
    /// `-l SELECTOR`
    Labels(String),
}

/// Where a token for the picker comes from.
#[derive(Debug, Clone, Default)]
pub enum TokenSource {
    /// Try without; on 401 mint one for the reader's account.
    #[default]
    Auto,
    /// Never send one.
    None,
    /// Mint one for this account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Read it from a file, anew each time.
    File(PathBuf),
    /// Read it from a Secret of type `kubernetes.io/service-account-token`.
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// How a metrics endpoint proves itself, and we to it.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Trust anyone.
    pub insecure_skip_verify: bool,
    /// PEM certificate to show.
    pub client_cert: Option<PathBuf>,
    /// Its PEM key.
    pub client_key: Option<PathBuf>,
}

/// What `igctl metrics top` shall do.
#[derive(Debug, Clone)]
pub struct TopConfig {
    /// What to read.
    pub input: Input,
    /// When to read and when to print.
    pub pace: Pace,
    /// The form of the output.
    pub format: Format,
    /// 0 to 1, in the order shown.
    pub quantiles: Vec<f64>,
    /// Which latency the quantile columns show.
    pub latency: Signal,
    /// What a row is about; `None`: model and target, and the pool where there are several.
    pub by: Option<Vec<Dimension>>,
    /// How rows are ordered.
    pub order: Order,
    /// At most so many rows.
    pub limit: Option<usize>,
    /// Only models that match.
    pub models: Option<GlobMatcher>,
}

/// When to read and when to print.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// One read, one report since the start.
    Once,
    /// Two reads so far apart, one report of what happened in between.
    Window(Duration),
    /// A report at each interval, over at most `back`.
    Watch {
        /// Between two reads.
        interval: Duration,
        /// How far back a report looks.
        back: Duration,
    },
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For people with wide terminals.
    Wide,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// An argument that clap could not check by itself.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub struct UsageError(String);

/// How far back a refreshing table looks.
const WATCH_BACK: Duration = Duration::from_secs(60);

impl Input {
    /// What the source flags mean, the demo included.
    ///
    /// # Errors
    /// As [`Source::from_args`], and for a demo that was not built in.
    pub fn from_args(args: &cli::SourceArgs) -> Result<Self, UsageError> {
        match args.demo {
            true if cfg!(feature = "demo") => Ok(Self::Demo),
            true => Err(UsageError("this igctl was built without --demo".to_owned())),
            false => Source::from_args(args).map(|source| Self::Source(Box::new(source))),
        }
    }

    /// False for a saved scrape, which is the same however often one looks at it.
    fn changes(&self) -> bool {
        !matches!(self, Self::Source(source) if matches!(**source, Source::Files(_)))
    }
}

impl Source {
    /// The source that the arguments name; `None` where they name none, and the whole namespace is not
    /// meant.
    ///
    /// # Errors
    /// As [`Self::from_args`]; a demo is no source here.
    pub fn if_named(args: &cli::SourceArgs) -> Result<Option<Self>, UsageError> {
        if args.demo {
            return Err(UsageError("--demo goes with metrics top".to_owned()));
        }
        let named = args.target.is_some()
            || args.selector.is_some()
            || args.url.is_some()
            || !args.file.is_empty();
        if named {
            Self::from_args(args).map(Some)
        } else {
            Ok(None)
        }
    }

    /// What the source flags mean.
    ///
    /// # Errors
    /// For a target, URL, label or account that cannot be one.
    pub fn from_args(args: &cli::SourceArgs) -> Result<Self, UsageError> {
        let tls = Tls {
            ca_file: args.metrics_ca_file.clone(),
            insecure_skip_verify: args.metrics_insecure_skip_tls_verify,
            client_cert: args.metrics_client_cert.clone(),
            client_key: args.metrics_client_key.clone(),
        };
        if !args.file.is_empty() {
            let source = |path: &PathBuf| match path.to_str() {
                Some("-") => FileSource::Stdin,
                _ => FileSource::Path(path.clone()),
            };
            if args
                .file
                .iter()
                .filter(|path| path.to_str() == Some("-"))
                .count()
                > 1
            {
                return Err(UsageError(
                    "stdin can be read only once: -f - stands twice".to_owned(),
                ));
            }
            return Ok(Self::Files(args.file.iter().map(source).collect()));
        }
        let token = TokenSource::from_args(args)?;
        if let Some(url) = &args.url {
            let url = reqwest::Url::parse(url)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .ok_or_else(|| {
                    UsageError(format!(
                        "--url {url}: not an address like http://127.0.0.1:9090/metrics"
                    ))
                })?;
            return Ok(Self::Url(UrlSource { url, token, tls }));
        }
        let select = match (&args.target, &args.selector) {
            (Some(target), _) => Select::from_target(target)?,
            (None, Some(selector)) => Select::Labels(selector.clone()),
            (None, None) => Select::Pools,
        };
        if args.all_namespaces && !matches!(select, Select::Pools | Select::Labels(_)) {
            return Err(UsageError(
                "-A goes with no target or with -l: a name is looked up in one namespace"
                    .to_owned(),
            ));
        }
        Ok(Self::Cluster(ClusterSource {
            kubeconfig: args.kubeconfig.clone(),
            context: args.context.clone(),
            namespace: args.namespace.clone(),
            all_namespaces: args.all_namespaces,
            impersonate: args.as_user.clone().map(|user| Impersonate {
                user,
                groups: args.as_groups.clone(),
            }),
            request_timeout: args.request_timeout,
            select,
            metrics_port: args.metrics_port,
            direct: args.direct,
            token,
            tls,
        }))
    }
}

impl Select {
    /// `pod/NAME` and so on, with the kinds' short and long names as kubectl has them.
    fn from_target(target: &str) -> Result<Self, UsageError> {
        let wrong = || {
            UsageError(format!(
                "{target:?} is no target; write pod/NAME, svc/NAME, deploy/NAME or pool/NAME"
            ))
        };
        let (kind, name) = target
            .split_once('/')
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(wrong)?;
        let name = name.to_owned();
        match kind {
            "pod" | "pods" | "po" => Ok(Self::Pod(name)),
            "svc" | "service" | "services" => Ok(Self::Service(name)),
            "deploy" | "deployment" | "deployments" => Ok(Self::Deployment(name)),
            "pool" | "inferencepool" | "inferencepools" | "infpool" => Ok(Self::Pool(name)),
            _ => Err(wrong()),
        }
    }
}

impl TokenSource {
    fn from_args(args: &cli::SourceArgs) -> Result<Self, UsageError> {
        // NAME alone is in the namespace that was named.
        let account = |flag: &str, text: &str| match (text.split_once('/'), &args.namespace) {
            (Some((namespace, name)), _) if !namespace.is_empty() && !name.is_empty() => {
                Ok((namespace.to_owned(), name.to_owned()))
            }
            (None, Some(namespace)) if !text.is_empty() => Ok((namespace.clone(), text.to_owned())),
            _ => Err(UsageError(format!(
                "{flag} {text}: write NAMESPACE/NAME, or NAME with -n"
            ))),
        };
        if args.auth == cli::Auth::None {
            if args.service_account.is_some()
                || args.token_file.is_some()
                || args.token_secret.is_some()
            {
                return Err(UsageError(
                    "--auth none sends no token: leave out the flag that says where it is from"
                        .to_owned(),
                ));
            }
            return Ok(Self::None);
        }
        if let Some(text) = &args.service_account {
            let (namespace, name) = account("--service-account", text)?;
            return Ok(Self::ServiceAccount { namespace, name });
        }
        if let Some(text) = &args.token_secret {
            let (namespace, name) = account("--token-secret", text)?;
            return Ok(Self::Secret { namespace, name });
        }
        Ok(args.token_file.clone().map_or(Self::Auto, Self::File))
    }
}

impl TopConfig {
    /// What the arguments of `metrics top` mean, for a stdout that is a terminal or not.
    ///
    /// # Errors
    /// For arguments that contradict each other or cannot be understood.
    pub fn from_args(args: &cli::Top, terminal: bool) -> Result<Self, UsageError> {
        let input = Input::from_args(&args.source)?;
        let order = order(&args.sort, &args.quantiles)?;
        let changes = input.changes();
        let watch = args.watch || terminal && !args.once && args.output.is_none() && changes;
        let pace = match args.window {
            _ if watch => Pace::Watch {
                interval: args.interval,
                back: args.window.unwrap_or(WATCH_BACK),
            },
            Some(_) if !changes => return Err(cannot_be_read_again("--window")),
            Some(window) => Pace::Window(window),
            None => Pace::Once,
        };
        let models = match &args.model {
            None => None,
            Some(glob) => match Glob::new(glob) {
                Ok(glob) => Some(glob.compile_matcher()),
                Err(e) => return Err(UsageError(format!("-m {glob}: {}", e.kind()))),
            },
        };
        Ok(Self {
            input,
            pace,
            format: match args.output {
                None | Some(cli::Output::Table) => Format::Table,
                Some(cli::Output::Wide) => Format::Wide,
                Some(cli::Output::Json) => Format::Json,
                Some(cli::Output::Csv) => Format::Csv,
            },
            quantiles: args.quantiles.clone(),
            latency: match args.latency {
                cli::Latency::E2e => Signal::Latency,
                cli::Latency::Ttft => Signal::TimeToFirstToken,
                cli::Latency::Tpot => Signal::TimePerOutputToken,
                cli::Latency::Itl => Signal::InterTokenLatency,
                cli::Latency::Ntpot => Signal::NormalizedTimePerOutputToken,
            },
            by: dimensions(&args.by)?,
            order,
            limit: args.limit.map(|limit| limit as usize),
            models,
        })
    }
}

fn cannot_be_read_again(flag: &str) -> UsageError {
    UsageError(format!(
        "{flag} needs a source that can be read twice, not a saved scrape"
    ))
}

fn order(column: &str, quantiles: &[f64]) -> Result<Order, UsageError> {
    let known = match column {
        "requests" => Some(Order::Requests),
        "rate" => Some(Order::Rate),
        "errors" => Some(Order::Errors),
        "error-rate" => Some(Order::ErrorRate),
        "in-flight" => Some(Order::InFlight),
        "name" => Some(Order::Name),
        other => other
            .strip_prefix(['p', 'P'])
            .and_then(|percent| percent.parse::<f64>().ok())
            .map(|percent| percent / 100.0)
            .filter(|q| quantiles.contains(q))
            .map(Order::Quantile),
    };
    known.ok_or_else(|| {
        UsageError(format!(
            "--sort {column}: no such column; there are requests, rate, errors, error-rate, in-flight, name and the quantiles shown, such as p{}",
            quantiles.last().map_or(99.0, |q| q * 100.0)
        ))
    })
}

fn dimensions(by: &[cli::By]) -> Result<Option<Vec<Dimension>>, UsageError> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for dimension in by {
        let dimension = match dimension {
            cli::By::Model => Dimension::Model,
            cli::By::Target => Dimension::Target,
            cli::By::Pool => Dimension::Pool,
            cli::By::Pod => Dimension::Pod,
            cli::By::Priority => Dimension::Priority,
            cli::By::Fairness => Dimension::Fairness,
        };
        if dimensions.contains(&dimension) {
            return Err(UsageError(format!("--by names {} twice", dimension.name())));
        }
        dimensions.push(dimension);
    }
    Ok((!dimensions.is_empty()).then_some(dimensions))
}
