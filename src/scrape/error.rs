//! Why there is no page, whose "no" it was, and what to try next.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::auth::NearMiss;
use crate::body::BodyError;
use crate::by_hand::ByHand;
use crate::error;
use crate::rbac::{grant_picker, grant_reader};
use crate::shell::word;
use crate::visible::visible;

/// In seconds; who has waited for longer needs twice as long.
const ENOUGH_FOR_MOST: u64 = 30;

/// What Go's `net/http` says to plain HTTP on a TLS port.
pub(super) const WANTS_TLS: &str = "Client sent an HTTP request to an HTTPS server";

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// A certificate or key file is no good.
    #[error("cannot use {}\n  {reason}", path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no HTTP client.
    #[error("cannot set up an HTTP client\n  {reason}")]
    Client {
        /// Why.
        reason: String,
    },
    /// Nobody is there, or the connection broke before an answer.
    #[error("no answer from {at}\n  {reason}")]
    Unreachable {
        /// "pod llm/epp-0:9090"
        at: String,
        /// The innermost cause.
        reason: String,
    },
    /// Its certificate is not to be trusted.
    #[error("the certificate of {at} is not trusted\n  {reason}")]
    Untrusted {
        /// Where.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Its certificate is made out to others.
    #[error("the certificate of {at} is for another name\n  {reason}")]
    WrongName {
        /// Where.
        at: String,
        /// Which names were tried last, and which it has.
        reason: String,
    },
    /// It wants a client certificate.
    #[error("{at} wants a client certificate\n  {reason}")]
    WantsCertificate {
        /// Where.
        at: String,
        /// Its alert.
        reason: String,
    },
    /// The time is up.
    #[error("{at} did not answer within {after:?}")]
    Silent {
        /// Where.
        at: String,
        /// How long it had.
        after: Duration,
    },
    /// 401
    #[error("{}\n  GET {path} at {at} answered 401\n  {body:?}", if *shown { "the picker does not accept the token" } else { "the picker wants a token to show its metrics" })]
    Unauthenticated {
        /// Where.
        at: String,
        /// Of the page.
        path: String,
        /// What it said.
        body: String,
        /// Whether it was shown a token.
        shown: bool,
        /// Whether it is a pod, not an address that was given.
        of_pod: bool,
    },
    /// 500 `Authentication failed`: the TokenReview did not succeed.
    #[error("the picker could not check the token\n  GET {path} at {at} answered 500\n  {body:?}")]
    Unchecked {
        /// Where.
        at: String,
        /// Of the page.
        path: String,
        /// What it said.
        body: String,
        /// The picker's own ServiceAccount, as kubectl writes it: `llm:epp`.
        account: Option<String>,
    },
    /// 500 `Authorization for user … failed`: the SubjectAccessReview did not succeed.
    #[error(
        "the picker could not ask whether the token's user may read its metrics\n  GET {path} at {at} answered 500\n  {body:?}"
    )]
    Unauthorizable {
        /// Where.
        at: String,
        /// Of the page.
        path: String,
        /// What it said.
        body: String,
        /// The picker's own ServiceAccount, as kubectl writes it: `llm:epp`.
        account: Option<String>,
    },
    /// 403
    #[error("the picker refused to show its metrics\n  GET {path} at {at} answered 403\n  {body:?}{}",
        near_miss.as_ref().map(|near_miss| format!("\n  {near_miss}")).unwrap_or_default())]
    Forbidden {
        /// Where.
        at: String,
        /// Of the page.
        path: String,
        /// What it said; it names the user.
        body: String,
        /// Whether it was shown a token.
        shown: bool,
        /// A binding that means another account of the same name.
        near_miss: Option<Box<NearMiss>>,
    },
    /// Another status than 200.
    #[error("no metrics page at {at}\n  GET {path} answered {status}{}\n  {body:?}",
        instead.as_ref().map(|instead| format!(", {instead}")).unwrap_or_default())]
    Status {
        /// Where.
        at: String,
        /// Of the page.
        path: String,
        /// The HTTP status.
        status: StatusCode,
        /// What it said.
        body: String,
        /// What it says to do instead.
        instead: Option<Instead>,
    },
    /// The answer broke off.
    #[error("the answer of {at} broke off after {bytes} bytes\n  {reason}")]
    CutOff {
        /// Where.
        at: String,
        /// What came.
        bytes: usize,
        /// The innermost cause.
        reason: String,
    },
    /// The body is not text.
    #[error("cannot read the answer of {at}\n  {fault}")]
    Body {
        /// Where.
        at: String,
        /// Why.
        fault: BodyError,
    },
}

