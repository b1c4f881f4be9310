//! A pod that asks for a token → a token, minted, renewed or read.
//!
//! The user's own credential is never one of them: it goes to the API server alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::Mutex;

use crate::cluster::{ApiError, Cluster, Right};
use crate::config::TokenSource;
use crate::discover::Target;
use crate::error;
use crate::token::Token;

/// The account that GIE's metrics guide creates for readers.
/// <https://gateway-api-inference-extension.sigs.k8s.io/guides/metrics-and-observability/>
const READER: &str = "inference-gateway-sa-metrics-reader";
/// What is asked for, and the least that Kubernetes grants, in seconds.
const LIFETIME: i64 = 600;
const SECRET_TYPE: &str = "kubernetes.io/service-account-token";

/// Why there is no token to show.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No account of the namespace may read metrics, as far as igctl tries them.
    #[error(
        "no ServiceAccount to read the picker's metrics with\n  \
         there is no {READER} in namespace {namespace}, and the picker's own, {account}, may not get /metrics"
    )]
    NoReader {
        /// The picker's namespace.
        namespace: String,
        /// The picker's account.
        account: String,
    },
    /// The account is not there.
    #[error("no ServiceAccount {name} in namespace {namespace}")]
    NoAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The kubectl command line with the same settings.
        kubectl: String,
    },
    /// The API server does not mint.
    #[error("cannot mint a token for ServiceAccount {namespace}/{name}\n  {cause}")]
    Mint {
        /// The account's namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The API server's refusal.
        cause: Box<ApiError>,
    },
    /// It answered without a token.
    #[error("cannot mint a token for ServiceAccount {namespace}/{name}\n  the answer has none")]
    Tokenless {
        /// The account's namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// What the picker's account may do could not be asked.
    #[error("cannot ask what ServiceAccount {namespace}/{name} may do\n  {reason}")]
    Review {
        /// The account's namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The token file.
    #[error("cannot read the token file {}\n  {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The Secret cannot be had.
    #[error("cannot read Secret {namespace}/{name}\n  {cause}")]
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The API server's refusal.
        cause: Box<ApiError>,
    },
    /// The Secret is of another kind.
    #[error("Secret {namespace}/{name} is of type {found:?}, not {SECRET_TYPE}")]
    SecretType {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its type.
        found: String,
    },
    /// The Secret was not filled in.
    #[error("Secret {namespace}/{name} has no token in it yet")]
    EmptySecret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The account that its annotation names.
        account: Option<String>,
    },
    /// A URL has no cluster to mint in.
    #[error("{at} asks for a token, and outside of a cluster none can be minted")]
    NoCluster {
        /// What asks.
        at: String,
    },
}

impl AuthError {
    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoReader { namespace, .. } => Some(format!(
                "name one that may: --service-account NAMESPACE/NAME, or make it:\n\
                 kubectl create serviceaccount {READER} -n {namespace}\n\
                 kubectl create clusterrole inference-gateway-metrics-reader --verb=get --non-resource-url=/metrics\n\
                 kubectl create clusterrolebinding inference-gateway-sa-metrics-reader-role-binding \
                 --clusterrole=inference-gateway-metrics-reader --serviceaccount={namespace}:{READER}"
            )),
            Self::NoAccount { namespace, kubectl, .. } => Some(format!("{kubectl} get serviceaccounts -n {namespace}")),
            Self::Mint { cause, .. } => Some(match cause.hint() {
                Some(hint) => format!("{hint}\nor show a token that you have: --token-file FILE, --token-secret NAMESPACE/NAME"),
                None => "show a token that you have: --token-file FILE, --token-secret NAMESPACE/NAME".into(),
            }),
            Self::Secret { cause, .. } => cause.hint(),
            Self::Tokenless { .. } | Self::Review { .. } => Some("--service-account NAMESPACE/NAME, or --token-file FILE".into()),
            Self::File { .. } => None,
            Self::SecretType { .. } => Some("--service-account NAMESPACE/NAME needs no Secret".into()),
            Self::EmptySecret { namespace, account: Some(account), .. } => Some(format!(
                "Kubernetes fills it in once its account is there:  kubectl get serviceaccount {account} -n {namespace}\n\
                 --service-account {namespace}/{account} needs no Secret"
            )),
            Self::EmptySecret { .. } => {
                Some("it lacks the annotation kubernetes.io/service-account.name; --service-account NAMESPACE/NAME needs no Secret".into())
            }
            Self::NoCluster { .. } => Some("--token-file FILE".into()),
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Mint { cause, .. } | Self::Secret { cause, .. } => cause.exit_code(),
            Self::NoAccount { .. } => error::NOT_FOUND,
            Self::File { .. } => error::ERROR,
            _ => error::AUTH,
        }
    }
}

/// A ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    namespace: String,
    name: String,
}

/// Who asks for a token.
pub(crate) enum Asker<'a> {
    Pod {
        cluster: &'a Cluster,
        target: &'a Target,
    },
    Url {
        at: &'a str,
    },
}

