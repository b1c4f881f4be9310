//! Double entry: the same text read by prometheus-parse, an independent and simpler reader.
//!
//! Where it sees other totals than we do, so do other people's scripts and dashboards that read as it does.

use std::collections::BTreeMap;
use std::io::BufRead as _;

use prometheus_parse::{Scrape, Value as Theirs};

use crate::exposition::{self, Value as Ours};
use crate::few::few;
use crate::vocabulary;

/// Longer texts are not read twice.
const MAX_BYTES: usize = 8 << 20;
/// So many models are named.
const TOLD: usize = 3;

/// What the readers disagree about: the models whose values do not add up to the same.
pub(super) fn disagreements(name: &str, body: &[u8]) -> Vec<String> {
    if body.len() > MAX_BYTES {
        return Vec::new();
    }
    let Some(theirs) = their_totals(body) else {
        return vec![format!(
            "{name}: simple readers cannot read it: it is not UTF-8"
        )];
    };
    let mut misread: Vec<String> = our_totals(body)
        .into_iter()
        .filter(|(key, ours)| {
            !theirs
                .get(key)
                .is_some_and(|theirs| is_same(*ours, *theirs))
        })
        .map(|((_, model), _)| format!("{model:?}"))
        .collect();
    misread.sort();
    misread.dedup();
    match misread.is_empty() {
        true => Vec::new(),
        false => vec![format!(
            "{name}: simple readers, as scripts and dashboards use them, misread the model {}",
            few(&misread, TOLD)
        )],
    }
}

/// By metric and model; of a histogram, its observations.
type Totals = BTreeMap<(String, String), f64>;

fn our_totals(body: &[u8]) -> Totals {
    let mut totals = Totals::new();
    let read = exposition::read(body, |metric| vocabulary::lookup(metric).is_some());
    for family in &read.families {
        for (labels, value) in &family.series {
            let model = labels.get("model_name").unwrap_or_default();
            let key = (family.name.to_string(), model.to_owned());
            *totals.entry(key).or_default() += match value {
                Ours::Number(number) => *number,
                Ours::Histogram(histogram) => histogram.observations().unwrap_or_default(),
            };
        }
    }
    totals
}

fn their_totals(body: &[u8]) -> Option<Totals> {
    let mut totals = Totals::new();
    for sample in Scrape::parse(body.lines()).ok()?.samples {
        let value = match &sample.value {
            Theirs::Counter(number) | Theirs::Gauge(number) | Theirs::Untyped(number) => *number,
            Theirs::Histogram(buckets) => {
                let last = buckets.iter().find(|bucket| bucket.less_than.is_infinite());
                last.map_or(0.0, |bucket| bucket.count)
            }
            Theirs::Summary(_) => continue,
        };
        let model = sample
            .labels
            .get("model_name")
            .unwrap_or_default()
            .to_owned();
        *totals.entry((sample.metric, model)).or_default() += value;
    }
    Some(totals)
}

/// The order in which numbers are added shows in their last digits.
fn is_same(ours: f64, theirs: f64) -> bool {
    ours == theirs || (ours - theirs).abs() <= 1e-9 * ours.abs()
}
