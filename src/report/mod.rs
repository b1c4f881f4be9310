//! Snapshots of pods, at one moment or two → a [`Report`]: rows with counts, rates and quantiles. Pure:
//! no clock, no I/O.
//!
//! What cannot be known is `None`. Counters and buckets add over pods; a picker's view of its pool is
//! taken from one pod and never added, since each replica sees the same pool.

mod ended;
mod leader;
mod notes;
mod sums;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    glob::Glob,
    histogram::{Histogram, Quantile},
    snapshot::Snapshot,
    vocabulary::{self, Generation, Signal},
};
pub(crate) use ended::Ended;
use leader::{elect, pool_view};
use notes::Notes;
use sums::Sums;
pub(crate) use window::since;

/// A bucket is wide when its upper bound is more than this many times its lower one.
const WIDE_BUCKET: f64 = 2.0;

/// One pod at one moment.
#[derive(Debug, Clone)]
pub struct PodSample {
    /// What people call it: `llm/qwen-epp-7f9c4-x2`, or a file's name.
    pub name: String,
    /// What stays the same only while it is the same pod: its UID, or its name where it has none.
    pub id: String,
    /// The pool it picks for, `namespace/name`, if it is known.
    pub pool: Option<String>,
    /// What its replicas are called together: the Service's or Deployment's name.
    pub picker: Option<String>,
    /// Kubernetes' word on whether it is ready; `None` outside a cluster.
    pub ready: Option<bool>,
    /// True for the holder of the picker's Lease, false for the others, `None` where there is none.
    pub holds_lease: Option<bool>,
    /// When its metrics were read.
    pub at: Timestamp,
    /// False for a saved scrape: when it was taken is not known, nor how long its process had run.
    pub dated: bool,
    /// What it said, or why it said nothing.
    pub outcome: Result<Snapshot, String>,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The model that clients name.
    Model,
    /// The model that requests are sent to.
    Target,
    /// The InferencePool.
    Pool,
    /// The picker's pod.
    Pod,
    /// The requests' priority.
    Priority,
    /// The requests' fairness id.
    Fairness,
}

impl Dimension {
    /// Its name in options and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Target => "target",
            Self::Pool => "pool",
            Self::Pod => "pod",
            Self::Priority => "priority",
            Self::Fairness => "fairness",
        }
    }
}

/// What rows are ordered by, highest first; names from A to Z. Equal rows by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    /// The row's names.
    Name,
    /// Requests.
    Requests,
    /// Requests per second.
    Rate,
    /// Errors.
    Errors,
    /// Share of errors.
    ErrorRate,
    /// Requests in flight.
    InFlight,
    /// A quantile of the shown latency, 0 to 1.
    Quantile(f64),
}

/// What a report shall hold.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What a row is about.
    pub by: Vec<Dimension>,
    /// 0 to 1, in the order shown.
    pub quantiles: Vec<f64>,
    /// Only models that match.
    pub models: Option<Glob>,
    /// How rows are ordered.
    pub order: Order,
    /// Which histogram [`Order::Quantile`] means.
    pub latency: Signal,
    /// At most so many rows; the total counts all.
    pub limit: Option<usize>,
}

impl Ask {
    /// All counts by these dimensions, in the order of names, without quantiles.
    pub fn about(by: impl Into<Vec<Dimension>>) -> Self {
        Self {
            by: by.into(),
            quantiles: Vec::new(),
            models: None,
            order: Order::Name,
            latency: Signal::Latency,
            limit: None,
        }
    }
}

/// What is shown.
#[derive(Debug, Clone)]
pub struct Report {
    /// When the newest of the samples was taken.
    pub at: Timestamp,
    /// Over what time the counts are.
    pub span: Span,
    /// What rows are about.
    pub by: Vec<Dimension>,
    /// In the order asked for.
    pub quantiles: Vec<f64>,
    /// All pods, also those that said nothing.
    pub pods: Vec<PodLine>,
    /// Generations of names that the numbers come from, newest first.
    pub generations: Vec<Generation>,
    /// The pool as its picker sees it.
    pub pool: PoolView,
    /// What the pickers themselves take, over all pods: time to schedule, to process a request.
    pub overhead: BTreeMap<Signal, Distribution>,
    /// Per row key.
    pub rows: Vec<Row>,
    /// Rows that `limit` left out.
    pub rows_left_out: usize,
    /// Over all rows, also those left out.
    pub total: Row,
    /// What a reader must know to take the numbers right.
    pub notes: Vec<String>,
}

/// Over what time counts are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// Since the pickers' processes started.
    SinceStart,
    /// Between two samples this many seconds apart.
    Window(f64),
}

