//! What assertions are held against, and what can be asked of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Reason;
use crate::assertion::Quantity;
use crate::exposition::Value;
use crate::glob::Glob;
use crate::report::{Ask, Dimension, Ended, PodSample, Report, Row, report};
use crate::snapshot::Snapshot;
use crate::vocabulary::{Generation, Scope, Signal};

/// What assertions are held against.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What every pod said.
    pub now: &'a [PodSample],
    /// What they said at the beginning of the window; `None`: counts are since the pods' start.
    pub before: Option<&'a [&'a PodSample]>,
    /// Quantiles and rates of errors of fewer observations prove nothing.
    pub min_samples: f64,
}

impl Evidence<'_> {
    fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.now.iter().filter_map(|pod| pod.outcome.as_ref().ok())
    }

    pub(super) fn report(&self, quantity: Option<Quantity>, models: Option<&Glob>) -> Report {
        let ask = Ask {
            quantiles: match quantity {
                Some(Quantity::Quantile { q, .. }) => vec![q],
                _ => Vec::new(),
            },
            models: models.cloned(),
            ..Ask::about([Dimension::Model])
        };
        report(self.now, self.before, &ask)
    }

    /// Models that any pod has a series of the signal for; `None` where no pod even names it.
    pub(super) fn models_of(&self, signal: Signal) -> Option<BTreeSet<&str>> {
        if !self.snapshots().any(|snapshot| snapshot.names(signal)) {
            return None;
        }
        let readings = self.snapshots().filter_map(|s| s.get(signal));
        let keys = readings.flat_map(|reading| reading.series.keys());
        Some(
            keys.map(|key| key.model.as_deref().unwrap_or_default())
                .collect(),
        )
    }

    /// Whether a pod has the signal of several pools.
    pub(super) fn has_several(&self, signal: Signal) -> bool {
        let mut readings = self.snapshots().filter_map(|s| s.get(signal));
        readings.any(|reading| reading.series.len() > 1)
    }

    /// Whether the names of a pod are those of several generations. A standby's always are: it counts nothing.
    pub(super) fn has_unknown_generation(&self) -> bool {
        let pods = self.report(None, None).pods;
        pods.iter().any(|pod| {
            pod.failure.is_none() && pod.generation.is_none() && pod.leader != Some(false)
        })
    }

    /// Whether none of the pods leads, and so none can have counted a request.
    pub(super) fn is_of_standbys(&self) -> bool {
        let pods = self.report(None, None).pods;
        !pods.is_empty() && pods.iter().all(|pod| pod.leader == Some(false))
    }

    /// Why what was seen is less than what there is: then nothing that holds for it is proven.
    pub(crate) fn gap(&self) -> Option<Reason> {
        let lines = self.report(None, None).pods;
        let gone: Vec<&&PodSample> = self
            .before
            .unwrap_or_default()
            .iter()
            .filter(|then| self.now.iter().all(|now| now.id != then.id))
            .collect();
        let missing: Vec<String> = lines
            .iter()
            .filter_map(|pod| Some(format!("{}: {}", pod.name, pod.failure.as_deref()?)))
            .chain(gone.iter().map(|then| format!("{} is gone", then.name)))
            .collect();
        if let [first, ..] = &missing[..] {
            return Some(Reason::PodsMissing {
                count: missing.len(),
                of: lines.len() + gone.len(),
                first: first.clone(),
            });
        }
        if let Some(pod) = lines.into_iter().find(|pod| pod.restarted) {
            return Some(Reason::Restarted { pod: pod.name });
        }
        let then = self.before.unwrap_or_default().iter().copied();
        self.now.iter().chain(then).find_map(not_whole)
    }

    /// Whether there is anything that the quantity can be of.
    pub(super) fn presence(&self, signal: Signal, models: Option<&Glob>) -> Result<(), Reason> {
        if is_zero_by_absence(signal) {
            if !self.is_counted(signal) {
                return Err(Reason::NotCounted(signal));
            }
            // Refused requests are in no counter but that of errors.
            let of_errors = self.models_of(signal).unwrap_or_default();
            if of_errors.iter().any(|model| is_meant(models, model)) {
                return Ok(());
            }
        }
        let signal = match is_zero_by_absence(signal) {
            true => Signal::Requests,
            false => signal,
        };
        let found = self.models_of(signal).ok_or(Reason::FamilyAbsent(signal))?;
        match found.iter().any(|model| is_meant(models, model)) {
            true => Ok(()),
            false => Err(Reason::NoSuchModel {
                signal,
                glob: models.map_or("*", Glob::text).to_owned(),
                models: found.into_iter().map(str::to_owned).collect(),
            }),
        }
    }

    /// Whether every pod with traffic counts these at all, so that no series of them is zero.
    pub(crate) fn is_counted(&self, signal: Signal) -> bool {
        let counts: fn(&Snapshot) -> bool = match signal {
            Signal::Errors => Snapshot::counts_errors,
            _ => Snapshot::counts_upstream_errors,
        };
        let mut with_traffic = self.snapshots().filter(|s| s.has_traffic());
        with_traffic.all(counts)
    }

    /// The models of which some pod has ended requests without a trace in this signal, and why: what is known of
    /// it is a part.
    pub(crate) fn unmeasured(&self, signal: Signal) -> BTreeMap<String, Reason> {
        let by = [Dimension::Pod, Dimension::Model];
        let rows = report(self.now, self.before, &Ask::about(by)).rows;
        let ended = rows.iter().filter(|row| row.has_ended());
        let reasons = ended.filter_map(|row| {
            let [Some(pod), Some(model)] = &row.key[..] else {
                return None;
            };
            let sample = self.now.iter().find(|sample| sample.name == *pod)?;
            let why = why_unmeasured(sample, row, model, signal)?;
            Some((model.clone(), why))
        });
        reasons.collect()
    }

    /// Of each model, how many requests that have ended have a duration.
    pub(crate) fn ended(&self) -> BTreeMap<String, Ended> {
        let by = [Dimension::Pod, Dimension::Model];
        let rows = report(self.now, self.before, &Ask::about(by)).rows;
        let mut ended: BTreeMap<String, Ended> = BTreeMap::new();
        for row in rows {
            let [Some(pod), Some(model)] = &row.key[..] else {
                continue;
            };
            let Some(Ended { all, timed }) = Ended::of(&row) else {
                continue;
            };
            // What was in flight when the window began ends in it.
            let all = all + self.in_flight_before(pod, model);
            let sum = ended.entry(model.clone()).or_default();
            sum.all += all.max(timed);
            sum.timed += timed;
        }
        ended
    }

    fn in_flight_before(&self, pod: &str, model: &str) -> f64 {
        let before = self.before.unwrap_or_default().iter();
        let samples = before.filter(|sample| sample.name == pod);
        let readings = samples.filter_map(|s| s.outcome.as_ref().ok()?.get(Signal::InFlight));
        let series = readings.flat_map(|reading| &reading.series);
        let of_model = series.filter(|(key, _)| key.model.as_deref() == Some(model));
        of_model
            .map(|(_, value)| match value {
                Value::Number(n) if n.is_finite() => *n,
                _ => 0.0,
            })
            .sum()
    }
}

