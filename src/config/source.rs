//! Where metrics come from, and how to get at them, as the source flags say.

use std::path::PathBuf;
use std::time::Duration;

use super::diff::moment_of;
use super::{UsageError, stdin_twice};
use crate::by_hand::ByHand;
use crate::cli;
use crate::recording::{At, is_recording};
use crate::shell::word;

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
    Files(FilesSource),
    /// A moment of a recording.
    Recording(RecordingSource),
    /// A metrics page at an address.
    Url(UrlSource),
    /// Endpoint pickers in a Kubernetes cluster.
    Cluster(ClusterSource),
}

/// Scrapes that were saved.
#[derive(Debug, Clone)]
pub struct FilesSource {
    /// Each of one pod.
    pub files: Vec<FileSource>,
    /// How much to read of each.
    pub max_scrape: MaxScrape,
}

/// A scrape that was saved.
#[derive(Debug, Clone)]
pub enum FileSource {
    /// `-f -`
    Stdin,
    /// `-f FILE`
    Path(PathBuf),
}

/// A moment of a recording.
#[derive(Debug, Clone)]
pub struct RecordingSource {
    /// `-f`, which was seen to be one.
    pub path: PathBuf,
    /// `--at`
    pub at: At,
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
    /// How long each single request may take.
    pub request_timeout: Option<Duration>,
    /// How much to read.
    pub max_scrape: MaxScrape,
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
    /// How much to read of each.
    pub max_scrape: MaxScrape,
}

/// The longest answer or saved scrape that is read, in bytes, packed and unpacked: five times what a picker at its cap of models says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxScrape(pub usize);

impl Default for MaxScrape {
    fn default() -> Self {
        Self(256 << 20)
    }
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

impl Input {
    /// What the source flags mean, the demo included.
    ///
    /// # Errors
    /// As [`Source::from_args`], and for a demo that was not built in.
    pub fn from_args(args: &cli::SourceArgs) -> Result<Self, UsageError> {
        match args.demo {
            true if cfg!(feature = "demo") => Ok(Self::Demo),
            true => Err(UsageError::new(
                "this igctl was built without --demo".to_owned(),
            )),
            false => Source::from_args(args).map(|source| Self::Source(Box::new(source))),
        }
    }

    /// False for what was saved, which is the same however often one looks at it.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Source(source) if matches!(**source, Source::Files(_) | Source::Recording(_)))
    }

    /// True for what was said at another time, which is known.
    pub fn is_recording(&self) -> bool {
        self.recording().is_some()
    }

    pub(super) fn recording(&self) -> Option<&RecordingSource> {
        match self {
            Self::Source(source) => match &**source {
                Source::Recording(recording) => Some(recording),
                _ => None,
            },
            Self::Demo => None,
        }
    }

    /// True where stdin is read.
    pub(super) fn is_stdin(&self) -> bool {
        matches!(self, Self::Source(source) if source.is_stdin())
    }

    /// False for a saved scrape, which is of one moment only.
    pub(super) fn has_windows(&self) -> bool {
        !matches!(self, Self::Source(source) if matches!(**source, Source::Files(_)))
    }
}

impl Source {
    /// True where stdin is read.
    pub(super) fn is_stdin(&self) -> bool {
        match self {
            Self::Files(saved) => saved
                .files
                .iter()
                .any(|file| matches!(file, FileSource::Stdin)),
            Self::Recording(recording) => recording.path.to_str() == Some("-"),
            Self::Url(_) | Self::Cluster(_) => false,
        }
    }

