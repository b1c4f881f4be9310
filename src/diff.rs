//! What pods said at two moments → what changed per model: increases, rates, shifts. Pure.
//!
//! Shares of errors and quantiles are compared between what had been counted until the first moment and
//! what came since: of the whole counts, old observations would hide what has changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::glob::Glob;
use crate::report::{Ask, Dimension, Distribution, Order, PodSample, Row, report, seconds, since};
use crate::shape::Changes;
use crate::snapshot::Snapshot;
use crate::vocabulary::Signal;

/// What pods said at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Every pod.
    pub pods: &'a [PodSample],
}

/// What shall be compared.
#[derive(Debug, Clone)]
pub struct Compare {
    /// 0 to 1, in the order shown.
    pub quantiles: Vec<f64>,
    /// Which distribution.
    pub latency: Signal,
    /// Only models that match.
    pub models: Option<Glob>,
}

/// What changed between two moments.
#[derive(Debug, Clone)]
pub struct Diff {
    /// When the first moment was; `None` for a saved scrape.
    pub before: Option<Timestamp>,
    /// When the second one was.
    pub after: Option<Timestamp>,
    /// 0 to 1, in the order asked for.
    pub quantiles: Vec<f64>,
    /// Which distribution.
    pub latency: Signal,
    /// Every pod of either moment.
    pub pods: Vec<PodChange>,
    /// By model, most requests first.
    pub rows: Vec<Change>,
    /// Of all models together.
    pub total: Change,
    /// Families and labels.
    pub shape: Changes,
    /// What was built until then, as the pickers say it.
    pub builds_before: BTreeSet<String>,
    /// What is built now.
    pub builds_after: BTreeSet<String>,
    /// What a reader must know to take the numbers right.
    pub notes: Vec<String>,
}

/// What became of a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a pod between two moments.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// The same process.
    Same,
    /// A new process: its counts began anew.
    Restarted,
    /// It was not there before.
    Came,
    /// It is no longer there: what it counted last is not known.
    Gone,
    /// Why it is not part of the numbers.
    Unread(String),
}

/// What changed for a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// The model; `None` for the total.
    pub model: Option<String>,
    /// Requests since the first moment.
    pub requests: Option<f64>,
    /// The same per second, where both times are known.
    pub rate: Option<f64>,
    /// Errors since the first moment.
    pub errors: Option<f64>,
    /// Until the first moment.
    pub before: Level,
    /// Since the first moment.
    pub after: Level,
}

/// How well a model was served over some time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level {
    /// Errors as a share of what was asked for, 0 to 1.
    pub error_rate: Option<f64>,
    /// The distribution that is compared.
    pub latency: Option<Distribution>,
}

/// Compares two moments; `shape` says how the texts differ.
pub fn diff(before: Side<'_>, after: Side<'_>, shape: Changes, compare: &Compare) -> Diff {
    let then: Vec<PodSample> = same_ids(before.pods, after.pods);
    let earlier: Vec<&PodSample> = then.iter().collect();
    let mut pods = Vec::new();
    let mut increases = Vec::new();
    let mut longest: Option<f64> = None;
    for sample in after.pods {
        let fate = match &sample.outcome {
            Err(failure) => Fate::Unread(failure.clone()),
            Ok(snapshot) => match since(sample, snapshot, &earlier) {
                Err(why) => Fate::Unread(why),
                Ok(increase) => {
                    longest = increase
                        .seconds
                        .map(|seconds| seconds.max(longest.unwrap_or(0.0)))
                        .or(longest);
                    increases.push(PodSample {
                        outcome: Ok(increase.snapshot),
                        ..sample.clone()
                    });
                    match (
                        earlier.iter().any(|b| b.id == sample.id),
                        increase.restarted,
                    ) {
                        (false, _) => Fate::Came,
                        (true, true) => Fate::Restarted,
                        (true, false) => Fate::Same,
                    }
                }
            },
        };
        pods.push(PodChange {
            name: sample.name.clone(),
            fate,
        });
    }
    let gone = then
        .iter()
        .filter(|b| after.pods.iter().all(|a| a.id != b.id));
    pods.extend(gone.map(|pod| PodChange {
        name: pod.name.clone(),
        fate: Fate::Gone,
    }));

    let ask = Ask {
        quantiles: compare.quantiles.clone(),
        models: compare.models.clone(),
        order: Order::Requests,
        latency: compare.latency,
        ..Ask::about([Dimension::Model])
    };
    let old = report(&then, None, &ask);
    let new = report(&increases, None, &ask);
    let old_rows: BTreeMap<&Option<String>, &Row> =
        old.rows.iter().map(|row| (&row.key[0], row)).collect();
    let change = |model: Option<String>, old: Option<&Row>, new: Option<&Row>| Change {
        requests: new.and_then(|row| row.requests),
        rate: new
            .and_then(|row| row.requests)
            .zip(longest)
            .map(|(requests, seconds)| requests / seconds),
        errors: new.and_then(|row| row.errors),
        before: old.map(|row| Level::of(row, compare)).unwrap_or_default(),
        after: new.map(|row| Level::of(row, compare)).unwrap_or_default(),
        model,
    };
    let mut rows: Vec<Change> = new
        .rows
        .iter()
        .map(|row| {
            change(
                row.key[0].clone(),
                old_rows.get(&row.key[0]).copied(),
                Some(row),
            )
        })
        .collect();
    // A restarted picker that has not seen a model again has no series of it.
    let lost = old
        .rows
        .iter()
        .filter(|old| new.rows.iter().all(|new| new.key != old.key));
    rows.extend(lost.map(|row| change(row.key[0].clone(), Some(row), None)));
    let mut notes = new.notes;
    let of_before: Vec<String> = old
        .notes
        .iter()
        .filter(|note| !notes.contains(note))
        .map(|note| format!("before: {note}"))
        .collect();
    notes.extend(of_before);
    Diff {
        before: moment(before.pods),
        after: moment(after.pods),
        quantiles: compare.quantiles.clone(),
        latency: compare.latency,
        pods,
        rows,
        total: change(None, Some(&old.total), Some(&new.total)),
        shape,
        builds_before: builds(before.pods),
        builds_after: builds(after.pods),
        notes,
    }
}

impl Level {
    fn of(row: &Row, compare: &Compare) -> Self {
        Self {
            error_rate: row.error_rate,
            latency: row.distributions.get(&compare.latency).cloned(),
        }
    }
}

/// One pod, compared with one that has no identity, is taken to be the same: files are of one picker.
fn same_ids(before: &[PodSample], after: &[PodSample]) -> Vec<PodSample> {
    let mut before = before.to_vec();
    if let ([then], [now]) = (&mut before[..], after)
        && (then.id == then.name || now.id == now.name)
    {
        then.id.clone_from(&now.id);
    }
    before
}

fn moment(pods: &[PodSample]) -> Option<Timestamp> {
    pods.iter().filter(|pod| pod.dated).map(|pod| pod.at).max()
}

/// What the pickers say they were built from.
pub(crate) fn builds(pods: &[PodSample]) -> BTreeSet<String> {
    let snapshots = pods.iter().filter_map(|pod| pod.outcome.as_ref().ok());
    snapshots
        .flat_map(Snapshot::builds)
        .map(str::to_owned)
        .collect()
}

impl Diff {
    /// Seconds between the moments; `None` where it is not known when one of them was.
    pub fn seconds(&self) -> Option<f64> {
        Some(seconds(self.after?) - seconds(self.before?))
    }
}
