//! A cluster and what was asked for → the picker pods to scrape.
//!
//! From an InferencePool the way leads over the Service that it names as its endpoint picker to the pods that the
//! Service selects; `svc/`, `deploy/`, `-l` and `pod/` enter that way further along.

mod error;
pub(crate) mod lease;
mod pod;
pub(crate) mod pool;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod as KubePod, Service};
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;

use crate::cluster::{ApiError, Cluster, Right};
use crate::config::{ClusterSource, Select};
use crate::shell::word;
pub use error::DiscoverError;
pub use pod::{Pod, State, Target};
pub(crate) use pod::{Setting, ready, told_port};
use pool::Picker;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The pods, each once, by namespace and name.
    pub targets: Vec<Target>,
    /// What pools name as their pickers, and leads to no pod.
    pub missing: Vec<Missing>,
    /// What was passed over, for the person to know.
    pub notices: Vec<String>,
}

/// A picker without a pod to scrape.
#[derive(Debug, Clone)]
pub struct Missing {
    /// What stands for its pods: the Service, or the pool that names none.
    pub entry: Pod,
    /// Why there is none.
    pub fault: Arc<DiscoverError>,
}

/// Finds the pods.
///
/// # Errors
/// Where nothing at all can be scraped. With several pools, one that leads nowhere is missing.
pub async fn discover(cluster: &Cluster, source: &ClusterSource) -> Result<Found, DiscoverError> {
    let finder = Finder { cluster, source };
    let mut found = finder.find().await?;
    lease::mark_holders(cluster, &mut found.targets).await;
    Ok(found)
}

impl Found {
    fn of(targets: Vec<Target>) -> Self {
        Self {
            targets,
            ..Self::default()
        }
    }
}

struct Finder<'a> {
    cluster: &'a Cluster,
    source: &'a ClusterSource,
}

