//! May the account with whose token metrics are read get `/metrics`? Asked as that account, which needs no right of mine.

use super::again;
use super::bindings;
use super::claims::Claims;
use super::pool::refusal;
use super::step::{Name, Step};
use crate::auth::{Account, AuthError, may_read_metrics, mint, read_file, read_secret};
use crate::cluster::{ApiError, Cluster};
use crate::config::{ClusterSource, TokenSource};
use crate::rbac::{READER, grant_reader};
use crate::shell::word;
use crate::token::Token;

const NAME: Name = Name::ReadersRight;

/// A token to show to the picker, and what is known of it.
pub(super) struct Reader {
    pub(super) step: Step,
    /// `None` where there is none, or it is no good.
    pub(super) token: Option<Token>,
    /// No picker can have seen it yet, so none remembers an answer about it.
    pub(super) fresh: bool,
    /// The API server knows the token.
    pub(super) known_good: bool,
}

impl Reader {
    fn none(step: Step) -> Self {
        Self {
            step,
            token: None,
            fresh: false,
            known_good: false,
        }
    }
}

/// Gets the token that a picker in `namespace`, which runs as `own`, is shown.
pub(super) async fn check(cluster: &Cluster, source: &ClusterSource, own: &Account) -> Reader {
    match &source.token {
        TokenSource::None => Reader::none(Step::skip(NAME, "--auth none sends no token")),
        TokenSource::Auto => {
            let reader = Account {
                namespace: own.namespace.clone(),
                name: READER.into(),
            };
            match mint(cluster, &reader).await {
                Ok(minted) => of_account(cluster, &reader, minted.token).await,
                Err(AuthError::NoAccount { .. }) => of_own(cluster, own).await,
                Err(fault) => Reader::none(no_token(cluster, &fault, &reader)),
            }
        }
        TokenSource::ServiceAccount { namespace, name } => {
            let account = Account {
                namespace: namespace.clone(),
                name: name.clone(),
            };
            match mint(cluster, &account).await {
                Ok(minted) => of_account(cluster, &account, minted.token).await,
                Err(fault) => Reader::none(no_token(cluster, &fault, &account)),
            }
        }
        TokenSource::File(path) => match read_file(path) {
            Ok(token) => of_held(cluster, source, &path.display().to_string(), token).await,
            Err(fault) => Reader::none(Step::fail_with(NAME, &fault)),
        },
        TokenSource::Secret { namespace, name } => {
            match read_secret(cluster, namespace, name).await {
                Ok(token) => {
                    of_held(
                        cluster,
                        source,
                        &format!("Secret {namespace}/{name}"),
                        token,
                    )
                    .await
                }
                Err(fault) => Reader::none(no_secret(cluster, source, &fault, namespace, name)),
            }
        }
    }
}

fn no_token(cluster: &Cluster, fault: &AuthError, account: &Account) -> Step {
    match fault {
        AuthError::NoAccount {
            namespace, name, ..
        } => Step::fail(
            NAME,
            format!("there is no ServiceAccount {namespace}/{name}"),
        )
        .mended_by([grant_reader(&cluster.admin, namespace, name)]),
        AuthError::Mint { cause, .. } => match &**cause {
            cause @ ApiError::Forbidden { .. } => Step::skip(NAME, refusal(cause)),
            cause => Step::fail(
                NAME,
                format!("cannot mint a token for ServiceAccount {account}"),
            )
            .because(cause.to_string().lines()),
        },
        fault => Step::fail_with(NAME, fault),
    }
}

fn no_secret(
    cluster: &Cluster,
    source: &ClusterSource,
    fault: &AuthError,
    namespace: &str,
    name: &str,
) -> Step {
    let account = match fault {
        AuthError::EmptySecret {
            account: Some(account),
            ..
        } => account,
        _ => name.strip_suffix("-secret").unwrap_or(READER),
    };
    let make =
        grant_reader(&cluster.admin, namespace, account).replacen(" |", " --token-secret |", 1);
    match fault {
        AuthError::Secret { cause, .. } => match &**cause {
            cause @ ApiError::Forbidden { .. } => Step::skip(NAME, refusal(cause)),
            ApiError::NotFound { .. } => {
                Step::fail(NAME, format!("there is no Secret {namespace}/{name}"))
                    .because(["Kubernetes deletes the token Secrets of an account that is deleted"])
                    .mended_by([make])
            }
            cause => Step::fail_with(NAME, cause),
        },
        fault @ AuthError::EmptySecret { .. } => Step::fail_with(NAME, fault).mended_by([make]),
        fault => Step::fail_with(NAME, fault).advised(fault.hint(&source.by_hand())),
    }
}

