//! The Kubernetes API server: asking it, and telling its refusals apart.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use kube::{Client, Config};

use crate::by_hand::ByHand;
use crate::shell::word;
use crate::{cause, error};

/// A Kubernetes API server that this user can talk to.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) client: Client,
    /// Where it was asked to look: `-n`, else the context's namespace.
    pub(crate) namespace: String,
    /// How to reach the same server as the same user by hand: `kubectl --context prod`.
    pub(crate) kubectl: String,
    /// The same without acting as another user.
    pub(crate) admin: String,
    /// The kubeconfig's context, or `in-cluster`.
    pub(crate) context: String,
    pub(crate) config: Config,
    /// When the user's credential ends, where that is known.
    pub(crate) expires: Option<Timestamp>,
    /// For each request.
    pub(crate) timeout: Duration,
}

impl Cluster {
    /// Makes one request, within the time limit, and says what was asked if it fails.
    pub(crate) async fn ask<T>(
        &self,
        right: Right,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, ApiError> {
        // No object is called so, and in an address it would be read as something else.
        if let Some(name) = &right.name
            && right.group != "rbac.authorization.k8s.io"
            && !is_name(name)
        {
            let right = Box::new(right);
            return Err(ApiError::NotFound { right });
        }
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(fault)) => Err(self.explain(Box::new(right), fault)),
            Err(_) => Err(ApiError::Silent {
                server: self.way(),
                right: Box::new(right),
                after: self.timeout,
            }),
        }
    }

    /// The namespace to look in where none is named.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The address of the API server.
    pub fn server(&self) -> String {
        self.config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned()
    }

    /// Its address, and the proxy on the way to it.
    pub(crate) fn way(&self) -> String {
        let proxy = self
            .config
            .proxy_url
            .as_ref()
            .and_then(|proxy| Some((proxy.host()?, proxy.port_u16()?)));
        match proxy {
            Some((host, port)) => format!("{} through the proxy {host}:{port}", self.server()),
            None => self.server(),
        }
    }

    fn explain(&self, right: Box<Right>, fault: kube::Error) -> ApiError {
        match fault {
            kube::Error::Api(status) => match status.code {
                401 => ApiError::Unauthenticated {
                    server: self.server(),
                },
                // What it relays of a kubelet or a pod is in their words.
                403 if status.reason == NO_STATUS && !right.resource.starts_with("pods/") => {
                    ApiError::Unreadable {
                        server: self.way(),
                        right,
                        said: said(status.code, &status.message),
                    }
                }
                403 if status.message.contains("cannot impersonate") => ApiError::MayNotAct {
                    message: status.message,
                },
                403 => ApiError::Forbidden {
                    right,
                    message: status.message,
                },
                404 => ApiError::NotFound { right },
                code => ApiError::Failed {
                    right,
                    code,
                    message: status.message,
                },
            },
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => ApiError::Unreadable {
                server: self.way(),
                right,
                said: String::new(),
            },
            fault => ApiError::Unreachable {
                server: self.way(),
                reason: cause::innermost(&fault),
            },
        }
    }
}

/// The reason that kube gives where an answer has no `Status`: it is some proxy's, not the API server's.
const NO_STATUS: &str = "Failed to parse error data";
/// Of a page that is no `Status`, so many characters are shown.
const SHOWN: usize = 200;

fn said(code: u16, page: &str) -> String {
    let start: String = page.chars().take(SHOWN).collect();
    format!("\n  its answer is {code} {start:?}")
}

/// One thing to be allowed, as RBAC counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// `get`, `list`, `create`
    pub verb: &'static str,
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// In the plural, with its subresource: `pods/portforward`.
    pub resource: &'static str,
    /// Where; `None` is the whole cluster.
    pub namespace: Option<String>,
    /// Which; `None` is any.
    pub name: Option<String>,
}

impl Right {
    /// The right to list things in a namespace, or in all.
    pub(crate) fn list(
        group: &'static str,
        resource: &'static str,
        namespace: Option<&str>,
    ) -> Self {
        Self {
            verb: "list",
            group,
            resource,
            namespace: namespace.map(Into::into),
            name: None,
        }
    }

    /// What every user has: to ask which resources an API group has.
    pub(crate) fn discovery(group: &'static str) -> Self {
        Self {
            verb: "discover",
            group,
            resource: "",
            namespace: None,
            name: None,
        }
    }

    /// The right to get one thing.
    pub(crate) fn get(
        group: &'static str,
        resource: &'static str,
        namespace: &str,
        name: &str,
    ) -> Self {
        Self {
            verb: "get",
            group,
            resource,
            namespace: Some(namespace.into()),
            name: Some(name.into()),
        }
    }

    /// What it is about: "secret reader in namespace llm".
    fn thing(&self) -> String {
        let kind = self.resource.strip_suffix('s').unwrap_or(self.resource);
        let name = self.name.as_deref().unwrap_or("of any name");
        match &self.namespace {
            Some(namespace) => format!("{kind} {name} in namespace {namespace}"),
            None => format!("{kind} {name}"),
        }
    }

