//! What changed between two moments → a table for people, a document for programs, records.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::iter;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::grid::{GAP, aligned, wrapped};
use super::json::{JsonDistribution, Number, distribution};
use super::names::cut_names;
use super::number::{self, UNKNOWN, known, round_percent};
use super::table::{quantile_title, rough_quantile};
use crate::diff::{Change, Diff, Fate, Level};
use crate::few::few;
use crate::histogram::Quantile;
use crate::visible::visible;

/// Name and version of the document's form. Fields may be added under the same version; none is renamed,
/// removed or given another meaning.
pub const SCHEMA: &str = "igctl.metrics.diff/v1";

/// So many families are named in a table that is not wide.
const NAMED_FAMILIES: usize = 5;

/// The table, and what else has changed.
pub fn table(diff: &Diff, wide: bool, width: Option<usize>) -> String {
    let mut text = String::new();
    wrapped(&mut text, &head(diff), width);
    for pod in diff.pods.iter().filter(|pod| pod.fate != Fate::Same) {
        let line = format!("{} {}", pod.name, fate(&pod.fate));
        wrapped(&mut text, &visible(&line), width);
    }
    if !diff.rows.is_empty() {
        let _ = write!(text, "\n{}", rows(diff, wide, width));
    }
    let mut said = changes(diff, wide);
    said.extend(diff.notes.iter().cloned());
    if !said.is_empty() {
        text.push('\n');
    }
    for line in said {
        wrapped(&mut text, &visible(&line), width);
    }
    text
}

/// `from 2026-11-25T10:00:00Z to 2026-11-25T10:05:00Z, 5m`
fn head(diff: &Diff) -> String {
    match (diff.before, diff.after, diff.seconds()) {
        (Some(before), Some(after), Some(seconds)) => {
            format!("from {before:.0} to {after:.0}, {}", number::span(seconds))
        }
        _ => "over a time that is not known: a saved scrape does not say when it was taken"
            .to_owned(),
    }
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Same => "is the same".to_owned(),
        Fate::Restarted => "restarted: its counts begin anew".to_owned(),
        Fate::Came => "is new".to_owned(),
        Fate::Gone => "is gone: what it counted last is not known".to_owned(),
        Fate::Unread(why) => format!("is not part of the numbers: {why}"),
    }
}

