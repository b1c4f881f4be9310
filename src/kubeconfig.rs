//! Arguments and kubeconfig files → a [`Cluster`] that can be asked.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::by_hand::ByHand;
use crate::cluster::Cluster;
use crate::config::ClusterSource;
use crate::plugin::{self, PluginError};
use crate::token::Token;
use crate::{cause, error, retry};

/// What one request to the API server may take, unless `--request-timeout` says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// What a credential plugin may take; a person may have to log in.
const PLUGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no client for the API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No kubeconfig, and this is not a pod.
    #[error("no kubeconfig found, and this is not a pod of a cluster\n  looked at {looked}")]
    NoKubeconfig {
        /// Where it should have been.
        looked: String,
    },
    /// A kubeconfig cannot be read.
    #[error("cannot read the kubeconfig {}\n  {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Nothing says which cluster.
    #[error("the kubeconfig names no current context\n  contexts: {contexts}")]
    NoContext {
        /// Those that it has.
        contexts: String,
    },
    /// The context is not there.
    #[error("the kubeconfig has no context {context:?}\n  contexts: {contexts}")]
    UnknownContext {
        /// The one asked for.
        context: String,
        /// Those that it has.
        contexts: String,
    },
    /// The context, its cluster, or its user cannot be used.
    #[error("cannot use the kubeconfig's context {context:?}\n  {reason}")]
    Unusable {
        /// Its name.
        context: String,
        /// Why.
        reason: String,
    },
    /// The pod's own account cannot be used.
    #[error("cannot use this pod's ServiceAccount\n  {reason}")]
    InCluster {
        /// Why.
        reason: String,
    },
    /// The credential plugin.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

impl ConnectError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        match self {
            Self::NoKubeconfig { .. } => {
                Some("name one with --kubeconfig FILE; to see igctl without a cluster: igctl metrics top --demo".into())
            }
            Self::NoContext { .. } | Self::UnknownContext { .. } => {
                Some(format!("name one with --context NAME ({} config get-contexts shows them)", hand.admin()))
            }
            Self::Read { .. } | Self::Unusable { .. } => Some(format!("what kubectl makes of it:  {} config view", hand.admin())),
            Self::InCluster { .. } => Some("does the pod have automountServiceAccountToken: false?".into()),
            Self::Plugin(error) => error.hint(hand),
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoKubeconfig { .. } | Self::NoContext { .. } | Self::UnknownContext { .. } => {
                error::USAGE
            }
            Self::Read { .. } | Self::Unusable { .. } | Self::InCluster { .. } => error::ERROR,
            Self::Plugin(error) => error.exit_code(),
        }
    }
}

/// Makes a client as kubectl would: `--kubeconfig`, else `KUBECONFIG`, else `~/.kube/config`, else the pod's own account.
///
/// Contacts nobody but the kubeconfig's credential plugin.
pub async fn connect(source: &ClusterSource) -> Result<Cluster, ConnectError> {
    let hand = source.by_hand();
    let (context, mut config) = match read(source)? {
        Some(kubeconfig) => {
            let context = choose_context(&kubeconfig, source.context.as_deref())?;
            (context.clone(), from_kubeconfig(kubeconfig, context).await?)
        }
        None => (
            "in-cluster".into(),
            Config::incluster().map_err(|fault| ConnectError::InCluster {
                reason: cause::innermost(&fault),
            })?,
        ),
    };
    if let Some(impersonate) = &source.impersonate {
        config.auth_info.impersonate = Some(impersonate.user.clone());
        config.auth_info.impersonate_groups = Some(impersonate.groups.clone());
    }

    let mut expires = None;
    if let Some(exec) = config.auth_info.exec.take() {
        let credential =
            plugin::run(&exec, source.request_timeout.unwrap_or(PLUGIN_TIMEOUT)).await?;
        config.auth_info.token = credential.token.map(Into::into);
        config.auth_info.client_certificate_data = credential
            .client_certificate_data
            .map(|pem| BASE64_STANDARD.encode(pem));
        config.auth_info.client_key_data = credential
            .client_key_data
            .map(|pem| BASE64_STANDARD.encode(pem).into());
        expires = credential.expiration_timestamp;
    }

    let unusable = |reason| ConnectError::Unusable {
        context: context.clone(),
        reason,
    };
    config.cluster_url = server(&config).map_err(unusable)?;
    one_word_tokens(&mut config).map_err(unusable)?;

    tracing::info!("API server {}", config.cluster_url);
    let timeout = source.request_timeout.unwrap_or(REQUEST_TIMEOUT);
    let client =
        retry::client(config.clone(), timeout).map_err(|fault| unusable(why_unusable(fault)))?;
    let namespace =
        source
            .namespace
            .clone()
            .unwrap_or_else(|| match config.default_namespace.as_str() {
                "" => "default".into(),
                namespace => namespace.to_owned(),
            });
    Ok(Cluster {
        client,
        namespace,
        kubectl: hand.kubectl(),
        admin: hand.admin(),
        context,
        config,
        expires,
        timeout,
    })
}