/// A pod's part in a report.
#[derive(Debug, Clone, PartialEq)]
pub struct PodLine {
    /// As in [`PodSample`].
    pub name: String,
    /// As in [`PodSample`].
    pub pool: Option<String>,
    /// As in [`PodSample`].
    pub picker: Option<String>,
    /// As in [`PodSample`].
    pub ready: Option<bool>,
    /// Whether it leads its replicas; `None` without leader election.
    pub leader: Option<bool>,
    /// Seconds since its process started; `None` where it does not say.
    pub up: Option<f64>,
    /// The names it uses.
    pub generation: Option<Generation>,
    /// It has counted something of some model.
    pub has_traffic: bool,
    /// Its process is new since the first sample of the window.
    pub restarted: bool,
    /// Why it is not part of the numbers.
    pub failure: Option<String>,
}

/// Gauges of the pool, from the pod that leads, or the only one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoolView {
    /// The pod that they are from; `None` where nothing says which one to believe.
    pub from: Option<String>,
    /// Values by signal; a signal that the picker does not emit is absent.
    pub gauges: BTreeMap<Signal, f64>,
}

/// The numbers of one row key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// One for each of [`Report::by`]; `None` where the picker does not say. Empty for the total.
    pub key: Vec<Option<String>>,
    /// Requests for which an endpoint was chosen.
    pub requests: Option<f64>,
    /// The same per second, in a window.
    pub rate: Option<f64>,
    /// Errors of all codes.
    pub errors: Option<f64>,
    /// Errors by code.
    pub error_codes: BTreeMap<String, f64>,
    /// Errors as a share (0 to 1) of the requests and the refused requests: a picker counts a request
    /// only once it has chosen an endpoint.
    pub error_rate: Option<f64>,
    /// Requests that the client gave up, where the picker counts them.
    pub cancelled: Option<f64>,
    /// Requests being served at the moment of the newest sample.
    pub in_flight: Option<f64>,
    /// Which rows' requests [`Row::in_flight`] counts.
    pub in_flight_of: InFlightOf,
    /// By signal; a signal that the picker does not emit for this key is absent.
    pub distributions: BTreeMap<Signal, Distribution>,
    /// Input tokens per second, in a window.
    pub input_token_rate: Option<f64>,
    /// Output tokens per second, in a window.
    pub output_token_rate: Option<f64>,
}

/// Which rows' requests an in-flight count is of: some pickers do not tell them apart by all that rows are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InFlightOf {
    /// This row's own.
    #[default]
    Row,
    /// Those of all rows of the model.
    Model,
    /// They stand on the first row of the model.
    FirstRow,
}

impl Row {
    /// What [`Row::error_rate`] is a share of: the requests and those that the picker refused.
    pub fn attempts(&self) -> Option<f64> {
        let refused = self
            .error_codes
            .iter()
            .filter(|(code, _)| vocabulary::is_refusal(code));
        self.requests
            .map(|requests| requests + refused.map(|(_, n)| n).sum::<f64>())
    }

    /// Whether requests have ended for sure. Those in flight have no duration yet; those that failed or were given up may
    /// never get one.
    pub(crate) fn has_ended(&self) -> bool {
        Ended::of(self).is_some_and(|ended| ended.all > 0.0)
    }
}

/// A histogram's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Observations.
    pub count: Option<f64>,
    /// Those in the buckets, which the quantiles are of.
    pub in_buckets: Option<f64>,
    /// Their sum, in the signal's unit.
    pub sum: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// One for each of [`Report::quantiles`].
    pub quantiles: Vec<Quantile>,
}

