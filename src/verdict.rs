//! An [`Assertion`] and what pods said → a [`Verdict`]. Pure.
//!
//! No data never passes. Whatever is not known, not whole or not enough is inconclusive, an outcome of
//! its own with its reason: a check that passes because nothing was counted is worse than none.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use crate::assertion::{Assertion, Claim, Comparison, Measure, Models, Quantity, Test};
use crate::histogram::Quantile;
use crate::report::{Ask, Dimension, Order, PodLine, PodSample, Report, Row, Span, report};
use crate::snapshot::Snapshot;
use crate::vocabulary::{self, Generation, Scope, Signal};

/// So many models are named where none of them is the one asked for.
const NAMED_MODELS: usize = 5;

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

/// How an assertion came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// Nothing that is known decides it.
    Inconclusive,
    /// It does not hold.
    Fail,
}

impl Outcome {
    /// Its name in every form of output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}

/// What became of an assertion.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// As it was written.
    pub assertion: String,
    /// The worst of the findings'.
    pub outcome: Outcome,
    /// What it rests on: one, or with `each(…)` one for every model, the worst first.
    pub findings: Vec<Finding>,
}

/// What became of all of them.
#[derive(Debug, Clone)]
pub struct Smoke {
    /// When the newest of the samples was taken.
    pub at: Timestamp,
    /// Over what time counts are.
    pub span: Span,
    /// All pods, also those that said nothing.
    pub pods: Vec<PodLine>,
    /// What a reader must know to take the numbers right.
    pub notes: Vec<String>,
    /// In the order of the assertions.
    pub verdicts: Vec<Verdict>,
    /// Whether what is inconclusive does no harm.
    pub allow_inconclusive: bool,
}

impl Smoke {
    /// The worst of the verdicts'; without any nothing was decided.
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.verdicts.iter().map(|verdict| verdict.outcome);
        outcomes.max().unwrap_or(Outcome::Inconclusive)
    }

    /// Whether a pipeline goes on.
    pub fn is_good(&self) -> bool {
        match self.outcome() {
            Outcome::Pass => true,
            Outcome::Inconclusive => self.allow_inconclusive,
            Outcome::Fail => false,
        }
    }

    /// How many came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let same = |verdict: &&Verdict| verdict.outcome == outcome;
        self.verdicts.iter().filter(same).count()
    }
}

/// What was seen of one model, or of all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Of `each(…)`.
    pub model: Option<String>,
    /// Whether it holds there.
    pub outcome: Outcome,
    /// What was held against the assertion's number; `None` where there is nothing.
    pub seen: Option<Seen>,
    /// Observations that a quantile or a rate of errors rests on.
    pub samples: Option<f64>,
    /// Why it is inconclusive.
    pub reason: Option<Reason>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A number in its base unit.
    Number(f64, Measure),
    /// A quantile in its base unit.
    Quantile(Quantile, Measure),
    /// Generations of names.
    Generations(Vec<Generation>),
    /// Names of models.
    Models(Vec<String>),
}