/// What the head of an answer says to do instead of what was done.
#[derive(Debug)]
pub enum Instead {
    /// `Location`: ask there.
    Elsewhere(String),
    /// `Retry-After`: ask then, in seconds or as a date.
    Later(String),
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere(url) => write!(f, "see {}", visible(url)),
            Self::Later(after) => write!(f, "Retry-After: {}", visible(after)),
        }
    }
}

impl ScrapeError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        Some(match self {
            Self::Untrusted { .. } => {
                "name its CA with --metrics-ca-file FILE, or trust anyone with --metrics-insecure-skip-tls-verify".into()
            }
            Self::WrongName { .. } => {
                "if it is made out to the picker's Service, go by way of that: svc/NAME; or trust any name with \
                 --metrics-insecure-skip-tls-verify"
                    .into()
            }
            Self::WantsCertificate { .. } => "show one with --metrics-client-cert FILE --metrics-client-key FILE".into(),
            Self::Unauthenticated { shown: false, of_pod: false, .. } => {
                "show the token of an account that may read /metrics: --token-file FILE".into()
            }
            Self::Unauthenticated { shown: true, of_pod: false, .. } => {
                "is it expired, of a deleted account, or of another cluster?".into()
            }
            Self::Unauthenticated { shown: false, .. } => {
                "mint one for an account that may read /metrics: --service-account NAMESPACE/NAME, or --token-file FILE".into()
            }
            Self::Unauthenticated { shown: true, .. } => {
                "is it expired, of a deleted account, or of another cluster?  --service-account NAMESPACE/NAME mints a fresh one"
                    .into()
            }
            Self::Unchecked { account, .. } => format!(
                "either the token is no good (expired, of another audience or cluster), or the picker may not create \
                 TokenReviews:\n{}",
                delegate(hand, account.as_deref())
            ),
            Self::Unauthorizable { account, .. } => {
                format!("the picker may not create SubjectAccessReviews:\n{}", delegate(hand, account.as_deref()))
            }
            Self::Forbidden { body, near_miss, .. } => forbidden_hint(hand, body, near_miss.as_deref()),
            Self::Status { at, status, body, instead, .. } => {
                status_hint(hand, at, *status, body, instead.as_ref())
            }
            Self::Body { at, fault } => fault.hint().unwrap_or_else(|| look_at(hand, at)),
            Self::Unreachable { at, .. } if pod_in(at).is_some() => {
                format!("another port?  --metrics-port PORT, or {}", look_at(hand, at))
            }
            Self::Unreachable { at, .. } | Self::CutOff { at, .. } => look_at(hand, at),
            Self::TlsFile { path, .. } => format!("is it there, and PEM?  head -n 1 {}", word(&path.to_string_lossy())),
            Self::Silent { after, .. } => format!(
                "give it longer with --request-timeout {}s, or see what it does with kubectl logs",
                after.as_secs().saturating_mul(2).max(ENOUGH_FOR_MOST)
            ),
            Self::Client { .. } => return None,
        })
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unauthenticated { .. }
            | Self::Unchecked { .. }
            | Self::Unauthorizable { .. }
            | Self::Forbidden { .. }
            | Self::WantsCertificate { .. } => error::AUTH,
            Self::Silent { .. } => error::TIMEOUT,
            _ => error::ERROR,
        }
    }

    /// Whether a token might help.
    pub(crate) fn asks_for_token(&self) -> bool {
        matches!(
            self,
            Self::Unauthenticated { shown: false, .. } | Self::Forbidden { shown: false, .. }
        )
    }

    /// Whether the token that was shown might have run out.
    ///
    /// A token that does not pass a TokenReview is a 500 in the pickers' guard, not a 401.
    pub(crate) fn rejects_token(&self) -> bool {
        matches!(
            self,
            Self::Unauthenticated { shown: true, .. } | Self::Unchecked { .. }
        )
    }

    /// The ServiceAccount, namespace and name, that may not.
    pub(crate) fn refused_account(&self) -> Option<(&str, &str)> {
        match self {
            Self::Forbidden { body, .. } => account_in(body),
            _ => None,
        }
    }

    /// Whether another connection might do better: not an answer, but the lack of one.
    pub(crate) fn is_broken_connection(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::CutOff { .. })
    }
}

