//! `igctl smoke`: look, judge; look again while that may help.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{self, Instant};

use super::look::{Look, Opened};
use crate::{
    collect::Collector,
    config::{
        Source,
        smoke::{SmokeConfig, SmokeFormat},
    },
    error::{Error, FAILED},
    render::{github, junit, smoke},
    report::{Ask, Order, PodSample, report},
    verdict::{Evidence, Outcome, Smoke, judge},
    vocabulary::Signal,
};

/// Between two looks while waiting.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(config: SmokeConfig) -> Result<u8, Error> {
    let single = config.wait.is_none() && config.window.is_none();
    let opened = Opened::open(&config.input, single).await?;
    let smoke = settle(&opened.source, &config).await?;
    print(&smoke, &config.format)?;
    writeln!(io::stderr(), "{}", smoke::summary(&smoke))?;
    Ok(match smoke.is_good() {
        true => 0,
        false => FAILED,
    })
}

/// Looks until all assertions hold or time is out; then the last look counts, also where it failed.
async fn settle(source: &Source, config: &SmokeConfig) -> Result<Smoke, Error> {
    let window = config.window.unwrap_or_default();
    let begun = Instant::now();
    let mut end = begun + config.wait.unwrap_or_default().max(window);
    let mut collector = None;
    let mut looks = VecDeque::new();
    loop {
        let outcome = look(source, &mut collector).await;
        let now = Instant::now();
        let time_is_out = now >= end;
        match outcome {
            Err(fault) if time_is_out || config.wait.is_none() => return Err(fault),
            Err(_) => {}
            Ok(look) => {
                // The newest one that is old enough begins the window.
                while looks.get(1).is_some_and(|(at, _)| *at + window <= now) {
                    looks.pop_front();
                }
                let before = looks
                    .front()
                    .filter(|(at, _)| config.window.is_some() && *at + window <= now);
                if config.window.is_none() || before.is_some() || time_is_out {
                    let smoke = smoke(&look, before.map(|(_, look)| look), config);
                    if time_is_out || smoke.outcome() == Outcome::Pass {
                        return Ok(smoke);
                    }
                }
                if config.window.is_some() {
                    // However little time there is, it is enough for one window.
                    if looks.is_empty() {
                        end = end.max(now + window);
                    }
                    looks.push_back((now, look));
                }
            }
        }
        let next = match config.wait {
            Some(_) => end.min(now + EVERY),
            None => end,
        };
        time::sleep_until(next).await;
    }
}

async fn look(source: &Source, collector: &mut Option<Collector>) -> Result<Look, Error> {
    let collector = match collector {
        Some(collector) => collector,
        closed => closed.insert(Collector::open(source).await?),
    };
    let look = Look::take(collector).await;
    look.tell();
    look.or_failure()
}

fn smoke(now: &Look, before: Option<&Look>, config: &SmokeConfig) -> Smoke {
    let before: Option<Vec<&PodSample>> = config
        .window
        // A window without a beginning has no pods in it, and so proves nothing.
        .map(|_| before.into_iter().flat_map(|look| &look.pods).collect());
    let evidence = Evidence {
        now: &now.pods,
        before: before.as_deref(),
        min_samples: f64::from(config.min_samples),
    };
    let ask = Ask {
        by: Vec::new(),
        quantiles: Vec::new(),
        models: None,
        order: Order::Name,
        latency: Signal::Latency,
        limit: None,
    };
    let whole = report(evidence.now, evidence.before, &ask);
    Smoke {
        at: whole.at,
        span: whole.span,
        pods: whole.pods,
        notes: whole.notes,
        verdicts: config
            .assertions
            .iter()
            .map(|assertion| judge(assertion, &evidence))
            .collect(),
        allow_inconclusive: config.allow_inconclusive,
    }
}

fn print(smoke: &Smoke, format: &SmokeFormat) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        SmokeFormat::Table => out.write_all(smoke::table(smoke).as_bytes())?,
        SmokeFormat::Json => smoke::json(smoke, &mut out)?,
        SmokeFormat::Junit => out.write_all(junit::render(smoke).as_bytes())?,
        SmokeFormat::Github { summary } => {
            out.write_all(github::annotations(smoke).as_bytes())?;
            if let Some(path) = summary {
                std::fs::OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(path)?
                    .write_all(github::summary(smoke).as_bytes())?;
            }
        }
    }
    out.flush()
}
