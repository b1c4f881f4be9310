//! A ServiceAccount that may not read metrics → the binding that means one of the same name in another namespace.
//!
//! A subject counts by namespace and name both, and manifests that were copied from a guide keep the guide's namespace: the
//! most common reason why a good token is refused.

use std::fmt;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Subject};
use kube::Api;
use kube::api::ListParams;
use serde_json::json;

use crate::by_hand::ByHand;
use crate::cluster::{Cluster, Right};
use crate::rbac::reader_binding;
use crate::shell::{json_patch, word};

const GROUP: &str = "rbac.authorization.k8s.io";

/// A binding that grants the right to another ServiceAccount than was meant.
#[derive(Debug, PartialEq, Eq)]
pub struct NearMiss {
    binding: String,
    /// The account that is meant.
    account: String,
    /// The account's namespace.
    namespace: String,
    /// The namespace that the binding names.
    names: String,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ClusterRoleBinding {} names it in namespace {:?}",
            self.binding, self.names
        )
    }
}

impl NearMiss {
    /// The command that mends it. It adds a subject and replaces none: the other namespace may have a reader of that
    /// name, which must not lose its right.
    pub fn fix(&self, hand: &ByHand) -> String {
        let Self {
            binding,
            account,
            namespace,
            ..
        } = self;
        let subject = json!({ "kind": "ServiceAccount", "name": account, "namespace": namespace });
        format!(
            "{} patch clusterrolebinding {} {}",
            hand.admin(),
            word(binding),
            json_patch("add", "/subjects/-", subject)
        )
    }
}

/// Looks for a binding that was meant for this account. Who may not list bindings finds none.
pub(crate) async fn near_miss(cluster: &Cluster, namespace: &str, name: &str) -> Option<NearMiss> {
    let bindings: Api<ClusterRoleBinding> = Api::all(cluster.client.clone());
    let bindings = cluster
        .ask(
            Right::list(GROUP, "clusterrolebindings", None),
            bindings.list(&ListParams::default()),
        )
        .await
        .ok()?;
    let is_near = |subject: &Subject| {
        subject.kind == "ServiceAccount"
            && subject.name == name
            && subject.namespace.as_deref() != Some(namespace)
    };
    for binding in bindings.items {
        let binding_name = binding.metadata.name.as_deref().unwrap_or_default();
        let subjects = binding.subjects.as_deref().unwrap_or_default();
        if let Some(subject) = subjects
            .iter()
            .find(|subject| is_near(subject) && !is_of_its_own(binding_name, subject))
            && grants_metrics(cluster, &binding.role_ref.name).await
        {
            return Some(NearMiss {
                account: name.to_owned(),
                namespace: namespace.to_owned(),
                names: subject.namespace.clone().unwrap_or_default(),
                binding: binding.metadata.name.unwrap_or_default(),
            });
        }
    }
    None
}

/// Whether a binding is the one that igctl makes for the account that it names: it is meant for no other.
pub(crate) fn is_of_its_own(binding: &str, subject: &Subject) -> bool {
    let namespace = subject.namespace.as_deref().unwrap_or_default();
    binding == reader_binding(namespace, &subject.name)
}

async fn grants_metrics(cluster: &Cluster, role: &str) -> bool {
    let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
    let right = Right {
        verb: "get",
        group: GROUP,
        resource: "clusterroles",
        namespace: None,
        name: Some(role.into()),
    };
    let role = cluster.ask(right, roles.get(role)).await;
    role.is_ok_and(|role| role.rules.iter().flatten().any(lets_get_metrics))
}

/// A `*` stands for the rest of a path, and only at its end.
/// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources>
pub(crate) fn lets_get_metrics(rule: &PolicyRule) -> bool {
    let covers = |url: &String| match url.strip_suffix('*') {
        Some(start) => "/metrics".starts_with(start),
        None => url == "/metrics",
    };
    rule.verbs.iter().any(|verb| verb == "get" || verb == "*")
        && rule.non_resource_urls.iter().flatten().any(covers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_let_metrics_be_read() {
        for (urls, verbs, lets) in [
            (json!(["/metrics"]), json!(["get"]), true),
            (json!(["/healthz", "/metr*"]), json!(["post", "*"]), true),
            (json!(["*"]), json!(["get"]), true),
            (json!(["/metrics/"]), json!(["get"]), false),
            (json!(["/metrics/*"]), json!(["get"]), false),
            (json!(["/metrics"]), json!(["post"]), false),
            (json!(null), json!(["get"]), false),
        ] {
            let rule: PolicyRule =
                serde_json::from_value(json!({ "nonResourceURLs": urls, "verbs": verbs }))
                    .expect("a rule");
            assert_eq!(lets_get_metrics(&rule), lets, "{rule:?}");
        }
    }
}
