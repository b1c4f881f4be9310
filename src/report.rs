//! Snapshots of pods, at one moment or two → a [`Report`]: rows with counts, rates and quantiles. Pure:
//! no clock, no I/O.
//!
//! What cannot be known is `None`. Counters and buckets add over pods; a picker's view of its pool is
//! taken from one pod and never added, since each replica sees the same pool.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;
use jiff::Timestamp;

use crate::{
    exposition::Value,
    histogram::{Histogram, Quantile},
    snapshot::{Key, Reading, Snapshot},
    vocabulary::{self, Generation, Scope, Signal},
};

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
    pub live: bool,
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
    pub models: Option<GlobMatcher>,
    /// How rows are ordered.
    pub order: Order,
    /// Which histogram [`Order::Quantile`] means.
    pub latency: Signal,
    /// At most so many rows; the total counts all.
    pub limit: Option<usize>,
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
    /// The picker counts them by model only: this stands for all rows of the model.
    pub in_flight_of_model: bool,
    /// By signal; a signal that the picker does not emit for this key is absent.
    pub distributions: BTreeMap<Signal, Distribution>,
    /// Input tokens per second, in a window.
    pub input_token_rate: Option<f64>,
    /// Output tokens per second, in a window.
    pub output_token_rate: Option<f64>,
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
}

