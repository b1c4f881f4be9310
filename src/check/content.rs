//! Is it a picker's page, and does it say all that it should?

use std::collections::BTreeSet;

use super::second_reader;
use super::step::{Name, Step};
use crate::scrape::Page;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::vocabulary::{OTHER, Signal};

const NAME: Name = Name::Content;
/// So many lines that cannot be read are shown.
const TOLD: usize = 3;
const NO_DURATIONS: &str = "requests are counted, their durations never: the gateway does not send response bodies to \
    the picker; Envoy's ext_proc filter needs processing_mode.response_body_mode FULL_DUPLEX_STREAMED, or BUFFERED \
    for pickers of v0.1";

/// Looks at the pages of one picker.
pub(super) fn check<'a>(pages: impl Iterator<Item = (&'a str, &'a Page)>) -> Step {
    let pages: Vec<(&str, &Page)> = pages.collect();
    if pages.is_empty() {
        return Step::behind(NAME);
    }
    let mut snapshots = Vec::new();
    for (name, page) in &pages {
        match Snapshot::read(&page.body) {
            Ok(snapshot) => snapshots.push((*name, snapshot)),
            Err(fault) => return no_picker(name, &fault),
        }
    }
    let names = snapshots
        .iter()
        .find_map(|(_, snapshot)| snapshot.generation());
    let names = names.map_or(String::new(), |generation| format!("names {generation}, "));
    let asides = builds(&snapshots);
    if !snapshots.iter().any(|(_, snapshot)| snapshot.has_traffic()) {
        return Step::ok(NAME, format!("{names}no request yet")).because(asides);
    }
    // What no picker emits is none, and not zero.
    let sum = |signal| {
        let totals = snapshots
            .iter()
            .filter_map(|(_, snapshot)| snapshot.total(signal));
        totals.reduce(|sum, total| sum + total)
    };
    let (requests, answered) = (sum(Signal::Requests), sum(Signal::Latency));
    let found = format!(
        "{names}{}, {}",
        count(requests, "requests"),
        count(answered, "durations")
    );
    let mut doubts = Vec::new();
    if answered.unwrap_or(0.0) == 0.0 && requests > Some(sum(Signal::InFlight).unwrap_or(0.0)) {
        doubts.push(NO_DURATIONS.to_owned());
    }
    for ((name, snapshot), (_, page)) in snapshots.iter().zip(&pages) {
        doubts.extend(doubts_of(name, snapshot));
        doubts.extend(second_reader::disagreements(name, &page.body));
    }
    match doubts.is_empty() {
        true => Step::ok(NAME, found)
            .because(asides)
            .because(streams_without_tokens(&snapshots)),
        false => Step::warn(NAME, found).because(doubts),
    }
}

fn count(total: Option<f64>, of: &str) -> String {
    match total {
        Some(total) if total.is_finite() => format!("{total} {of}"),
        Some(_) => format!("{of} unknown"),
        None => format!("no {of}"),
    }
}

/// What is to be known of one page before its numbers are believed.
fn doubts_of(name: &str, snapshot: &Snapshot) -> Vec<String> {
    let mut doubts = Vec::new();
    if snapshot.models().any(|model| model == OTHER) {
        doubts.push(format!(
            "{name} has reached its cap of models: further ones are counted as \"{OTHER}\""
        ));
    }
    let ready = snapshot.total(Signal::ReadyEndpoints);
    if ready == Some(0.0) && snapshot.total(Signal::KvCache) > Some(0.0) {
        doubts.push(format!(
            "{name} sees no ready endpoint, and its KV cache gauge keeps the last value there was"
        ));
    }
    let problems = &snapshot.problems;
    if problems.unreadable > 0 {
        doubts.push(format!(
            "{name}: {} lines cannot be read",
            problems.unreadable
        ));
    } else if problems.doubtful > 0 {
        doubts.push(format!("{name}: {} doubtful lines", problems.doubtful));
    }
    doubts.extend(problems.first.iter().take(TOLD).cloned());
    doubts
}

/// Streams tell their tokens only to clients that ask.
fn streams_without_tokens(snapshots: &[(&str, Snapshot)]) -> Option<String> {
    let streams = snapshots.iter().any(|(_, snapshot)| {
        let reading = snapshot.get(Signal::TimeToFirstToken);
        let mut keys = reading
            .into_iter()
            .flat_map(|reading| reading.series.keys());
        keys.any(|key| key.own.as_deref() == Some("true"))
    });
    let tokens: f64 = snapshots
        .iter()
        .filter_map(|(_, snapshot)| snapshot.total(Signal::OutputTokens))
        .sum();
    (streams && tokens == 0.0).then(|| {
        "streams are counted without tokens: no client asks for them (stream_options.include_usage)"
            .to_owned()
    })
}

/// What the pickers say they were built from.
fn builds(snapshots: &[(&str, Snapshot)]) -> impl Iterator<Item = String> {
    let builds: BTreeSet<&str> = snapshots
        .iter()
        .flat_map(|(_, snapshot)| snapshot.builds())
        .collect();
    builds.into_iter().map(|build| format!("build {build}"))
}

fn no_picker(name: &str, fault: &SnapshotError) -> Step {
    let step = Step::fail(NAME, format!("no endpoint picker's metrics at {name}"));
    step.because([fault.to_string()])
}
