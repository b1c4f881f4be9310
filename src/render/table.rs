//! A report as a table for people: `table`, and `wide` with what else is known.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::number::{self, UNKNOWN};
use crate::{
    report::{Dimension, Distribution, PodLine, Report, Row, Span},
    visible::visible,
    vocabulary::{self, Signal},
};

/// Names are not cut below this width; a narrower terminal gets long lines.
const NARROWEST_NAME: usize = 8;

/// Blanks between two columns.
const GAP: usize = 2;

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
}

/// The whole output: head line, table, remarks.
pub fn render(report: &Report, layout: Layout) -> String {
    let mut out = String::new();
    for line in head(report) {
        wrapped(&mut out, &line, layout);
    }
    for pod in &report.pods {
        if let Some(failure) = &pod.failure {
            wrapped(
                &mut out,
                &format!("{}: {}", visible(&pod.name), visible(failure)),
                layout,
            );
        }
    }
    if layout.wide {
        for line in pool_line(report).into_iter().chain(overhead_line(report)) {
            wrapped(&mut out, &line, layout);
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
        wrapped(&mut out, &visible(note), layout);
    }
    out
}

/// One line for each picker: pool, pods, names, span.
fn head(report: &Report) -> Vec<String> {
    let mut pickers: Vec<(Option<&str>, Option<&str>, Vec<&PodLine>)> = Vec::new();
    for pod in &report.pods {
        let (pool, picker) = (pod.pool.as_deref(), pod.picker.as_deref());
        match pickers
            .iter_mut()
            .find(|(p, q, _)| (*p, *q) == (pool, picker))
        {
            Some((.., pods)) => pods.push(pod),
            None => pickers.push((pool, picker, vec![pod])),
        }
    }
    pickers
        .into_iter()
        .map(|(pool, picker, pods)| {
            let mut parts = Vec::new();
            if let Some(pool) = pool {
                parts.push(visible(pool).into_owned());
            }
            parts.push(who(picker, &pods));
            let mut generations: Vec<_> = pods.iter().filter_map(|p| p.generation).collect();
            generations.sort_unstable();
            generations.dedup();
            if !generations.is_empty() {
                let names: Vec<_> = generations.iter().rev().map(ToString::to_string).collect();
                parts.push(format!("names {}", names.join(", ")));
            }
            parts.push(when(report.span, &pods));
            if pods.iter().all(|p| p.failure.is_none() && !p.has_traffic) {
                parts.push("no request yet".to_owned());
            }
            parts.join("  ")
        })
        .collect()
}

/// `picker qwen-epp: 2 pods, leader qwen-epp-7f9c4-x2`
fn who(picker: Option<&str>, pods: &[&PodLine]) -> String {
    let leader = pods.iter().find(|p| p.leader == Some(true));
    match (picker, pods) {
        (None, [pod]) => visible(&pod.name).into_owned(),
        (picker, pods) => {
            let picker = picker
                .map(|p| format!("picker {}: ", visible(p)))
                .unwrap_or_default();
            let mut text = format!("{picker}{}", plural(pods.len(), "pod"));
            let failed = pods.iter().filter(|p| p.failure.is_some()).count();
            if failed > 0 {
                let _ = write!(text, ", {failed} unread");
            }
            if let (Some(leader), true) = (leader, pods.len() > 1) {
                let _ = write!(
                    text,
                    ", leader {}",
                    visible(leader.name.rsplit('/').next().unwrap_or(&leader.name))
                );
            }
            text
        }
    }
}

/// `since start, 3h12m` or `last 10s`
fn when(span: Span, pods: &[&PodLine]) -> String {
    match span {
        Span::Window(seconds) => format!("last {}", number::span(seconds)),
        Span::SinceStart => {
            let up = || pods.iter().filter_map(|p| p.up);
            let (shortest, longest) =
                (up().fold(f64::INFINITY, f64::min), up().fold(0.0, f64::max));
            let (shortest, longest) = (number::span(shortest), number::span(longest));
            if up().count() == 0 {
                "since start".to_owned()
            } else if shortest == longest {
                format!("since start, {longest}")
            } else {
                format!("since start, {shortest} to {longest}")
            }
        }
    }
}

/// `pool: ready endpoints 8, queue 0.50 (by llm/qwen-epp-7f9c4-x2)`
fn pool_line(report: &Report) -> Option<String> {
    let from = report
        .pool
        .from
        .as_deref()
        .filter(|_| !report.pool.gauges.is_empty())?;
    let gauge = |(signal, n): (&Signal, &f64)| {
        let entry = vocabulary::entry_of(*signal);
        format!("{} {}", words(entry.title), number::value(*n, entry.unit))
    };
    let gauges: Vec<String> = report.pool.gauges.iter().map(gauge).collect();
    Some(format!(
        "pool: {} (by {})",
        gauges.join(", "),
        visible(from)
    ))
}

/// `overhead: scheduler mean 120µs`
fn overhead_line(report: &Report) -> Option<String> {
    let mean = |(signal, d): (&Signal, &Distribution)| {
        let entry = vocabulary::entry_of(*signal);
        Some(format!(
            "{} mean {}",
            words(entry.title),
            number::value(d.mean?, entry.unit)
        ))
    };
    let means: Vec<String> = report.overhead.iter().filter_map(mean).collect();
    (!means.is_empty()).then(|| format!("overhead: {}", means.join(", ")))
}

fn words(title: &str) -> String {
    title.replace('_', " ")
}

/// Text that is no table is broken between words where a terminal is narrower.
fn wrapped(out: &mut String, text: &str, layout: Layout) {
    match layout.width {
        Some(width) => {
            for line in textwrap::wrap(
                text,
                textwrap::Options::new(width.max(20)).subsequent_indent("  "),
            ) {
                let _ = writeln!(out, "{line}");
            }
        }
        None => {
            let _ = writeln!(out, "{text}");
        }
    }
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
    let mut names = name_cells(report, layout);
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

    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
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

/// The text of a table, its columns apart by [`GAP`].
fn padded(mut table: Table) -> String {
    let gap = u16::try_from(GAP).unwrap_or(u16::MAX);
    for column in table.column_iter_mut() {
        column.set_padding((0, gap));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
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
    let known =
        |n: Option<f64>, text: fn(f64) -> String| n.map_or_else(|| UNKNOWN.to_owned(), text);

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
    add("RUN", true, true, &|r| in_flight(r, report));
    for (i, q) in report.quantiles.iter().enumerate() {
        add(&format!("P{}", round_percent(*q)), true, false, &|r| {
            quantile(r, layout, i, *q)
        });
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
                let unit = vocabulary::entry_of(signal).unit;
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
fn in_flight(row: &Row, report: &Report) -> String {
    if let Some(n) = row.in_flight {
        return number::count(n);
    }
    let model_at = report.by.iter().position(|d| *d == Dimension::Model);
    let model = |r: &Row| model_at.and_then(|i| r.key.get(i).cloned());
    let mut models_rows = report.rows.iter().filter(|r| model(r) == model(row));
    let elsewhere = !row.key.is_empty() && models_rows.any(|r| r.in_flight_of_model);
    if elsewhere {
        String::new()
    } else {
        UNKNOWN.to_owned()
    }
}

/// `6.12s`; `~6.12s` where the digits mean little; `6.12s (6–8s)` in `wide`.
fn quantile(row: &Row, layout: Layout, at: usize, q: f64) -> String {
    let Some(distribution) = row.distributions.get(&layout.latency) else {
        return UNKNOWN.to_owned();
    };
    let answer = distribution.quantiles[at];
    let unit = vocabulary::entry_of(layout.latency).unit;
    let rough = if distribution.is_rough(q, answer) {
        ROUGH
    } else {
        ""
    };
    match number::bucket(answer, unit) {
        Some(bucket) if layout.wide => {
            format!("{rough}{} ({bucket})", number::quantile(answer, unit))
        }
        _ => format!("{rough}{}", number::quantile(answer, unit)),
    }
}

/// The names of each row; on a terminal a model is written once for the rows below it, and a target
/// that equals its model is `=`.
fn name_cells(report: &Report, layout: Layout) -> Vec<Vec<String>> {
    let folds = layout.width.is_some();
    let model_at = report.by.iter().position(|d| *d == Dimension::Model);
    let mut above: Option<&Row> = None;
    report
        .rows
        .iter()
        .map(|row| {
            let cells = report
                .by
                .iter()
                .enumerate()
                .map(|(i, dimension)| {
                    let repeats = i + 1 < report.by.len()
                        && above.is_some_and(|above| above.key[..=i] == row.key[..=i]);
                    let equal = *dimension == Dimension::Target
                        && model_at.is_some_and(|m| row.key[m] == row.key[i]);
                    match &row.key[i] {
                        _ if folds && repeats => String::new(),
                        Some(_) if folds && equal => "=".to_owned(),
                        Some(name) if name.is_empty() => "\"\"".to_owned(),
                        Some(name) => visible(name).into_owned(),
                        None => UNKNOWN.to_owned(),
                    }
                })
                .collect();
            above = Some(row);
            cells
        })
        .collect()
}

/// Cuts names in the middle so that all columns of names together fit. The longest lose first.
fn cut_names(rows: &mut [Vec<String>], titles: &[String], room: usize) {
    let mut widths: Vec<usize> = titles
        .iter()
        .enumerate()
        .map(|(i, title)| {
            rows.iter()
                .map(|r| r[i].width())
                .max()
                .unwrap_or(0)
                .max(title.width())
        })
        .collect();
    let gaps = 2 * titles.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let Some(widest) = widths.iter_mut().max().filter(|w| **w > NARROWEST_NAME) else {
            break;
        };
        *widest -= 1;
    }
    for row in rows {
        for (cell, width) in row.iter_mut().zip(&widths) {
            if cell.width() > *width {
                *cell = cut_middle(cell, *width);
            }
        }
    }
}

/// `meta-llama/Llama-3.1-8B-Instruct` → `meta-llam…Instruct`: both ends tell models apart.
fn cut_middle(text: &str, width: usize) -> String {
    let room = width.saturating_sub(1);
    let front: String = within(text.chars(), room.div_ceil(2)).collect();
    let mut back: Vec<char> = within(text.chars().rev(), room - front.width()).collect();
    back.reverse();
    format!("{front}…{}", back.into_iter().collect::<String>())
}

fn within(chars: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    let mut used = 0;
    chars.take_while(move |c| {
        used += c.width().unwrap_or(0);
        used <= width
    })
}

fn plural(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// 0.999 → `99.9`, without the noise of binary fractions.
pub(crate) fn round_percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// A table of plain text, for `metrics catalog`.
pub fn plain(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(Cell::new));
    for row in rows {
        table.add_row(row.iter().map(|cell| Cell::new(visible(cell))));
    }
    padded(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_in_the_middle_to_their_width() {
        let cut = cut_middle("meta-llama/Llama-3.1-8B-Instruct", 16);
        assert_eq!((cut.as_str(), cut.width()), ("meta-lla…nstruct", 16));
        let cut = cut_middle("模型模型模型-7b", 8);
        assert_eq!((cut.as_str(), cut.width()), ("模型…-7b", 8));
    }

    #[test]
    fn the_widest_column_loses_first() {
        let mut rows = vec![vec![
            "a-rather-long-model-name".to_owned(),
            "short".to_owned(),
        ]];
        cut_names(&mut rows, &["MODEL".to_owned(), "TARGET".to_owned()], 22);
        assert_eq!(rows, [["a-rathe…l-name", "short"]]);
    }

    #[test]
    fn quantile_titles_have_no_noise() {
        assert_eq!(
            [0.5, 0.999, 0.29, 0.9999].map(round_percent),
            [50.0, 99.9, 29.0, 99.99]
        );
    }
}
