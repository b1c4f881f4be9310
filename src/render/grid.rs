//! Text in columns, and lines that fit a terminal.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::visible::visible;

/// Blanks between two columns.
pub(super) const GAP: usize = 2;

/// A table of plain text.
pub(crate) fn plain(header: &[&str], rows: &[Vec<String>]) -> String {
    aligned(header, rows, header.len())
}

/// The same; what stands behind the first so many columns is numbers.
pub(super) fn aligned(header: &[&str], rows: &[Vec<String>], names: usize) -> String {
    let cells = |row: &[&str]| -> Vec<Cell> {
        row.iter()
            .enumerate()
            .map(|(column, text)| match column < names {
                true => Cell::new(visible(text)),
                false => right(&visible(text)),
            })
            .collect()
    };
    let mut table = grid();
    table.set_header(cells(header));
    for row in rows {
        table.add_row(cells(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    padded(table)
}

/// A table without lines and without a will of its own.
pub(super) fn grid() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The text of a table, its columns apart by [`GAP`].
pub(super) fn padded(mut table: Table) -> String {
    let gap = u16::try_from(GAP).unwrap_or(u16::MAX);
    for column in table.column_iter_mut() {
        column.set_padding((0, gap));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

pub(super) fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Text that is no table is broken between words where a terminal is narrower.
pub(super) fn wrapped(out: &mut String, text: &str, width: Option<usize>) {
    match width {
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
