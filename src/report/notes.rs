//! What a reader must know to take a report's numbers right.

use std::collections::BTreeMap;

use super::{Ask, Dimension, Ended, PodSample, Row, sums::RowSums};
use crate::{few::few, snapshot::Snapshot, vocabulary::Signal};

/// Remarks, each once.
#[derive(Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    pub(super) fn into_texts(self) -> Vec<String> {
        self.0
    }

    pub(super) fn add(&mut self, note: String) {
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    pub(super) fn of_unlike_buckets(&mut self, title: &str) {
        self.add(format!(
            "pods have unlike buckets for {title}: added only where their bounds agree"
        ));
    }

    pub(super) fn of_uncounted(&mut self, sample: &PodSample) {
        self.add(format!(
            "{}: durations or sizes are counted, requests are not: is the text cut off?",
            sample.name
        ));
    }

    /// Once for each signal, however many rows there are.
    pub(super) fn of_falling_counts(&mut self, rows: &BTreeMap<Vec<Option<String>>, RowSums>) {
        let mut falling: BTreeMap<Signal, Vec<String>> = BTreeMap::new();
        for (key, sums) in rows {
            for (signal, histogram) in &sums.histograms {
                if histogram.falls() {
                    falling.entry(*signal).or_default().push(names(key));
                }
            }
        }
        for (signal, rows) in falling {
            self.add(format!(
                "{} of {} is inconsistent: a cumulative count falls; raised to the one before it",
                signal.entry().title,
                few(&rows, 3),
            ));
        }
    }

    pub(super) fn of_reading(&mut self, sample: &PodSample, snapshot: &Snapshot) {
        let problems = &snapshot.problems;
        let first = problems
            .first
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        if problems.unreadable > 0 {
            self.add(format!(
                "{}: {} unreadable lines, first: {first}",
                sample.name, problems.unreadable
            ));
        } else if problems.doubtful > 0 {
            self.add(format!(
                "{}: {} doubtful lines, first: {first}",
                sample.name, problems.doubtful
            ));
        }
        if problems.no_final_newline {
            self.add(format!(
                "{}: the text ends without a newline; it may be cut off",
                sample.name
            ));
        }
    }

    /// Why there is nothing of what was asked for.
    pub(super) fn of_nothing_found(&mut self, ask: &Ask, snapshots: &[&Snapshot], rows: &[Row]) {
        let with_traffic: Vec<_> = snapshots.iter().filter(|s| s.has_traffic()).collect();
        if with_traffic.is_empty() {
            return;
        }
        if let (Some(glob), []) = (&ask.models, rows) {
            self.add(format!("no model matches {:?}", glob.text()));
        }
        // Of latency there is more to say.
        if ask.latency != Signal::Latency
            && with_traffic.iter().all(|s| s.get(ask.latency).is_none())
        {
            let title = ask.latency.entry().title;
            self.add(format!("no {title} was measured"));
        }
    }

    /// A request whose client left before the answer has no duration in most pickers: where more of a model are without
    /// one than lie above the highest quantile, its quantiles are of those that were answered in time. Said only since
    /// the start; in a window requests end that began before it.
    pub(super) fn of_survivors(&mut self, ask: &Ask, rows: &[Row], total: &Row) {
        let at_model = ask.by.iter().position(|by| *by == Dimension::Model);
        let Some(at_model) = at_model.filter(|_| is_timed(total)) else {
            return;
        };
        let mut models: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            models.entry(&row.key[at_model]).or_default().push(row);
        }
        let highest = ask.quantiles.iter().copied().fold(0.0, f64::max);
        let lacking = models.into_iter().filter_map(|(model, rows)| {
            // Some pickers count those in flight per model, which stands on its first row.
            if rows.iter().all(|row| row.in_flight.is_none()) {
                return None;
            }
            let ended: Option<Vec<Ended>> = rows.into_iter().map(Ended::of).collect();
            let ended = Ended::sum(&ended?);
            let name = model.as_deref().unwrap_or_default();
            let told = || format!("{name:?} ({} of {})", ended.timed, ended.all);
            ended.lacks(highest).then(told)
        });
        let lacking: Vec<String> = lacking.collect();
        if !lacking.is_empty() {
            self.add(format!(
                "requests ended without a duration, so quantiles are of the others alone: {}",
                few(&lacking, 3)
            ));
        }
    }

    /// What the pickers cannot count.
    pub(super) fn of_generations(&mut self, snapshots: &[&Snapshot], total: &Row) {
        let with_traffic: Vec<_> = snapshots.iter().filter(|s| s.has_traffic()).collect();
        if with_traffic.is_empty() {
            return;
        }
        if with_traffic.iter().any(|s| !s.counts_errors()) {
            self.add("this picker does not count errors".to_owned());
        } else if with_traffic.iter().any(|s| !s.counts_upstream_errors()) {
            self.add(
                "errors here are the picker's refusals; a model server's own 4xx and 5xx are not counted by this picker"
                    .to_owned(),
            );
        }
        if total.has_ended() && !is_timed(total) {
            self.add(
                "requests are counted, their duration is not: does the gateway send response bodies to the picker?"
                    .to_owned(),
            );
        }
    }
}

fn is_timed(row: &Row) -> bool {
    row.distributions.contains_key(&Signal::Latency)
}

/// A row's key for a remark.
fn names(key: &[Option<String>]) -> String {
    key.iter()
        .map(|part| format!("{:?}", part.as_deref().unwrap_or("-")))
        .collect::<Vec<_>>()
        .join(" ")
}