/// Why nothing decides an assertion.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// No pod emits the signal at all.
    FamilyAbsent(Signal),
    /// The signal is there, but not for a model that matches.
    NoSuchModel {
        /// Which signal.
        signal: Signal,
        /// What was asked for.
        glob: String,
        /// Models that it is there for.
        models: Vec<String>,
    },
    /// No model was counted at all.
    NoModel,
    /// There was no request.
    NoRequest,
    /// A picker does not count such things, so that none is no zero.
    NotCounted(Signal),
    /// A pod counts requests, and not how long they take.
    NoDurations {
        /// Its name.
        pod: String,
    },
    /// An empty histogram, or one without usable buckets.
    NoObservation,
    /// All that is known is that it is more than the last finite bucket's bound.
    BeyondLastBucket,
    /// Fewer observations than were asked for.
    FewSamples {
        /// How many there should be.
        need: f64,
    },
    /// No pod, or more than one, could speak for the pool.
    NoPoolView,
    /// The names are those of several generations, or there are none yet.
    UnknownGeneration,
    /// Pods are not part of the numbers.
    PodsMissing {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
        /// The first one and why.
        first: String,
    },
    /// A pod's text is cut off or has lines that cannot be read.
    NotWhole {
        /// Its name.
        pod: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = |signal: &Signal| vocabulary::entry_of(*signal).title;
        match self {
            Self::FamilyAbsent(signal) => {
                write!(f, "family absent: no pod emits {}", title(signal))
            }
            Self::NoSuchModel {
                signal,
                glob,
                models,
            } => {
                let named = models.iter().take(NAMED_MODELS);
                let named: Vec<String> = named.map(|model| format!("\"{model}\"")).collect();
                let more = models.len() - named.len();
                write!(
                    f,
                    "family without this model: {} has no \"{glob}\"",
                    title(signal)
                )?;
                match (&named[..], more) {
                    ([], _) => Ok(()),
                    (_, 0) => write!(f, ", but {}", named.join(", ")),
                    (_, more) => write!(f, ", but {} and {more} more", named.join(", ")),
                }
            }
            Self::NoModel => f.write_str("no model was counted yet"),
            Self::NoRequest => f.write_str("there was no request"),
            Self::NotCounted(signal) => write!(f, "not every picker here counts {}", title(signal)),
            Self::NoDurations { pod } => write!(
                f,
                "{pod} counts requests, but not their duration: does the gateway send response bodies to the picker?"
            ),
            Self::NoObservation => f.write_str("no observation"),
            Self::BeyondLastBucket => f.write_str("beyond the last bucket"),
            Self::FewSamples { need } => {
                write!(f, "fewer than {need} samples (--min-samples)")
            }
            Self::NoPoolView => f.write_str("nothing says whose view of the pool to believe"),
            Self::UnknownGeneration => f.write_str("the names say no generation yet"),
            Self::PodsMissing { count, of, first } => {
                write!(f, "{count} of {of} pods not counted: {first}")
            }
            Self::NotWhole { pod } => write!(f, "the text of {pod} is damaged or cut off"),
        }
    }
}

/// A value, and the observations that it rests on where that matters.
struct Value {
    seen: Seen,
    samples: Option<f64>,
}

/// Holds an assertion against what pods said.
pub fn judge(assertion: &Assertion, evidence: &Evidence<'_>) -> Verdict {
    let mut findings = match &assertion.claim {
        Claim::All(test) => vec![together(test, evidence)],
        Claim::Each(test) => each(test, evidence),
        Claim::Absent(models) => vec![absent(models, evidence)],
        Claim::Generation { is, generation } => {
            vec![generation_is(*is, *generation, evidence)]
        }
    };
    if let Some(reason) = evidence.gap() {
        let passed = findings.iter_mut().filter(|f| f.outcome == Outcome::Pass);
        passed.for_each(|finding| {
            finding.outcome = Outcome::Inconclusive;
            finding.reason = Some(reason.clone());
        });
    }
    findings.sort_by_key(|finding| Reverse(finding.outcome));
    Verdict {
        assertion: assertion.text.clone(),
        outcome: findings
            .iter()
            .map(|finding| finding.outcome)
            .max()
            .unwrap_or(Outcome::Inconclusive),
        findings,
    }
}

