//! Arguments and environment → [`Config`].

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};

use crate::rewrite::{self, Rewrite, Rewrites};

/// A minimal endpoint picker: names the model of each request, picks an
/// endpoint, and counts both
#[derive(Debug, Parser)]
#[command(name = "gateway-core", version)]
pub struct Arguments {
    /// Port of the external processing service (gRPC); 0 takes a free one
    #[arg(
        long,
        env = "IGW_GRPC_PORT",
        value_name = "PORT",
        default_value_t = 9002
    )]
    pub grpc_port: u16,

    /// Port of the gRPC health service; 0 takes a free one
    #[arg(
        long,
        env = "IGW_GRPC_HEALTH_PORT",
        value_name = "PORT",
        default_value_t = 9003
    )]
    pub grpc_health_port: u16,

    /// Port of /metrics; 0 takes a free one
    #[arg(
        long,
        env = "IGW_METRICS_PORT",
        value_name = "PORT",
        default_value_t = 9090
    )]
    pub metrics_port: u16,

    /// Whether readers of /metrics need a bearer token whose owner the cluster
    /// allows to "get" the non-resource URL /metrics
    #[arg(
        long,
        env = "IGW_METRICS_ENDPOINT_AUTH",
        value_name = "BOOL",
        default_value_t = true,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub metrics_endpoint_auth: bool,

    /// Folder with tls.crt and tls.key for /metrics; without it, /metrics is
    /// plain HTTP
    #[arg(long, env = "IGW_METRICS_CERT_DIR", value_name = "FOLDER")]
    pub metrics_cert_dir: Option<PathBuf>,

    /// Whether gateways must speak TLS (true) or may not (false); by default
    /// both TLS and plain text are understood
    #[arg(
        long,
        env = "IGW_SECURE_SERVING",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub secure_serving: Option<bool>,

    /// Folder with tls.crt and tls.key for gateways; without it, the
    /// certificate is self-signed
    #[arg(long, env = "IGW_CERT_PATH", value_name = "FOLDER")]
    pub cert_path: Option<PathBuf>,

    /// InferencePool whose ready pods requests are sent to
    #[arg(
        long,
        env = "IGW_POOL_NAME",
        value_name = "NAME",
        required_unless_present = "endpoints"
    )]
    pub pool_name: Option<String>,

    /// Namespace of the pool; by default the one that this runs in
    #[arg(
        long,
        env = "IGW_POOL_NAMESPACE",
        value_name = "NAMESPACE",
        requires = "pool_name"
    )]
    pub pool_namespace: Option<String>,

    /// Model servers to send requests to, instead of a pool's; names are
    /// resolved every 30 s, to IPv4 addresses if they have any
    #[arg(
        long,
        env = "IGW_ENDPOINTS",
        value_name = "HOST:PORT",
        value_delimiter = ',',
        conflicts_with_all = ["pool_name", "pool_namespace"]
    )]
    pub endpoints: Vec<Authority>,

    /// Sends requests for MODEL to TARGET; several of one MODEL share its
    /// requests by weight
    #[arg(
        long,
        env = "IGW_REWRITE",
        value_name = "MODEL=TARGET:WEIGHT",
        value_delimiter = ','
    )]
    pub rewrite: Vec<Rewrite>,

    /// JSON file of more rewrites: {"MODEL": [{"target": "NAME", "weight": 1}]}
    #[arg(long, env = "IGW_REWRITE_FILE", value_name = "FILE")]
    pub rewrite_file: Option<PathBuf>,

    /// Models that are counted under their own name whatever else comes, as
    /// those of rewrites are
    #[arg(long, env = "IGW_MODELS", value_name = "MODEL", value_delimiter = ',')]
    pub models: Vec<String>,

    /// How many other model names are counted under their own, as long as they
    /// have no more than 64 bytes each on average; the rest share "other"
    #[arg(
        long,
        env = "IGW_MAX_MODEL_NAMES",
        value_name = "COUNT",
        default_value_t = 1000
    )]
    pub max_model_names: usize,

    /// Longest request body in bytes; longer ones are answered 413
    #[arg(long, env = "IGW_MAX_BODY", value_name = "BYTES", default_value_t = 32 << 20)]
    pub max_body: usize,

    /// Requests that one endpoint may have in flight; when all have so many,
    /// requests are answered 429
    #[arg(long, env = "IGW_MAX_INFLIGHT_PER_ENDPOINT", value_name = "COUNT")]
    pub max_inflight_per_endpoint: Option<NonZeroUsize>,

    /// How many endpoints to name after the first, for gateways that try them
    /// in turn
    #[arg(
        long,
        env = "IGW_FALLBACK_ENDPOINTS",
        value_name = "COUNT",
        default_value_t = 0
    )]
    pub fallback_endpoints: usize,

    /// Obeys the headers of GIE's conformance suite; for tests only
    #[arg(long, env = "IGW_CONFORMANCE")]
    pub conformance: bool,

    /// Seconds that requests under way have to end after SIGTERM
    #[arg(
        long,
        env = "IGW_GRACE_PERIOD",
        value_name = "SECONDS",
        default_value_t = 25
    )]
    pub grace_period: u64,

    /// Least important log lines that are written
    #[arg(
        long,
        env = "IGW_LOG_LEVEL",
        value_name = "LEVEL",
        default_value = "info"
    )]
    pub log_level: tracing::Level,

    /// How log lines are written
    #[arg(
        long,
        alias = "zap-encoder",
        env = "IGW_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[value(alias = "console")]
    Text,
    /// One JSON object per line.
    Json,
}