/// What may help where the page is not what it should be.
fn status_hint(
    hand: &ByHand,
    at: &str,
    status: StatusCode,
    body: &str,
    instead: Option<&Instead>,
) -> String {
    let is_pod = pod_in(at).is_some();
    match instead {
        Some(Instead::Elsewhere(url)) if !is_pod => {
            return format!(
                "if you trust where it points, ask there: --url {}",
                word(url)
            );
        }
        Some(Instead::Later(after)) => {
            return format!("try again when it says: Retry-After: {}", visible(after));
        }
        _ => {}
    }
    match status {
        StatusCode::NOT_FOUND if is_pod => "another port?  --metrics-port PORT".into(),
        StatusCode::NOT_FOUND => another_path(at).unwrap_or_else(|| look_at(hand, at)),
        StatusCode::BAD_REQUEST if body.contains(WANTS_TLS) => {
            format!(
                "it speaks TLS: --url {}",
                word(&at.replacen("http:", "https:", 1))
            )
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            format!("try again in a while, or {}", look_at(hand, at))
        }
        _ => look_at(hand, at),
    }
}

/// The address with the usual path, where it has none.
pub(crate) fn another_path(at: &str) -> Option<String> {
    let url = Url::parse(at).ok().filter(|url| url.path() == "/")?;
    let metrics = url.join("/metrics").ok()?;
    Some(format!(
        "is the path missing?  --url {}",
        word(metrics.as_str())
    ))
}

/// How to see for oneself what is there.
pub(crate) fn look_at(hand: &ByHand, at: &str) -> String {
    match pod_in(at) {
        Some((namespace, name)) => {
            format!(
                "see what it does: {} logs {} -n {}",
                hand.kubectl(),
                word(name),
                word(namespace)
            )
        }
        None => format!("see what answers there: curl -v {}", word(at)),
    }
}

/// Namespace and name in `pod llm/epp-0:9090`.
fn pod_in(at: &str) -> Option<(&str, &str)> {
    at.strip_prefix("pod ")?.rsplit_once(':')?.0.split_once('/')
}

/// The command that lets a picker ask the API server about tokens and rights.
fn delegate(hand: &ByHand, account: Option<&str>) -> String {
    let (namespace, name) = account
        .and_then(|account| account.split_once(':'))
        .unwrap_or(("NAMESPACE", "NAME"));
    grant_picker(&hand.admin(), namespace, name)
}

/// The ServiceAccount, namespace and name, that a picker's refusal names.
fn account_in(body: &str) -> Option<(&str, &str)> {
    let (namespace, rest) = body
        .split_once("system:serviceaccount:")?
        .1
        .split_once(':')?;
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let name = rest.split(|c| !is_of_a_name(c)).next()?;
    (namespace.chars().all(is_of_a_name) && !name.is_empty()).then_some((namespace, name))
}

/// The commands that let the user in a picker's refusal read its metrics.
fn forbidden_hint(hand: &ByHand, body: &str, near_miss: Option<&NearMiss>) -> String {
    match (near_miss, account_in(body)) {
        (Some(near_miss), _) => format!(
            "{}\n(a cached refusal can last 30 s after it)",
            near_miss.fix(hand)
        ),
        (None, Some((namespace, name))) => format!(
            "let that ServiceAccount read /metrics (a cached refusal can last 30 s after it):\n\
             {}",
            grant_reader(&hand.admin(), namespace, name)
        ),
        // The words of Envoy's RBAC filter.
        (None, None) if body.starts_with("RBAC: access denied") => {
            "a proxy before the picker refused, as a mesh's AuthorizationPolicy has it do: let it pass GET /metrics".into()
        }
        (None, None) => {
            "its user needs a ClusterRole with nonResourceURLs [/metrics], verbs [get]".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_quoted_in_what_is_to_be_typed() {
        let hand = ByHand::default();

        assert_eq!(
            ["pod llm/x;id:9090", "http://127.0.0.1/$(id)"].map(|at| look_at(&hand, at)),
            [
                "see what it does: kubectl logs 'x;id' -n llm",
                "see what answers there: curl -v 'http://127.0.0.1/$(id)'"
            ]
        );
    }

    #[test]
    fn only_names_are_taken_from_a_refusal() {
        let in_body = |account: &str| {
            format!("Authorization denied for user system:serviceaccount:{account}")
        };

        assert_eq!(
            account_in(&in_body("llm:reader.v1")),
            Some(("llm", "reader.v1"))
        );
        assert_eq!(
            account_in(&in_body("llm:reader; rm -rf ~")),
            Some(("llm", "reader"))
        );
        assert_eq!(account_in(&in_body("llm$(id):reader")), None);
        assert_eq!(account_in("Authorization denied for user jane"), None);
    }
}
