//! What became of assertions → a table for people, JSON for programs, and the lines that the formats of
//! pipelines share.

use std::iter;

use serde::Serialize;

use super::{grid, number};
use crate::assertion::Measure;
use crate::histogram::Quantile;
use crate::report::Span;
use crate::verdict::{Finding, Outcome, Seen, Smoke, Verdict};
use crate::visible::visible;
use crate::vocabulary::Unit;

/// Name and version of the document's form. Fields may be added under the same version; none is renamed,
/// removed or given another meaning.
pub const SCHEMA: &str = "igctl.smoke/v1";

/// A line for each assertion; of `each(…)` also one for every further model that it does not hold for, or,
/// where it is `wide`, for every model.
pub fn table(smoke: &Smoke, wide: bool) -> String {
    let mut rows = Vec::new();
    for verdict in &smoke.verdicts {
        let (first, further) = match verdict.outcome {
            Outcome::Pass if !wide => (passed(verdict), &[][..]),
            _ => match &verdict.findings[..] {
                [first, further @ ..] => (detail(first), further),
                [] => (String::new(), &[][..]),
            },
        };
        let outcome = verdict.outcome.name().to_uppercase();
        rows.push(vec![outcome, verdict.assertion.clone(), first]);
        let further = further
            .iter()
            .filter(|f| wide || f.outcome != Outcome::Pass);
        rows.extend(further.map(|finding| vec![String::new(), String::new(), detail(finding)]));
    }
    let mut text = grid::plain(&["OUTCOME", "ASSERTION", "SEEN"], &rows);
    text.push_str(&format!("\ncounts are {}\n", span(smoke)));
    for note in &smoke.notes {
        text.push_str(&format!("{}\n", visible(note)));
    }
    text
}

