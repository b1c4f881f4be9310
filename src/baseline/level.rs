//! How well each model was served then, and how well it is now.

use std::collections::BTreeMap;

use super::Q;
use crate::assertion::Measure;
use crate::histogram::Quantile;
use crate::report::{Ask, Dimension, PodSample, Row, report};
use crate::verdict::{Evidence, Finding, Outcome, Reason, Seen, Verdict};
use crate::vocabulary::{Signal, Unit};

/// So many standard errors chance alone exceeds in 5 of 100 cases.
const SELDOM: f64 = 1.645;

/// How well a model was served.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Errors as a share of what was asked for, 0 to 1.
    pub error_rate: Option<f64>,
    /// What that is a share of.
    pub attempts: Option<f64>,
    /// The 0.99-quantile of the latency, in seconds.
    pub p99: Quantile,
    /// Observations of the latency.
    pub observations: Option<f64>,
}

impl Level {
    /// Of every model that was served, since the pods' start. What not every pod has measured is unknown.
    pub(crate) fn all(pods: &[PodSample]) -> BTreeMap<String, Self> {
        let evidence = Evidence {
            now: pods,
            before: None,
            min_samples: 0.0,
        };
        let mut levels = by_model(&evidence, |row| row.requests > Some(0.0));
        let unmeasured = evidence.unmeasured(Signal::Latency);
        let ended = evidence.ended();
        let few = ended.iter().filter(|(_, of)| of.why_unknown(Q).is_some());
        for model in unmeasured.keys().chain(few.map(|(model, _)| model)) {
            if let Some(level) = levels.get_mut(model) {
                level.p99 = Quantile::Unknown;
            }
        }
        levels
    }

    fn of(row: &Row) -> Self {
        let latency = row.distributions.get(&Signal::Latency);
        Self {
            error_rate: row.error_rate,
            attempts: row.attempts(),
            p99: latency.map_or(Quantile::Unknown, |latency| latency.quantiles[0]),
            observations: latency.and_then(|latency| latency.in_buckets),
        }
    }
}

fn by_model(evidence: &Evidence<'_>, counts: fn(&Row) -> bool) -> BTreeMap<String, Level> {
    let ask = Ask {
        quantiles: vec![Q],
        ..Ask::about([Dimension::Model])
    };
    let all_count_errors = evidence.is_counted(Signal::Errors);
    let rows = report(evidence.now, evidence.before, &ask).rows.into_iter();
    let levels = rows.filter(counts).filter_map(|row| {
        let level = Level::of(&row);
        let error_rate = level.error_rate.filter(|_| all_count_errors);
        Some((
            row.key[0].clone()?,
            Level {
                error_rate,
                ..level
            },
        ))
    });
    levels.collect()
}

/// That no model is served worse than it was.
pub(super) fn compare(
    old: &BTreeMap<String, Level>,
    evidence: &Evidence<'_>,
    tolerance: f64,
) -> [Verdict; 2] {
    // Where all are refused, nothing is a request to the picker.
    let now = by_model(evidence, |row| row.attempts() > Some(0.0));
    let unmeasured = evidence.unmeasured(Signal::Latency);
    let ended = evidence.ended();
    let percent = (tolerance * 1e6).round() / 1e4;
    let verdict = |what: &str, of: &dyn Fn(&str, &Level, &Level) -> Result<Finding, Reason>| {
        let findings = old.iter().map(|(model, old)| {
            let finding = match now.get(model) {
                Some(now) => of(model, old, now).unwrap_or_else(Finding::inconclusive),
                None => Finding::inconclusive(Reason::NoRequest),
            };
            Finding {
                model: Some(model.clone()),
                ..finding
            }
        });
        let mut findings: Vec<Finding> = findings.collect();
        if findings.is_empty() {
            findings.push(Finding::inconclusive(Reason::NotInBaseline));
        }
        Verdict::of(
            format!("baseline: each({what}) at most {percent}% worse"),
            findings,
        )
    };
    let need = evidence.min_samples;
    [
        verdict("p99", &|model, old, now| {
            let finding = p99(old, now, tolerance, need)?;
            let few = || ended.get(model)?.why_unknown(Q);
            Ok(match unmeasured.get(model).cloned().or_else(few) {
                Some(reason) => finding.doubted(&reason),
                None => finding,
            })
        }),
        verdict("error_rate", &|_, old, now| {
            error_rate(old, now, tolerance, need)
        }),
    ]
}