/// The server's address with a scheme, without which kube has no request to make, and without the user and the password
/// that a URL may have, which are to be in no message.
///
/// Without a scheme kubectl takes https where anything is said of certificates. Where nothing is it takes http, which
/// shows the user's token to all on the way: that is to be asked for.
fn server(config: &Config) -> Result<Uri, String> {
    let mut parts = config.cluster_url.clone().into_parts();
    let authority = parts.authority.as_ref().map_or("", Authority::as_str);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let user = &config.auth_info;
    let says_tls = config.root_cert.is_some()
        || config.accept_invalid_certs
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some();
    if parts.scheme.is_none() && !says_tls {
        return Err(format!("its server {host:?} does not begin with https://"));
    }
    parts.scheme.get_or_insert(Scheme::HTTPS);
    parts
        .path_and_query
        .get_or_insert(PathAndQuery::from_static("/"));
    parts.authority = host.parse().ok();
    Uri::from_parts(parts).map_err(|fault| format!("its server is no URL: {fault}"))
}

/// Takes the blanks and line ends off the user's tokens, as kubectl does of a file's, and refuses what is no token: kube
/// panics at what no header can carry.
fn one_word_tokens(config: &mut Config) -> Result<(), String> {
    let user = &mut config.auth_info;
    let one_word = |what: &str, text: &str| match Token::new(text) {
        Some(token) => Ok(token.expose().to_owned()),
        None => Err(format!("{what} is not one word, as tokens are")),
    };
    let is_blank = |token: &SecretString| token.expose_secret().trim().is_empty();
    user.token = user.token.take().filter(|token| !is_blank(token));
    if let Some(token) = &user.token {
        user.token = Some(one_word("its user's token", token.expose_secret())?.into());
    } else if let Some(path) = &user.token_file {
        let text = fs::read_to_string(path)
            .map_err(|reason| format!("cannot read its user's tokenFile {path}: {reason}"))?;
        let token = one_word(
            &format!("the content of its user's tokenFile {path}"),
            &text,
        )?;
        // kube reads the file again and again, but as it is.
        if token != text {
            user.token = Some(token.into());
        }
    }
    let provider = user.auth_provider.iter_mut();
    for (key, value) in provider.flat_map(|provider| &mut provider.config) {
        if ["id-token", "access-token"].contains(&key.as_str()) {
            *value = one_word(&format!("the {key} of its user's auth-provider"), value)?;
        }
    }
    Ok(())
}

/// What is dangerous about the way to this cluster.
pub(crate) fn warnings(cluster: &Cluster) -> Vec<String> {
    let unverified = cluster.config.accept_invalid_certs;
    let warning = || {
        format!(
            "{} is not verified: insecure-skip-tls-verify is set in the kubeconfig",
            cluster.server()
        )
    };
    unverified.then(warning).into_iter().collect()
}

/// The merged kubeconfig; `None` where there is none and this is a pod.
fn read(source: &ClusterSource) -> Result<Option<Kubeconfig>, ConnectError> {
    let in_cluster = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    if let Some(path) = &source.kubeconfig {
        return read_files([path.clone()]).map(Some);
    }
    let (paths, looked): (Vec<PathBuf>, String) =
        match env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
            Some(list) => (
                env::split_paths(&list).collect(),
                format!("KUBECONFIG={}", list.display()),
            ),
            None => match env::home_dir() {
                Some(home) => (
                    vec![home.join(".kube/config")],
                    home.join(".kube/config").display().to_string(),
                ),
                None => (vec![], "KUBECONFIG and HOME, which are not set".into()),
            },
        };
    // As kubectl: files of the list that do not exist are passed over, for the list may name one to be written.
    let merged = read_files(
        paths
            .into_iter()
            .filter(|path| !path.as_os_str().is_empty() && path.exists()),
    )?;
    let says_nothing = merged.contexts.is_empty()
        && merged.clusters.is_empty()
        && merged.current_context.is_none();
    match says_nothing && source.context.is_none() {
        false => Ok(Some(merged)),
        true if in_cluster => Ok(None),
        true => Err(ConnectError::NoKubeconfig { looked }),
    }
}