/// `igctl smoke: 3 passed, 1 failed, 1 inconclusive`
pub fn summary(smoke: &Smoke) -> String {
    let parts = [
        (Outcome::Pass, "passed"),
        (Outcome::Fail, "failed"),
        (Outcome::Inconclusive, "inconclusive"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(outcome, word)| (smoke.count(outcome), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("igctl smoke: {}", parts.join(", "))
}

/// What a verdict rests on, in one line that is safe to show.
pub(super) fn reason(verdict: &Verdict) -> String {
    let text = match verdict.outcome {
        Outcome::Pass => passed(verdict),
        _ => verdict
            .findings
            .iter()
            .filter(|finding| finding.outcome != Outcome::Pass)
            .map(detail)
            .collect::<Vec<_>>()
            .join("; "),
    };
    visible(&text).into_owned()
}

pub(super) fn span(smoke: &Smoke) -> String {
    let span = match smoke.span {
        Span::SinceStart => "since the pickers' start".to_owned(),
        Span::Window(seconds) => format!("of the last {}", number::span(seconds)),
    };
    match smoke.is_recorded {
        true => format!("{span}, at {:.0}", smoke.at),
        false => span,
    }
}

fn passed(verdict: &Verdict) -> String {
    match &verdict.findings[..] {
        [one] => detail(one),
        several => format!("holds for {} models", several.len()),
    }
}

/// `"sql-lora": 4.91s (4–5s) of 33; 12 samples; --min-samples asks for 20`
fn detail(finding: &Finding) -> String {
    let mut text = match &finding.model {
        Some(model) => format!("\"{model}\": "),
        None => String::new(),
    };
    if let Some(seen) = &finding.seen {
        text.push_str(&value(seen));
        if let (Some(samples), Some(_)) = (finding.samples, comparable(seen)) {
            text.push_str(&format!(" of {}", number::count(samples)));
        }
    }
    if let Some(reason) = &finding.reason {
        if finding.seen.is_some() {
            text.push_str("; ");
        }
        text.push_str(&reason.to_string());
    }
    text
}

fn value(seen: &Seen) -> String {
    match seen {
        Seen::Number(value, measure) => amount(*value, *measure),
        Seen::Quantile(quantile, measure) => {
            let unit = unit(*measure);
            let text = number::quantile(*quantile, unit);
            match number::bucket(*quantile, unit) {
                Some(bucket) => format!("{text} ({bucket})"),
                None => text,
            }
        }
        Seen::Generations(names) => {
            let names: Vec<&str> = names.iter().map(|g| g.name()).collect();
            names.join(", ")
        }
        Seen::Shift {
            before,
            now,
            measure,
        } => {
            let now = match now {
                Quantile::Within { value, .. } => amount(*value, *measure),
                beyond => number::quantile(*beyond, unit(*measure)),
            };
            format!("{} → {now}", amount(*before, *measure))
        }
        Seen::Words(words) => words.clone(),
        Seen::Models(models) if models.is_empty() => "no such model".to_owned(),
        Seen::Models(models) => {
            let models: Vec<String> = models.iter().map(|model| format!("\"{model}\"")).collect();
            models.join(", ")
        }
    }
}

fn unit(measure: Measure) -> Unit {
    match measure {
        Measure::Of(unit) => unit,
        Measure::PerSecond => Unit::Count,
    }
}

/// More digits than a table of many rows has: 1.04% is not below 1%.
fn amount(value: f64, measure: Measure) -> String {
    match measure {
        Measure::Of(Unit::Ratio) => format!("{}%", number::rate(value * 100.0)),
        Measure::PerSecond => format!("{}/s", number::rate(value)),
        Measure::Of(unit) => number::value(value, unit),
    }
}

/// The number that was held against the assertion's.
fn comparable(seen: &Seen) -> Option<f64> {
    match seen {
        Seen::Number(value, _) => Some(*value),
        Seen::Quantile(Quantile::Within { value, .. }, _)
        | Seen::Shift {
            now: Quantile::Within { value, .. },
            ..
        } => Some(*value),
        Seen::Quantile(Quantile::Above(_) | Quantile::Unknown, _)
        | Seen::Shift { .. }
        | Seen::Generations(_)
        | Seen::Models(_)
        | Seen::Words(_) => None,
    }
}

/// What `igctl smoke -o json` prints. A value that is not known is null: never 0.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// `igctl.smoke/v1`
    schema: &'a str,
    /// When the newest sample was taken, RFC 3339.
    at: String,
    /// Seconds that the counts are of; null where they are since the pickers' start.
    window_seconds: Option<f64>,
    /// `pass`, `fail` or `inconclusive`: the worst of the assertions'.
    outcome: &'a str,
    /// Whether the command exits with 0: `--allow-inconclusive` counts.
    ok: bool,
    /// In the order given.
    assertions: Vec<JsonVerdict<'a>>,
    /// Every pod, also those that could not be read.
    pods: Vec<JsonPod<'a>>,
    /// What a reader must know to take the numbers right.
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonVerdict<'a> {
    /// As it was written.
    assertion: &'a str,
    /// `pass`, `fail` or `inconclusive`.
    outcome: &'a str,
    /// One, or with `each(…)` one for every model, the worst first.
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonFinding<'a> {
    /// Of `each(…)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    /// `pass`, `fail` or `inconclusive`.
    outcome: &'a str,
    /// The number that was held against the assertion's: seconds, bytes, a share of 1, per second, or a
    /// count.
    value: Option<f64>,
    /// A quantile is more than this, which is the last bucket's bound: then there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<f64>,
    /// Observations that a quantile or a rate of errors rests on.
    samples: Option<f64>,
    /// The same for people, and why it is inconclusive.
    text: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonPod<'a> {
    /// `namespace/name`, or a file's name or an address.
    name: &'a str,
    /// The newest names that it uses.
    generation: Option<&'a str>,
    /// Why it is not part of the numbers.
    error: Option<&'a str>,
}

/// The document.
pub fn document(smoke: &Smoke) -> impl Serialize {
    Document {
        schema: SCHEMA,
        at: smoke.at.to_string(),
        window_seconds: match smoke.span {
            Span::SinceStart => None,
            Span::Window(seconds) => Some(seconds),
        },
        outcome: smoke.outcome().name(),
        ok: smoke.is_good(),
        assertions: smoke.verdicts.iter().map(json_verdict).collect(),
        pods: smoke
            .pods
            .iter()
            .map(|pod| JsonPod {
                name: &pod.name,
                generation: pod.generation.map(|g| g.name()),
                error: pod.failure.as_deref(),
            })
            .collect(),
        notes: &smoke.notes,
    }
}

/// A head line, and a line for each finding.
pub fn records(smoke: &Smoke) -> Vec<Vec<String>> {
    let head = [
        "assertion",
        "outcome",
        "model",
        "value",
        "above",
        "samples",
        "text",
    ];
    let number = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    let findings = smoke.verdicts.iter().flat_map(|verdict| {
        verdict
            .findings
            .iter()
            .map(move |finding| (verdict, finding))
    });
    let record = |(verdict, finding): (&Verdict, &Finding)| {
        let finding = json_finding(finding);
        vec![
            visible(&verdict.assertion).into_owned(),
            finding.outcome.to_owned(),
            visible(finding.model.unwrap_or_default()).into_owned(),
            number(finding.value),
            number(finding.above),
            number(finding.samples),
            visible(&finding.text).into_owned(),
        ]
    };
    iter::once(head.map(str::to_owned).to_vec())
        .chain(findings.map(record))
        .collect()
}

fn json_verdict(verdict: &Verdict) -> JsonVerdict<'_> {
    JsonVerdict {
        assertion: &verdict.assertion,
        outcome: verdict.outcome.name(),
        findings: verdict.findings.iter().map(json_finding).collect(),
    }
}

fn json_finding(finding: &Finding) -> JsonFinding<'_> {
    JsonFinding {
        model: finding.model.as_deref(),
        outcome: finding.outcome.name(),
        value: finding.seen.as_ref().and_then(comparable),
        above: match finding.seen {
            Some(Seen::Quantile(Quantile::Above(bound), _)) => Some(bound),
            _ => None,
        },
        samples: finding.samples,
        text: detail(finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_docs_is_current() {
        crate::render::schema::assert_is_current::<Document<'_>>("smoke");
    }

    #[test]
    fn shares_have_the_digits_that_decide() {
        assert_eq!(
            [0.0104, 0.01, 0.5, 0.0].map(|share| amount(share, Measure::Of(Unit::Ratio))),
            ["1.04%", "1.00%", "50.0%", "0%"]
        );
    }
}
