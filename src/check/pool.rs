//! Is there an InferencePool?

use super::again;
use super::namespace;
use super::step::{Name, Step};
use super::unserved;
use super::workload::{self, Kind};
use crate::cluster::{ApiError, Cluster};
use crate::config::{ClusterSource, Select};
use crate::discover::DiscoverError;
use crate::discover::pool::{self, Pool};
use crate::few::few;

const NAME: Name = Name::Pool;
/// Of things that are listed in a line, so many.
const TOLD: usize = 5;

/// What was looked for.
pub(super) struct Pools {
    pub(super) pools: Vec<Pool>,
    /// Why there are none.
    pub(super) step: Option<Step>,
    /// Pools may not be read.
    pub(super) refused: bool,
}

pub(super) async fn find(cluster: &Cluster, source: &ClusterSource) -> Pools {
    let namespace = cluster.namespace();
    let looked = match &source.select {
        Select::Pools if source.all_namespaces => {
            pool::all(cluster, None).await.map(|(pools, _)| pools)
        }
        Select::Pools => pool::all(cluster, Some(namespace))
            .await
            .map(|(pools, _)| pools),
        Select::Pool(name) => pool::named(cluster, name).await,
        Select::Service(_) => return of_service(cluster, source).await,
        Select::Pod(_) | Select::Deployment(_) | Select::Labels(_) => {
            return Pools::none(Step::skip(NAME, "the picker was named without a pool"));
        }
    };
    match looked {
        Ok(pools) => Pools::some(pools),
        Err(DiscoverError::PoolsRefused { cause, .. }) => Pools {
            refused: true,
            ..Pools::none(Step::skip(NAME, refusal(&cause)))
        },
        Err(fault) => Pools::none(missing(cluster, source, &fault).await),
    }
}

impl Pools {
    fn some(pools: Vec<Pool>) -> Self {
        Self {
            pools,
            step: None,
            refused: false,
        }
    }

    fn none(step: Step) -> Self {
        Self {
            pools: Vec::new(),
            step: Some(step),
            refused: false,
        }
    }
}

/// The pools that name the Service, where pools may be read.
async fn of_service(cluster: &Cluster, source: &ClusterSource) -> Pools {
    let Select::Service(service) = &source.select else {
        unreachable!("called for a Service")
    };
    let (mut pools, _) = pool::all(cluster, Some(cluster.namespace()))
        .await
        .unwrap_or_default();
    pools.retain(|pool| {
        pool.picker.as_ref().and_then(|picker| picker.service()) == Some(service.as_str())
    });
    match pools.is_empty() {
        true => Pools::none(Step::skip(NAME, "the Service was named without a pool")),
        false => Pools::some(pools),
    }
}

/// What the API server did not allow, in a line.
pub(super) fn refusal(fault: &ApiError) -> String {
    match fault {
        ApiError::Forbidden { right, .. } => format!("you may not {right}"),
        fault => fault
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

/// Why there is no pool, and where there are some.
async fn missing(cluster: &Cluster, source: &ClusterSource, fault: &DiscoverError) -> Step {
    let step = Step::fail_with(NAME, fault);
    let namespace = cluster.namespace();
    match fault {
        DiscoverError::NoPoolApi { .. } => no_api(cluster, source).await,
        DiscoverError::NoSuch { .. } | DiscoverError::NoPools { .. } if !source.all_namespaces => {
            if !namespace::exists(cluster).await {
                let step = Step::fail(NAME, format!("there is no namespace {namespace}"));
                return elsewhere(cluster, source, step).await;
            }
            let here = pool::all(cluster, Some(namespace))
                .await
                .unwrap_or_default()
                .0;
            match &here[..] {
                [] => {
                    let step = elsewhere(cluster, source, step).await;
                    let step = step.because(pickers_without_pool(cluster).await);
                    unserved::explain(cluster, step).await
                }
                [only] => step
                    .because([format!("there is pool/{}", only.name)])
                    .mended_by([again::command(&ClusterSource {
                        select: Select::Pool(only.name.clone()),
                        ..source.clone()
                    })]),
                pools => step.because([format!("there are {}", names(pools))]),
            }
        }
        fault => step.advised(fault.hint(&source.by_hand())),
    }
}

/// The pools that pickers of this namespace were told to pick for.
async fn pickers_without_pool(cluster: &Cluster) -> Vec<String> {
    let workloads = workload::list(cluster, cluster.namespace()).await;
    let pickers = workloads.iter().filter_map(|workload| {
        let pool = workload.pool()?;
        Some(format!("{workload} picks for InferencePool {pool}"))
    });
    pickers.collect()
}

/// There can be no pools. Pickers can be looked at all the same.
async fn no_api(cluster: &Cluster, source: &ClusterSource) -> Step {
    let step = Step::fail(NAME, "this cluster does not serve the InferencePool API");
    let (step, workloads) = tokio::join!(
        unserved::explain(cluster, step),
        workload::list(cluster, cluster.namespace())
    );
    let step = match step.fix.is_empty() {
        true => step
            .because(["its definitions come from github.com"])
            .mended_by([unserved::define(cluster)]),
        false => step,
    };
    let picker = match workload::only_picker(&workloads, &[]) {
        Some(picker) if picker.kind == Kind::Deployment => {
            Select::Deployment(picker.name().to_owned())
        }
        _ => Select::Service("NAME".to_owned()),
    };
    step.because([format!(
        "without pools: {}",
        again::command(&ClusterSource {
            select: picker,
            ..source.clone()
        })
    )])
}

/// Pools of other namespaces, where they may be listed.
async fn elsewhere(cluster: &Cluster, source: &ClusterSource, step: Step) -> Step {
    let others = pool::all(cluster, None).await.unwrap_or_default().0;
    match &others[..] {
        [] => step,
        [only] => step
            .because([format!("there is one in namespace {}", only.namespace)])
            .mended_by([again::command(&ClusterSource {
                namespace: Some(only.namespace.clone()),
                select: Select::Pools,
                ..source.clone()
            })]),
        pools => step.because([format!("there are {}", names(pools))]),
    }
}

fn names(pools: &[Pool]) -> String {
    let mut names: Vec<String> = pools
        .iter()
        .map(|pool| format!("{}/{}", pool.namespace, pool.name))
        .collect();
    names.sort();
    names.dedup();
    few(&names, TOLD)
}
