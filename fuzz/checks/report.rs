//! Any bytes as what a pod said now and before: whatever they hold, no number is negative, and nothing
//! that acts on a terminal reaches the table.

use igctl::{
    render::table::{self, Layout},
    report::{Ask, Dimension, Order, PodSample, report},
    snapshot::Snapshot,
    vocabulary::Signal,
};
use jiff::Timestamp;

/// Stands between what the pod said before and what it says now.
const BORDER: u8 = 0;

pub(crate) fn check(bytes: &[u8]) {
    let border = bytes.iter().position(|b| *b == BORDER).unwrap_or(0);
    let (before, now) = bytes.split_at(border);
    let before = pod(before, 0);
    let now = pod(now.strip_prefix(&[BORDER]).unwrap_or(now), 10);
    let ask = Ask {
        by: vec![Dimension::Model, Dimension::Target],
        quantiles: vec![0.5, 0.99],
        models: None,
        order: Order::Requests,
        latency: Signal::Latency,
        limit: None,
    };
    for before in [None, Some(&[&before][..])] {
        let report = report(std::slice::from_ref(&now), before, &ask);
        for wide in [false, true] {
            let layout = Layout {
                width: Some(80),
                wide,
                latency: Signal::Latency,
                dated: false,
            };
            let shown = table::render(&report, layout);
            assert!(
                !shown.contains(|c: char| c.is_control() && c != '\n'),
                "{shown:?}"
            );
        }
        if before.is_some() {
            let rates = report.rows.iter().filter_map(|row| row.rate);
            assert!(
                rates.clone().all(|rate| rate >= 0.0),
                "{:?}",
                rates.collect::<Vec<_>>()
            );
        }
    }
}

fn pod(text: &[u8], at: i64) -> PodSample {
    PodSample {
        name: "llm/epp-0".to_owned(),
        id: "uid".to_owned(),
        pool: None,
        picker: None,
        ready: None,
        holds_lease: None,
        at: Timestamp::from_second(at).expect("within all years"),
        dated: true,
        outcome: Snapshot::read(text).map_err(|e| e.to_string()),
    }
}
