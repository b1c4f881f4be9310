//! Two samples of a pod → what it counted in between.

use std::collections::BTreeMap;

use super::{PodSample, seconds};
use crate::{
    exposition::{Kind, Value},
    snapshot::{Reading, Snapshot},
    vocabulary::Signal,
};

/// What one pod counted between two samples.
pub(crate) struct Increase {
    /// With counters and buckets increased by so much.
    pub(crate) snapshot: Snapshot,
    /// Between the samples; `None` where it is not known when they were taken.
    pub(crate) seconds: Option<f64>,
    /// Its process is new.
    pub(crate) restarted: bool,
}

/// The increase of a pod's counters and buckets; its gauges as they are now.
///
/// # Errors
/// Why there is nothing to compare with.
pub(crate) fn since(
    sample: &PodSample,
    now: &Snapshot,
    before: &[&PodSample],
) -> Result<Increase, String> {
    let not_there = || "it was not there before, and when it started is not known".to_owned();
    let earlier = before.iter().find(|b| b.id == sample.id);
    let begun = earlier
        .map(|b| b.at)
        .or_else(|| before.iter().map(|b| b.at).min())
        .ok_or_else(not_there)?;
    let dated = sample.dated && before.iter().all(|b| b.dated);
    let elapsed = dated.then(|| seconds(sample.at) - seconds(begun));
    if elapsed.is_some_and(|elapsed| elapsed <= 0.0) {
        return Err("both are of the same moment, or the later one comes first".to_owned());
    }
    let then = earlier.map(|b| b.outcome.as_ref());
    let started_inside = dated
        && now
            .process_start
            .is_some_and(|start| start >= seconds(begun) - 1.0);
    let then = match then {
        Some(Ok(then)) => then,
        // Nothing is known of it before; if it started since, all it counted is new.
        _ if started_inside => {
            return Ok(Increase {
                snapshot: now.clone(),
                seconds: elapsed,
                restarted: false,
            });
        }
        Some(Err(failure)) => return Err(format!("it was not read before: {failure}")),
        None => return Err(not_there()),
    };
    let starts = then.process_start.zip(now.process_start);
    // A clock that is set anew moves the start by little; a restart takes longer than that.
    let is_other = starts.map(|(a, b)| (a - b).abs() > 0.5);
    // What a process that was there already has counted before is no part of the window.
    if is_other == Some(true) && dated && !started_inside {
        return Err(
            "another process answered, which was there before: is the address shared by several pods, or a clock wrong?"
                .to_owned(),
        );
    }
    let is_new = is_other.or(started_inside.then_some(true));
    // A series may have been in what is missing: it is not known that it began at 0.
    if is_new != Some(true) && then.is_less_whole_than(now) {
        return Err("what was read before was not whole".to_owned());
    }
    if now.is_less_whole_than(then) {
        return Err("what was read now was not whole".to_owned());
    }
    let fell = now.readings().any(|(signal, reading)| {
        let old = then.get(signal).filter(|old| old.name == reading.name);
        old.is_some_and(|old| fell(signal, reading, old))
    });
    // Where the process does not say when it started, a count that fell means that it is new; else that series is.
    let anew = is_new.unwrap_or(fell);
    // As this one now may be; of a series that is not in what came then it is not known that it began at 0.
    let was_cut_off = then.problems.no_final_newline;
    let mut increases = BTreeMap::new();
    for (signal, reading) in now.readings() {
        let old = then
            .get(signal)
            .filter(|old| !anew && old.name == reading.name);
        let series = reading.series.iter().map(|(key, value)| {
            let increase = match old.and_then(|old| old.series.get(key)) {
                _ if !is_count(signal) => value.clone(),
                Some(old) => increase(value, old),
                None if was_cut_off && !anew => unknown(value),
                None => value.clone(),
            };
            (key.clone(), increase)
        });
        increases.insert(
            signal,
            Reading {
                name: reading.name,
                series: series.collect(),
            },
        );
    }
    Ok(Increase {
        snapshot: now.with_readings(increases),
        seconds: elapsed,
        restarted: anew || fell,
    })
}

/// Whether a count of the reading is less than it was.
fn fell(signal: Signal, now: &Reading, then: &Reading) -> bool {
    let mut both = now
        .series
        .iter()
        .filter_map(|(key, value)| Some((value, then.series.get(key)?)));
    both.any(|pair| match pair {
        (Value::Number(n), Value::Number(old)) => is_count(signal) && n < old,
        (Value::Histogram(h), Value::Histogram(old)) => is_count(signal) && h.fell_since(old),
        _ => false,
    })
}

/// A series' increase: one that fell counted from 0, and of what was not known, then or now, nor is the increase.
fn increase(now: &Value, then: &Value) -> Value {
    match (now, then) {
        (Value::Number(n), Value::Number(old)) if n < old => now.clone(),
        (Value::Number(n), Value::Number(old)) => Value::Number(n - old),
        (Value::Histogram(h), Value::Histogram(old)) if h.fell_since(old) => now.clone(),
        (Value::Histogram(h), Value::Histogram(old)) => match h.since(old) {
            Some(since) => Value::Histogram(Box::new(since)),
            None => unknown(now),
        },
        _ => unknown(now),
    }
}

/// The same series, of which nothing is known.
fn unknown(value: &Value) -> Value {
    match value {
        Value::Number(_) => Value::Number(f64::NAN),
        Value::Histogram(histogram) => {
            let mut histogram = histogram.clone();
            histogram.make_unknown();
            Value::Histogram(histogram)
        }
    }
}

/// Not a gauge, which is as it is.
fn is_count(signal: Signal) -> bool {
    signal.entry().kind != Kind::Gauge
}