impl Finder<'_> {
    async fn find(&self) -> Result<Found, DiscoverError> {
        let Self { cluster, source } = self;
        match &source.select {
            Select::Pools => {
                self.of_pools(pool::list(cluster, self.scope()).await?)
                    .await
            }
            Select::Pool(name) => self.of_pools(pool::get(cluster, name).await?).await,
            Select::Service(name) => {
                let picker = Picker {
                    namespace: cluster.namespace.clone(),
                    name: name.clone(),
                    pools: Vec::new(),
                };
                self.of_service(&picker).await.map(Found::of)
            }
            Select::Deployment(name) => self.of_deployment(name).await.map(Found::of),
            Select::Labels(selector) => self.of_labels(selector).await.map(Found::of),
            Select::Pod(name) => self.named(name).await.map(Found::of),
        }
    }

    /// The namespace to look in; `None` is all.
    fn scope(&self) -> Option<&str> {
        (!self.source.all_namespaces).then_some(self.cluster.namespace.as_str())
    }

    fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.cluster.client.clone(), namespace)
    }

    async fn of_pools(&self, pools: pool::Pools) -> Result<Found, DiscoverError> {
        let mut found = Found {
            notices: pools.notices,
            ..Found::default()
        };
        let mut missing = Vec::new();
        let mut by_pod: BTreeMap<(String, String), Target> = BTreeMap::new();
        let outcomes = join_all(pools.pickers.iter().map(|picker| self.of_service(picker))).await;
        for (picker, outcome) in pools.pickers.iter().zip(outcomes) {
            match outcome {
                Ok(targets) => {
                    for target in targets {
                        // Two pools may share a picker, and two Services a pod.
                        by_pod
                            .entry(target.key())
                            .and_modify(|known| {
                                known.pod.pools.extend(target.pod.pools.iter().cloned())
                            })
                            .or_insert(target);
                    }
                }
                Err(fault) => missing.push((picker.entry(), fault)),
            }
        }
        found.targets = by_pod.into_values().collect();
        if found.targets.is_empty() && !missing.is_empty() {
            return Err(missing.swap_remove(0).1);
        }
        let missing = missing.into_iter().chain(pools.without);
        found.missing = missing
            .map(|(entry, fault)| Missing {
                entry,
                fault: Arc::new(fault),
            })
            .collect();
        Ok(found)
    }

    async fn of_service(&self, picker: &Picker) -> Result<Vec<Target>, DiscoverError> {
        let Picker {
            namespace,
            name,
            pools,
        } = picker;
        let service = self
            .cluster
            .ask(
                Right::get("", "services", namespace, name),
                self.api::<Service>(namespace).get(name),
            )
            .await
            .map_err(|fault| self.no_such(fault, "Service", namespace, name, pools))?;
        let selector: Selector = service
            .spec
            .and_then(|spec| spec.selector)
            .filter(|labels| !labels.is_empty())
            .ok_or_else(|| DiscoverError::NoSelector {
                namespace: namespace.clone(),
                name: name.clone(),
            })?
            .into_iter()
            .collect();
        let mut targets = self
            .pods(
                Some(namespace),
                &selector.to_string(),
                &format!("Service {namespace}/{name}"),
            )
            .await?;
        for target in &mut targets {
            target.belongs_to(namespace, name);
            target.pod.pools.clone_from(pools);
        }
        Ok(targets)
    }

    async fn of_deployment(&self, name: &str) -> Result<Vec<Target>, DiscoverError> {
        let namespace = &self.cluster.namespace;
        let deployment = self
            .cluster
            .ask(
                Right::get("apps", "deployments", namespace, name),
                self.api::<Deployment>(namespace).get(name),
            )
            .await
            .map_err(|fault| self.no_such(fault, "Deployment", namespace, name, &[]))?;
        let owner = format!("Deployment {namespace}/{name}");
        let selector = deployment
            .spec
            .and_then(|spec| Selector::try_from(spec.selector).ok())
            .ok_or_else(|| DiscoverError::NoSelector {
                namespace: namespace.clone(),
                name: name.into(),
            })?;
        let mut targets = self
            .pods(Some(namespace), &selector.to_string(), &owner)
            .await?;
        for target in &mut targets {
            target.pod.picker = Some(name.to_owned());
        }
        Ok(targets)
    }

    async fn of_labels(&self, selector: &str) -> Result<Vec<Target>, DiscoverError> {
        self.pods(self.scope(), selector, &format!("-l {selector}"))
            .await
    }

    async fn named(&self, name: &str) -> Result<Vec<Target>, DiscoverError> {
        let namespace = &self.cluster.namespace;
        let pod = self
            .cluster
            .ask(
                Right::get("", "pods", namespace, name),
                self.api::<KubePod>(namespace).get(name),
            )
            .await
            .map_err(|fault| self.no_such(fault, "pod", namespace, name, &[]))?;
        match Target::of(&pod, self.source.metrics_port) {
            Some(target) => Ok(vec![target]),
            None => Err(DiscoverError::NoPods {
                owner: format!("that name runs: {namespace}/{name}"),
                ended: "; it has ended or is being deleted".into(),
                list: format!("{} get pods -n {}", self.cluster.kubectl, word(namespace)),
            }),
        }
    }

    async fn pods(
        &self,
        namespace: Option<&str>,
        selector: &str,
        owner: &str,
    ) -> Result<Vec<Target>, DiscoverError> {
        let api = match namespace {
            Some(namespace) => self.api::<KubePod>(namespace),
            None => Api::all(self.cluster.client.clone()),
        };
        let pods = self
            .cluster
            .ask(
                Right::list("", "pods", namespace),
                api.list(&ListParams::default().labels(selector)),
            )
            .await
            .map_err(|fault| match fault {
                ApiError::Failed {
                    code: 400, message, ..
                } => DiscoverError::BadSelector {
                    selector: selector.into(),
                    message,
                },
                fault => DiscoverError::Api(fault),
            })?;
        let targets: Vec<Target> = pods
            .items
            .iter()
            .filter_map(|pod| Target::of(pod, self.source.metrics_port))
            .collect();
        if !targets.is_empty() {
            return Ok(targets);
        }
        let ended = match pods.items.len() {
            0 => String::new(),
            1 => " runs: the only one has ended or is being deleted".into(),
            count => format!(" runs: all {count} have ended or are being deleted"),
        };
        let place = namespace.map_or("-A".into(), |namespace| format!("-n {}", word(namespace)));
        let list = format!(
            "{} get pods {place} -l {}",
            self.cluster.kubectl,
            word(selector)
        );
        Err(DiscoverError::NoPods {
            owner: owner.into(),
            ended,
            list,
        })
    }

    fn no_such(
        &self,
        fault: ApiError,
        kind: &'static str,
        namespace: &str,
        name: &str,
        pools: &[String],
    ) -> DiscoverError {
        match fault {
            ApiError::NotFound { .. } => DiscoverError::NoSuch {
                kind,
                name: name.into(),
                namespace: namespace.into(),
                because: match pools {
                    [] => String::new(),
                    pools => format!(
                        ", which InferencePool {} names as its endpoint picker",
                        pools.join(", ")
                    ),
                },
                list: format!(
                    "{} get {}s -n {}",
                    self.cluster.kubectl,
                    kind.to_lowercase(),
                    word(namespace)
                ),
            },
            fault => DiscoverError::Api(fault),
        }
    }
}
