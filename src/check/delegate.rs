//! May the picker ask the API server whose a token is, and what its owner may do?

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::Api;

use super::bindings;
use super::metrics::{Answers, Refused};
use super::pods::Replica;
use super::reader::Reader;
use super::rights::may_it;
use super::step::{Name, Step};
use super::workload::deployment_of;
use crate::auth::Account;
use crate::cluster::{ApiError, Cluster, Right};
use crate::rbac::{PICKER_ROLE, grant_picker, picker_binding};
use crate::shell::word;

const NAME: Name = Name::PickersRight;
/// A picker waits for the API server for ten seconds.
const CUT_OFF: Duration = Duration::from_secs(9);

/// What the API server says that a picker's account may; `None` where I may not ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delegated {
    tokens: Option<bool>,
    rights: Option<bool>,
}

pub(super) async fn ask(cluster: &Cluster, account: &Account) -> Delegated {
    let create = |group, resource| Right {
        verb: "create",
        group,
        resource,
        namespace: None,
        name: None,
    };
    let (tokens, rights) = (
        create("authentication.k8s.io", "tokenreviews"),
        create("authorization.k8s.io", "subjectaccessreviews"),
    );
    let (tokens, rights) = tokio::join!(
        may_it(cluster, account, &tokens),
        may_it(cluster, account, &rights)
    );
    Delegated {
        tokens: tokens.ok(),
        rights: rights.ok(),
    }
}

/// Holds what the API server says against what the picker answered.
pub(super) async fn judge(
    cluster: &Cluster,
    replica: &Replica,
    delegated: Delegated,
    reader: &Reader,
    answers: &Answers,
) -> Step {
    let account = replica.account();
    let may = format!("ServiceAccount {account} may review tokens and rights");
    let lacks = async |what: &str, evidence: &str| {
        Step::fail(
            NAME,
            format!("the picker's ServiceAccount {account} may not create {what}"),
        )
        .because([evidence.to_owned()])
        .mended_by(grant(cluster, &account).await)
    };
    if answers.is_open() {
        return Step::ok(NAME, "not needed: the picker asks for no token");
    }
    // What the picker did outweighs what it should be able to do.
    if answers.any_page() {
        return match delegated.rights {
            Some(false) => Step::warn(
                NAME,
                format!("ServiceAccount {account} may not create subjectaccessreviews"),
            )
            .because(["the picker answers from memory, for five minutes at most"])
            .mended_by(grant(cluster, &account).await),
            _ => Step::ok(NAME, may),
        };
    }
    let is_cut_off = answers
        .slowest_refusal()
        .is_some_and(|time| time >= CUT_OFF);
    match answers.refused() {
        // To refuse the owner it has asked about both.
        Some(Refused::Owner) => Step::ok(NAME, may),
        Some(Refused::Token | Refused::Review) if reader.known_good && is_cut_off => {
            cannot_ask(cluster, replica, answers).await
        }
        Some(Refused::Token) if reader.known_good => match delegated.tokens {
            Some(false) => lacks("tokenreviews", "says the API server").await,
            None => lacks(
                "tokenreviews",
                "so its answer tells, a 500 to a token that the API server knows; you may not ask",
            )
            .await,
            Some(true) => cannot_ask(cluster, replica, answers).await,
        },
        Some(Refused::Review) => match delegated.rights {
            Some(true) => cannot_ask(cluster, replica, answers).await,
            Some(false) => lacks("subjectaccessreviews", "says the API server").await,
            None => {
                lacks(
                    "subjectaccessreviews",
                    "so its answer tells; you may not ask",
                )
                .await
            }
        },
        _ if answers.is_silent_to_token() => Step::warn(
            NAME,
            "the picker may be cut off from the API server, which it asks about tokens",
        )
        .because(["it answers without a token, and not in time to one"]),
        _ if answers.asks() => match (delegated.tokens, delegated.rights) {
            (Some(false), _) => lacks("tokenreviews", "says the API server").await,
            (_, Some(false)) => lacks("subjectaccessreviews", "says the API server").await,
            (Some(true), Some(true)) => Step::ok(NAME, may),
            _ => Step::skip(
                NAME,
                "you may not create subjectaccessreviews.authorization.k8s.io",
            ),
        },
        _ => match delegated {
            Delegated {
                tokens: Some(true),
                rights: Some(true),
            } => Step::ok(NAME, may),
            _ => Step::skip(NAME, "whether the picker asks for a token is not known"),
        },
    }
}

/// The commands that let the picker's account ask.
async fn grant(cluster: &Cluster, account: &Account) -> Vec<String> {
    let Account { namespace, name } = account;
    let binding = picker_binding(namespace, name);
    let in_the_way = bindings::in_the_way(cluster, None, &binding, PICKER_ROLE).await;
    let grant = grant_picker(&cluster.admin, namespace, name);
    in_the_way.into_iter().chain([grant]).collect()
}

/// It may ask, and its answer is that it cannot: its own credential, or its way to the API server.
async fn cannot_ask(cluster: &Cluster, replica: &Replica, answers: &Answers) -> Step {
    let account = replica.account();
    let Account { namespace, name } = &account;
    let step = Step::fail(NAME, "the picker cannot ask the API server, though it may");
    let restart = deployment_of(&replica.pod).map(|deployment| {
        format!(
            "{} rollout restart deployment {} -n {}",
            cluster.admin,
            word(deployment),
            word(namespace)
        )
    });
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), namespace);
    let right = Right::get("", "serviceaccounts", namespace, name);
    match cluster.ask(right, accounts.get(name)).await {
        Err(ApiError::NotFound { .. }) => {
            return step
                .because([format!(
                    "its ServiceAccount {account} does not exist any more"
                )])
                .mended_by([format!(
                    "{} create serviceaccount {} -n {}",
                    cluster.admin,
                    word(name),
                    word(namespace)
                )])
                .mended_by(restart);
        }
        Ok(found) if is_younger(&found, &replica.pod) => {
            return step
                .because([format!(
                    "its ServiceAccount {account} was made after the pod, whose token is of the one before"
                )])
                .mended_by(restart);
        }
        _ => {}
    }
    if !has_token(&replica.pod) {
        return step.because(["its pod has no token: automountServiceAccountToken is false"]);
    }
    match answers.slowest_refusal() {
        Some(time) if time >= CUT_OFF => step.because([format!(
            "its answer took {} s: it is cut off from the API server",
            time.as_secs()
        )]),
        _ => step.because(["its log tells why"]).because([format!(
            "{} logs {} -n {}",
            cluster.kubectl,
            word(&replica.target.pod.name),
            word(namespace)
        )]),
    }
}

fn is_younger(account: &ServiceAccount, pod: &Pod) -> bool {
    match (
        &account.metadata.creation_timestamp,
        &pod.metadata.creation_timestamp,
    ) {
        (Some(account), Some(pod)) => account.0 > pod.0,
        _ => false,
    }
}

/// Whether any volume of the pod has a ServiceAccount's token.
fn has_token(pod: &Pod) -> bool {
    let mut volumes = pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten());
    volumes.any(|volume| {
        let projected = volume
            .projected
            .iter()
            .flat_map(|projected| projected.sources.iter().flatten());
        volume.secret.is_some()
            || projected
                .into_iter()
                .any(|source| source.service_account_token.is_some())
    })
}