/// What the arguments mean.
#[derive(Debug)]
pub struct Config {
    /// Model servers; `HOST` may be a name.
    pub endpoints: Vec<Authority>,
    /// The InferencePool that `endpoints` are taken from instead.
    pub pool: Option<PoolName>,
    /// Which models stand for others.
    pub rewrites: Rewrites,
    /// Model names that always have series of their own, beside those of
    /// `rewrites`.
    pub models: Vec<String>,
    /// How many further model names get series of their own.
    pub max_model_names: usize,
    /// Longest request body, in bytes.
    pub max_body: usize,
    /// Whether the cluster is asked who may read `/metrics`.
    pub metrics_auth: bool,
    /// Folder with the certificate of `/metrics`; without one it is plain HTTP.
    pub metrics_certificate: Option<PathBuf>,
    /// Whether gateways must speak TLS or may not; by default they may.
    pub secure_serving: Option<bool>,
    /// Folder with the certificate for gateways; without one it is self-signed.
    pub certificate: Option<PathBuf>,
    /// Requests that one endpoint may have in flight.
    pub max_in_flight: Option<NonZeroUsize>,
    /// How many endpoints are named after the first.
    pub fallbacks: usize,
    /// Whether the headers of GIE's conformance suite are obeyed.
    pub conformance: bool,
    /// How long requests may go on after the signal to stop.
    pub grace_period: Duration,
    /// How long a gateway may be silent before it is asked whether it is still
    /// there, and how long it may take to answer. No argument sets it.
    pub keepalive: Duration,
}

/// As the command line, but without endpoints.
impl Default for Config {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            pool: None,
            rewrites: Rewrites::default(),
            models: Vec::new(),
            max_model_names: 1000,
            max_body: 32 << 20,
            metrics_auth: true,
            metrics_certificate: None,
            secure_serving: None,
            certificate: None,
            max_in_flight: None,
            fallbacks: 0,
            conformance: false,
            grace_period: Duration::from_secs(25),
            keepalive: Duration::from_secs(20),
        }
    }
}

/// Why arguments make no sense.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("reading the rewrite file {}", path.display())]
    RewriteFile {
        /// As given.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Its content, or a `--rewrite`, is no good.
    #[error("putting the model rewrites together")]
    Rewrites(#[source] rewrite::Error),
    /// `--cert-path` with `--secure-serving=false`.
    #[error("--cert-path is a certificate for TLS, and --secure-serving=false turns TLS off")]
    UnusedCertificate,
}

impl Error {
    /// What to try next, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Rewrites(rewrite::Error::Json(_)) => Some(
                "a rewrite file is JSON as {\"MODEL\": [{\"target\": \"NAME\", \"weight\": 1}]}, \
                 each MODEL once and with at least one target",
            ),
            Self::UnusedCertificate => Some("leave out --cert-path, or --secure-serving=false"),
            Self::RewriteFile { .. } | Self::Rewrites(_) => None,
        }
    }
}

