//! `igctl check`: the chain from the kubeconfig to the metrics' content, link by link, each with its evidence and the
//! command that mends it. Changes nothing in the cluster.
//!
//! What does not depend on one another is asked side by side and judged afterwards, in the order of the chain: a cause
//! is told once, by the link that is broken, and the links behind it are skipped.

mod again;
mod bindings;
mod chain;
mod claims;
mod content;
mod delegate;
mod dial;
mod endpoints;
mod kubeconfig;
mod metrics;
mod namespace;
mod node;
mod other_port;
mod picker;
mod pods;
mod pool;
mod reader;
mod rights;
mod second_reader;
mod service;
mod step;
mod unserved;
mod workload;

use crate::by_hand::ByHand;
use crate::collect::link::Link;
use crate::collect::{Collector, PodError};
use crate::config::{ClusterSource, Source, TokenSource, UrlSource};
use crate::error::Error;
use crate::scrape::Endpoint;
use metrics::Explained;
pub use step::{Name, Outcome, Step};

/// All links, in the order of the chain; of several pickers one chain after the other.
///
/// # Errors
/// Where a saved scrape cannot be read. Whatever else is broken is a step.
pub async fn check(source: &Source) -> Result<Vec<Step>, Error> {
    match source {
        Source::Cluster(source) => Ok(of_cluster(source).await),
        Source::Url(source) => Ok(of_url(source).await),
        Source::Files(_) | Source::Recording(_) => of_files(source).await,
    }
}

/// Whether nothing is broken.
pub fn passes(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.outcome != Outcome::Fail)
}

async fn of_files(source: &Source) -> Result<Vec<Step>, Error> {
    let pods = Collector::open(source).await?.collect().await.pods;
    let mut pages = Vec::new();
    for pod in pods {
        pages.push((pod.pod.full_name(), pod.page?));
    }
    let pages = pages.iter().map(|(name, page)| (name.as_str(), page));
    Ok(vec![content::check(pages)])
}

async fn of_url(source: &UrlSource) -> Vec<Step> {
    let mut answers = ask_url(source).await;
    if let TokenSource::File(path) = &source.token {
        match crate::auth::read_file(path) {
            Ok(token) => answers.show(&token).await,
            Err(fault) => {
                let reader = Step::fail_with(Name::ReadersRight, &fault);
                return [reader]
                    .into_iter()
                    .chain(Step::behind_from(Name::Metrics))
                    .collect();
            }
        }
    }
    let hand = ByHand::default();
    let mut metrics = answers.judge(None, Explained::default(), false, &hand);
    if answers.is_untrusted() {
        let mut source = source.clone();
        source.tls.insecure_skip_verify = true;
        if let Some(demand) = ask_url(&source).await.demand(&hand) {
            metrics = demand.because([metrics.found]).because(metrics.evidence);
        }
    }
    let content = content::check(answers.pages());
    vec![metrics, content]
}

async fn ask_url(source: &UrlSource) -> metrics::Answers {
    let link = Endpoint::of_url(&source.url, &source.tls, source.max_scrape)
        .map(Link::to_url)
        .map_err(PodError::from);
    metrics::ask_at(source, link).await
}

async fn of_cluster(source: &ClusterSource) -> Vec<Step> {
    let (step, reached) = kubeconfig::check(source).await;
    match reached {
        Some(reached) => {
            let mut steps = vec![step];
            steps.extend(chain::walk(&reached, source).await);
            steps
        }
        None => [step]
            .into_iter()
            .chain(Step::behind_from(Name::Pool))
            .collect(),
    }
}
