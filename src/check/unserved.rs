//! An API of InferencePools that is not served: was it defined, and what keeps it from being served?

use futures::future::join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::json;

use super::step::Step;
use crate::cluster::{Cluster, Right};
use crate::discover::pool::{self, RESOURCE};
use crate::shell::{json_patch, word};

/// The API's definitions, of a release of the Gateway API Inference Extension.
const CRDS: &str = "https://github.com/kubernetes-sigs/gateway-api-inference-extension/releases/download/v1.5.0/v1-manifests.yaml";

/// The command that defines the API.
pub(super) fn define(cluster: &Cluster) -> String {
    format!("{} apply -f {CRDS}", cluster.admin)
}

/// Completes a step by the APIs that are not served, and why, where definitions may be read.
pub(super) async fn explain(cluster: &Cluster, mut step: Step) -> Step {
    let apis = pool::served(cluster).await;
    let unserved = apis.iter().filter(|(_, served)| !served);
    let looks = unserved.map(|(api, _)| async move { (api, definition(cluster, api).await) });
    for (api, definition) in join_all(looks).await {
        step = step.because([format!("this cluster does not serve {api}")]);
        if let Some(definition) = definition {
            step = why(&cluster.admin, api, &definition, step);
        }
    }
    step
}

async fn definition(cluster: &Cluster, api: &str) -> Option<CustomResourceDefinition> {
    let (group, _) = api.split_once('/')?;
    let name = format!("{RESOURCE}.{group}");
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let right = Right {
        verb: "get",
        group: "apiextensions.k8s.io",
        resource: "customresourcedefinitions",
        namespace: None,
        name: Some(name.clone()),
    };
    cluster.ask(right, definitions.get(&name)).await.ok()
}

fn why(admin: &str, api: &str, definition: &CustomResourceDefinition, step: Step) -> Step {
    let name = definition.metadata.name.as_deref().unwrap_or_default();
    if definition.metadata.deletion_timestamp.is_some() {
        return step.because([format!(
            "CustomResourceDefinition {name} is being deleted, and its pools with it"
        )]);
    }
    let version = api.split_once('/').map_or("", |(_, version)| version);
    let mut versions = definition.spec.versions.iter();
    match versions.position(|known| known.name == version) {
        None => step.because([format!(
            "CustomResourceDefinition {name} has no version {version}"
        )]),
        Some(at) if !definition.spec.versions[at].served => step
            .because([format!(
                "CustomResourceDefinition {name} has version {version} and does not serve it"
            )])
            .mended_by([format!(
                "{admin} patch customresourcedefinition {} {}",
                word(name),
                json_patch(
                    "replace",
                    &format!("/spec/versions/{at}/served"),
                    json!(true)
                )
            )]),
        Some(_) => {
            let conditions = definition
                .status
                .iter()
                .flat_map(|status| status.conditions.iter().flatten());
            let unmet = conditions.filter(|condition| {
                ["NamesAccepted", "Established"].contains(&condition.type_.as_str())
                    && condition.status != "True"
            });
            let lines = unmet.map(|condition| {
                format!(
                    "CustomResourceDefinition {name} is not {}: {}",
                    condition.type_,
                    condition.message.as_deref().unwrap_or_default()
                )
            });
            step.because(lines)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::step::Name;
    use serde_json::{Value, from_value};

    /// Why `v1` is not served, and the command that mends it.
    fn told(metadata: Value, versions: Value, conditions: Value) -> (Vec<String>, Vec<String>) {
        let mut definition: CustomResourceDefinition = from_value(json!({
            "metadata": metadata,
            "spec": { "group": "example.test", "names": { "kind": "", "plural": "" }, "scope": "", "versions": versions },
            "status": { "conditions": conditions },
        }))
        .expect("a definition");
        definition.metadata.name = Some("pools.example.test".into());
        let step = why(
            "kubectl",
            "example.test/v1",
            &definition,
            Step::fail(Name::Pool, ""),
        );
        (step.evidence, step.fix)
    }

    fn version(name: &str, served: bool) -> Value {
        json!({ "name": name, "served": served, "storage": false })
    }

    #[track_caller]
    fn says(told: (Vec<String>, Vec<String>), line: &str) {
        let line = format!("CustomResourceDefinition pools.example.test {line}");
        assert_eq!(told, (vec![line], vec![]));
    }

    #[test]
    fn a_definition_tells_why_it_is_not_served() {
        let served = json!([version("v1", true)]);
        says(
            told(
                json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" }),
                served.clone(),
                json!([]),
            ),
            "is being deleted, and its pools with it",
        );
        says(
            told(json!({}), json!([version("v2", true)]), json!([])),
            "has no version v1",
        );
        says(
            told(
                json!({}),
                served,
                json!([
                    { "type": "NonStructuralSchema", "status": "False" },
                    { "type": "Established", "status": "True" },
                    { "type": "NamesAccepted", "status": "False", "message": "\"pools\" is taken" },
                ]),
            ),
            "is not NamesAccepted: \"pools\" is taken",
        );
    }

    #[test]
    fn a_version_that_is_switched_off_is_switched_on_in_its_place() {
        let versions = json!([version("v2", true), version("v1", false)]);

        let (evidence, fix) = told(json!({}), versions, json!([]));

        assert_eq!(
            (evidence, fix),
            (
                vec![
                    "CustomResourceDefinition pools.example.test has version v1 and does not serve it".to_owned()
                ],
                vec![
                    "kubectl patch customresourcedefinition pools.example.test --type=json -p \
                     '[{\"op\":\"replace\",\"path\":\"/spec/versions/1/served\",\"value\":true}]'"
                        .to_owned()
                ]
            )
        );
    }
}