/// A token to show, and what to tell the person about it.
pub(crate) struct Given {
    pub(crate) token: Token,
    /// No pod has taken it yet; one that refuses it would refuse another one too.
    pub(crate) untried: bool,
    pub(crate) notice: Option<String>,
}

impl Given {
    fn held(token: Token) -> Self {
        Self {
            token,
            untried: false,
            notice: None,
        }
    }
}

/// The tokens of one command, each minted once for all pods that take it.
pub(crate) struct Tokens {
    source: TokenSource,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Which account was found for the pods of a namespace that run as an account.
    readers: BTreeMap<Account, Account>,
    minted: BTreeMap<Account, Minted>,
    secret: Option<Token>,
}

struct Minted {
    token: Token,
    untried: bool,
    /// `None` where this machine's clock says that it has ended before it began: then the pod's word counts.
    renew: Option<Timestamp>,
}

impl Tokens {
    pub(crate) fn new(source: TokenSource) -> Self {
        Self {
            source,
            held: Mutex::default(),
        }
    }

    /// Whether there is a token at all for those who ask for one.
    pub(crate) fn any(&self) -> bool {
        !matches!(self.source, TokenSource::None)
    }

    /// The token for whoever asks; another one than `refused`, if there is another.
    pub(crate) async fn give(
        &self,
        asker: &Asker<'_>,
        refused: Option<&Token>,
    ) -> Result<Given, AuthError> {
        let (cluster, target) = match (&self.source, asker) {
            (TokenSource::File(path), _) => return read_file(path).map(Given::held),
            (_, Asker::Url { at }) => return Err(AuthError::NoCluster { at: (*at).into() }),
            (_, Asker::Pod { cluster, target }) => (cluster, target),
        };
        // Held over the minting: of pods that ask side by side one mints, the others wait for it.
        let mut held = self.held.lock().await;
        match &self.source {
            TokenSource::ServiceAccount { namespace, name } => {
                let account = Account {
                    namespace: namespace.clone(),
                    name: name.clone(),
                };
                held.of_account(cluster, account, refused).await
            }
            TokenSource::Secret { namespace, name } => {
                held.of_secret(cluster, namespace, name, refused).await
            }
            TokenSource::Auto | TokenSource::None | TokenSource::File(_) => {
                held.of_reader(cluster, target, refused).await
            }
        }
    }

    /// Remembers that a pod took this token, so that it is worth another one when it ends.
    pub(crate) async fn accepted(&self, token: &Token) {
        let mut held = self.held.lock().await;
        held.minted
            .values_mut()
            .filter(|minted| minted.token == *token)
            .for_each(|minted| minted.untried = false);
    }
}

impl Held {
    async fn of_account(
        &mut self,
        cluster: &Cluster,
        account: Account,
        refused: Option<&Token>,
    ) -> Result<Given, AuthError> {
        let now = Timestamp::now();
        if let Some(minted) = self.minted.get(&account)
            && refused != Some(&minted.token)
            && minted.renew.is_none_or(|renew| now < renew)
        {
            return Ok(Given {
                token: minted.token.clone(),
                untried: minted.untried,
                notice: None,
            });
        }
        let minted = mint(cluster, &account).await?;
        let token = minted.token.clone();
        let first = self.minted.insert(account.clone(), minted).is_none();
        let notice = first.then(|| {
            format!(
                "minted a token for ServiceAccount {}/{}",
                account.namespace, account.name
            )
        });
        Ok(Given {
            token,
            untried: true,
            notice,
        })
    }

    async fn of_secret(
        &mut self,
        cluster: &Cluster,
        namespace: &str,
        name: &str,
        refused: Option<&Token>,
    ) -> Result<Given, AuthError> {
        if let Some(token) = self.secret.as_ref().filter(|token| refused != Some(*token)) {
            return Ok(Given::held(token.clone()));
        }
        let token = read_secret(cluster, namespace, name).await?;
        self.secret = Some(token.clone());
        Ok(Given::held(token))
    }

    async fn of_reader(
        &mut self,
        cluster: &Cluster,
        target: &Target,
        refused: Option<&Token>,
    ) -> Result<Given, AuthError> {
        let (namespace, _) = target.key();
        let own = Account {
            namespace: namespace.clone(),
            name: target.account.clone(),
        };
        if let Some(reader) = self.readers.get(&own).cloned() {
            return self.of_account(cluster, reader, refused).await;
        }
        let reader = Account {
            namespace: namespace.clone(),
            name: READER.into(),
        };
        let (reader, given) = match self.of_account(cluster, reader.clone(), refused).await {
            Ok(given) => (reader, given),
            Err(AuthError::NoAccount { .. }) => {
                let mut given = self.of_account(cluster, own.clone(), refused).await?;
                if !may_read_metrics(cluster, &own, &given.token).await? {
                    return Err(AuthError::NoReader {
                        namespace,
                        account: own.name,
                    });
                }
                given.notice = given
                    .notice
                    .map(|notice| format!("{notice}, the picker's own: there is no {READER}"));
                (own.clone(), given)
            }
            Err(fault) => return Err(fault),
        };
        self.readers.insert(own, reader);
        Ok(given)
    }
}