impl Evidence<'_> {
    fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.now.iter().filter_map(|pod| pod.outcome.as_ref().ok())
    }

    fn report(&self, quantity: Option<Quantity>, models: Option<&Models>) -> Report {
        let ask = Ask {
            by: vec![Dimension::Model],
            quantiles: match quantity {
                Some(Quantity::Quantile { q, .. }) => vec![q],
                _ => Vec::new(),
            },
            models: models.map(|models| models.matcher.clone()),
            order: Order::Name,
            latency: Signal::Latency,
            limit: None,
        };
        report(self.now, self.before, &ask)
    }

    /// Models that any pod has a series of the signal for; `None` where no pod even names it.
    fn models_of(&self, signal: Signal) -> Option<BTreeSet<&str>> {
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

    /// Why what was seen is less than what there is: then nothing that holds for it is proven.
    fn gap(&self) -> Option<Reason> {
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
        self.now
            .iter()
            .find(|pod| {
                pod.outcome.as_ref().is_ok_and(|snapshot| {
                    snapshot.problems.unreadable > 0 || snapshot.problems.no_final_newline
                })
            })
            .map(|pod| Reason::NotWhole {
                pod: pod.name.clone(),
            })
    }
}

/// Of all models that match, added up.
fn together(test: &Test, evidence: &Evidence<'_>) -> Finding {
    let report = evidence.report(Some(test.quantity), test.models.as_ref());
    let value = match test.quantity {
        Quantity::Pool(signal) => of_pool(signal, &report),
        Quantity::Quantile { signal, .. } if !is_of_models(signal) => {
            of_picker(signal, test, &report)
        }
        _ => of_models(test, &report.total, evidence),
    };
    finding(test, None, value, evidence)
}

/// Of every model that matches.
fn each(test: &Test, evidence: &Evidence<'_>) -> Vec<Finding> {
    let report = evidence.report(Some(test.quantity), test.models.as_ref());
    let signal = signal_of(test.quantity);
    let has_it = evidence.models_of(signal).unwrap_or_default();
    let findings: Vec<Finding> = report
        .rows
        .iter()
        .filter_map(|row| Some((row.key[0].as_deref()?, row)))
        // A name that was only ever refused has no latency; one that was served must have it.
        .filter(|(model, row)| has_it.contains(model) || row.requests > Some(0.0))
        .map(|(model, row)| {
            let value = match has_it.contains(model) || is_zero_by_absence(signal) {
                true => of_models(test, row, evidence),
                false => Err(Reason::NoSuchModel {
                    signal,
                    glob: model.to_owned(),
                    models: Vec::new(),
                }),
            };
            finding(test, Some(model.to_owned()), value, evidence)
        })
        .collect();
    match findings.is_empty() {
        true => vec![inconclusive(
            presence(signal, test.models.as_ref(), evidence)
                .err()
                .unwrap_or(Reason::NoModel),
        )],
        false => findings,
    }
}

fn absent(models: &Models, evidence: &Evidence<'_>) -> Finding {
    let all = evidence.report(None, None);
    let counted: Vec<String> = all
        .rows
        .iter()
        // Since the start a series is a trace, even one of 0; in a window only what moved is.
        .filter(|row| evidence.before.is_none() || has_moved(row))
        .filter_map(|row| row.key[0].clone())
        .collect();
    if counted.is_empty() {
        return inconclusive(match evidence.before {
            None => Reason::NoModel,
            Some(_) => Reason::NoRequest,
        });
    }
    let matching: Vec<String> = counted
        .into_iter()
        .filter(|model| models.matcher.is_match(model))
        .collect();
    Finding {
        model: None,
        outcome: passes(matching.is_empty()),
        seen: Some(Seen::Models(matching)),
        samples: None,
        reason: None,
    }
}

fn generation_is(is: bool, generation: Generation, evidence: &Evidence<'_>) -> Finding {
    let seen = evidence.report(None, None).generations;
    if seen.is_empty() {
        return inconclusive(Reason::UnknownGeneration);
    }
    let holds = match is {
        true => seen == [generation],
        false => !seen.contains(&generation),
    };
    Finding {
        model: None,
        outcome: passes(holds),
        seen: Some(Seen::Generations(seen)),
        samples: None,
        reason: None,
    }
}