/// Builds the report of `now`, since the start of the processes or since `before`: for each pod its
/// sample at the beginning of the window.
pub fn report(now: &[PodSample], before: Option<&[&PodSample]>, ask: &Ask) -> Report {
    let mut notes = Notes::default();
    let mut pods = Vec::new();
    let mut sums = Sums::default();
    let mut added = Vec::new();
    let mut longest = 0.0_f64;
    for sample in now {
        let mut line = PodLine::of(sample);
        if let Ok(snapshot) = &sample.outcome {
            notes.of_reading(sample, snapshot);
            match before {
                None => {
                    added.push(snapshot);
                    sums.add(ask, sample, snapshot, None, &mut notes);
                }
                Some(before) => match since(sample, snapshot, before) {
                    Ok(increase) => {
                        line.restarted = increase.restarted;
                        longest = longest.max(increase.seconds.unwrap_or(0.0));
                        added.push(snapshot);
                        sums.add(
                            ask,
                            sample,
                            &increase.snapshot,
                            increase.seconds,
                            &mut notes,
                        );
                    }
                    Err(why) => {
                        line.failure = Some(format!("not part of this window: {why}"));
                    }
                },
            }
            if line.restarted {
                notes.add(format!(
                    "{} restarted: its counts begin anew, what it counted before within the window is missing",
                    sample.name
                ));
            }
        }
        pods.push(line);
    }
    for gone in before
        .unwrap_or_default()
        .iter()
        .filter(|b| !now.iter().any(|n| n.id == b.id))
    {
        notes.add(format!(
            "{} is gone: what it counted within the window is not known",
            gone.name
        ));
    }
    elect(now, &mut pods);
    let counted: Vec<&Snapshot> = now.iter().filter_map(|s| s.outcome.as_ref().ok()).collect();
    let generations: BTreeSet<Generation> = counted.iter().filter_map(|s| s.generation()).collect();
    let overhead = sums.overhead(&ask.quantiles);
    let (mut rows, total) = sums.finish(ask, &added, &mut notes);
    notes.of_nothing_found(ask, &counted, &rows);
    notes.of_generations(&counted, &total);
    if before.is_none() && ask.latency == Signal::Latency {
        notes.of_survivors(ask, &rows, &total);
    }
    sort(&mut rows, ask);
    let rows_left_out = ask
        .limit
        .map_or(0, |limit| rows.len().saturating_sub(limit));
    rows.truncate(rows.len() - rows_left_out);
    Report {
        at: now.iter().map(|s| s.at).max().unwrap_or_default(),
        span: match before {
            Some(before) if longest == 0.0 => Span::Window(between(now, before)),
            Some(_) => Span::Window(longest),
            None => Span::SinceStart,
        },
        by: ask.by.clone(),
        quantiles: ask.quantiles.clone(),
        pool: pool_view(now, &pods),
        pods,
        overhead,
        generations: generations.into_iter().rev().collect(),
        rows,
        rows_left_out,
        total,
        notes: notes.into_texts(),
    }
}

impl PodLine {
    fn of(sample: &PodSample) -> Self {
        let snapshot = sample.outcome.as_ref().ok();
        Self {
            name: sample.name.clone(),
            pool: sample.pool.clone(),
            picker: sample.picker.clone(),
            ready: sample.ready,
            leader: None,
            up: snapshot
                .filter(|_| sample.dated)
                .and_then(|s| s.process_start)
                .map(|start| seconds(sample.at) - start)
                .filter(|up| *up >= 0.0),
            generation: snapshot.and_then(Snapshot::generation),
            has_traffic: snapshot.is_some_and(Snapshot::has_traffic),
            restarted: false,
            failure: sample.outcome.as_ref().err().cloned(),
        }
    }
}

impl Distribution {
    fn of(histogram: &Histogram, quantiles: &[f64]) -> Self {
        Self {
            count: histogram.observations().filter(|n| n.is_finite()),
            in_buckets: histogram.in_buckets().filter(|n| n.is_finite()),
            sum: histogram.sum.filter(|s| s.is_finite()),
            mean: histogram.mean(),
            quantiles: quantiles.iter().map(|q| histogram.quantile(*q)).collect(),
        }
    }

    /// True where the digits of the `q`-quantile mean little: fewer than one observation lies above it,
    /// or its bucket says hardly more than the order of magnitude.
    pub fn is_rough(&self, q: f64, answer: Quantile) -> bool {
        let Quantile::Within { lower, upper, .. } = answer else {
            return false;
        };
        upper > WIDE_BUCKET * lower.max(0.0)
            || self.in_buckets.is_some_and(|n| n * (1.0 - q) < 1.0 - 1e-9)
    }
}

fn sort(rows: &mut [Row], ask: &Ask) {
    let latency = |row: &Row, q: f64| {
        let at = ask.quantiles.iter().position(|x| *x == q)?;
        match row.distributions.get(&ask.latency)?.quantiles[at] {
            // Beyond the last bound is above everything inside it.
            Quantile::Above(_) => Some(f64::INFINITY),
            quantile => quantile.value(),
        }
    };
    let value = |row: &Row| match ask.order {
        Order::Name => None,
        Order::Requests => row.requests,
        Order::Rate => row.rate,
        Order::Errors => row.errors,
        Order::ErrorRate => row.error_rate,
        Order::InFlight => row.in_flight,
        Order::Quantile(q) => latency(row, q),
    };
    // Unknown comes last.
    let rank = |row: &Row| value(row).unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then_with(|| a.key.cmp(&b.key)));
}

/// From the first look to the last, where no pod is part of the window between them.
fn between(now: &[PodSample], before: &[&PodSample]) -> f64 {
    let begun = before
        .iter()
        .map(|sample| seconds(sample.at))
        .reduce(f64::min);
    let ended = now.iter().map(|sample| seconds(sample.at)).reduce(f64::max);
    ended
        .zip(begun)
        .map_or(0.0, |(ended, begun)| (ended - begun).max(0.0))
}

pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_nanosecond() as f64 / 1e9
}