/// The picker's own account may stand in for a reader that does not exist.
async fn of_own(cluster: &Cluster, own: &Account) -> Reader {
    let missing = Step::fail(
        NAME,
        format!("there is no ServiceAccount {}/{READER}", own.namespace),
    );
    let fix = grant_reader(&cluster.admin, &own.namespace, READER);
    let token = match mint(cluster, own).await {
        Ok(minted) => minted.token,
        Err(_) => return Reader::none(missing.mended_by([fix])),
    };
    match may_read_metrics(cluster, &token).await {
        Ok(true) => Reader {
            step: Step::ok(
                NAME,
                format!("ServiceAccount {own}, the picker's own, may get /metrics"),
            ),
            token: Some(token),
            fresh: true,
            known_good: true,
        },
        _ => Reader::none(
            missing
                .because([format!(
                    "and the picker's own, {}, may not get /metrics",
                    own.name
                )])
                .mended_by([fix]),
        ),
    }
}

/// A token that was minted just now.
async fn of_account(cluster: &Cluster, account: &Account, token: Token) -> Reader {
    let may = may_read_metrics(cluster, &token).await;
    let step = match &may {
        Ok(true) => Step::ok(NAME, format!("ServiceAccount {account} may get /metrics")),
        Ok(false) => denied(cluster, account).await,
        Err(fault) => Step::skip_with(NAME, "the API server does not tell", fault),
    };
    Reader {
        step,
        token: Some(token),
        fresh: true,
        known_good: may.is_ok(),
    }
}

/// A token that somebody else made.
async fn of_held(cluster: &Cluster, source: &ClusterSource, from: &str, token: Token) -> Reader {
    let claims = Claims::of(token.expose());
    let may = may_read_metrics(cluster, &token).await;
    let owner = claims.as_ref().and_then(Claims::account);
    let account = owner.map(|(namespace, name)| Account {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    });
    let known_good = may.is_ok();
    let step = match may {
        Ok(true) => {
            let whose = account.map_or("its owner".into(), |account| {
                format!("ServiceAccount {account}")
            });
            Step::ok(
                NAME,
                format!("the token of {from}: {whose} may get /metrics"),
            )
        }
        Ok(false) => match &account {
            Some(account) => denied(cluster, account).await,
            None => Step::fail(
                NAME,
                format!("the owner of the token of {from} may not get /metrics"),
            ),
        },
        Err(ApiError::Unauthenticated { .. }) => {
            let step = Step::fail(
                NAME,
                format!("the API server does not accept the token of {from}"),
            );
            let step = match &claims {
                Some(claims) => step.because(claims.evidence()),
                None => step.because(["it is no token of a ServiceAccount"]),
            };
            match account {
                Some(Account { namespace, name }) => {
                    step.mended_by([again::command(&ClusterSource {
                        token: TokenSource::ServiceAccount { namespace, name },
                        ..source.clone()
                    })])
                }
                None => step.mended_by([again::command(&ClusterSource {
                    token: TokenSource::Auto,
                    ..source.clone()
                })]),
            }
        }
        Err(fault) => Step::skip_with(NAME, "the API server does not tell", &fault),
    };
    Reader {
        step,
        token: Some(token),
        fresh: false,
        known_good,
    }
}

async fn denied(cluster: &Cluster, account: &Account) -> Step {
    let bindings = bindings::look(cluster, account).await;
    let grant = grant_reader(&cluster.admin, &account.namespace, &account.name);
    let step = Step::fail(
        NAME,
        format!("ServiceAccount {account} may not get /metrics"),
    )
    .because(bindings.evidence);
    if bindings.is_granted {
        return step;
    }
    step.mended_by(bindings.in_the_way.map(|name| {
        format!(
            "{} delete clusterrolebinding {}",
            cluster.admin,
            word(&name)
        )
    }))
    .mended_by([grant])
}
