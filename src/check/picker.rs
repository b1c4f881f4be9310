//! Does the way from the pool lead to running pickers?

use std::collections::BTreeSet;

use futures::future::join_all;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::ListParams;
use kube::core::Selector;

use super::dial::{Closed, Greeting, closed, is_probed};
use super::pods::{self, Replica};
use super::pool::{Pools, refusal};
use super::step::{Name, Step};
use super::{service, workload};
use crate::cluster::{ApiError, Cluster, Right};
use crate::config::{ClusterSource, Select};
use crate::discover::pool::Pool;
use crate::discover::{Target, discover, lease};

const NAME: Name = Name::Picker;
/// So many pods are connected to.
const DIALLED: usize = 8;

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
    pub(super) async fn all(cluster: &Cluster, source: &ClusterSource, found: &Pools) -> Vec<Self> {
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
        let alone = |namespace: String, service| Self {
            namespace,
            service,
            pools: Vec::new(),
        };
        let own = || cluster.namespace().to_owned();
        match &source.select {
            Select::Service(name) if wanted.is_empty() => {
                wanted.push(alone(own(), Some(name.clone())));
            }
            Select::Pod(_) | Select::Deployment(_) => wanted.push(alone(own(), None)),
            Select::Labels(selector) => {
                let places = places(cluster, source, selector, |_| true).await;
                wanted.extend(places.into_iter().map(|place| alone(place, None)));
            }
            // Who may not read pools may know pickers by their flags.
            Select::Pools | Select::Pool(_) if found.refused => {
                let places = places(cluster, source, "", follows_a_pool).await;
                wanted.extend(places.into_iter().map(|place| alone(place, None)));
            }
            Select::Service(_) | Select::Pools | Select::Pool(_) => {}
        }
        wanted
    }

    /// For people, where there are several.
    pub(super) fn name(&self) -> String {
        match &self.service {
            Some(service) => format!("{}/{service}", self.namespace),
            None => self.namespace.clone(),
        }
    }
}

/// Where pickers are that were named without a Service: in one's own namespace, or, with `-A`, in all that have such pods.
async fn places(
    cluster: &Cluster,
    source: &ClusterSource,
    selector: &str,
    is_meant: fn(&Pod) -> bool,
) -> BTreeSet<String> {
    let own = BTreeSet::from([cluster.namespace().to_owned()]);
    if !source.all_namespaces {
        return own;
    }
    let api: Api<Pod> = Api::all(cluster.client.clone());
    let labels = ListParams::default().labels(selector);
    let right = Right::list("", "pods", None);
    let Ok(list) = cluster.ask(right, api.list(&labels)).await else {
        return own;
    };
    let lives = |pod: &&Pod| Target::of(pod, None).is_some() && is_meant(pod);
    let found = list.items.iter().filter(lives);
    let found: BTreeSet<_> = found
        .filter_map(|pod| pod.metadata.namespace.clone())
        .collect();
    match found.is_empty() {
        true => own,
        false => found,
    }
}

fn follows_a_pool(pod: &Pod) -> bool {
    let spec = pod.spec.as_ref();
    spec.is_some_and(|spec| workload::names_a_pool(&spec.containers))
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
    let ready = found.replicas.iter().filter(is_ready).take(DIALLED);
    let looks = ready.map(|replica| async move {
        let end = dead_end(cluster, source, wanted, service, replica).await?;
        Some((&replica.pod, end))
    });
    let looks = join_all(looks).await;
    let dialled = looks.len();
    let dead: Vec<_> = looks.into_iter().flatten().collect();
    let has_pickers = found
        .replicas
        .iter()
        .any(|replica| follows_a_pool(&replica.pod));
    let stray = dead
        .iter()
        .find(|(pod, _)| has_pickers && !follows_a_pool(pod));
    if let Some((pod, _)) = stray {
        return Some(service::selects_too(cluster, wanted, service, pod).await);
    }
    let count = dead.len();
    let (pod, (way, end)) = dead.into_iter().next()?;
    let step = match end {
        End::Elsewhere(what) => service::leads_elsewhere(cluster, service, pod, way, what),
        End::Nowhere(closed) => service::leads_nowhere(cluster, service, pod, way, closed),
    };
    if count == dialled {
        return Some(step);
    }
    // What would mend the way to this one would break the way to the others.
    let step = Step {
        fix: Vec::new(),
        ..step
    };
    Some(step.because([format!(
        "so with {count} of the {dialled} pods that were looked at: requests that go there fail"
    )]))
}

/// What a gateway finds at the end of its way that is no picker.
enum End {
    Elsewhere(&'static str),
    Nowhere(Closed),
}

/// The first of the ways to a pod on which a gateway finds no picker.
async fn dead_end(
    cluster: &Cluster,
    source: &ClusterSource,
    wanted: &Wanted,
    service: &Service,
    Replica { pod, target }: &Replica,
) -> Option<((u16, usize, u16), End)> {
    for way in service::targets(wanted, service, pod) {
        if way.2 == target.port && source.metrics_port.is_none() {
            return Some((way, End::Elsewhere("their metrics are")));
        }
        if service::is_for_health(pod, way.2) {
            return Some((way, End::Elsewhere("they tell their health")));
        }
        if is_probed(pod, way.2) {
            continue;
        }
        let closed = closed(cluster, source, pod, target, way.2, Greeting::Grpc).await;
        if let Some(closed) = closed {
            return Some((way, End::Nowhere(closed)));
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
        pods.retain(follows_a_pool);
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
                let mut targets = found.targets;
                targets.retain(|target| target.key().0 == self.wanted.namespace);
                let keys: Vec<_> = targets.iter().map(Target::key).collect();
                let mut replicas = match self.pods("").await {
                    Ok(pods) => self.replicas(pods, None).await,
                    Err(_) => Vec::new(),
                };
                replicas.retain(|replica| keys.contains(&replica.target.key()));
                if replicas.is_empty() {
                    replicas = targets
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
            fault => Step::fail_with(NAME, fault).advised(fault.hint(&self.source.by_hand())),
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