fn p99(old: &Level, now: &Level, tolerance: f64, need: f64) -> Result<Finding, Reason> {
    enough(old.observations, need)?;
    enough(now.observations, need)?;
    let Quantile::Within { value: before, .. } = old.p99 else {
        return Err(Reason::NotInBaseline);
    };
    let bound = before * (1.0 + tolerance);
    let holds = match now.p99 {
        Quantile::Unknown => return Err(Reason::NoObservation),
        Quantile::Within { value, .. } => value <= bound,
        // More than its last bound, and so more than anything below.
        Quantile::Above(last) if last >= bound => false,
        Quantile::Above(_) => return Err(Reason::BeyondLastBucket),
    };
    let seen = Seen::Shift {
        before,
        now: now.p99,
        measure: Measure::Of(Unit::Seconds),
    };
    Ok(Finding {
        samples: now.observations,
        ..Finding::decided(holds, seen)
    })
}

fn error_rate(old: &Level, now: &Level, tolerance: f64, need: f64) -> Result<Finding, Reason> {
    let attempts = (enough(old.attempts, need)?, enough(now.attempts, need)?);
    let before = old.error_rate.ok_or(Reason::NotInBaseline)?;
    let rate = now.error_rate.ok_or(Reason::NotCounted(Signal::Errors))?;
    let seen = Seen::Shift {
        before,
        now: Quantile::Within {
            value: rate,
            lower: rate,
            upper: rate,
        },
        measure: Measure::Of(Unit::Ratio),
    };
    let worse_by = rate - before * (1.0 + tolerance);
    let mut finding = Finding {
        samples: now.attempts,
        ..Finding::decided(worse_by <= 0.0, seen)
    };
    // Of no error before, every one is infinitely more.
    if worse_by > 0.0 && worse_by <= SELDOM * standard_error((before, rate), attempts) {
        finding.outcome = Outcome::Inconclusive;
        finding.reason = Some(Reason::MayBeChance);
    }
    Ok(finding)
}

/// Of the difference of two shares, if there is none: that of a two-proportion z-test.
fn standard_error((before, now): (f64, f64), (n_before, n_now): (f64, f64)) -> f64 {
    let pooled = (before * n_before + now * n_now) / (n_before + n_now);
    (pooled * (1.0 - pooled) * (1.0 / n_before + 1.0 / n_now)).sqrt()
}

fn enough(samples: Option<f64>, need: f64) -> Result<f64, Reason> {
    samples
        .filter(|samples| *samples >= need)
        .ok_or(Reason::FewSamples { need })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(p99: f64, error_rate: f64, samples: f64) -> Level {
        Level {
            error_rate: Some(error_rate),
            attempts: Some(samples),
            p99: Quantile::Within {
                value: p99,
                lower: 0.0,
                upper: 10.0,
            },
            observations: Some(samples),
        }
    }

    #[test]
    fn worse_than_the_tolerance_fails_and_just_as_bad_passes() {
        let old = level(1.0, 0.01, 10_000_000.0);
        let outcome = |now: &Level| {
            let outcome = |finding: Result<Finding, Reason>| finding.map(|f| f.outcome).ok();
            (
                outcome(p99(&old, now, 0.2, 20.0)),
                outcome(error_rate(&old, now, 0.2, 20.0)),
            )
        };
        let outcomes = [
            level(1.2, 0.012, 10_000_000.0),
            level(1.21, 0.0121, 10_000_000.0),
            level(0.1, 0.0, 10_000_000.0),
            level(0.1, 0.0, 19.0),
            Level {
                p99: Quantile::Above(3600.0),
                error_rate: None,
                ..level(1.0, 0.0, 10_000_000.0)
            },
            Level {
                p99: Quantile::Above(1.0),
                ..level(1.0, 0.01, 10_000_000.0)
            },
        ]
        .map(|now| outcome(&now));
        use Outcome::{Fail, Pass};
        assert_eq!(
            outcomes,
            [
                (Some(Pass), Some(Pass)),
                (Some(Fail), Some(Fail)),
                (Some(Pass), Some(Pass)),
                (None, None),
                (Some(Fail), None),
                (None, Some(Pass)),
            ]
        );
    }

    #[test]
    fn more_errors_than_before_that_chance_explains_prove_nothing() {
        let outcome = |(before, old_attempts): (f64, f64), (errors, attempts): (f64, f64)| {
            let old = level(1.0, before / old_attempts, old_attempts);
            let now = level(1.0, errors / attempts, attempts);
            error_rate(&old, &now, 0.2, 20.0).map(|finding| finding.outcome)
        };
        let outcomes = [
            outcome((0.0, 1000.0), (0.0, 1000.0)),
            outcome((0.0, 1000.0), (1.0, 1000.0)),
            outcome((0.0, 1000.0), (5.0, 1000.0)),
            outcome((0.0, 10_000_000.0), (1.0, 20.0)),
            outcome((10.0, 1000.0), (14.0, 1000.0)),
            outcome((10.0, 1000.0), (40.0, 1000.0)),
        ];
        use Outcome::{Fail, Inconclusive, Pass};
        assert_eq!(
            outcomes,
            [Pass, Inconclusive, Fail, Fail, Inconclusive, Fail].map(Ok)
        );
    }
}
