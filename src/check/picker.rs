//! Does the way from the pool lead to running pickers?

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;

use super::dial::{Greeting, closed, is_probed};
use super::pods::{self, Replica};
use super::pool::{Pools, refusal};
use super::step::{Name, Step};
use super::{service, workload};
use crate::cluster::{ApiError, Cluster, Right};
use crate::config::{ClusterSource, Select};
use crate::discover::pool::Pool;
use crate::discover::{Target, discover, lease};

const NAME: Name = Name::Picker;

/// A picker that was named: by pools, or by the person.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) namespace: String,
    /// Its Service, if it is known by one.
    pub(super) service: Option<String>,
    pub(super) pools: Vec<Pool>,
}

/// What became of it.
pub(super) struct Found {
    pub(super) step: Step,
    pub(super) replicas: Vec<Replica>,
    service: Option<Service>,
}

impl Wanted {
    /// The pickers that pools name, or the person: each Service once.
    pub(super) fn all(cluster: &Cluster, source: &ClusterSource, found: &Pools) -> Vec<Self> {
        let mut wanted: Vec<Self> = Vec::new();
        for pool in &found.pools {
            let Some(service) = pool.picker.as_ref().and_then(|picker| picker.service()) else {
                continue;
            };
            let known = wanted.iter_mut().find(|known| {
                known.namespace == pool.namespace && known.service.as_deref() == Some(service)
            });
            match known {
                Some(known) => known.pools.push(pool.clone()),
                None => wanted.push(Self {
                    namespace: pool.namespace.clone(),
                    service: Some(service.to_owned()),
                    pools: vec![pool.clone()],
                }),
            }
        }
        let alone = |service| Self {
            namespace: cluster.namespace().to_owned(),
            service,
            pools: Vec::new(),
        };
        match &source.select {
            Select::Service(name) if wanted.is_empty() => wanted.push(alone(Some(name.clone()))),
            Select::Pod(_) | Select::Deployment(_) | Select::Labels(_) => wanted.push(alone(None)),
            // Who may not read pools may know pickers by their flags.
            Select::Pools | Select::Pool(_) if found.refused => wanted.push(alone(None)),
            Select::Service(_) | Select::Pools | Select::Pool(_) => {}
        }
        wanted
    }

    /// For people, where there are several.
    pub(super) fn name(&self) -> String {
        let service = self.service.as_deref().unwrap_or_default();
        format!("{}/{service}", self.namespace)
    }
}

impl Found {
    fn of(step: Step, replicas: Vec<Replica>) -> Self {
        Self {
            step,
            replicas,
            service: None,
        }
    }

    fn none(step: Step) -> Self {
        Self {
            step,
            replicas: Vec::new(),
            service: None,
        }
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.replicas.iter().map(|replica| &replica.target)
    }
}

pub(super) async fn check(cluster: &Cluster, source: &ClusterSource, wanted: &Wanted) -> Found {
    let finder = Finder {
        cluster,
        source,
        wanted,
    };
    match (&wanted.service, &source.select) {
        (Some(service), _) => finder.of_service(service).await,
        (None, Select::Pools | Select::Pool(_)) => finder.by_flags().await,
        (None, _) => finder.named().await,
    }
}

/// Whether the gateway's way to a picker of which nothing worse is known ends at a closed port of a pod that is ready.
pub(super) async fn closed_port(
    cluster: &Cluster,
    source: &ClusterSource,
    wanted: &Wanted,
    found: &Found,
) -> Option<Step> {
    let service = found.service.as_ref().filter(|_| !found.step.is_broken())?;
    let is_ready = |replica: &&Replica| replica.target.pod.ready == Some(true);
    let Replica { pod, target } = found.replicas.iter().find(is_ready)?;
    for way in service::targets(wanted, service, pod) {
        let elsewhere = if way.2 == target.port && source.metrics_port.is_none() {
            Some("their metrics are")
        } else if service::is_for_health(pod, way.2) {
            Some("they tell their health")
        } else {
            None
        };
        if let Some(what) = elsewhere {
            return Some(service::leads_elsewhere(cluster, service, pod, way, what));
        }
        if is_probed(pod, way.2) {
            continue;
        }
        let closed = closed(cluster, source, pod, target, way.2, Greeting::Grpc).await;
        if let Some(closed) = closed {
            return Some(service::leads_nowhere(cluster, service, pod, way, closed));
        }
    }
    None
}

struct Finder<'a> {
    cluster: &'a Cluster,
    source: &'a ClusterSource,
    wanted: &'a Wanted,
}

