//! Tokens that somebody else made: in a file, or in a Secret.

use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::{AuthError, SECRET_TYPE};
use crate::cluster::{Cluster, Right, is_name};
use crate::token::Token;

pub(crate) fn read_file(path: &PathBuf) -> Result<Token, AuthError> {
    let explain = |reason: String| AuthError::File {
        path: path.clone(),
        reason,
    };
    let text = fs::read_to_string(path).map_err(|fault| explain(fault.to_string()))?;
    Token::new(&text).ok_or_else(|| {
        explain(match text.trim().is_empty() {
            true => "it is empty".into(),
            false => "it holds no token, which is one word".into(),
        })
    })
}

pub(crate) async fn read_secret(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<Token, AuthError> {
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
        .and_then(|mut annotations| annotations.remove("kubernetes.io/service-account.name"))
        .filter(|account| is_name(account));
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
