//! `igctl metrics catalog`: the table of signals and names, and what a picker emits of it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use crate::{
    cli::CatalogOutput,
    collect::Collector,
    config::Source,
    error::Error,
    exposition::{self, Kind},
    render::{json, table},
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

pub(super) async fn run(source: Option<Source>, output: CatalogOutput) -> Result<u8, Error> {
    let emitted = match &source {
        None => None,
        Some(source) => Some(emitted(source).await?),
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
    let mut out = io::stdout().lock();
    match output {
        CatalogOutput::Json => json::print(&lines, false, &mut out)?,
        CatalogOutput::Table => out.write_all(text(&lines).as_bytes())?,
    }
    out.flush()?;
    Ok(0)
}

/// Series by name of the table, added over pods.
async fn emitted(source: &Source) -> Result<BTreeMap<&'static str, usize>, Error> {
    let mut series = BTreeMap::new();
    for pod in Collector::open(source).await?.collect().await.pods {
        let body = pod.page?.body;
        let read = exposition::read(&body, |name| entry_name(name).is_some());
        for family in &read.families {
            if let Some(name) = entry_name(&family.name) {
                *series.entry(name).or_default() += family.series.len();
            }
        }
    }
    Ok(series)
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
    table::plain(&header, &rows)
}