/// A number of models' rows.
fn of_models(test: &Test, row: &Row, evidence: &Evidence<'_>) -> Result<Value, Reason> {
    let signal = signal_of(test.quantity);
    let unit = test.quantity.unit();
    presence(signal, test.models.as_ref(), evidence)?;
    let number = |number: Option<f64>, samples| match number.filter(|n| n.is_finite()) {
        Some(number) => Ok(Value {
            seen: Seen::Number(number, unit),
            samples,
        }),
        None => Err(Reason::NoObservation),
    };
    match test.quantity {
        Quantity::Count(Signal::Requests) => number(row.requests, None),
        Quantity::Count(Signal::InFlight) => number(row.in_flight, None),
        Quantity::Count(Signal::Cancelled) => {
            some_request(row)?;
            number(row.cancelled, None)
        }
        Quantity::Count(_) => {
            some_request(row)?;
            number(row.errors, None)
        }
        Quantity::Rate => number(row.rate, None),
        Quantity::ErrorRate => {
            some_request(row)?;
            number(row.error_rate, row.attempts())
        }
        Quantity::Quantile { signal, .. } => {
            if let (Signal::Latency, Some(pod)) = (signal, without_durations(test, evidence)) {
                return Err(Reason::NoDurations { pod });
            }
            let distribution = row.distributions.get(&signal);
            let distribution = distribution.ok_or(Reason::NoObservation)?;
            Ok(Value {
                seen: Seen::Quantile(distribution.quantiles[0], unit),
                samples: distribution.count,
            })
        }
        Quantity::Pool(_) => Err(Reason::NoPoolView),
    }
}

fn of_picker(signal: Signal, test: &Test, report: &Report) -> Result<Value, Reason> {
    let distribution = report
        .overhead
        .get(&signal)
        .ok_or(Reason::FamilyAbsent(signal))?;
    Ok(Value {
        seen: Seen::Quantile(distribution.quantiles[0], test.quantity.unit()),
        samples: distribution.count,
    })
}

fn of_pool(signal: Signal, report: &Report) -> Result<Value, Reason> {
    if report.pool.from.is_none() {
        return Err(Reason::NoPoolView);
    }
    match report.pool.gauges.get(&signal) {
        Some(value) => Ok(Value {
            seen: Seen::Number(*value, Quantity::Pool(signal).unit()),
            samples: None,
        }),
        None => Err(Reason::FamilyAbsent(signal)),
    }
}

