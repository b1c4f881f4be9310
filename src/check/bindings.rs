//! An account that may not read metrics → what was meant to let it, and why it does not.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, RoleBinding, Subject};
use kube::Api;
use kube::api::ListParams;

use crate::auth::{Account, is_of_its_own, lets_get_metrics};
use crate::cluster::{Cluster, Right};
use crate::rbac::{READER_ROLE, reader_binding};
use crate::shell::word;

const GROUP: &str = "rbac.authorization.k8s.io";

/// The command that deletes a binding of this name, of a namespace or of the cluster, where it is of another role: what
/// role a binding grants cannot be changed, and `kubectl apply` fails at it.
pub(super) async fn in_the_way(
    cluster: &Cluster,
    namespace: Option<&str>,
    name: &str,
    role: &str,
) -> Option<String> {
    let client = cluster.client.clone();
    let right = |resource| Right {
        verb: "get",
        group: GROUP,
        resource,
        namespace: namespace.map(Into::into),
        name: Some(name.into()),
    };
    let (found, kind) = match namespace {
        Some(namespace) => {
            let bindings: Api<RoleBinding> = Api::namespaced(client, namespace);
            let binding = cluster.ask(right("rolebindings"), bindings.get(name)).await;
            let command = format!("rolebinding -n {}", word(namespace));
            (binding.ok()?.role_ref, command)
        }
        None => {
            let bindings: Api<ClusterRoleBinding> = Api::all(client);
            let binding = cluster
                .ask(right("clusterrolebindings"), bindings.get(name))
                .await;
            (binding.ok()?.role_ref, "clusterrolebinding".to_owned())
        }
    };
    (found.name != role).then(|| format!("{} delete {kind} {}", cluster.admin, word(name)))
}

/// What was found of bindings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bindings {
    /// What is wrong with each that was meant for the account.
    pub(super) evidence: Vec<String>,
    /// One grants it, and the API server denies it all the same.
    pub(super) is_granted: bool,
    /// A binding of the name that igctl's has, to another role: what role a binding grants cannot be changed.
    pub(super) in_the_way: Option<String>,
}

/// Looks at all bindings. Who may not list them finds none.
pub(super) async fn look(cluster: &Cluster, account: &Account) -> Bindings {
    let params = ListParams::default();
    let cluster_bindings: Api<ClusterRoleBinding> = Api::all(cluster.client.clone());
    let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
    let bindings: Api<RoleBinding> = Api::namespaced(cluster.client.clone(), &account.namespace);
    let (cluster_bindings, roles, bindings) = tokio::join!(
        cluster.ask(
            Right::list(GROUP, "clusterrolebindings", None),
            cluster_bindings.list(&params)
        ),
        cluster.ask(
            Right::list(GROUP, "clusterroles", None),
            roles.list(&params)
        ),
        cluster.ask(
            Right::list(GROUP, "rolebindings", Some(&account.namespace)),
            bindings.list(&params)
        ),
    );
    let (Ok(cluster_bindings), Ok(roles)) = (cluster_bindings, roles) else {
        return Bindings::default();
    };
    explain(
        account,
        &cluster_bindings.items,
        &roles.items,
        &bindings.map(|list| list.items).unwrap_or_default(),
    )
}