/// A histogram's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Observations.
    pub count: Option<f64>,
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
    let mut tables = Table::default();
    let mut longest = 0.0_f64;
    for sample in now {
        let mut line = PodLine::of(sample);
        if let Ok(snapshot) = &sample.outcome {
            notes.of_reading(sample, snapshot);
            match before {
                None => tables.add(ask, sample, snapshot, None, &mut notes),
                Some(before) => match since(sample, snapshot, before) {
                    Some(increase) => {
                        line.restarted = increase.restarted;
                        longest = longest.max(increase.seconds);
                        tables.add(
                            ask,
                            sample,
                            &increase.snapshot,
                            Some(increase.seconds),
                            &mut notes,
                        );
                    }
                    None => {
                        line.failure = Some("no earlier sample: not part of this window".to_owned())
                    }
                },
            }
            if line.restarted {
                notes.add(format!("{} restarted: its counts begin anew", sample.name));
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
    let overhead = tables
        .overhead
        .histograms
        .iter()
        .map(|(signal, h)| (*signal, Distribution::of(h, &ask.quantiles)))
        .collect();
    let (mut rows, total) = tables.finish(ask, &counted, &mut notes);
    notes.of_generations(&counted, &total);
    sort(&mut rows, ask);
    let rows_left_out = ask
        .limit
        .map_or(0, |limit| rows.len().saturating_sub(limit));
    rows.truncate(rows.len() - rows_left_out);
    Report {
        at: now.iter().map(|s| s.at).max().unwrap_or_default(),
        span: if before.is_some() {
            Span::Window(longest)
        } else {
            Span::SinceStart
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
        notes: notes.0,
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
                .filter(|_| sample.live)
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

/// What one pod counted between two samples.
struct Increase {
    snapshot: Snapshot,
    seconds: f64,
    restarted: bool,
}

/// The increase of a pod's counters and buckets; its gauges as they are now. `None` where there is
/// nothing to compare with: the pod was there, but its first sample was not.
fn since(sample: &PodSample, now: &Snapshot, before: &[&PodSample]) -> Option<Increase> {
    let earlier = before.iter().find(|b| b.id == sample.id);
    let begun = earlier
        .map(|b| b.at)
        .or_else(|| before.iter().map(|b| b.at).min())?;
    let elapsed = seconds(sample.at) - seconds(begun);
    if elapsed <= 0.0 {
        return None;
    }
    let then = earlier.and_then(|b| b.outcome.as_ref().ok());
    let started_inside = now
        .process_start
        .is_some_and(|start| start >= seconds(begun) - 1.0);
    let new_process = match then {
        // Nothing is known of it before; if it started since, all it counted is new.
        None if started_inside => {
            return Some(Increase {
                snapshot: now.clone(),
                seconds: elapsed,
                restarted: false,
            });
        }
        None => return None,
        // A clock that is set anew moves the start by little; a restart takes longer than that.
        Some(then) => {
            matches!((then.process_start, now.process_start), (Some(a), Some(b)) if (a - b).abs() > 0.5)
        }
    };
    let then = then?;
    let mut restarted = new_process;
    let mut increases = BTreeMap::new();
    for (signal, reading) in now.readings() {
        let kind = vocabulary::entry_of(signal).kind;
        let old = then
            .get(signal)
            .filter(|old| !new_process && old.name == reading.name);
        let series = reading
            .series
            .iter()
            .map(|(key, value)| {
                let old = old.and_then(|old| old.series.get(key));
                (key.clone(), increase(kind, value, old, &mut restarted))
            })
            .collect();
        increases.insert(
            signal,
            Reading {
                name: reading.name,
                series,
            },
        );
    }
    Some(Increase {
        snapshot: now.with_readings(increases),
        seconds: elapsed,
        restarted,
    })
}

/// A series' increase. A count that fell means that the process is new, whatever it says of its start;
/// a series that was not there before counted from 0.
fn increase(
    kind: crate::exposition::Kind,
    now: &Value,
    then: Option<&Value>,
    restarted: &mut bool,
) -> Value {
    use crate::exposition::Kind::{Counter, Gauge};
    match (now, then) {
        (Value::Number(n), Some(Value::Number(old))) if kind == Counter => {
            if n < old {
                *restarted = true;
                return Value::Number(*n);
            }
            Value::Number(n - old)
        }
        (Value::Histogram(h), Some(Value::Histogram(old))) if kind != Gauge => {
            Value::Histogram(h.since(old).unwrap_or_else(|| {
                *restarted = true;
                h.clone()
            }))
        }
        (now, _) => now.clone(),
    }
}

/// Decides who leads: by the picker's own gauge, else by the Lease, else by readiness, since a standby
/// stays unready by design.
fn elect(samples: &[PodSample], pods: &mut [PodLine]) {
    let own_word: Vec<Option<bool>> = samples
        .iter()
        .map(|s| {
            let series = &s.outcome.as_ref().ok()?.get(Signal::Leader)?.series;
            series.values().find_map(|v| match v {
                Value::Number(n) => Some(*n == 1.0),
                Value::Histogram(_) => None,
            })
        })
        .collect();
    let leases: Vec<Option<bool>> = samples.iter().map(|s| s.holds_lease).collect();
    let ready: Vec<Option<bool>> = samples.iter().map(|s| s.ready).collect();
    let one = |words: &[Option<bool>]| words.iter().filter(|w| **w == Some(true)).count() == 1;
    let words = if one(&own_word) {
        own_word
    } else if one(&leases) {
        leases
    } else if samples.len() > 1 && one(&ready) && ready.iter().all(Option::is_some) {
        ready
    } else {
        own_word
    };
    for (pod, word) in pods.iter_mut().zip(words) {
        pod.leader = word;
    }
}

/// The pool's gauges from the leader or from the only pod; without leader election every replica in a
/// cluster sees the same, so one of them speaks. Of files that do not say who led, none is believed.
fn pool_view(samples: &[PodSample], pods: &[PodLine]) -> PoolView {
    let pools: BTreeSet<&Option<String>> = samples.iter().map(|s| &s.pool).collect();
    if pools.len() > 1 {
        return PoolView::default(); // several pools have no one view
    }
    let usable = || samples.iter().zip(pods).filter(|(s, _)| s.outcome.is_ok());
    let elected = pods.iter().any(|p| p.leader.is_some());
    let chosen = if elected {
        usable().find(|(_, p)| p.leader == Some(true))
    } else if samples.len() == 1 || samples.iter().all(|s| s.ready.is_some()) {
        usable()
            .find(|(s, _)| s.ready != Some(false))
            .or_else(|| usable().next())
    } else {
        None
    };
    let Some((sample, _)) = chosen else {
        return PoolView::default();
    };
    let Ok(snapshot) = &sample.outcome else {
        return PoolView::default();
    };
    let gauges = snapshot
        .readings()
        .filter(|(signal, _)| vocabulary::entry_of(*signal).scope == Scope::Pool)
        .filter_map(
            |(signal, reading)| match reading.series.values().collect::<Vec<_>>()[..] {
                [Value::Number(n)] if n.is_finite() => Some((signal, *n)),
                _ => None, // several pools in one picker have no one value
            },
        )
        .collect();
    PoolView {
        from: Some(sample.name.clone()),
        gauges,
    }
}

/// Sums over pods, by row.
#[derive(Default)]
struct Table {
    rows: BTreeMap<Vec<Option<String>>, Sums>,
    /// Signals that some pod emits, with the dimensions that their series carry.
    emitted: BTreeMap<Signal, Vec<bool>>,
    /// In-flight counts that name no target, by model.
    in_flight_of_model: BTreeMap<String, f64>,
    total: Sums,
    /// Of pickers, not of models.
    overhead: Sums,
}

#[derive(Default)]
struct Sums {
    numbers: BTreeMap<Signal, f64>,
    per_second: BTreeMap<Signal, f64>,
    error_codes: BTreeMap<String, f64>,
    histograms: BTreeMap<Signal, Histogram>,
}

impl Table {
    fn add(
        &mut self,
        ask: &Ask,
        sample: &PodSample,
        snapshot: &Snapshot,
        seconds: Option<f64>,
        notes: &mut Notes,
    ) {
        for (signal, reading) in snapshot.readings() {
            let entry = vocabulary::entry_of(signal);
            match entry.scope {
                Scope::Model => {}
                Scope::Picker => {
                    for (key, value) in &reading.series {
                        self.overhead.add(signal, key, value, seconds);
                    }
                    continue;
                }
                Scope::Pool | Scope::Inner => continue,
            }
            for (key, value) in &reading.series {
                let model = key.model.as_deref().unwrap_or_default();
                if ask
                    .models
                    .as_ref()
                    .is_some_and(|glob| !glob.is_match(model))
                {
                    continue;
                }
                // For answers that were not streamed it is the whole duration.
                if signal == Signal::TimeToFirstToken && key.own.as_deref() == Some("false") {
                    continue;
                }
                if signal == Signal::InFlight
                    && key.target.is_none()
                    && ask.by.contains(&Dimension::Target)
                {
                    if let Value::Number(n) = value {
                        *self.in_flight_of_model.entry(model.to_owned()).or_default() += n;
                        *self.total.numbers.entry(signal).or_default() += n;
                    }
                    continue;
                }
                let row: Vec<_> = ask.by.iter().map(|d| dimension(*d, key, sample)).collect();
                let carried = row.iter().map(Option::is_some).collect();
                self.emitted.entry(signal).or_insert(carried);
                let sums = self.rows.entry(row).or_default();
                for sums in [sums, &mut self.total] {
                    if sums.add(signal, key, value, seconds) {
                        notes.add(format!(
                            "pods have unlike buckets for {}: added only where their bounds agree",
                            entry.title
                        ));
                    }
                }
            }
        }
    }

    fn finish(self, ask: &Ask, snapshots: &[&Snapshot], notes: &mut Notes) -> (Vec<Row>, Row) {
        // Requests are counted by every picker; errors not by the first, cancelled ones by few.
        let traffic = snapshots.iter().filter(|s| s.has_traffic());
        let by_all = |counts: fn(&Snapshot) -> bool| {
            traffic.clone().count() > 0 && traffic.clone().all(|s| counts(s))
        };
        let known = Known {
            errors: by_all(Snapshot::counts_errors),
            cancelled: by_all(Snapshot::counts_upstream_errors),
        };
        let total = self.total.row(Vec::new(), ask, known, true, notes);
        let requests_by = self.emitted.get(&Signal::Requests).cloned();
        let mut rows: Vec<Row> = self
            .rows
            .into_iter()
            .map(|(key, sums)| {
                let carried: Vec<bool> = key.iter().map(Option::is_some).collect();
                // No series is no request only if requests are told apart by the same labels.
                let comparable = requests_by.as_ref().is_none_or(|by| *by == carried);
                sums.row(key, ask, known, comparable, notes)
            })
            .collect();
        sort(&mut rows, ask);
        if let Some(model_at) = ask.by.iter().position(|d| *d == Dimension::Model) {
            let mut of_model = self.in_flight_of_model;
            for row in &mut rows {
                if let Some(n) = row.key[model_at]
                    .as_deref()
                    .and_then(|model| of_model.remove(model))
                {
                    row.in_flight = Some(n);
                    row.in_flight_of_model = true;
                }
            }
            // A model whose first request is still running has nothing else yet.
            rows.extend(of_model.into_iter().map(|(model, n)| {
                let mut key = vec![None; ask.by.len()];
                key[model_at] = Some(model);
                Row {
                    key,
                    in_flight: Some(n),
                    in_flight_of_model: true,
                    ..Row::default()
                }
            }));
        }
        (rows, total)
    }
}

/// What all pods with traffic count.
#[derive(Clone, Copy)]
struct Known {
    errors: bool,
    cancelled: bool,
}

impl Sums {
    /// Returns true where unlike bucket layouts were joined.
    fn add(&mut self, signal: Signal, key: &Key, value: &Value, seconds: Option<f64>) -> bool {
        match value {
            Value::Number(n) => {
                *self.numbers.entry(signal).or_default() += n;
                if let Some(seconds) = seconds {
                    *self.per_second.entry(signal).or_default() += n / seconds;
                }
                if signal == Signal::Errors {
                    *self
                        .error_codes
                        .entry(key.own.clone().unwrap_or_default())
                        .or_default() += n;
                }
                false
            }
            Value::Histogram(h) => {
                if let (Some(seconds), Some(sum)) = (seconds, h.sum) {
                    *self.per_second.entry(signal).or_default() += sum / seconds;
                }
                match self.histograms.get_mut(&signal) {
                    Some(sum) => sum.merge(h),
                    None => {
                        self.histograms.insert(signal, h.clone());
                        false
                    }
                }
            }
        }
    }

    fn row(
        mut self,
        key: Vec<Option<String>>,
        ask: &Ask,
        known: Known,
        comparable: bool,
        notes: &mut Notes,
    ) -> Row {
        let number = |signal| self.numbers.get(&signal).copied();
        let per_second = |signal| {
            self.per_second
                .get(&signal)
                .copied()
                .filter(|r| r.is_finite())
        };
        let absent_is_zero = |known: bool| (known && comparable).then_some(0.0);
        let requests = number(Signal::Requests).or(absent_is_zero(true));
        let errors = number(Signal::Errors).or(absent_is_zero(known.errors));
        self.error_codes.retain(|_, n| *n > 0.0);
        let in_window = !self.per_second.is_empty();
        for (signal, histogram) in &self.histograms {
            if histogram.falls() {
                notes.add(format!(
                    "{} of {} is inconsistent: a cumulative count falls; raised to the one before it",
                    vocabulary::entry_of(*signal).title,
                    names(&key),
                ));
            }
        }
        let mut row = Row {
            rate: per_second(Signal::Requests).or(requests.filter(|_| in_window).map(|_| 0.0)),
            error_rate: None,
            requests,
            errors,
            cancelled: number(Signal::Cancelled).or(absent_is_zero(known.cancelled)),
            in_flight: number(Signal::InFlight),
            in_flight_of_model: false,
            input_token_rate: per_second(Signal::InputTokens),
            output_token_rate: per_second(Signal::OutputTokens),
            distributions: self
                .histograms
                .iter()
                .map(|(signal, h)| (*signal, Distribution::of(h, &ask.quantiles)))
                .collect(),
            error_codes: self.error_codes,
            key,
        };
        let attempts = row.attempts().filter(|attempts| *attempts > 0.0);
        row.error_rate = errors.zip(attempts).map(|(errors, all)| errors / all);
        row
    }
}

impl Distribution {
    fn of(histogram: &Histogram, quantiles: &[f64]) -> Self {
        Self {
            count: histogram.observations(),
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
            || self.count.is_some_and(|n| n * (1.0 - q) < 1.0 - 1e-9)
    }
}

fn dimension(dimension: Dimension, key: &Key, sample: &PodSample) -> Option<String> {
    match dimension {
        Dimension::Model => key.model.clone(),
        Dimension::Target => key.target.clone(),
        Dimension::Pool => sample.pool.clone(),
        Dimension::Pod => Some(sample.name.clone()),
        Dimension::Priority => key.priority.clone(),
        Dimension::Fairness => key.fairness.clone(),
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

/// Remarks, each once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, note: String) {
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    fn of_reading(&mut self, sample: &PodSample, snapshot: &Snapshot) {
        let problems = &snapshot.problems;
        let first = problems
            .first
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        if problems.unreadable > 0 {
            self.add(format!(
                "{}: {} unreadable lines, first: {first}",
                sample.name, problems.unreadable
            ));
        } else if problems.doubtful > 0 {
            self.add(format!(
                "{}: {} doubtful lines, first: {first}",
                sample.name, problems.doubtful
            ));
        }
        if problems.no_final_newline {
            self.add(format!(
                "{}: the text ends without a newline; it may be cut off",
                sample.name
            ));
        }
    }

    /// What the pickers cannot count.
    fn of_generations(&mut self, snapshots: &[&Snapshot], total: &Row) {
        let with_traffic: Vec<_> = snapshots.iter().filter(|s| s.has_traffic()).collect();
        if with_traffic.is_empty() {
            return;
        }
        if with_traffic.iter().any(|s| !s.counts_errors()) {
            self.add("this picker does not count errors".to_owned());
        } else if with_traffic.iter().any(|s| !s.counts_upstream_errors()) {
            self.add(
                "errors here are the picker's refusals; a model server's own 4xx and 5xx are not counted by this picker"
                    .to_owned(),
            );
        }
        if total.requests > Some(0.0) && !total.distributions.contains_key(&Signal::Latency) {
            self.add(
                "requests are counted, their duration is not: does the gateway send response bodies to the picker?"
                    .to_owned(),
            );
        }
    }
}

/// A row's key for a remark.
fn names(key: &[Option<String>]) -> String {
    match key {
        [] => "the total".to_owned(),
        key => key
            .iter()
            .map(|part| format!("{:?}", part.as_deref().unwrap_or("-")))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_nanosecond() as f64 / 1e9
}
