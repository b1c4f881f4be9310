//! An assertion held against the evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{is_meant, is_zero_by_absence};
use super::{Evidence, Finding, Outcome, Reason, Seen, Verdict, passes};
use crate::assertion::{Assertion, Claim, Comparison, Quantity, Test};
use crate::glob::Glob;
use crate::histogram::Quantile;
use crate::report::{Ended, Report, Row};
use crate::vocabulary::{Generation, OTHER, Scope, Signal};

/// A value, and the observations that it rests on where that matters.
struct Measured {
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
        let doubted = findings
            .into_iter()
            .map(|f| match only_grows(&assertion.claim, &f) {
                true => f.doubted(&reason),
                false => f.of_a_part(&reason),
            });
        findings = doubted.collect();
    } else if evidence.is_of_standbys() {
        let blind = findings.iter_mut().filter(|f| f.seen.is_none());
        blind.for_each(|finding| finding.reason = Some(Reason::OnlyStandbys));
    }
    Verdict::of(assertion.text.clone(), findings)
}

/// Whether what does not hold of a part holds of the whole even less: there is only more of what was counted.
fn only_grows(claim: &Claim, finding: &Finding) -> bool {
    let (Claim::All(test) | Claim::Each(test)) = claim else {
        return true;
    };
    let counts = matches!(test.quantity, Quantity::Count(_) | Quantity::Rate);
    let is_above = matches!(finding.seen, Some(Seen::Number(n, _)) if n >= test.bound);
    let is_upper = matches!(
        test.comparison,
        Comparison::Less | Comparison::AtMost | Comparison::Equal
    );
    counts && is_above && is_upper
}

/// Of all models that match, added up.
fn together(test: &Test, evidence: &Evidence<'_>) -> Finding {
    let report = evidence.report(Some(test.quantity), test.models.as_ref());
    let value = match test.quantity {
        Quantity::Pool(signal) => of_pool(signal, &report, evidence),
        Quantity::Quantile { signal, .. } if !is_of_models(signal) => {
            of_picker(signal, test, &report)
        }
        _ => of_models(test, &report.total, evidence),
    };
    let finding = finding(test, None, value, evidence);
    let unmeasured = unmeasured(test, evidence);
    let is_meant = |model: &str| is_meant(test.models.as_ref(), model);
    let one = unmeasured.into_iter().find(|(model, _)| is_meant(model));
    let doubt = one.map(|(_, reason)| reason).or_else(|| {
        let q = quantile_of_latency(test)?;
        let ended = evidence.ended();
        let meant = ended.iter().filter(|(model, _)| is_meant(model));
        Ended::sum(meant.map(|(_, ended)| ended)).why_unknown(q)
    });
    let doubt = doubt.or_else(|| disagreement(test, &report, evidence));
    match doubt {
        Some(reason @ Reason::ReplicasDisagree { .. }) => finding.of_a_part(&reason),
        Some(reason) => finding.doubted(&reason),
        None => finding,
    }
}

/// Of every model that matches.
fn each(test: &Test, evidence: &Evidence<'_>) -> Vec<Finding> {
    let report = evidence.report(Some(test.quantity), test.models.as_ref());
    let signal = signal_of(test.quantity);
    let has_it = evidence.models_of(signal).unwrap_or_default();
    let unmeasured = unmeasured(test, evidence);
    let ended = quantile_of_latency(test).map(|q| (q, evidence.ended()));
    let doubt = |model: &str| {
        let few = || {
            let (q, ended) = ended.as_ref()?;
            ended.get(model)?.why_unknown(*q)
        };
        unmeasured.get(model).cloned().or_else(few)
    };
    // A model that was only ever refused has no request, and no latency to ask for. A name that could not be read is none.
    let is_refused = |model: &str, row: &Row| {
        signal == Signal::Requests
            && !has_it.contains(model)
            && !model.is_empty()
            && row.errors > Some(0.0)
    };
    let findings: Vec<Finding> = report
        .rows
        .iter()
        .filter_map(|row| Some((row.key[0].as_deref()?, row)))
        .filter(|(model, row)| {
            has_it.contains(model) || row.requests > Some(0.0) || is_refused(model, row)
        })
        .map(|(model, row)| {
            let value = match has_it.contains(model) || is_zero_by_absence(signal) {
                true => of_models(test, row, evidence),
                false if is_refused(model, row) => of_row(test, row),
                false => Err(Reason::NoSuchModel {
                    signal,
                    glob: model.to_owned(),
                    models: Vec::new(),
                }),
            };
            let finding = finding(test, Some(model.to_owned()), value, evidence);
            match doubt(model) {
                Some(reason) => finding.doubted(&reason),
                None => finding,
            }
        })
        .collect();
    match findings.is_empty() {
        true => vec![Finding::inconclusive(
            evidence
                .presence(signal, test.models.as_ref())
                .err()
                .unwrap_or(Reason::NoModel),
        )],
        false => findings,
    }
}

/// The models of which not every pod measures what is tested. What counters lack is told where they are read.
fn unmeasured(test: &Test, evidence: &Evidence<'_>) -> BTreeMap<String, Reason> {
    match test.quantity {
        Quantity::Quantile { signal, .. } | Quantity::Count(signal @ Signal::InFlight) => {
            evidence.unmeasured(signal)
        }
        Quantity::Count(_) | Quantity::ErrorRate | Quantity::Rate | Quantity::Pool(_) => {
            BTreeMap::new()
        }
    }
}

fn quantile_of_latency(test: &Test) -> Option<f64> {
    match test.quantity {
        Quantity::Quantile {
            signal: Signal::Latency,
            q,
        } => Some(q),
        _ => None,
    }
}

