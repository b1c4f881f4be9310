//! Follows the InferenceModelRewrite objects of a pool.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::runtime::watcher;
use serde::Deserialize;
use tokio::time::{Duration, sleep};
use tracing::{info, warn};

use crate::metrics::Metrics;
use crate::rewrite::{LiveRewrites, Rewrites, Rule, Target};
use crate::watching::{Mirror, cause, watch};

/// How often it is looked whether the cluster shows such objects by now.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The same where the API server is away.
const TRY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    pool_ref: PoolRef,
    #[serde(default)]
    rules: Vec<WrittenRule>,
}

#[derive(Debug, Deserialize)]
struct PoolRef {
    name: String,
}

#[derive(Debug, Deserialize)]
struct WrittenRule {
    /// None means every model.
    #[serde(default)]
    matches: Vec<Match>,
    #[serde(default)]
    targets: Vec<WrittenTarget>,
}

#[derive(Debug, Deserialize)]
struct Match {
    model: Exact,
}

#[derive(Debug, Deserialize)]
struct Exact {
    value: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenTarget {
    model_rewrite: Arc<str>,
    weight: Option<u32>,
}

/// The rules of one object, and its rank: where two say something of one
/// model, the older object counts.
#[derive(Debug, Clone)]
struct Written {
    created: Option<String>,
    name: String,
    rules: Vec<Rule>,
}

impl Written {
    /// What an object says about the pool of this name, if anything.
    fn of(object: &DynamicObject, pool: &str) -> Option<Self> {
        let spec = Spec::deserialize(object.data.get("spec")?)
            .inspect_err(|error| warn!(object = ?object.name_any(), %error, "a model rewrite is not understood"))
            .ok()
            .filter(|spec| spec.pool_ref.name == pool)?;
        let created = object.metadata.creation_timestamp.as_ref();
        Some(Self {
            // Timestamps of the API sort as text.
            created: created.map(|time| time.0.to_string()),
            name: object.name_any(),
            rules: spec
                .rules
                .into_iter()
                .flat_map(WrittenRule::rules)
                .collect(),
        })
    }
}

impl WrittenRule {
    fn rules(self) -> impl Iterator<Item = Rule> {
        let targets: Vec<_> = self
            .targets
            .into_iter()
            .map(|to| Target {
                target: to.model_rewrite,
                weight: to.weight.unwrap_or(1),
            })
            .collect();
        let is_for_all = self.matches.is_empty();
        let models = self.matches.into_iter().map(|of| Some(of.model.value));
        let models = models.chain(is_for_all.then_some(None));
        models.map(move |model| Rule {
            model,
            targets: targets.clone(),
        })
    }
}

/// Keeps `rewrites` as the objects say, for as long as it is awaited.
pub(crate) async fn follow(
    client: &kube::Client,
    namespace: &str,
    pool: &str,
    rewrites: &LiveRewrites,
    metrics: &Metrics,
) -> Infallible {
    let kind = GroupVersionKind::gvk(
        "inference.networking.x-k8s.io",
        "v1alpha2",
        "InferenceModelRewrite",
    );
    let resource = ApiResource::from_gvk_with_plural(&kind, "inferencemodelrewrites");
    let objects = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    are_shown(&objects).await;
    let mut events = pin!(watch(
        "the model rewrites",
        objects,
        watcher::Config::default()
    ));
    let mut mirror = Mirror::default();
    let mut known = Vec::new();
    loop {
        let Some(event) = events.next().await else {
            return std::future::pending().await;
        };
        if !mirror.take(event, |object| Written::of(object, pool)) {
            continue;
        }
        let mut by_age: Vec<Written> = mirror.values().cloned().collect();
        by_age.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
        let rules = by_age.into_iter().flat_map(|rewrite| rewrite.rules);
        let rules: Vec<_> = rules.collect();
        // Objects change in other ways too, and new rewrites begin their rounds
        // anew.
        if rules == known {
            continue;
        }
        known.clone_from(&rules);
        let new = Rewrites::from_rules(rules);
        metrics.keep_names(new.names().cloned());
        info!(models = new.len(), "the model rewrites are other ones now");
        rewrites.replace(new);
    }
}

/// Waits until the cluster shows such objects: many do not know them, and not
/// every picker may read them, which is no failure of a watch.
async fn are_shown(objects: &Api<DynamicObject>) {
    let mut is_told = false;
    while let Err(error) = objects.list(&ListParams::default().limit(1)).await {
        let code = match &error {
            kube::Error::Api(status) => status.code,
            _ => 0,
        };
        if code != 404 && !std::mem::replace(&mut is_told, true) {
            warn!(
                error = cause(&error),
                "the model rewrites cannot be read; none are followed until they can"
            );
        }
        sleep(match code {
            403 | 404 => LOOK_AGAIN,
            _ => TRY_AGAIN,
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::answering;
    use serde_json::{Value, json};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn what_is_unknown_or_forbidden_is_looked_for_every_half_minute() {
        let list = r#"{"kind":"KindList","apiVersion":"g/v1","metadata":{},"items":[]}"#;
        let answers = vec![Err(404), Err(403), Err(500), Ok(list)];
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("g", "v1", "Kind"));
        let objects = Api::default_namespaced_with(answering(answers), &kind);
        let started = Instant::now();
        are_shown(&objects).await;
        let expected = LOOK_AGAIN * 2 + TRY_AGAIN;
        assert_eq!(started.elapsed().as_secs(), expected.as_secs());
    }

    fn rules(spec: Value) -> Option<Vec<(Option<Arc<str>>, u32)>> {
        let object = DynamicObject {
            types: None,
            metadata: Default::default(),
            data: json!({"spec": spec}),
        };
        let rewrite = Written::of(&object, "pool")?;
        let rules = rewrite.rules.into_iter();
        Some(
            rules
                .map(|rule| (rule.model, rule.targets.iter().map(|to| to.weight).sum()))
                .collect(),
        )
    }

    #[test]
    fn rules_are_read_for_their_pool_alone() {
        let targets = json!([{"modelRewrite": "a", "weight": 3}, {"modelRewrite": "b"}]);
        let one = json!({"model": {"type": "Exact", "value": "m"}});
        let read = [
            rules(
                json!({"poolRef": {"name": "pool"}, "rules": [{"matches": [one], "targets": targets}]}),
            ),
            rules(json!({"poolRef": {"name": "pool"}, "rules": [{"targets": targets}]})),
            rules(json!({"poolRef": {"name": "other"}, "rules": [{"targets": targets}]})),
            rules(json!({"rules": 7})),
        ];
        assert_eq!(
            read,
            [
                Some(vec![(Some("m".into()), 4)]),
                Some(vec![(None, 4)]),
                None,
                None
            ]
        );
    }
}
