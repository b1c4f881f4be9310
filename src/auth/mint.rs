//! Tokens made for the occasion, by the TokenRequest API.
//! <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/>

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;

use super::{Account, AuthError, Given};
use crate::cluster::{ApiError, Cluster, Right};
use crate::retry;
use crate::token::Token;

/// What is asked for, and the least that Kubernetes grants, in seconds.
const LIFETIME: i64 = 600;

/// A token and its life.
pub(crate) struct Minted {
    pub(crate) token: Token,
    /// No pod has taken it yet.
    pub(super) untried: bool,
    /// `None` where this machine's clock says that it has ended before it began: then the pod's word counts.
    pub(super) renew: Option<Timestamp>,
}

impl Minted {
    pub(super) fn give(&self) -> Given {
        Given {
            token: self.token.clone(),
            untried: self.untried,
            notice: None,
        }
    }
}

pub(crate) async fn mint(cluster: &Cluster, account: &Account) -> Result<Minted, AuthError> {
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
            return Err(AuthError::NoAccount { namespace, name });
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

/// Asked as the token's owner, which every account may; asking about others takes rights that few users have.
pub(crate) async fn may_read_metrics(cluster: &Cluster, token: &Token) -> Result<bool, ApiError> {
    let mut config = cluster.config.clone();
    config.auth_info = kube::config::AuthInfo {
        token: Some(token.expose().into()),
        ..Default::default()
    };
    let client = retry::client(config, cluster.timeout)
        .expect("the user's client has the same settings, and only another credential");
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
        .await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
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