impl Ended {
    /// Why the `q`-quantile of their durations may be more than that of the known ones: of so many none is known.
    pub(crate) fn why_unknown(self, q: f64) -> Option<Reason> {
        self.lacks(q).then_some(Reason::FewDurations {
            have: self.timed,
            of: self.all,
        })
    }
}

/// That a pod's text is less than what it said, or not what it said.
pub(crate) fn not_whole(pod: &PodSample) -> Option<Reason> {
    let problems = &pod.outcome.as_ref().ok()?.problems;
    let is_whole = problems.unreadable == 0 && problems.doubtful == 0 && !problems.no_final_newline;
    (!is_whole).then(|| Reason::NotWhole {
        pod: pod.name.clone(),
    })
}

fn why_unmeasured(sample: &PodSample, row: &Row, model: &str, signal: Signal) -> Option<Reason> {
    let snapshot = sample.outcome.as_ref().ok()?;
    let pod = sample.name.clone();
    if signal != Signal::Latency {
        let reason = Reason::NotMeasured { pod, signal };
        return (!may_measure(snapshot, signal)).then_some(reason);
    }
    let latency = row.distributions.get(&Signal::Latency);
    if latency.is_some_and(|latency| latency.count > Some(0.0)) {
        return None;
    }
    Some(match snapshot.total(Signal::Latency) > Some(0.0) {
        true => Reason::NoDurationsOf {
            pod,
            model: model.to_owned(),
        },
        false => Reason::NoDurations { pod },
    })
}

/// Whether a picker that has ended requests may measure the signal and have seen none of it, such as the time to the
/// first token where nothing is streamed.
fn may_measure(snapshot: &Snapshot, signal: Signal) -> bool {
    let entry = signal.entry();
    if snapshot.names(signal) {
        return true;
    }
    // Every request has one of these.
    if signal == Signal::InFlight || entry.scope == Scope::Picker {
        return false;
    }
    let has = |generation| {
        let mut names = entry.names.iter();
        names.any(|name| name.generation == Some(generation))
    };
    match snapshot.generation() {
        // What the generation after it lacks, gateway-core alone has.
        Some(Generation::InferenceModel) => {
            has(Generation::InferenceModel)
                && (has(Generation::InferenceObjective) || snapshot.counts_upstream_errors())
        }
        Some(generation) => has(generation),
        None => true,
    }
}

/// Such counters have no series before the first of their kind.
pub(super) fn is_zero_by_absence(signal: Signal) -> bool {
    matches!(signal, Signal::Errors | Signal::Cancelled)
}

pub(super) fn is_meant(models: Option<&Glob>, model: &str) -> bool {
    models.is_none_or(|models| models.is_match(model))
}