fn explain(
    account: &Account,
    cluster_bindings: &[ClusterRoleBinding],
    roles: &[ClusterRole],
    bindings: &[RoleBinding],
) -> Bindings {
    let role = |name: &str| {
        roles
            .iter()
            .find(|role| role.metadata.name.as_deref() == Some(name))
    };
    let grants = |name: &str| {
        role(name).is_some_and(|role| role.rules.iter().flatten().any(lets_get_metrics))
    };
    let mut found = Bindings::default();
    let ours = reader_binding(&account.namespace, &account.name);
    for binding in cluster_bindings {
        let name = binding.metadata.name.as_deref().unwrap_or_default();
        let to = binding.role_ref.name.as_str();
        let subjects = binding.subjects.as_deref().unwrap_or_default();
        let is_meant = to == READER_ROLE || name.starts_with(&account.name);
        if name == ours && to != READER_ROLE {
            found.in_the_way = Some(ours.clone());
        }
        let line = if subjects.iter().any(|subject| is_account(subject, account)) {
            match role(to) {
                None => Some(format!("grants it ClusterRole {to}, which does not exist")),
                Some(_) if grants(to) => {
                    found.is_granted = true;
                    Some(
                        "grants it that: what denies it is no RBAC, but another authorizer"
                            .to_owned(),
                    )
                }
                Some(_) if is_meant => Some(format!(
                    "grants it ClusterRole {to}, which does not let it get /metrics"
                )),
                Some(_) => None,
            }
        } else if grants(to) || is_meant {
            subjects
                .iter()
                .filter(|subject| !is_of_its_own(name, subject))
                .find_map(|subject| near_miss(subject, account))
        } else {
            None
        };
        found
            .evidence
            .extend(line.map(|line| format!("ClusterRoleBinding {name} {line}")));
    }
    for binding in bindings {
        let subjects = binding.subjects.as_deref().unwrap_or_default();
        if subjects.iter().any(|subject| is_account(subject, account))
            && grants(&binding.role_ref.name)
        {
            found.evidence.push(format!(
                "RoleBinding {} grants it ClusterRole {}, but /metrics is in no namespace: it takes a ClusterRoleBinding",
                binding.metadata.name.as_deref().unwrap_or_default(),
                binding.role_ref.name
            ));
        }
    }
    if found.evidence.is_empty() {
        found
            .evidence
            .push("no ClusterRoleBinding grants it that".into());
    }
    found
}

fn is_account(subject: &Subject, account: &Account) -> bool {
    subject.kind == "ServiceAccount"
        && subject.name == account.name
        && subject.namespace.as_deref() == Some(&account.namespace)
}

/// What a subject has that was meant to be the account, and is not.
fn near_miss(subject: &Subject, account: &Account) -> Option<String> {
    let Subject {
        kind,
        name,
        namespace,
        ..
    } = subject;
    let namespace = namespace.as_deref().unwrap_or_default();
    if kind == "ServiceAccount" && *name == account.name {
        Some(format!("names it in namespace {namespace:?}"))
    } else if kind == "ServiceAccount" && namespace == account.namespace {
        Some(format!("names ServiceAccount {name} instead"))
    } else if kind != "ServiceAccount" && name.contains(&account.name) {
        Some(format!("names it as a {kind}, {name:?}"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn found(binding: Value) -> Vec<String> {
        let account = Account {
            namespace: "llm".into(),
            name: "reader".into(),
        };
        let role = |name: &str, url: &str| {
            let rules = json!([{ "nonResourceURLs": [url], "verbs": ["get"] }]);
            from_value(json!({ "metadata": { "name": name }, "rules": rules })).expect("a role")
        };
        let roles: [ClusterRole; 2] = [role("metrics", "/metrics"), role("health", "/healthz")];
        let binding: ClusterRoleBinding = from_value(binding).expect("a binding");
        explain(&account, &[binding], &roles, &[]).evidence
    }

    #[track_caller]
    fn says(name: &str, role: &str, subject: Value, line: &str) {
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": role },
            "subjects": [subject],
        });
        assert_eq!(found(binding), [line]);
    }

    #[test]
    fn what_was_meant_for_the_account_is_told() {
        let account = |namespace: &str, name: &str| json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name });
        says(
            "readers",
            "metrics",
            account("default", "reader"),
            "ClusterRoleBinding readers names it in namespace \"default\"",
        );
        says(
            "readers",
            "metrics",
            account("llm", "raeder"),
            "ClusterRoleBinding readers names ServiceAccount raeder instead",
        );
        says(
            "reader-binding",
            "health",
            account("llm", "reader"),
            "ClusterRoleBinding reader-binding grants it ClusterRole health, which does not let it get /metrics",
        );
        says(
            "readers",
            "gone",
            account("llm", "reader"),
            "ClusterRoleBinding readers grants it ClusterRole gone, which does not exist",
        );
    }

    #[test]
    fn bindings_of_others_are_none_of_its_business() {
        let nothing = "no ClusterRoleBinding grants it that";
        let account = |namespace: &str, name: &str| json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name });
        // What `igctl rbac generate -n prod` has made.
        says(
            "reader-role-binding-prod",
            "metrics",
            account("prod", "reader"),
            nothing,
        );
        says("readers", "metrics", account("prod", "prometheus"), nothing);
        says(
            "health-checks",
            "health",
            account("default", "reader"),
            nothing,
        );
    }
}
