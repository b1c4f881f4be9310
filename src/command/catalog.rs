//! `igctl metrics catalog`: the table of signals and names, and what a picker emits of it.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use super::look::pages;
use super::or_enough;
use crate::{
    config::Source,
    error::Error,
    exposition::{self, End, Kind},
    render::{Form, form, grid},
    scrape::Page,
    snapshot::Snapshot,
    visible::visible,
    vocabulary::{self, Scope, TABLE},
};

/// One name of one signal.
#[derive(Debug, Serialize)]
struct Line {
    signal: &'static str,
    name: &'static str,
    generation: Option<&'static str>,
    kind: &'static str,
    unit: &'static str,
    about: &'static str,
    label: Option<&'static str>,
    /// Series of it in what was read; absent where nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<usize>,
}

pub(super) async fn run(source: Option<Source>, form: Form) -> Result<u8, Error> {
    let (emitted, code) = match &source {
        None => (None, 0),
        Some(source) => {
            let (emitted, code) = emitted(source).await?;
            (Some(emitted), code)
        }
    };
    let lines: Vec<Line> = TABLE
        .iter()
        .flat_map(|entry| entry.names.iter().map(move |name| (entry, name)))
        .map(|(entry, name)| Line {
            signal: entry.title,
            name: name.name,
            generation: name.generation.map(vocabulary::Generation::name),
            kind: match entry.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
                Kind::Other => "several",
            },
            unit: entry.unit.name(),
            about: match entry.scope {
                Scope::Model => "model",
                Scope::Pool => "pool",
                Scope::Picker | Scope::Inner => "picker",
            },
            label: entry.label,
            series: emitted
                .as_ref()
                .map(|emitted| emitted.get(name.name).copied().unwrap_or(0)),
        })
        .collect();
    or_enough(form::write(
        form,
        false,
        &mut io::stdout().lock(),
        |_| text(&lines),
        || &lines,
        || records(&lines),
    ))?;
    Ok(code)
}

/// Series by name of the table, added over pods, and the exit code.
async fn emitted(source: &Source) -> Result<(BTreeMap<&'static str, usize>, u8), Error> {
    let is_picker = |page: &Page| Snapshot::read(&page.body).map(drop);
    let (pages, code) = pages(source, is_picker).await?;
    let mut series = BTreeMap::new();
    for (name, page) in &pages {
        let read = exposition::read(&page.body, |name| entry_name(name).is_some());
        let name = visible(name);
        if read.problems.unreadable > 0 {
            let lines = read.problems.unreadable;
            tracing::warn!("{name}: {lines} unreadable lines are not in the list");
        }
        if read.end == End::NoNewline {
            tracing::warn!("{name}: the text ends without a newline; it may be cut off");
        }
        for family in &read.families {
            if let Some(name) = entry_name(&family.name) {
                *series.entry(name).or_default() += family.series.len();
            }
        }
    }
    Ok((series, code))
}

/// The table's name for a metric: itself, or the one with the `*` that stands for it.
fn entry_name(name: &str) -> Option<&'static str> {
    let stands_for = |entry: &str| match entry.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == entry,
    };
    TABLE
        .iter()
        .flat_map(|entry| entry.names)
        .map(|n| n.name)
        .find(|entry| stands_for(entry))
}

fn records(lines: &[Line]) -> Vec<Vec<String>> {
    let head = [
        "signal",
        "name",
        "generation",
        "kind",
        "unit",
        "about",
        "label",
        "series",
    ];
    let record = |line: &Line| {
        let series = line.series.map(|n| n.to_string());
        vec![
            line.signal.to_owned(),
            line.name.to_owned(),
            line.generation.unwrap_or_default().to_owned(),
            line.kind.to_owned(),
            line.unit.to_owned(),
            line.about.to_owned(),
            line.label.unwrap_or_default().to_owned(),
            series.unwrap_or_default(),
        ]
    };
    let head = head.map(str::to_owned).to_vec();
    std::iter::once(head)
        .chain(lines.iter().map(record))
        .collect()
}

fn text(lines: &[Line]) -> String {
    let with_series = lines.iter().any(|l| l.series.is_some());
    let mut header = vec!["SIGNAL", "NAME", "KIND", "UNIT", "ABOUT"];
    header.extend(with_series.then_some("SERIES"));
    let mut above = "";
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let signal = if line.signal == above {
                ""
            } else {
                line.signal
            };
            above = line.signal;
            let mut row = vec![signal, line.name, line.kind, line.unit, line.about]
                .into_iter()
                .map(String::from)
                .collect::<Vec<_>>();
            row.extend(line.series.map(|n| {
                if n == 0 {
                    "-".to_owned()
                } else {
                    n.to_string()
                }
            }));
            row
        })
        .collect();
    grid::plain(&header, &rows)
}