    /// The resource without its subresource, and the subresource.
    pub(crate) fn parts(&self) -> (&'static str, Option<&'static str>) {
        match self.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource)),
            None => (self.resource, None),
        }
    }

    /// Itself as arguments of `kubectl auth can-i`, which takes what follows a slash for a name.
    pub(crate) fn can_i(&self) -> String {
        let (resource, subresource) = self.parts();
        let subresource =
            subresource.map_or(String::new(), |name| format!(" --subresource={name}"));
        let group = if self.group.is_empty() {
            String::new()
        } else {
            format!(".{}", self.group)
        };
        let place = self
            .namespace
            .as_ref()
            .map_or("-A".into(), |namespace| format!("-n {}", word(namespace)));
        format!("{} {resource}{group}{subresource} {place}", self.verb)
    }

    /// The rule that grants it, for a Role or a ClusterRole.
    pub fn rule(&self) -> String {
        let Self {
            verb,
            group,
            resource,
            ..
        } = self;
        format!("- {{apiGroups: [\"{group}\"], resources: [{resource}], verbs: [{verb}]}}")
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.resource.is_empty() {
            return write!(f, "discover the API group {}", self.group);
        }
        if self.resource.starts_with('/') {
            return write!(f, "{} {}", self.verb, self.resource);
        }
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => write!(f, " in all namespaces"),
        }
    }
}

/// Whether an object may have a name: RFC 1123's subdomains, of which all but those of RBAC are made.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253 && name.split('.').all(is_part)
}

/// Why the API server did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nothing answers there, or not with a certificate that the kubeconfig trusts.
    #[error("cannot reach the Kubernetes API server {server}\n  {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// The innermost cause.
        reason: String,
    },
    /// It took the request and went silent.
    #[error(
        "the Kubernetes API server {server} did not answer within {after:?}\n  asked to {right}"
    )]
    Silent {
        /// Its address.
        server: String,
        /// What was asked.
        right: Box<Right>,
        /// How long it had.
        after: Duration,
    },
    /// It does not know this user.
    #[error("the Kubernetes API server {server} does not accept this user's credentials (401)")]
    Unauthenticated {
        /// Its address.
        server: String,
    },
    /// It knows the user, who may not.
    #[error("not allowed to {right}\n  the Kubernetes API server says: {message:?}")]
    Forbidden {
        /// What was asked.
        right: Box<Right>,
        /// Its own words.
        message: String,
    },
    /// It knows the user, who may not act as the one that was named.
    #[error("you may not act as another user\n  the Kubernetes API server says: {message:?}")]
    MayNotAct {
        /// Its own words.
        message: String,
    },
    /// It is not there.
    #[error("there is no {}", right.thing())]
    NotFound {
        /// What was asked.
        right: Box<Right>,
    },
    /// It refused for another reason.
    #[error("the Kubernetes API server could not {right} ({code})\n  {message:?}")]
    Failed {
        /// What was asked.
        right: Box<Right>,
        /// The HTTP status.
        code: u16,
        /// Its own words.
        message: String,
    },
    /// The answer is not what such a server sends.
    #[error("{server} does not answer as a Kubernetes API server does\n  asked to {right}{said}")]
    Unreadable {
        /// Its address.
        server: String,
        /// What was asked.
        right: Box<Right>,
        /// A line on what came, or nothing.
        said: String,
    },
}

impl ApiError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        let kubectl = hand.kubectl();
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::Unreadable { .. } => {
                Some(format!("does kubectl get through?  {kubectl} cluster-info"))
            }
            Self::Unauthenticated { .. } => Some(format!(
                "log in again; who the server takes you for:  {kubectl} auth whoami"
            )),
            Self::Forbidden { right, .. } => Some(format!(
                "the rule that is missing:  {}\ncheck with:  {kubectl} auth can-i {}",
                right.rule(),
                right.can_i(),
            )),
            Self::MayNotAct { .. } => Some(format!(
                "leave out --as, or have yourself granted the right:  {} auth can-i impersonate users",
                hand.admin()
            )),
            // Of a pod's port, it is the pod or its node.
            Self::Failed {
                right,
                code: 429 | 503 | 504,
                ..
            } if !right.resource.starts_with("pods/") => Some(format!(
                "it has too much to do, or is not up yet: try again, or see what it says of itself:  {kubectl} get --raw /readyz"
            )),
            Self::NotFound { .. } | Self::Failed { .. } => None,
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unauthenticated { .. } | Self::Forbidden { .. } | Self::MayNotAct { .. } => {
                error::AUTH
            }
            Self::NotFound { .. } => error::NOT_FOUND,
            Self::Silent { .. } => error::TIMEOUT,
            Self::Unreachable { .. } | Self::Failed { .. } | Self::Unreadable { .. } => {
                error::ERROR
            }
        }
    }
}
