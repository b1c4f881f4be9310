//! A report as CSV, for spreadsheets: one line a row, numbers in full, seconds for times. The total is
//! left out, since a spreadsheet adds by itself. What is unknown is an empty field.

use super::number::round_percent;
use crate::{
    histogram::Quantile,
    report::{Report, Row, Span},
    visible::visible,
    vocabulary::Signal,
};

/// The head line and the rows.
pub(super) fn records(report: &Report, latency: Signal) -> Vec<Vec<String>> {
    let title = latency.entry().title;
    let mut head: Vec<String> = report.by.iter().map(|d| d.name().to_owned()).collect();
    head.extend(
        [
            "span_seconds",
            "requests",
            "request_rate",
            "errors",
            "error_rate",
            "cancelled",
            "in_flight",
        ]
        .map(String::from),
    );
    head.extend(["count", "mean"].map(|what| format!("{title}_{what}")));
    head.extend(
        report
            .quantiles
            .iter()
            .map(|q| format!("{title}_p{}", round_percent(*q))),
    );
    let rows = report.rows.iter().map(|row| record(report, row, latency));
    std::iter::once(head).chain(rows).collect()
}

fn record(report: &Report, row: &Row, latency: Signal) -> Vec<String> {
    let number = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    let mut record: Vec<String> = row
        .key
        .iter()
        .map(|part| {
            part.as_deref()
                .map(visible)
                .unwrap_or_default()
                .into_owned()
        })
        .collect();
    record.push(match report.span {
        Span::SinceStart => String::new(),
        Span::Window(seconds) => seconds.to_string(),
    });
    record.extend(
        [
            row.requests,
            row.rate,
            row.errors,
            row.error_rate,
            row.cancelled,
            row.in_flight,
        ]
        .map(number),
    );
    let distribution = row.distributions.get(&latency);
    record.push(number(distribution.and_then(|d| d.count)));
    record.push(number(distribution.and_then(|d| d.mean)));
    record.extend((0..report.quantiles.len()).map(
        |i| match distribution.map(|d| d.quantiles[i]) {
            Some(Quantile::Within { value, .. }) => value.to_string(),
            Some(Quantile::Above(bound)) => format!(">{bound}"),
            Some(Quantile::Unknown) | None => String::new(),
        },
    ));
    record
}
