//! A pod that asks for a token → a token, minted, renewed or read.
//!
//! The user's own credential is never one of them: it goes to the API server alone.

mod binding;
mod error;
mod mint;
mod saved;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::cluster::Cluster;
use crate::config::TokenSource;
use crate::discover::Target;
use crate::rbac::READER;
use crate::token::Token;
pub use binding::NearMiss;
pub(crate) use binding::{is_of_its_own, lets_get_metrics, near_miss};
pub use error::AuthError;
use mint::Minted;
pub(crate) use mint::{may_read_metrics, mint};
pub(crate) use saved::{read_file, read_secret};

/// The only type of Secret that Kubernetes fills with a token.
const SECRET_TYPE: &str = "kubernetes.io/service-account-token";

/// A ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
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
        let held = self
            .minted
            .get(&account)
            .filter(|minted| refused != Some(&minted.token));
        if let Some(minted) = held
            && minted.renew.is_none_or(|renew| Timestamp::now() < renew)
        {
            return Ok(minted.give());
        }
        let minted = match (mint(cluster, &account).await, held) {
            (Ok(minted), _) => minted,
            // While the API server is away, the old token is good for the rest of its life.
            (Err(AuthError::Mint { .. }), Some(held)) => return Ok(held.give()),
            (Err(fault), _) => return Err(fault),
        };
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
                let may = may_read_metrics(cluster, &given.token).await;
                if !may.map_err(|fault| AuthError::review(&own, &fault))? {
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