async fn mint(cluster: &Cluster, account: &Account) -> Result<Minted, AuthError> {
    let Account { namespace, name } = account.clone();
    let api: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), &namespace);
    let request = TokenRequest {
        spec: TokenRequestSpec {
            expiration_seconds: Some(LIFETIME),
            ..TokenRequestSpec::default()
        },
        ..TokenRequest::default()
    };
    let right = Right {
        verb: "create",
        group: "",
        resource: "serviceaccounts/token",
        namespace: Some(namespace.clone()),
        name: Some(name.clone()),
    };
    let asked = Timestamp::now();
    let answer = cluster
        .ask(
            right,
            api.create_token_request(&name, &PostParams::default(), &request),
        )
        .await;
    let status = match answer {
        Ok(answer) => answer.status,
        Err(ApiError::NotFound { .. }) => {
            return Err(AuthError::NoAccount {
                namespace,
                name,
                kubectl: cluster.kubectl.clone(),
            });
        }
        Err(cause) => {
            return Err(AuthError::Mint {
                namespace,
                name,
                cause: Box::new(cause),
            });
        }
    };
    let (text, ends) = status
        .map(|status| (status.token, status.expiration_timestamp.0))
        .ok_or_else(|| AuthError::Tokenless {
            namespace: namespace.clone(),
            name: name.clone(),
        })?;
    let token = Token::new(&text).ok_or(AuthError::Tokenless { namespace, name })?;
    Ok(Minted {
        token,
        untried: true,
        renew: renew_at(asked, ends),
    })
}

/// At 80 % of the life that the server granted, which may be another than was asked for.
fn renew_at(asked: Timestamp, ends: Timestamp) -> Option<Timestamp> {
    let life = ends.duration_since(asked);
    (life > SignedDuration::ZERO).then(|| asked + life * 4 / 5)
}

/// Asked as the account itself, which every account may; asking about others takes rights that few users have.
async fn may_read_metrics(
    cluster: &Cluster,
    account: &Account,
    token: &Token,
) -> Result<bool, AuthError> {
    let explain = |reason: String| AuthError::Review {
        namespace: account.namespace.clone(),
        name: account.name.clone(),
        reason,
    };
    let mut config = cluster.config.clone();
    config.auth_info = kube::config::AuthInfo {
        token: Some(token.expose().into()),
        ..Default::default()
    };
    let client = Client::try_from(config).map_err(|fault| explain(fault.to_string()))?;
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some("/metrics".into()),
                verb: Some("get".into()),
            }),
            ..Default::default()
        },
        ..Default::default()
    };
    let right = Right {
        verb: "create",
        group: "authorization.k8s.io",
        resource: "selfsubjectaccessreviews",
        namespace: None,
        name: None,
    };
    let answer = cluster
        .ask(
            right,
            Api::all(client).create(&PostParams::default(), &review),
        )
        .await;
    answer
        .map(|review| review.status.is_some_and(|status| status.allowed))
        .map_err(|fault| explain(fault.to_string()))
}

fn read_file(path: &PathBuf) -> Result<Token, AuthError> {
    let explain = |reason: String| AuthError::File {
        path: path.clone(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|fault| explain(fault.to_string()))?;
    Token::new(&text).ok_or_else(|| explain("it is empty".into()))
}

async fn read_secret(cluster: &Cluster, namespace: &str, name: &str) -> Result<Token, AuthError> {
    let api: Api<Secret> = Api::namespaced(cluster.client.clone(), namespace);
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    let secret = match cluster
        .ask(Right::get("", "secrets", &namespace, &name), api.get(&name))
        .await
    {
        Ok(secret) => secret,
        Err(cause) => {
            return Err(AuthError::Secret {
                namespace,
                name,
                cause: Box::new(cause),
            });
        }
    };
    let found = secret.type_.unwrap_or_default();
    if found != SECRET_TYPE {
        return Err(AuthError::SecretType {
            namespace,
            name,
            found,
        });
    }
    let account = secret
        .metadata
        .annotations
        .and_then(|mut annotations| annotations.remove("kubernetes.io/service-account.name"));
    secret
        .data
        .and_then(|mut data| data.remove("token"))
        .and_then(|token| Token::new(&String::from_utf8_lossy(&token.0)))
        .ok_or(AuthError::EmptySecret {
            namespace,
            name,
            account,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renews_at_four_fifths_of_what_was_granted() {
        let asked: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let ends =
            |text: &str| renew_at(asked, text.parse().expect("a time")).map(|at| at.to_string());

        assert_eq!(
            ends("2026-11-25T12:10:00Z").as_deref(),
            Some("2026-11-25T12:08:00Z")
        );
        assert_eq!(
            ends("2026-11-25T13:00:00Z").as_deref(),
            Some("2026-11-25T12:48:00Z")
        );
        assert_eq!(
            ends("2026-11-25T11:59:00Z"),
            None,
            "this clock is ahead of the server's"
        );
    }
}
