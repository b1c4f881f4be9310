//! A report → output. Only here do numbers get units and names get cut.

pub mod check;
mod csv;
pub mod diff;
pub mod form;
pub mod github;
pub(crate) mod grid;
mod head;
pub mod json;
pub mod junit;
mod names;
mod number;
pub mod openmetrics;
#[cfg(test)]
mod schema;
pub mod screen;
pub mod smoke;
pub mod table;
mod yaml;

use std::io;

pub use form::Form;
pub(crate) use number::round_percent;

use crate::report::Report;

/// Writes a report in the form that was asked for; `many` of them so that each can be told from the next.
///
/// # Errors
/// Those of `out`.
pub fn write(
    report: &Report,
    form: Form,
    layout: table::Layout,
    many: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    form::write(
        form,
        many,
        out,
        |wide| table::render(report, table::Layout { wide, ..layout }),
        || json::document(report),
        || csv::records(report, layout.latency),
    )
}
