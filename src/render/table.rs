//! A report as a table for people: `table`, and `wide` with what else is known.

use std::fmt::Write;

use comfy_table::Cell;
use unicode_width::UnicodeWidthStr;

use super::{
    grid::{GAP, grid, padded, right, wrapped},
    head::{head, overhead_line, pool_line},
    names::{NARROWEST_NAME, cut_names, name_cells},
    number::{self, UNKNOWN, known, round_percent},
};
use crate::{
    report::{Distribution, InFlightOf, Report, Row, Span},
    visible::visible,
    vocabulary::Signal,
};

/// Stands before a quantile whose digits mean little.
const ROUGH: &str = "~";

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The terminal's columns; `None` where the output is no terminal, and nothing is cut or folded.
    pub width: Option<usize>,
    /// Everything that is known, not only what fits.
    pub wide: bool,
    /// Which latency the quantile columns show.
    pub latency: Signal,
    /// Whether to say when that was: it is not now.
    pub dated: bool,
}

/// The whole output: head line, table, remarks.
pub fn render(report: &Report, layout: Layout) -> String {
    let mut out = String::new();
    for line in head(report, layout.dated) {
        wrapped(&mut out, &line, layout.width);
    }
    for pod in &report.pods {
        if let Some(failure) = &pod.failure {
            wrapped(
                &mut out,
                &format!("{}: {}", visible(&pod.name), visible(failure)),
                layout.width,
            );
        }
    }
    if layout.wide {
        for line in pool_line(report).into_iter().chain(overhead_line(report)) {
            wrapped(&mut out, &line, layout.width);
        }
    }
    if !report.rows.is_empty() {
        out.push('\n');
        out.push_str(&table(report, layout));
    }
    if report.rows_left_out > 0 {
        let _ = writeln!(out, "{} more rows: --limit", report.rows_left_out);
    }
    let rough = has_rough(report, layout).then_some(
        "~ has too few requests above it, or too wide a bucket, for its digits: -o wide shows the buckets",
    );
    let notes: Vec<&str> = rough
        .into_iter()
        .chain(report.notes.iter().map(String::as_str))
        .collect();
    if !notes.is_empty() {
        out.push('\n');
    }
    for note in notes {
        wrapped(&mut out, &visible(note), layout.width);
    }
    out
}

/// A column of numbers.
struct Column {
    title: String,
    cells: Vec<String>,
    /// Empty where a total means nothing.
    total: String,
    /// Shown however narrow the terminal is.
    needed: bool,
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().chain([&self.title, &self.total]);
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    }
}

fn table(report: &Report, layout: Layout) -> String {
    let mut columns = columns(report, layout);
    let mut names = name_cells(report, layout.width.is_some());
    let titles: Vec<String> = report.by.iter().map(|d| d.name().to_uppercase()).collect();
    if let Some(width) = layout.width {
        let taken = |columns: &[Column]| columns.iter().map(|c| c.width() + GAP).sum::<usize>();
        let for_names = titles.len() * (NARROWEST_NAME + GAP);
        while for_names + taken(&columns) > width + GAP {
            let Some(least) = columns.iter().rposition(|c| !c.needed) else {
                break;
            };
            columns.remove(least);
        }
        cut_names(&mut names, &titles, width.saturating_sub(taken(&columns)));
    }

    let mut table = grid();
    table.set_header(
        titles
            .iter()
            .map(Cell::new)
            .chain(columns.iter().map(|c| right(&c.title))),
    );
    for (i, names) in names.iter().enumerate() {
        table.add_row(
            names
                .iter()
                .map(Cell::new)
                .chain(columns.iter().map(|c| right(&c.cells[i]))),
        );
    }
    let total_names = (0..titles.len()).map(|i| Cell::new(if i == 0 { "TOTAL" } else { "" }));
    table.add_row(total_names.chain(columns.iter().map(|c| right(&c.total))));
    padded(table)
}