fn absent(models: &Glob, evidence: &Evidence<'_>) -> Finding {
    let all = evidence.report(None, None);
    let counted: Vec<String> = all
        .rows
        .iter()
        // Since the start a series is a trace, even one of 0; in a window only what moved is.
        .filter(|row| evidence.before.is_none() || has_moved(row))
        .filter_map(|row| row.key[0].clone())
        .collect();
    if counted.is_empty() {
        return Finding::inconclusive(match evidence.before {
            None => Reason::NoModel,
            Some(_) => Reason::NoRequest,
        });
    }
    let is_capped = counted.iter().any(|model| model == OTHER);
    let matching: Vec<String> = counted
        .into_iter()
        .filter(|model| models.is_match(model))
        .collect();
    let finding = Finding::decided(matching.is_empty(), Seen::Models(matching));
    match is_capped {
        true => finding.doubted(&Reason::CapReached),
        false => finding,
    }
}

fn generation_is(is: bool, generation: Generation, evidence: &Evidence<'_>) -> Finding {
    let seen = evidence.report(None, None).generations;
    if seen.is_empty() {
        return Finding::inconclusive(Reason::UnknownGeneration);
    }
    let holds = match is {
        true => seen == [generation],
        false => !seen.contains(&generation),
    };
    let finding = Finding::decided(holds, Seen::Generations(seen));
    match evidence.has_unknown_generation() {
        true => finding.doubted(&Reason::UnknownGeneration),
        false => finding,
    }
}

/// A number of models' rows.
fn of_models(test: &Test, row: &Row, evidence: &Evidence<'_>) -> Result<Measured, Reason> {
    evidence.presence(signal_of(test.quantity), test.models.as_ref())?;
    of_row(test, row)
}

fn of_row(test: &Test, row: &Row) -> Result<Measured, Reason> {
    let unit = test.quantity.unit();
    let number = |number: Option<f64>, samples| match number.filter(|n| n.is_finite()) {
        Some(number) => Ok(Measured {
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
        Quantity::Count(Signal::Errors) => {
            some_request(row)?;
            number(row.errors, None)
        }
        Quantity::Count(signal) => Err(Reason::FamilyAbsent(signal)),
        Quantity::Rate => number(row.rate, None),
        Quantity::ErrorRate => {
            some_request(row)?;
            number(row.error_rate, row.attempts())
        }
        Quantity::Quantile { signal, .. } => {
            let distribution = row.distributions.get(&signal);
            let distribution = distribution.ok_or(Reason::NoObservation)?;
            Ok(Measured {
                seen: Seen::Quantile(distribution.quantiles[0], unit),
                samples: distribution.in_buckets,
            })
        }
        Quantity::Pool(_) => Err(Reason::NoPoolView),
    }
}

fn of_picker(signal: Signal, test: &Test, report: &Report) -> Result<Measured, Reason> {
    let distribution = report
        .overhead
        .get(&signal)
        .ok_or(Reason::FamilyAbsent(signal))?;
    Ok(Measured {
        seen: Seen::Quantile(distribution.quantiles[0], test.quantity.unit()),
        samples: distribution.in_buckets,
    })
}

fn of_pool(signal: Signal, report: &Report, evidence: &Evidence<'_>) -> Result<Measured, Reason> {
    let pools: BTreeSet<_> = report.pods.iter().map(|pod| &pod.pool).collect();
    if pools.len() > 1 || evidence.has_several(signal) {
        return Err(Reason::SeveralPools);
    }
    if report.pool.from.is_none() {
        return Err(Reason::NoPoolView);
    }
    match report.pool.gauges.get(&signal) {
        Some(value) => Ok(Measured {
            seen: Seen::Number(*value, Quantity::Pool(signal).unit()),
            samples: None,
        }),
        None => Err(Reason::FamilyAbsent(signal)),
    }
}

/// That replicas of which none leads see their pool so differently that the test holds for some of them only.
fn disagreement(test: &Test, report: &Report, evidence: &Evidence<'_>) -> Option<Reason> {
    let Quantity::Pool(signal) = test.quantity else {
        return None;
    };
    if report.pods.iter().any(|pod| pod.leader.is_some()) {
        return None;
    }
    let ready = evidence.now.iter().filter(|pod| pod.ready != Some(false));
    let said = ready.filter_map(|pod| {
        let snapshot = pod.outcome.as_ref().ok()?;
        Some((&pod.name, snapshot.total(signal)))
    });
    let said: Vec<(&String, Option<f64>)> = said.collect();
    let holds = said
        .iter()
        .map(|(_, value)| value.is_some_and(|value| test.comparison.holds(value, test.bound)));
    let outcomes: BTreeSet<bool> = holds.collect();
    let text = |value: Option<f64>| value.map_or("nothing".to_owned(), |value| value.to_string());
    (outcomes.len() > 1).then(|| Reason::ReplicasDisagree {
        said: said
            .into_iter()
            .map(|(name, value)| format!("{name}: {}", text(value)))
            .collect(),
    })
}

fn finding(
    test: &Test,
    model: Option<String>,
    value: Result<Measured, Reason>,
    evidence: &Evidence<'_>,
) -> Finding {
    let value = match value {
        Ok(value) => value,
        Err(reason) => {
            return Finding {
                model,
                ..Finding::inconclusive(reason)
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

fn decide(test: &Test, value: &Measured, min_samples: f64) -> Result<bool, Reason> {
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
        Seen::Shift { .. } | Seen::Generations(_) | Seen::Models(_) | Seen::Words(_) => {
            return Err(Reason::NoObservation);
        }
    };
    match number.is_finite() {
        true => Ok(test.comparison.holds(number, test.bound)),
        false => Err(Reason::NoObservation),
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

fn is_of_models(signal: Signal) -> bool {
    signal.entry().scope == Scope::Model
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