impl Finder<'_> {
    async fn of_service(&self, name: &str) -> Found {
        let Self {
            cluster, wanted, ..
        } = *self;
        let namespace = &wanted.namespace;
        let services: Api<Service> = Api::namespaced(cluster.client.clone(), namespace);
        let right = Right::get("", "services", namespace, name);
        let service = match cluster.ask(right, services.get(name)).await {
            Ok(service) => service,
            Err(fault @ ApiError::Forbidden { .. }) => {
                return Found::none(Step::skip(NAME, refusal(&fault)));
            }
            Err(ApiError::NotFound { .. }) => {
                return Found::none(service::missing(cluster, self.source, wanted, name).await);
            }
            Err(fault) => return Found::none(Step::fail_with(NAME, &fault)),
        };
        if let Some(step) = service::external_name(cluster, &service) {
            return Found::none(step);
        }
        let selector = service
            .spec
            .as_ref()
            .and_then(|spec| spec.selector.clone())
            .unwrap_or_default();
        if selector.is_empty() {
            return Found::none(service::no_pods(cluster, wanted, &service, &[]).await);
        }
        let selector: Selector = selector.into_iter().collect();
        let pods = match self.pods(&selector.to_string()).await {
            Ok(pods) => pods,
            Err(step) => return Found::none(step),
        };
        let replicas = self.replicas(pods.clone(), Some(name)).await;
        if replicas.is_empty() {
            return Found::none(service::no_pods(cluster, wanted, &service, &pods).await);
        }
        let port = wanted
            .pools
            .iter()
            .find_map(|pool| pool.picker.as_ref()?.port);
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let way = format!("Service {name}{port} → ");
        let pods: Vec<Pod> = replicas.iter().map(|replica| replica.pod.clone()).collect();
        let step = match service::ports(cluster, wanted, &service, &pods) {
            Some(step) => step,
            None => pods::judge(cluster, wanted, &way, &replicas).await,
        };
        Found {
            step,
            replicas,
            service: Some(service),
        }
    }

    /// What runs with a picker's flags, for those who may not read pools.
    async fn by_flags(&self) -> Found {
        let mut pods = match self.pods("").await {
            Ok(pods) => pods,
            Err(step) => return Found::none(step),
        };
        pods.retain(|pod| {
            pod.spec
                .as_ref()
                .is_some_and(|spec| workload::names_a_pool(&spec.containers))
        });
        let replicas = self.replicas(pods, None).await;
        if replicas.is_empty() {
            return Found::none(Step::behind(NAME));
        }
        let step = pods::judge(
            self.cluster,
            self.wanted,
            "by the flag --pool-name: ",
            &replicas,
        )
        .await;
        Found::of(step, replicas)
    }

    /// A pod, a Deployment, labels.
    async fn named(&self) -> Found {
        let fault = match discover(self.cluster, self.source).await {
            Ok(found) => {
                let pods = found.targets.iter().map(|target| target.pod.name.clone());
                let names: Vec<String> = pods.collect();
                let mut replicas = match self.pods("").await {
                    Ok(pods) => self.replicas(pods, None).await,
                    Err(_) => Vec::new(),
                };
                replicas.retain(|replica| names.contains(&replica.target.pod.name));
                if replicas.is_empty() {
                    replicas = found
                        .targets
                        .into_iter()
                        .map(|target| Replica {
                            pod: Pod::default(),
                            target,
                        })
                        .collect();
                }
                let step = pods::judge(self.cluster, self.wanted, "", &replicas).await;
                return Found::of(step, replicas);
            }
            Err(fault) => fault,
        };
        Found::none(match &fault {
            crate::discover::DiscoverError::Api(fault @ ApiError::Forbidden { .. }) => {
                Step::skip(NAME, refusal(fault))
            }
            fault => Step::fail_with(NAME, fault).because(fault.hint(&self.source.by_hand())),
        })
    }

    async fn pods(&self, selector: &str) -> Result<Vec<Pod>, Step> {
        let namespace = &self.wanted.namespace;
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), namespace);
        let labels = ListParams::default().labels(selector);
        let right = Right::list("", "pods", Some(namespace));
        match self.cluster.ask(right, api.list(&labels)).await {
            Ok(list) => Ok(list.items),
            Err(fault @ ApiError::Forbidden { .. }) => Err(Step::skip(NAME, refusal(&fault))),
            Err(fault) => Err(Step::fail_with(NAME, &fault)),
        }
    }

    /// Those that live, with their leader marked.
    async fn replicas(&self, pods: Vec<Pod>, service: Option<&str>) -> Vec<Replica> {
        let read = |pod: &Pod| {
            let mut target = Target::of(pod, self.source.metrics_port)?;
            if let Some(service) = service {
                target.belongs_to(&self.wanted.namespace, service);
            }
            target.pod.pools = self
                .wanted
                .pools
                .iter()
                .map(|pool| pool.name.clone())
                .collect();
            Some(target)
        };
        let (pods, mut targets): (Vec<Pod>, Vec<Target>) = pods
            .into_iter()
            .filter_map(|pod| read(&pod).map(|target| (pod, target)))
            .unzip();
        lease::mark_holders(self.cluster, &mut targets).await;
        pods.into_iter()
            .zip(targets)
            .map(|(pod, target)| Replica { pod, target })
            .collect()
    }
}
