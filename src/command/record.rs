//! `igctl metrics record`: look, append, until it is over.

use std::collections::BTreeSet;
use std::io::{self, Write};

use tokio::time::{self, Instant, MissedTickBehavior};

use super::end::Ending;
use super::look::Opened;
use super::or_enough;
use crate::{
    cause,
    collect::{Collector, Moment},
    config::record::RecordConfig,
    error::{Error, PARTIAL},
    recording::{Piece, Recorded, Recorder},
    visible::visible,
};

pub(super) async fn run(config: RecordConfig) -> Result<u8, Error> {
    // Before anything is contacted, whether there is a place to record to.
    let mut recorder = Recorder::open(&config.path)?;
    let opened = Opened::open(&config.input, false).await?;
    let mut collector = Collector::open(&opened.source).await?;
    let mut tally = Tally::default();
    let end = config.time.map(|time| Instant::now() + time);
    let mut ticks = time::interval(config.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ending = Ending::hear()?;
    loop {
        // A tick that was missed comes at once, also after the end.
        let is_late = end.is_some_and(|end| Instant::now() > end);
        let look = async {
            tokio::select! {
                biased;
                // What began in time is still part of it.
                _ = ticks.tick(), if !is_late => Some(collector.collect().await),
                () = over(end) => None,
            }
        };
        let moment = tokio::select! {
            ended = ending.come() => {
                ended?;
                break;
            }
            moment = look => moment,
        };
        let Some(moment) = moment else { break };
        let (piece, failures) = taken(moment);
        recorder.append(&piece)?;
        if let Some(failure) = tally.add(&piece, failures) {
            return Err(failure);
        }
    }
    or_enough(writeln!(
        io::stderr(),
        "igctl metrics record: {}, {} in {}",
        tally.told(),
        kilobytes(recorder.length()),
        visible(&config.path.display().to_string())
    ))?;
    Ok(if tally.failed > 0 { PARTIAL } else { 0 })
}

/// Waits for the end, if there is one.
async fn over(end: Option<Instant>) {
    match end {
        Some(end) => time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// What was seen so far.
#[derive(Default)]
struct Tally {
    looks: usize,
    /// The most pods at one time.
    pods: usize,
    /// Pages that could not be had.
    failed: usize,
    /// Why, each told once.
    told: BTreeSet<String>,
}

impl Tally {
    /// Why there is nothing to record, where the first look has found nothing but failures; later ones may
    /// recover.
    fn add(&mut self, piece: &Piece, mut failures: Vec<Error>) -> Option<Error> {
        self.looks += 1;
        self.pods = self.pods.max(piece.pods.len());
        self.failed += failures.len();
        if self.looks == 1 && !failures.is_empty() && failures.len() == piece.pods.len() {
            return Some(failures.swap_remove(0));
        }
        for failure in failures.iter().map(|fault| cause::in_a_line(fault)) {
            if self.told.insert(failure.clone()) {
                tracing::warn!("{failure}");
            }
        }
        None
    }

    fn told(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} pages could not be had"),
        };
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        format!(
            "{} look{} at {} pod{}{failed}",
            self.looks,
            plural(self.looks),
            self.pods,
            plural(self.pods)
        )
    }
}

/// A look as it is recorded, and why pages are missing in it.
fn taken(moment: Moment) -> (Piece, Vec<Error>) {
    for notice in &moment.notices {
        tracing::warn!("{notice}");
    }
    let mut failures = Vec::new();
    let pods = moment.pods.into_iter().map(|entry| Recorded {
        pod: entry.pod,
        page: entry.page.map_err(|fault| {
            let fault = Error::Pod(fault);
            let text = cause::in_a_line(&fault);
            failures.push(fault);
            text
        }),
    });
    let piece = Piece {
        at: moment.at,
        pods: pods.collect(),
    };
    (piece, failures)
}

fn kilobytes(bytes: u64) -> String {
    format!("{} kB", bytes.div_ceil(1000))
}