    /// The source that the arguments name; `None` where they name none.
    ///
    /// # Errors
    /// As [`Self::from_args`]; a demo is no source here.
    pub fn if_named(args: &cli::SourceArgs) -> Result<Option<Self>, UsageError> {
        if args.demo {
            return Err(UsageError::new(
                "metrics catalog takes no --demo".to_owned(),
            ));
        }
        let named = args.target.is_some()
            || args.namespace.is_some()
            || args.all_namespaces
            || args.selector.is_some()
            || args.url.is_some()
            || !args.file.is_empty()
            || args.context.is_some()
            || args.kubeconfig.is_some()
            || args.as_user.is_some()
            || args.service_account.is_some()
            || args.token_secret.is_some()
            || args.token_file.is_some();
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
        if let Some(path) = args.file.iter().find(|path| is_recording(path)) {
            if args.file.len() > 1 {
                return Err(UsageError::new(format!(
                    "{} is a recording, which has all its replicas: leave out the other -f",
                    path.display()
                )));
            }
            return Ok(Self::Recording(RecordingSource {
                path: path.clone(),
                at: args.at.unwrap_or_default(),
            }));
        }
        if args.at.is_some() {
            return Err(UsageError::new(match &args.file[..] {
                [path, ..] => format!("--at needs a recording, and {} is none", path.display()),
                [] => "--at needs a recording: -f FILE".to_owned(),
            }));
        }
        let texts = args.file.iter().filter(|path| !path.exists());
        if let Some((path, at)) = texts.filter_map(|path| moment_of(path.to_str()?)).next() {
            return Err(UsageError::new(format!(
                "-f takes no FILE@TIME: write -f {} --at {}",
                word(path),
                word(at)
            )));
        }
        if !args.file.is_empty() {
            let source = |path: &PathBuf| match path.to_str() {
                Some("-") => FileSource::Stdin,
                _ => FileSource::Path(path.clone()),
            };
            let named_before = |at: usize| args.file[..at].contains(&args.file[at]);
            if let Some(at) = (0..args.file.len()).find(|at| named_before(*at)) {
                return Err(match args.file[at].to_str() {
                    Some("-") => stdin_twice(),
                    _ => UsageError::new(format!(
                        "-f {} stands twice: each file is another replica's, and counts are added",
                        args.file[at].display()
                    )),
                });
            }
            return Ok(Self::Files(FilesSource {
                files: args.file.iter().map(source).collect(),
                max_scrape: args.max_scrape,
            }));
        }
        let token = TokenSource::from_args(args)?;
        if let Some(url) = &args.url {
            let url = reqwest::Url::parse(url)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .ok_or_else(|| {
                    // It may hold a password.
                    let url = url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host);
                    UsageError::new(format!(
                        "--url {url}: not an address like http://127.0.0.1:9090/metrics"
                    ))
                })?;
            return Ok(Self::Url(UrlSource {
                url,
                token,
                tls,
                request_timeout: args.request_timeout,
                max_scrape: args.max_scrape,
            }));
        }
        let select = match (&args.target, &args.selector) {
            (Some(target), _) => Select::from_target(target)?,
            (None, Some(selector)) => Select::Labels(selector.clone()),
            (None, None) => Select::Pools,
        };
        if args.all_namespaces && !matches!(select, Select::Pools | Select::Labels(_)) {
            return Err(UsageError::new(
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
            max_scrape: args.max_scrape,
        }))
    }
}

/// The flags of the connection that were typed.
pub fn by_hand(args: &cli::SourceArgs) -> ByHand {
    ByHand::new(
        args.kubeconfig.as_deref(),
        args.context.as_deref(),
        args.as_user.as_deref(),
        &args.as_groups,
    )
}

impl ClusterSource {
    /// The flags of the connection that were typed.
    pub fn by_hand(&self) -> ByHand {
        let impersonate = self.impersonate.as_ref();
        ByHand::new(
            self.kubeconfig.as_deref(),
            self.context.as_deref(),
            impersonate.map(|impersonate| impersonate.user.as_str()),
            impersonate.map_or(&[], |impersonate| &impersonate.groups),
        )
    }
}

impl Select {
    /// `pod/NAME` and so on, with the kinds' short and long names as kubectl has them.
    fn from_target(target: &str) -> Result<Self, UsageError> {
        let wrong = || {
            UsageError::new(format!(
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
            _ => Err(UsageError::new(format!(
                "{flag} {text}: write NAMESPACE/NAME, or NAME with -n"
            ))),
        };
        if args.auth == cli::Auth::None {
            if args.service_account.is_some()
                || args.token_file.is_some()
                || args.token_secret.is_some()
            {
                return Err(UsageError::new(
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
