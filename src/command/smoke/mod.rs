//! `igctl smoke`: probe, look, judge; look again while that may help.

mod baseline;
mod probe;

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use tokio::time::{self, Instant};

use super::look::{Look, Opened};
use super::or_enough;
use crate::{
    baseline::{Baseline, compare},
    cause,
    collect::Collector,
    config::{
        Source,
        smoke::{SmokeConfig, SmokeFormat},
    },
    error::{Error, FAILED, USAGE},
    render::{form, github, junit, smoke},
    report::{Ask, PodSample, report},
    shape::Shape,
    verdict::{Evidence, Outcome, Smoke, Verdict, judge},
};

/// Between two looks while waiting.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(config: SmokeConfig) -> Result<u8, Error> {
    let baseline = match &config.baseline {
        Some(baseline) => Some(baseline::read(&baseline.source).await?),
        None => None,
    };
    let single = config.wait.is_none() && config.window.is_none();
    let opened = Opened::open(&config.input, single).await?;
    let probed = match &config.probe {
        Some(probe) => probe::run(&opened.source, probe, config.wait).await?,
        None => Vec::new(),
    };
    let judge = Judge {
        config: &config,
        source: &opened.source,
        probed,
        baseline,
    };
    let smoke = match &opened.source {
        Source::Files(_) | Source::Recording(_) => judge.saved().await?,
        Source::Url(_) | Source::Cluster(_) => judge.settle().await?,
    };
    or_enough(print(&smoke, &config.format))?;
    if let SmokeFormat::Github {
        summary: Some(path),
    } = &config.format
    {
        summarize(&smoke, path);
    }
    or_enough(writeln!(io::stderr(), "{}", smoke::summary(&smoke)))?;
    Ok(match smoke.is_good() {
        true => 0,
        false => FAILED,
    })
}

/// Says once why there is yet another look; what no waiting mends is an error at once.
fn be_patient(fault: Error, told: &mut String) -> Result<(), Error> {
    if fault.exit_code() == USAGE {
        return Err(fault);
    }
    let why = cause::in_a_line(&fault);
    if *told != why {
        tracing::warn!("{why}");
        *told = why;
    }
    Ok(())
}

/// What looks are held against.
struct Judge<'a> {
    config: &'a SmokeConfig,
    source: &'a Source,
    /// What became of the probe.
    probed: Vec<Verdict>,
    baseline: Option<Baseline>,
}

impl Judge<'_> {
    /// Judges what was saved, which there is no use in waiting for.
    async fn saved(&self) -> Result<Smoke, Error> {
        let mut collector = Collector::open(self.source).await?;
        let before = match self.config.window {
            Some(window) => Some(Look::two(&mut collector, window).await?.0),
            None => None,
        };
        let now = self.look(&mut Some(collector)).await?;
        Ok(self.smoke(&now, before.as_ref()))
    }

    /// Looks until all assertions hold or time is out; then the last look counts, also where it failed.
    async fn settle(&self) -> Result<Smoke, Error> {
        let config = self.config;
        let window = config.window.unwrap_or_default();
        let begun = Instant::now();
        let mut end = begun + config.wait.unwrap_or_default().max(window);
        let mut collector = None;
        let mut told = String::new();
        let mut looks: VecDeque<(Instant, Look)> = VecDeque::new();
        loop {
            let outcome = self.look(&mut collector).await;
            let now = Instant::now();
            let time_is_out = now >= end;
            match outcome {
                Err(fault) if time_is_out || config.wait.is_none() => return Err(fault),
                Err(fault) => be_patient(fault, &mut told)?,
                Ok((look, shapes)) => {
                    // The newest one that is old enough begins the window.
                    while looks.get(1).is_some_and(|(at, _)| *at + window <= now) {
                        looks.pop_front();
                    }
                    let before = looks
                        .front()
                        .filter(|(at, _)| config.window.is_some() && *at + window <= now);
                    let now_seen = (look, shapes);
                    if config.window.is_none() || before.is_some() || time_is_out {
                        let smoke = self.smoke(&now_seen, before.map(|(_, look)| look));
                        if time_is_out || smoke.outcome() == Outcome::Pass {
                            return Ok(smoke);
                        }
                    }
                    if config.window.is_some() {
                        // However little time there is, it is enough for one window.
                        if looks.is_empty() {
                            end = end.max(now + window);
                        }
                        looks.push_back((now, now_seen.0));
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

    async fn look(&self, collector: &mut Option<Collector>) -> Result<(Look, Vec<Shape>), Error> {
        let collector = match collector {
            Some(collector) => collector,
            closed => closed.insert(Collector::open(self.source).await?),
        };
        let (look, shapes) = match &self.baseline {
            Some(_) => Look::take_with_shapes(collector).await,
            None => (Look::take(collector).await, Vec::new()),
        };
        look.tell();
        Ok((look.or_failure()?, shapes))
    }

    fn smoke(&self, (now, shapes): &(Look, Vec<Shape>), before: Option<&Look>) -> Smoke {
        let config = self.config;
        let before: Option<Vec<&PodSample>> = config
            .window
            // A window without a beginning has no pods in it, and so proves nothing.
            .map(|_| before.into_iter().flat_map(|look| &look.pods).collect());
        let evidence = Evidence {
            now: &now.pods,
            before: before.as_deref(),
            min_samples: f64::from(config.min_samples),
        };
        let whole = report(evidence.now, evidence.before, &Ask::about([]));
        let mut verdicts = self.probed.clone();
        let assertions = config.assertions.iter();
        verdicts.extend(assertions.map(|assertion| judge(assertion, &evidence)));
        if let (Some(baseline), Some(asked)) = (&self.baseline, &config.baseline) {
            verdicts.extend(compare(baseline, &evidence, shapes, asked.tolerance));
        }
        Smoke {
            at: whole.at,
            is_recorded: matches!(self.source, Source::Recording(_)),
            span: whole.span,
            pods: whole.pods,
            notes: whole.notes,
            verdicts,
            allow_inconclusive: config.allow_inconclusive,
        }
    }
}

fn print(smoke: &Smoke, format: &SmokeFormat) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        SmokeFormat::Form(form) => form::write(
            *form,
            false,
            &mut out,
            |wide| smoke::table(smoke, wide),
            || smoke::document(smoke),
            || smoke::records(smoke),
        )?,
        SmokeFormat::Junit => out.write_all(junit::render(smoke).as_bytes())?,
        SmokeFormat::Github { .. } => out.write_all(github::annotations(smoke).as_bytes())?,
    }
    out.flush()
}

/// Adds to the step's summary. The verdict stands without it, and so its exit code.
fn summarize(smoke: &Smoke, path: &Path) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(github::summary(smoke).as_bytes()));
    if let Err(fault) = written {
        tracing::warn!(
            "no summary in {} (GITHUB_STEP_SUMMARY): {fault}",
            path.display()
        );
    }
}
