//! Why there is no token to show, and how to come by one.

use std::path::PathBuf;

use super::{Account, SECRET_TYPE};
use crate::by_hand::ByHand;
use crate::cluster::ApiError;
use crate::error;
use crate::rbac::{READER, grant_reader};
use crate::shell::word;

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
        /// The account that its annotation names, if it is a name.
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
    pub(super) fn review(account: &Account, fault: &ApiError) -> Self {
        Self::Review {
            namespace: account.namespace.clone(),
            name: account.name.clone(),
            reason: fault.to_string(),
        }
    }

    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        match self {
            Self::NoReader { namespace, .. } => Some(format!(
                "name one that may: --service-account NAMESPACE/NAME, or make it:\n{}",
                grant_reader(&hand.admin(), namespace, READER)
            )),
            Self::NoAccount { namespace, .. } => Some(format!("{} get serviceaccounts -n {}", hand.kubectl(), word(namespace))),
            Self::Mint { cause, .. } => Some(match cause.hint(hand) {
                Some(hint) => format!("{hint}\nor show a token that you have: --token-file FILE, --token-secret NAMESPACE/NAME"),
                None => "show a token that you have: --token-file FILE, --token-secret NAMESPACE/NAME".into(),
            }),
            Self::Secret { cause, .. } => cause.hint(hand),
            Self::Tokenless { .. } | Self::Review { .. } => Some("--service-account NAMESPACE/NAME, or --token-file FILE".into()),
            Self::File { .. } => None,
            Self::SecretType { .. } => Some("--service-account NAMESPACE/NAME needs no Secret".into()),
            Self::EmptySecret { namespace, account: Some(account), .. } => Some(format!(
                "Kubernetes fills it in once its account is there:  {} get serviceaccount {} -n {}\n\
                 --service-account {} needs no Secret",
                hand.kubectl(),
                word(account),
                word(namespace),
                word(&format!("{namespace}/{account}"))
            )),
            Self::EmptySecret { .. } => {
                Some("its annotation kubernetes.io/service-account.name names no account; --service-account NAMESPACE/NAME needs no Secret".into())
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