impl Config {
    /// Reads the files that the arguments name, and checks one against the
    /// other.
    ///
    /// # Errors
    /// A file cannot be read, rewrites do not fit together, or an argument would
    /// do nothing.
    pub fn from_arguments(arguments: Arguments) -> Result<Self, Error> {
        if arguments.secure_serving == Some(false) && arguments.cert_path.is_some() {
            return Err(Error::UnusedCertificate);
        }
        let mut rewrites = arguments.rewrite;
        if let Some(path) = arguments.rewrite_file {
            let json = std::fs::read_to_string(&path)
                .map_err(|source| Error::RewriteFile { path, source })?;
            rewrites.extend(Rewrites::read(&json).map_err(Error::Rewrites)?);
        }
        Ok(Self {
            endpoints: arguments.endpoints,
            pool: arguments.pool_name.map(|name| PoolName {
                namespace: arguments.pool_namespace,
                name,
            }),
            rewrites: Rewrites::new(rewrites).map_err(Error::Rewrites)?,
            models: arguments.models,
            max_model_names: arguments.max_model_names,
            max_body: arguments.max_body,
            metrics_auth: arguments.metrics_endpoint_auth,
            metrics_certificate: arguments.metrics_cert_dir,
            secure_serving: arguments.secure_serving,
            certificate: arguments.cert_path,
            max_in_flight: arguments.max_inflight_per_endpoint,
            fallbacks: arguments.fallback_endpoints,
            conformance: arguments.conformance,
            grace_period: Duration::from_secs(arguments.grace_period),
            keepalive: Self::default().keepalive,
        })
    }
}

/// Which InferencePool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolName {
    /// Without one, that of the pod, or of the kubeconfig.
    pub namespace: Option<String>,
    /// As in its metadata.
    pub name: String,
}

/// `HOST:PORT`, where the host is a name, an IPv4 address or an IPv6 address
/// in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Without brackets.
    pub host: String,
    /// Not 0.
    pub port: u16,
}

/// A text that is no `HOST:PORT`.
#[derive(Debug, thiserror::Error)]
#[error("an endpoint is HOST:PORT, or [HOST]:PORT for IPv6")]
pub struct NotAnAuthority;

impl FromStr for Authority {
    type Err = NotAnAuthority;

    fn from_str(text: &str) -> Result<Self, NotAnAuthority> {
        let (host, port) = text.rsplit_once(':').ok_or(NotAnAuthority)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(host) => host,
            None if host.contains(':') => return Err(NotAnAuthority),
            None => host,
        };
        match port.parse() {
            Ok(port @ 1..) if !host.is_empty() => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err(NotAnAuthority),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, Error> {
        let program = std::iter::once(&"gateway-core");
        let arguments = Arguments::try_parse_from(program.chain(arguments)).expect("arguments");
        Config::from_arguments(arguments)
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        let endpoint = "10.0.0.1:80";
        let typed = config(&["--endpoints", endpoint]).expect("a config");
        let default = Config {
            endpoints: vec![endpoint.parse().expect("an endpoint")],
            ..Config::default()
        };
        assert_eq!(format!("{typed:?}"), format!("{default:?}"));
    }

    #[test]
    fn the_flags_of_other_pickers_manifests_are_understood() {
        let arguments = Arguments::try_parse_from([
            "gateway-core",
            "--zap-encoder",
            "json",
            "--grpc-port",
            "9002",
            "--grpc-health-port",
            "9003",
            "--metrics-endpoint-auth=false",
            "--pool-name",
            "pool",
            "--pool-namespace",
            "ns",
        ])
        .expect("arguments");
        assert_eq!(
            (arguments.log_format, arguments.metrics_endpoint_auth),
            (LogFormat::Json, false)
        );
    }

    #[test]
    fn endpoints_are_hosts_with_ports() {
        let read = [
            "10.0.0.1:80",
            "[::1]:80",
            "a.b:1",
            "::1:80",
            "a",
            "a:0",
            ":80",
            "a:b",
        ]
        .map(|text| text.parse::<Authority>().ok().map(|read| read.to_string()));
        let expected = [
            Some("10.0.0.1:80"),
            Some("[::1]:80"),
            Some("a.b:1"),
            None,
            None,
            None,
            None,
            None,
        ];
        assert_eq!(read, expected.map(|text| text.map(str::to_owned)));
    }

    #[test]
    fn arguments_that_would_do_nothing_are_refused() {
        let endpoints = ["gateway-core", "--endpoints", "10.0.0.1:80"];
        let parsed = [&["--pool-namespace", "ns"][..], &["--pool-name", "p"]]
            .map(|more| Arguments::try_parse_from(endpoints.iter().chain(more)).is_ok());
        let certificate = [
            "--pool-name=p",
            "--secure-serving=false",
            "--cert-path=folder",
        ];
        let configured = config(&certificate).err().map(|error| error.to_string());
        let expected =
            "--cert-path is a certificate for TLS, and --secure-serving=false turns TLS off";
        assert_eq!(
            (parsed, configured.as_deref()),
            ([false, false], Some(expected))
        );
    }

    #[test]
    fn a_missing_rewrite_file_is_named() {
        let error = config(&["--pool-name", "p", "--rewrite-file", "/does/not/exist"])
            .expect_err("no such file");
        assert_eq!(
            error.to_string(),
            "reading the rewrite file /does/not/exist"
        );
    }
}