/// Whether there is anything that the quantity can be of.
fn presence(
    signal: Signal,
    models: Option<&Models>,
    evidence: &Evidence<'_>,
) -> Result<(), Reason> {
    if is_zero_by_absence(signal) {
        let counts: fn(&Snapshot) -> bool = match signal {
            Signal::Errors => Snapshot::counts_errors,
            _ => Snapshot::counts_upstream_errors,
        };
        let mut with_traffic = evidence.snapshots().filter(|s| s.has_traffic());
        if with_traffic.any(|snapshot| !counts(snapshot)) {
            return Err(Reason::NotCounted(signal));
        }
        // Refused requests are in no counter but that of errors.
        let of_errors = evidence.models_of(signal).unwrap_or_default();
        if of_errors.iter().any(|model| is_meant(models, model)) {
            return Ok(());
        }
    }
    let signal = match is_zero_by_absence(signal) {
        true => Signal::Requests,
        false => signal,
    };
    let found = evidence
        .models_of(signal)
        .ok_or(Reason::FamilyAbsent(signal))?;
    match found.iter().any(|model| is_meant(models, model)) {
        true => Ok(()),
        false => Err(Reason::NoSuchModel {
            signal,
            glob: models.map_or("*", |models| &models.glob).to_owned(),
            models: found.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// A pod that has counted requests of these models, and not how long they took.
fn without_durations(test: &Test, evidence: &Evidence<'_>) -> Option<String> {
    let has = |snapshot: &Snapshot, signal| {
        snapshot.get(signal).is_some_and(|reading| {
            let mut models = reading.series.keys().filter_map(|key| key.model.as_deref());
            models.any(|model| is_meant(test.models.as_ref(), model))
        })
    };
    evidence
        .now
        .iter()
        .find(|pod| {
            pod.outcome
                .as_ref()
                .is_ok_and(|s| has(s, Signal::Requests) && !has(s, Signal::Latency))
        })
        .map(|pod| pod.name.clone())
}

fn finding(
    test: &Test,
    model: Option<String>,
    value: Result<Value, Reason>,
    evidence: &Evidence<'_>,
) -> Finding {
    let value = match value {
        Ok(value) => value,
        Err(reason) => {
            return Finding {
                model,
                ..inconclusive(reason)
            };
        }
    };
    let (outcome, reason) = match decide(test, &value, evidence.min_samples) {
        Ok(holds) => (passes(holds), None),
        Err(reason) => (Outcome::Inconclusive, Some(reason)),
    };
    Finding {
        model,
        outcome,
        samples: value.samples,
        seen: Some(value.seen),
        reason,
    }
}

fn decide(test: &Test, value: &Value, min_samples: f64) -> Result<bool, Reason> {
    let counts_samples = matches!(
        test.quantity,
        Quantity::Quantile { .. } | Quantity::ErrorRate
    );
    let have = value.samples.filter(|n| n.is_finite()).unwrap_or(0.0);
    let number = match value.seen {
        Seen::Quantile(Quantile::Unknown, _) => return Err(Reason::NoObservation),
        _ if counts_samples && have < min_samples => {
            return Err(Reason::FewSamples { need: min_samples });
        }
        Seen::Quantile(Quantile::Above(last), _) => {
            // What is more than the last bucket's bound is more than anything below that.
            let is_upper = matches!(
                test.comparison,
                Comparison::Less | Comparison::AtMost | Comparison::Equal
            );
            return match is_upper && test.bound <= last {
                true => Ok(false),
                false => Err(Reason::BeyondLastBucket),
            };
        }
        Seen::Quantile(Quantile::Within { value, .. }, _) => value,
        Seen::Number(value, _) => value,
        Seen::Generations(_) | Seen::Models(_) => return Err(Reason::NoObservation),
    };
    match number.is_finite() {
        true => Ok(test.comparison.holds(number, test.bound)),
        false => Err(Reason::NoObservation),
    }
}

fn inconclusive(reason: Reason) -> Finding {
    Finding {
        model: None,
        outcome: Outcome::Inconclusive,
        seen: None,
        samples: None,
        reason: Some(reason),
    }
}

fn passes(holds: bool) -> Outcome {
    match holds {
        true => Outcome::Pass,
        false => Outcome::Fail,
    }
}

/// The signal whose presence a quantity needs.
fn signal_of(quantity: Quantity) -> Signal {
    match quantity {
        Quantity::Count(signal) | Quantity::Pool(signal) | Quantity::Quantile { signal, .. } => {
            signal
        }
        Quantity::Rate => Signal::Requests,
        Quantity::ErrorRate => Signal::Errors,
    }
}

/// Such counters have no series before the first of their kind.
fn is_zero_by_absence(signal: Signal) -> bool {
    matches!(signal, Signal::Errors | Signal::Cancelled)
}

fn is_of_models(signal: Signal) -> bool {
    vocabulary::entry_of(signal).scope == Scope::Model
}

fn is_meant(models: Option<&Models>, model: &str) -> bool {
    models.is_none_or(|models| models.matcher.is_match(model))
}

fn some_request(row: &Row) -> Result<(), Reason> {
    match row.attempts() > Some(0.0) || row.errors > Some(0.0) {
        true => Ok(()),
        false => Err(Reason::NoRequest),
    }
}

fn has_moved(row: &Row) -> bool {
    let counts = [row.requests, row.errors, row.cancelled, row.in_flight];
    let observed = row.distributions.values().map(|d| d.count);
    counts.into_iter().chain(observed).any(|n| n > Some(0.0))
}
