//! Requests through the gateway between looks at the pickers.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::be_patient;
use crate::collect::Collector;
use crate::command::look::Look;
use crate::config::Source;
use crate::error::Error;
use crate::probe::{Looks, Probe, has_arrived, send, verdicts};
use crate::verdict::Verdict;

/// How long it is watched, before and after, whether others send requests too.
const QUIET: Duration = Duration::from_secs(2);
/// How long it may take until requests are counted, unless `--wait` allows for more.
const COUNTED_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks meanwhile.
const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(
    source: &Source,
    probe: &Probe,
    wait: Option<Duration>,
) -> Result<Vec<Verdict>, Error> {
    let mut collector = open(source, wait).await?;
    let idle = Look::take_before_first(&mut collector).await;
    time::sleep(QUIET).await;
    let before = Look::take_before_first(&mut collector).await.or_failure()?;
    before.tell();
    let answers = send(probe).await?;
    let end = Instant::now() + wait.unwrap_or_default().max(COUNTED_WITHIN);
    let after = loop {
        let look = Look::take_before_first(&mut collector).await;
        if has_arrived(probe, &before.pods, &look.pods) || Instant::now() >= end {
            break look;
        }
        time::sleep(EVERY).await;
    };
    time::sleep(QUIET).await;
    let later = Look::take_before_first(&mut collector).await;
    let looks = Looks {
        idle: &idle.pods,
        before: &before.pods,
        after: &after.pods,
        later: &later.pods,
    };
    Ok(verdicts(probe, &answers, &looks))
}

/// The pickers, once they are there: a picker that was just deployed may take a while.
async fn open(source: &Source, wait: Option<Duration>) -> Result<Collector, Error> {
    let end = Instant::now() + wait.unwrap_or_default();
    let mut told = String::new();
    loop {
        let opened = async {
            let mut collector = Collector::open(source).await?;
            Look::take_before_first(&mut collector).await.or_failure()?;
            Ok(collector)
        };
        match opened.await {
            Err(fault) if Instant::now() < end => {
                be_patient(fault, &mut told)?;
                time::sleep(EVERY).await;
            }
            outcome => return outcome,
        }
    }
}