fn columns(report: &Report, layout: Layout) -> Vec<Column> {
    let mut columns = Vec::new();
    let mut add = |title: &str, needed: bool, totals: bool, cell: &dyn Fn(&Row) -> String| {
        columns.push(Column {
            title: title.to_owned(),
            cells: report.rows.iter().map(cell).collect(),
            total: if totals {
                cell(&report.total)
            } else {
                String::new()
            },
            needed,
        });
    };

    add("REQUESTS", true, true, &|r| {
        known(r.requests, number::count)
    });
    if matches!(report.span, Span::Window(_)) {
        add("REQ/S", true, true, &|r| known(r.rate, number::rate));
    }
    if layout.wide {
        add("ERRORS", true, true, &|r| known(r.errors, number::count));
    }
    add("ERR%", true, true, &|r| {
        known(r.error_rate, number::percent)
    });
    if layout.wide {
        add("CANCELLED", false, true, &|r| {
            known(r.cancelled, number::count)
        });
    }
    add("RUN", true, true, &in_flight);
    for (i, q) in report.quantiles.iter().enumerate() {
        let title = quantile_title(layout.latency, *q);
        let is_last = i + 1 == report.quantiles.len();
        add(&title, is_last, false, &|r| quantile(r, layout, i, *q));
    }
    if layout.wide {
        for (title, signal) in [
            ("MEAN", layout.latency),
            ("TTFT", Signal::TimeToFirstToken),
            ("TPOT", Signal::TimePerOutputToken),
            ("IN-TOK", Signal::InputTokens),
            ("OUT-TOK", Signal::OutputTokens),
            ("REQ-SIZE", Signal::RequestSize),
        ] {
            if report
                .rows
                .iter()
                .any(|r| r.distributions.contains_key(&signal))
            {
                let unit = signal.entry().unit;
                add(title, false, false, &|r| {
                    let mean = r.distributions.get(&signal).and_then(|d| d.mean);
                    mean.map_or_else(|| UNKNOWN.to_owned(), |mean| number::value(mean, unit))
                });
            }
        }
        if report.rows.iter().any(|r| r.input_token_rate.is_some()) {
            add("IN-TOK/S", false, true, &|r| {
                known(r.input_token_rate, number::rate)
            });
            add("OUT-TOK/S", false, true, &|r| {
                known(r.output_token_rate, number::rate)
            });
        }
    }
    columns
}

fn has_rough(report: &Report, layout: Layout) -> bool {
    let mut distributions = report
        .rows
        .iter()
        .filter_map(|row| row.distributions.get(&layout.latency));
    distributions.any(|d| {
        let mut answers = report.quantiles.iter().zip(&d.quantiles);
        answers.any(|(q, answer)| d.is_rough(*q, *answer))
    })
}

/// Blank where the model's count stands on another row: it is neither repeated nor split.
fn in_flight(row: &Row) -> String {
    match (row.in_flight, row.in_flight_of) {
        (Some(n), _) => number::count(n),
        (None, InFlightOf::FirstRow) => String::new(),
        (None, _) => UNKNOWN.to_owned(),
    }
}

fn quantile(row: &Row, layout: Layout, at: usize, q: f64) -> String {
    match row.distributions.get(&layout.latency) {
        Some(distribution) => rough_quantile(distribution, at, q, layout.latency, layout.wide),
        None => UNKNOWN.to_owned(),
    }
}

/// `P99`; `TTFT P99` of another latency than the whole one.
pub(super) fn quantile_title(latency: Signal, q: f64) -> String {
    let of = match latency {
        Signal::Latency => String::new(),
        other => format!("{} ", other.entry().title.to_uppercase()),
    };
    format!("{of}P{}", round_percent(q))
}

/// `6.12s`; `~6.12s` where the digits mean little; `6.12s (6–8s)` in `wide`.
pub(super) fn rough_quantile(
    distribution: &Distribution,
    at: usize,
    q: f64,
    signal: Signal,
    wide: bool,
) -> String {
    let answer = distribution.quantiles[at];
    let unit = signal.entry().unit;
    let rough = if distribution.is_rough(q, answer) {
        ROUGH
    } else {
        ""
    };
    let text = number::quantile(answer, unit);
    match number::bucket(answer, unit) {
        Some(bucket) if wide => format!("{rough}{text} ({bucket})"),
        _ => format!("{rough}{text}"),
    }
}
