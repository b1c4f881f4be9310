//! Who may read the metrics: the cluster decides, as for the metrics of its
//! own components. A bearer token names the reader (TokenReview), and the
//! reader needs the right to `get` the non-resource URL `/metrics`
//! (SubjectAccessReview). Whatever goes wrong, the answer is no.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};
use tokio::time::{Duration, Instant, timeout};
use tracing::warn;

/// How long answers of the API server hold, as in controller-runtime, whose
/// endpoint readers know.
const TOKEN_HOLDS: Duration = Duration::from_secs(60);
const ALLOWED_HOLDS: Duration = Duration::from_secs(300);
const DENIED_HOLDS: Duration = Duration::from_secs(30);

/// How long the API server may take for one answer.
const REVIEW_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a reader gets no metrics. The texts are those of the other endpoint
/// pickers, so that readers can tell the cases apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No bearer token.
    Unauthorized,
    /// The token is not good, or the API server was not able to say.
    AuthenticationFailed,
    /// The API server was not able to say whether the user may.
    AuthorizationFailed { user: String },
    /// The user may not.
    Forbidden { user: String },
}

impl Denied {
    /// HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden { .. } => 403,
            Self::AuthenticationFailed | Self::AuthorizationFailed { .. } => 500,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("Unauthorized"),
            Self::AuthenticationFailed => f.write_str("Authentication failed"),
            Self::AuthorizationFailed { user } => write!(f, "Authorization for user {user} failed"),
            Self::Forbidden { user } => write!(f, "Authorization denied for user {user}"),
        }
    }
}

/// Asks the cluster about readers, and remembers its answers for a while.
#[derive(Debug)]
pub(crate) struct Reviewer {
    client: Client,
    users: Cache<Token, UserInfo>,
    rights: Cache<(Token, String), bool>,
}

/// A kube client; its own type has no `Debug`.
struct Client(kube::Client);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Reviewer {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self {
            client: Client(client),
            users: Cache::default(),
            rights: Cache::default(),
        }
    }

    /// Lets the bearer of an `Authorization` header through, or says why not.
    /// `verb` is the HTTP method in lower case.
    pub(crate) async fn check(
        &self,
        authorization: Option<&str>,
        verb: &str,
    ) -> Result<(), Denied> {
        let token = authorization.and_then(bearer).ok_or(Denied::Unauthorized)?;
        let user = self.authenticate(&token).await?;
        let name = user.username.clone().unwrap_or_default();
        if self.may_read(token, user, verb).await? {
            Ok(())
        } else {
            Err(Denied::Forbidden { user: name })
        }
    }

    async fn authenticate(&self, token: &Token) -> Result<UserInfo, Denied> {
        if let Some(user) = self.users.get(token) {
            return Ok(user);
        }
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: Some(token.0.clone()),
                ..TokenReviewSpec::default()
            },
            ..TokenReview::default()
        };
        let status = self
            .ask(&review)
            .await
            .map_err(|reason| {
                warn!(reason, "the cluster did not review a reader's token");
                Denied::AuthenticationFailed
            })?
            .status
            .unwrap_or_default();
        // A token that is expired or not the cluster's comes with an error;
        // the other pickers answer 500 to that, and 401 only without one.
        if let Some(error) = status.error.filter(|error| !error.is_empty()) {
            let reason = error.replace(&token.0, "(the token)");
            warn!(?reason, "a reader's token is no good");
            return Err(Denied::AuthenticationFailed);
        }
        if status.authenticated != Some(true) {
            return Err(Denied::Unauthorized);
        }
        let user = status.user.unwrap_or_default();
        self.users.put(token.clone(), user.clone(), TOKEN_HOLDS);
        Ok(user)
    }

    async fn may_read(&self, token: Token, user: UserInfo, verb: &str) -> Result<bool, Denied> {
        let key = (token, verb.to_owned());
        if let Some(may) = self.rights.get(&key) {
            return Ok(may);
        }
        let name = user.username.clone().unwrap_or_default();
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: user.username,
                groups: user.groups,
                uid: user.uid,
                extra: user.extra,
                non_resource_attributes: Some(NonResourceAttributes {
                    path: Some("/metrics".to_owned()),
                    verb: Some(verb.to_owned()),
                }),
                resource_attributes: None,
            },
            ..SubjectAccessReview::default()
        };
        let status = self
            .ask(&review)
            .await
            .map_err(|reason| {
                warn!(reason, "the cluster did not review a reader's rights");
                Denied::AuthorizationFailed { user: name }
            })?
            .status
            .unwrap_or_default();
        let may = status.allowed && status.denied != Some(true);
        let holds = if may { ALLOWED_HOLDS } else { DENIED_HOLDS };
        self.rights.put(key, may, holds);
        Ok(may)
    }

    /// Creates a review; the cluster answers with its status filled in.
    async fn ask<R>(&self, review: &R) -> Result<R, String>
    where
        R: kube::Resource<DynamicType = ()>
            + Clone
            + serde::Serialize
            + serde::de::DeserializeOwned
            + fmt::Debug,
    {
        let api: Api<R> = Api::all(self.client.0.clone());
        match timeout(REVIEW_TIMEOUT, api.create(&PostParams::default(), review)).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("no answer within 10 s".to_owned()),
        }
    }
}

/// The token of `Bearer TOKEN`; the scheme is read without case (RFC 7235).
fn bearer(authorization: &str) -> Option<Token> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Token(token.to_owned()))
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Answers that hold for a while. Only answers about good tokens are kept, so
/// strangers cannot fill it.
#[derive(Debug)]
struct Cache<K, V>(Mutex<HashMap<K, (V, Instant)>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, until) = entries.get(key)?;
        (Instant::now() < *until).then(|| value.clone())
    }

    fn put(&self, key: K, value: V, holds: Duration) {
        let now = Instant::now();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (_, until)| now < *until);
        entries.insert(key, (value, now + holds));
    }
}
