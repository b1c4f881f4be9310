//! Why there is nothing to scrape, and where else to look.

use crate::by_hand::ByHand;
use crate::cluster::ApiError;
use crate::error;
use crate::shell::word;

/// Why there is nothing to scrape.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The API server's refusal.
    #[error(transparent)]
    Api(ApiError),
    /// Pools may not be listed.
    #[error("{cause}")]
    PoolsRefused {
        /// The API server's refusal.
        cause: ApiError,
        /// `-n NAMESPACE`
        scope: String,
    },
    /// The cluster has no InferencePool API.
    #[error(
        "this cluster does not serve the InferencePool API\n  neither inference.networking.k8s.io/v1 nor inference.networking.x-k8s.io/v1alpha2"
    )]
    NoPoolApi {
        /// `-n NAMESPACE`
        scope: String,
    },
    /// No pools.
    #[error("no InferencePool {place}")]
    NoPools {
        /// "in namespace llm"
        place: String,
    },
    /// A pool without a picker.
    #[error("InferencePool {pool} names no Service as its endpoint picker")]
    NoPicker {
        /// Its namespace and name.
        pool: String,
        /// `-n NAMESPACE`
        scope: String,
    },
    /// The named thing is not there.
    #[error("no {kind} {name} in namespace {namespace}{because}")]
    NoSuch {
        /// "Service"
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where it should be.
        namespace: String,
        /// Who names it, if not the user.
        because: String,
        /// The kubectl command that lists what there is.
        list: String,
    },
    /// A Service without a selector.
    #[error("Service {namespace}/{name} has no selector, so its pods are not known")]
    NoSelector {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The selector is not one.
    #[error("{selector:?} is not a label selector\n  {message:?}")]
    BadSelector {
        /// As given.
        selector: String,
        /// The API server's words.
        message: String,
    },
    /// Nothing runs.
    #[error("no pod of {owner}{ended}")]
    NoPods {
        /// "Service llm/qwen-epp"
        owner: String,
        /// How many there were, all ended.
        ended: String,
        /// The kubectl command that shows them.
        list: String,
    },
}

impl DiscoverError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        let flags = hand.flags();
        match self {
            Self::Api(cause) => cause.hint(hand),
            Self::PoolsRefused { cause, scope } => Some(format!(
                "name the picker's Service instead:  igctl metrics top svc/NAME {scope}{flags}\n{}",
                cause.hint(hand).unwrap_or_default()
            )),
            Self::NoPoolApi { scope } | Self::NoPicker { scope, .. } => Some(format!(
                "name the picker's Service instead:  igctl metrics top svc/NAME {scope}{flags}"
            )),
            Self::NoPools { .. } => Some(format!(
                "where are they?  {} get inferencepools -A\nor name the picker's Service:  igctl metrics top svc/NAME -n NAMESPACE{flags}",
                hand.kubectl()
            )),
            Self::NoSuch { list, .. } | Self::NoPods { list, .. } => Some(list.clone()),
            Self::NoSelector { namespace, .. } => Some(format!(
                "name the picker's labels instead:  igctl metrics top -l KEY=VALUE -n {}{flags}",
                word(namespace)
            )),
            Self::BadSelector { .. } => Some("-l app=epp  or  -l 'app in (epp,picker)'".into()),
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Api(cause) | Self::PoolsRefused { cause, .. } => cause.exit_code(),
            Self::BadSelector { .. } => error::USAGE,
            _ => error::NOT_FOUND,
        }
    }
}
