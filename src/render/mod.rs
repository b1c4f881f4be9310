//! A report → output. Only here do numbers get units and names get cut.

mod csv;
pub mod github;
pub mod json;
pub mod junit;
mod number;
pub mod screen;
pub mod smoke;
pub mod table;

use std::io;

use crate::{config::Format, report::Report};

/// Writes a report in the form that was asked for; JSON on one line when there will be more of them.
///
/// # Errors
/// Those of `out`.
pub fn write(
    report: &Report,
    format: Format,
    layout: table::Layout,
    many: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Table | Format::Wide => out.write_all(table::render(report, layout).as_bytes()),
        Format::Json => json::write(report, many, out),
        Format::Csv => csv::write(report, layout.latency, out),
    }?;
    out.flush()
}