fn read_files(paths: impl IntoIterator<Item = PathBuf>) -> Result<Kubeconfig, ConnectError> {
    paths
        .into_iter()
        .try_fold(Kubeconfig::default(), |merged, path| {
            let unreadable = |fault: KubeconfigError| ConnectError::Read {
                path: path.clone(),
                reason: why_unreadable(&fault),
            };
            // Programs and files in it are found from its folder, whatever the working directory is.
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            let mut next = Kubeconfig::read_from(absolute).map_err(unreadable)?;
            // An empty name is how `kubectl config unset` leaves it: not set, so that a later file may set it.
            next.current_context = next.current_context.filter(|name| !name.is_empty());
            merged.merge(next).map_err(unreadable)
        })
}

/// A YAML parser's complaint goes on to quote the lines around the fault, where secrets may be: its first line will do.
fn why_unreadable(fault: &KubeconfigError) -> String {
    cause::innermost(fault)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn choose_context(kubeconfig: &Kubeconfig, asked: Option<&str>) -> Result<String, ConnectError> {
    let contexts = || match kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .collect::<Vec<_>>()
    {
        names if names.is_empty() => "none".into(),
        names => names.join(", "),
    };
    let context = asked
        .or(kubeconfig.current_context.as_deref())
        .ok_or_else(|| ConnectError::NoContext {
            contexts: contexts(),
        })?;
    match kubeconfig
        .contexts
        .iter()
        .any(|known| known.name == context)
    {
        true => Ok(context.to_owned()),
        false => Err(ConnectError::UnknownContext {
            context: context.to_owned(),
            contexts: contexts(),
        }),
    }
}

async fn from_kubeconfig(kubeconfig: Kubeconfig, context: String) -> Result<Config, ConnectError> {
    let own_proxy = own_proxy(&kubeconfig, &context);
    let options = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|fault| ConnectError::Unusable {
            context,
            reason: fault.to_string(),
        })?;
    // kube holds NO_PROXY against the proxy's own address; it is about the server's, and the environment's proxy only.
    config.proxy_url = own_proxy.or_else(|| proxy_from_env(&config.cluster_url));
    Ok(config)
}

/// The `proxy-url` of the context's cluster.
fn own_proxy(kubeconfig: &Kubeconfig, context: &str) -> Option<Uri> {
    let context = kubeconfig
        .contexts
        .iter()
        .find(|known| known.name == context)?
        .context
        .as_ref()?;
    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|known| known.name == context.cluster)?
        .cluster
        .as_ref()?;
    cluster.proxy_url.as_ref()?.parse().ok()
}

fn proxy_from_env(server: &Uri) -> Option<Uri> {
    Matcher::from_env().intercept(server)?;
    let proxy = env::var("HTTPS_PROXY")
        .or_else(|_| env::var("https_proxy"))
        .ok()?;
    proxy.parse().ok()
}

/// kube quotes the output of a token command, and with it the token.
fn why_unusable(fault: kube::Error) -> String {
    match fault {
        kube::Error::Auth(kube::client::AuthError::AuthExecRun { out, .. }) => {
            format!("its auth-provider's command failed: {}", out.status)
        }
        // kube quotes the proxy's URL, which may have a password.
        kube::Error::ProxyProtocolUnsupported { .. } => {
            "its proxy is neither http, https nor socks5".into()
        }
        fault => match cause::find(&fault) {
            Some(LoadDataError::ReadFile(reason, path)) => {
                format!("cannot read {}: {reason}", path.display())
            }
            _ => cause::innermost(&fault),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_files_of_a_list_add_up() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            path
        };
        let null = file(
            "a.yaml",
            "kind: Config\nclusters: null\ncontexts: null\ncurrent-context: x1\nusers: null\n",
        );
        let empty = file("empty.yaml", "");
        let unset = file("unset.yaml", "kind: Config\ncurrent-context: ''\n");
        let good = file(
            "b.yaml",
            "kind: Config\ncontexts: [{name: x1, context: {cluster: c}}]\ncurrent-context: x2\n",
        );
        let chosen = |files: &[&PathBuf]| {
            let merged = read_files(files.iter().map(|&path| path.clone()))
                .map_err(|fault| fault.to_string())?;
            choose_context(&merged, None).map_err(|fault| fault.to_string())
        };

        assert_eq!(
            chosen(&[&null, &empty, &good]).as_deref(),
            Ok("x1"),
            "the first file to set it wins"
        );
        assert_eq!(
            chosen(&[&unset, &null, &good]).as_deref(),
            Ok("x1"),
            "an empty name sets nothing"
        );
        assert!(chosen(&[&null]).is_err_and(|fault| fault.contains("no context \"x1\"")));
    }
}
