//! Pods' snapshots added up → rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ask, Dimension, Distribution, InFlightOf, PodSample, Row, notes::Notes, sort};
use crate::{
    exposition::Value,
    histogram::Histogram,
    snapshot::{Key, Snapshot},
    vocabulary::{Scope, Signal},
};

/// Sums over pods, by row.
#[derive(Default)]
pub(super) struct Sums {
    rows: BTreeMap<Vec<Option<String>>, RowSums>,
    /// By which of the rows' dimensions requests are told apart; by several where pickers are of unlike versions.
    requests_by: BTreeSet<Vec<bool>>,
    /// In-flight counts that are not told apart by all that rows are about, with gaps in their keys.
    in_flight_of_models: BTreeMap<Vec<Option<String>>, f64>,
    total: RowSums,
    /// Of pickers, not of models.
    overhead: RowSums,
}

#[derive(Default)]
pub(super) struct RowSums {
    numbers: BTreeMap<Signal, f64>,
    per_second: BTreeMap<Signal, f64>,
    error_codes: BTreeMap<String, f64>,
    pub(super) histograms: BTreeMap<Signal, Histogram>,
}

impl Sums {
    pub(super) fn add(
        &mut self,
        ask: &Ask,
        sample: &PodSample,
        snapshot: &Snapshot,
        seconds: Option<f64>,
        notes: &mut Notes,
    ) {
        let uncounted = sample.outcome.as_ref().map(Snapshot::uncounted_models);
        let uncounted = uncounted.unwrap_or_default();
        for (signal, reading) in snapshot.readings() {
            let entry = signal.entry();
            match entry.scope {
                Scope::Model => {}
                Scope::Picker => {
                    for (key, value) in &reading.series {
                        if self.overhead.add(signal, key, value, seconds) {
                            notes.of_unlike_buckets(entry.title);
                        }
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
                let row: Vec<_> = ask.by.iter().map(|d| dimension(*d, key, sample)).collect();
                if signal == Signal::InFlight && row.contains(&None) {
                    if let Value::Number(n) = value {
                        *self.in_flight_of_models.entry(row).or_default() += n;
                        *self.total.numbers.entry(signal).or_default() += n;
                    }
                    continue;
                }
                if signal == Signal::Requests {
                    self.requests_by.insert(carried(&row));
                }
                let sums = self.rows.entry(row).or_default();
                for sums in [sums, &mut self.total] {
                    if uncounted.contains(model) {
                        sums.numbers.insert(Signal::Requests, f64::NAN);
                        notes.of_uncounted(sample);
                    }
                    if sums.add(signal, key, value, seconds) {
                        notes.of_unlike_buckets(entry.title);
                    }
                }
            }
        }
    }

    /// What the pickers themselves take.
    pub(super) fn overhead(&self, quantiles: &[f64]) -> BTreeMap<Signal, Distribution> {
        let histograms = self.overhead.histograms.iter();
        histograms
            .map(|(signal, h)| (*signal, Distribution::of(h, quantiles)))
            .collect()
    }

    fn vague(&self, signal: Signal) -> Vague {
        let counts = |sums: &RowSums| sums.numbers.get(&signal).is_some_and(|n| *n != 0.0);
        let rows = self.rows.iter();
        let keys: BTreeSet<_> = rows
            .filter(|(key, sums)| key.contains(&None) && counts(sums))
            .map(|(key, _)| key.clone())
            .collect();
        Vague {
            shapes: keys.iter().map(|key| carried(key)).collect(),
            keys,
        }
    }

    /// The rows and the total; `snapshots` are all that were added.
    pub(super) fn finish(
        self,
        ask: &Ask,
        snapshots: &[&Snapshot],
        notes: &mut Notes,
    ) -> (Vec<Row>, Row) {
        // Requests are counted by every picker; errors not by the first, cancelled ones by few.
        let traffic = snapshots.iter().filter(|s| s.has_traffic());
        let by_all = |counts: fn(&Snapshot) -> bool| {
            traffic.clone().count() > 0 && traffic.clone().all(|s| counts(s))
        };
        let known = Known {
            errors: by_all(Snapshot::counts_errors),
            cancelled: by_all(Snapshot::counts_upstream_errors),
        };
        notes.of_falling_counts(&self.rows);
        let (errors, cancelled) = (self.vague(Signal::Errors), self.vague(Signal::Cancelled));
        // Of no pod at all, what has no series is not 0 but unknown.
        let is_known = !snapshots.is_empty();
        let mut total = self.total.row(Vec::new(), ask, known, is_known);
        let mut rows: Vec<Row> = self
            .rows
            .into_iter()
            .map(|(key, sums)| {
                let known = Known {
                    errors: known.errors && !errors.may_be_of(&key),
                    cancelled: known.cancelled && !cancelled.may_be_of(&key),
                };
                // No series is no request only if requests are told apart by the same labels.
                let comparable = match self.requests_by.is_empty() {
                    true => total.requests.is_some(),
                    false => self.requests_by.contains(&carried(&key)),
                };
                sums.row(key, ask, known, comparable)
            })
            .collect();
        sort(&mut rows, ask);
        place_in_flight(&mut rows, self.in_flight_of_models, &ask.by);
        for row in rows.iter_mut().chain([&mut total]) {
            row.in_flight = row.in_flight.filter(|n| n.is_finite());
        }
        (rows, total)
    }
}

/// Which parts of a key are known.
fn carried(key: &[Option<String>]) -> Vec<bool> {
    key.iter().map(Option::is_some).collect()
}

/// The parts of a key that a shape has.
fn masked(key: &[Option<String>], shape: &[bool]) -> Vec<Option<String>> {
    let parts = key.iter().zip(shape);
    parts
        .map(|(part, told)| part.clone().filter(|_| *told))
        .collect()
}

/// Keys with gaps under which something was counted: it may be of any row that they do not exclude.
struct Vague {
    keys: BTreeSet<Vec<Option<String>>>,
    shapes: BTreeSet<Vec<bool>>,
}

impl Vague {
    fn may_be_of(&self, key: &[Option<String>]) -> bool {
        self.shapes.iter().any(|shape| {
            let masked = masked(key, shape);
            masked != key && self.keys.contains(&masked)
        })
    }
}

/// Gives each in-flight count whose key has gaps to the row with the same ones, else to the first row of its model,
/// else to a row of its own: a model whose first request is still running has nothing else yet.
fn place_in_flight(
    rows: &mut Vec<Row>,
    mut counts: BTreeMap<Vec<Option<String>>, f64>,
    by: &[Dimension],
) {
    for row in &mut *rows {
        if let Some(n) = counts.remove(&row.key) {
            *row.in_flight.get_or_insert(0.0) += n;
        }
    }
    let by_model = by.contains(&Dimension::Model);
    let shapes: BTreeSet<Vec<bool>> = counts
        .keys()
        .filter(|_| by_model)
        .map(|key| carried(key))
        .collect();
    let mut placed = BTreeSet::new();
    for row in &mut *rows {
        for shape in &shapes {
            let key = masked(&row.key, shape);
            if let Some(n) = counts.remove(&key) {
                *row.in_flight.get_or_insert(0.0) += n;
                row.in_flight_of = InFlightOf::Model;
                placed.insert(key);
            } else if row.in_flight.is_none() && placed.contains(&key) {
                row.in_flight_of = InFlightOf::FirstRow;
            }
        }
    }
    rows.extend(counts.into_iter().map(|(key, n)| Row {
        key,
        in_flight: Some(n),
        in_flight_of: if by_model {
            InFlightOf::Model
        } else {
            InFlightOf::Row
        },
        ..Row::default()
    }));
}

/// What all pods with traffic count.
#[derive(Clone, Copy)]
struct Known {
    errors: bool,
    cancelled: bool,
}

impl RowSums {
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
                        .entry(key.own.as_deref().unwrap_or_default().to_owned())
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
                        self.histograms.insert(signal, *h.clone());
                        false
                    }
                }
            }
        }
    }

    fn row(mut self, key: Vec<Option<String>>, ask: &Ask, known: Known, comparable: bool) -> Row {
        // What is there and not known is no more 0 than it is a number.
        let count = |signal, absent: Option<f64>| match self.numbers.get(&signal) {
            Some(n) => Some(*n).filter(|n| n.is_finite()),
            None => absent,
        };
        let per_second = |signal| {
            self.per_second
                .get(&signal)
                .copied()
                .filter(|r| r.is_finite())
        };
        let absent_is_zero = |known: bool| (known && comparable).then_some(0.0);
        let requests = count(Signal::Requests, absent_is_zero(true));
        let errors = count(Signal::Errors, absent_is_zero(known.errors));
        self.error_codes.retain(|_, n| *n > 0.0 && n.is_finite());
        let in_window = !self.per_second.is_empty();
        let mut row = Row {
            rate: requests
                .filter(|_| in_window)
                .map(|_| per_second(Signal::Requests).unwrap_or(0.0)),
            error_rate: None,
            requests,
            errors,
            cancelled: count(Signal::Cancelled, absent_is_zero(known.cancelled)),
            in_flight: count(Signal::InFlight, None),
            in_flight_of: InFlightOf::Row,
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
        // A share of requests some of whose errors nobody counts is too small.
        row.error_rate = errors
            .zip(attempts)
            .filter(|_| known.errors)
            .map(|(errors, all)| errors / all);
        row
    }
}

fn dimension(dimension: Dimension, key: &Key, sample: &PodSample) -> Option<String> {
    match dimension {
        Dimension::Model => key.model.as_deref().map(str::to_owned),
        Dimension::Target => key.target.as_deref().map(str::to_owned),
        Dimension::Pool => sample.pool.clone(),
        Dimension::Pod => Some(sample.name.clone()),
        Dimension::Priority => key.priority.as_deref().map(str::to_owned),
        Dimension::Fairness => key.fairness.as_deref().map(str::to_owned),
    }
}