fn rows(diff: &Diff, wide: bool, width: Option<usize>) -> String {
    let dated = diff.seconds().is_some();
    let mut header = vec!["MODEL".to_owned(), "REQUESTS".to_owned()];
    header.extend(dated.then(|| "REQ/S".to_owned()));
    header.extend(wide.then(|| "ERRORS".to_owned()));
    header.push("ERR%".to_owned());
    let quantiles = diff.quantiles.iter();
    header.extend(quantiles.map(|q| quantile_title(diff.latency, *q)));
    let row = |change: &Change| {
        let mut row = vec![name(change), increase(change.requests)];
        row.extend(dated.then(|| known(change.rate, number::rate)));
        row.extend(wide.then(|| increase(change.errors)));
        let share = |level: &Level| known(level.error_rate, number::percent);
        row.push(shift(&share(&change.before), &share(&change.after)));
        row.extend((0..diff.quantiles.len()).map(|i| {
            let text = |level| quantile(diff, level, i, wide);
            shift(&text(&change.before), &text(&change.after))
        }));
        row
    };
    let changes = diff.rows.iter().chain(iter::once(&diff.total));
    let mut rows: Vec<Vec<String>> = changes.map(row).collect();
    if let Some(width) = width.filter(|_| !wide) {
        let taken = (1..header.len()).map(|column| {
            let cells = rows.iter().map(|row| row[column].width());
            cells.chain([header[column].width()]).max().unwrap_or(0) + GAP
        });
        let room = width.saturating_sub(taken.sum());
        cut_names(&mut rows, &header[..1], room);
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    aligned(&header, &rows, 1)
}

fn name(change: &Change) -> String {
    match change.model.as_deref() {
        None => "TOTAL".to_owned(),
        Some("") => "\"\"".to_owned(),
        Some(name) => visible(name).into_owned(),
    }
}

/// `+1,204`; a count that did not change is `0`.
fn increase(n: Option<f64>) -> String {
    match n {
        Some(n) if n > 0.0 => format!("+{}", number::count(n)),
        n => known(n, number::count),
    }
}

/// `340ms → 350ms`; what is the same stands once.
fn shift(before: &str, after: &str) -> String {
    match before == after {
        true => after.to_owned(),
        false => format!("{before} → {after}"),
    }
}

fn quantile(diff: &Diff, level: &Level, at: usize, wide: bool) -> String {
    match &level.latency {
        Some(latency) => rough_quantile(latency, at, diff.quantiles[at], diff.latency, wide),
        None => UNKNOWN.to_owned(),
    }
}

/// Families, labels and builds that are not as they were.
fn changes(diff: &Diff, wide: bool) -> Vec<String> {
    let named = |names: &[String]| {
        let most = if wide { names.len() } else { NAMED_FAMILIES };
        let shown = few(names, most);
        match names.len() > most {
            true => format!("{shown}: -o wide"),
            false => shown,
        }
    };
    let mut lines = Vec::new();
    for (what, names) in [("gained", &diff.shape.gained), ("lost", &diff.shape.lost)] {
        if !names.is_empty() {
            lines.push(format!("families {what}: {}", named(names)));
        }
    }
    for family in &diff.shape.relabelled {
        let gained = family.gained.iter().map(|label| format!("+{label}"));
        let lost = family.lost.iter().map(|label| format!("-{label}"));
        let labels: Vec<String> = gained.chain(lost).collect();
        lines.push(format!("labels of {}: {}", family.family, labels.join(" ")));
    }
    if diff.builds_before != diff.builds_after {
        let said = |builds: &BTreeSet<String>| match builds.is_empty() {
            true => UNKNOWN.to_owned(),
            false => builds.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        lines.push(format!(
            "build: {} → {}",
            said(&diff.builds_before),
            said(&diff.builds_after)
        ));
    }
    lines
}

/// What `igctl metrics diff -o json` prints. A value that is not known is null: never 0.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// `igctl.metrics.diff/v1`
    schema: &'a str,
    /// When the first moment was, RFC 3339; null for a saved scrape, which does not say.
    before: Option<String>,
    /// When the second one was.
    after: Option<String>,
    /// Between them.
    seconds: Option<f64>,
    /// Every pod of either moment.
    pods: Vec<JsonPod<'a>>,
    /// By model, most requests first.
    rows: Vec<JsonChange<'a>>,
    /// Of all models together; it has no `model`.
    total: JsonChange<'a>,
    families: Families<'a>,
    builds: Builds<'a>,
    /// What a reader must know to take the numbers right.
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonPod<'a> {
    /// `namespace/name`, or a file's name or an address.
    name: &'a str,
    /// `same`, `restarted`, `came`, `gone` or `unread`.
    fate: &'a str,
    /// Why it is not part of the numbers.
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonChange<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    /// Requests since the first moment.
    requests: Option<Number>,
    /// The same per second.
    request_rate: Option<f64>,
    /// Errors since the first moment.
    errors: Option<Number>,
    /// Until the first moment.
    before: JsonLevel,
    /// Since the first moment.
    after: JsonLevel,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonLevel {
    /// Errors as a share (0 to 1) of requests and refused requests.
    error_rate: Option<f64>,
    /// Of `--latency`, in seconds; null where the picker does not emit it.
    latency: Option<JsonDistribution>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Families<'a> {
    gained: &'a [String],
    lost: &'a [String],
    /// Families that are in both, with other labels.
    relabelled: Vec<JsonRelabelled<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonRelabelled<'a> {
    family: &'a str,
    /// Names of labels.
    gained: &'a [String],
    lost: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Builds<'a> {
    before: &'a BTreeSet<String>,
    after: &'a BTreeSet<String>,
}

/// The document.
pub fn document(diff: &Diff) -> impl Serialize {
    Document {
        schema: SCHEMA,
        before: diff.before.map(|at| at.to_string()),
        after: diff.after.map(|at| at.to_string()),
        seconds: diff.seconds(),
        pods: diff
            .pods
            .iter()
            .map(|pod| JsonPod {
                name: &pod.name,
                fate: match pod.fate {
                    Fate::Same => "same",
                    Fate::Restarted => "restarted",
                    Fate::Came => "came",
                    Fate::Gone => "gone",
                    Fate::Unread(_) => "unread",
                },
                error: match &pod.fate {
                    Fate::Unread(why) => Some(why),
                    _ => None,
                },
            })
            .collect(),
        rows: diff.rows.iter().map(|row| json_change(diff, row)).collect(),
        total: json_change(diff, &diff.total),
        families: Families {
            gained: &diff.shape.gained,
            lost: &diff.shape.lost,
            relabelled: diff
                .shape
                .relabelled
                .iter()
                .map(|family| JsonRelabelled {
                    family: &family.family,
                    gained: &family.gained,
                    lost: &family.lost,
                })
                .collect(),
        },
        builds: Builds {
            before: &diff.builds_before,
            after: &diff.builds_after,
        },
        notes: &diff.notes,
    }
}

fn json_change<'a>(diff: &Diff, change: &'a Change) -> JsonChange<'a> {
    let level = |level: &Level| JsonLevel {
        error_rate: level.error_rate,
        latency: level
            .latency
            .as_ref()
            .map(|latency| distribution(latency, &diff.quantiles)),
    };
    JsonChange {
        model: change.model.as_deref(),
        requests: change.requests.map(Number),
        request_rate: change.rate,
        errors: change.errors.map(Number),
        before: level(&change.before),
        after: level(&change.after),
    }
}

/// A head line, and a line for each model.
pub fn records(diff: &Diff) -> Vec<Vec<String>> {
    let title = diff.latency.entry().title;
    let mut head: Vec<String> = ["model", "requests", "request_rate", "errors"]
        .map(str::to_owned)
        .to_vec();
    for side in ["before", "after"] {
        head.push(format!("{side}_error_rate"));
        let quantiles = diff.quantiles.iter();
        head.extend(quantiles.map(|q| format!("{side}_{title}_p{}", round_percent(*q))));
    }
    let number = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    let record = |change: &Change| {
        let model = visible(change.model.as_deref().unwrap_or_default());
        let mut record = vec![
            model.into_owned(),
            number(change.requests),
            number(change.rate),
            number(change.errors),
        ];
        for level in [&change.before, &change.after] {
            record.push(number(level.error_rate));
            record.extend((0..diff.quantiles.len()).map(|i| {
                match level.latency.as_ref().map(|latency| latency.quantiles[i]) {
                    Some(Quantile::Within { value, .. }) => value.to_string(),
                    Some(Quantile::Above(bound)) => format!(">{bound}"),
                    Some(Quantile::Unknown) | None => String::new(),
                }
            }));
        }
        record
    };
    iter::once(head)
        .chain(diff.rows.iter().map(record))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_docs_is_current() {
        crate::render::schema::assert_is_current::<Document<'_>>("metrics-diff");
    }
}
