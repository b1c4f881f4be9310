//! The forms that every command's output can have, and what they mean: `table` is for people, `wide` all
//! that is known, `json` and `yaml` are one document in two spellings, `csv` is a line for each row with
//! numbers in full.

use std::{borrow::Cow, io};

use serde::Serialize;

use super::{json, yaml};

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Table,
    /// For people with wide terminals.
    Wide,
    /// For programs.
    Json,
    /// The same for people and programs.
    Yaml,
    /// For spreadsheets.
    Csv,
}

/// Writes what a command has to show in the form that was asked for: made from its `table`, which is
/// asked to be wide or not, its `document`, or its `records`, a head line first. Of `many` documents each
/// can be told from the next.
///
/// # Errors
/// Those of `out`.
pub fn write<D: Serialize>(
    form: Form,
    many: bool,
    out: &mut dyn io::Write,
    table: impl FnOnce(bool) -> String,
    document: impl FnOnce() -> D,
    records: impl FnOnce() -> Vec<Vec<String>>,
) -> io::Result<()> {
    match form {
        Form::Table => out.write_all(table(false).as_bytes()),
        Form::Wide => out.write_all(table(true).as_bytes()),
        Form::Json => json::print(&document(), many, out),
        Form::Yaml => yaml::print(&document(), many, out),
        Form::Csv => csv(&records(), out),
    }?;
    out.flush()
}

fn csv(records: &[Vec<String>], out: &mut dyn io::Write) -> io::Result<()> {
    let mut csv = ::csv::Writer::from_writer(out);
    for record in records {
        csv.write_record(record.iter().map(|field| inert(field).into_owned()))?;
    }
    csv.flush()
}

/// A field that no spreadsheet takes for a formula: clients choose the names of models.
fn inert(field: &str) -> Cow<'_, str> {
    let is_formula =
        field.len() > 1 && field.starts_with(['=', '+', '-', '@']) && field.parse::<f64>().is_err();
    if is_formula {
        format!("'{field}").into()
    } else {
        field.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_a_formula() {
        let mut out = Vec::new();
        csv(
            &[["=1+1", "-m", "-1.5", "+2", "m"].map(String::from).to_vec()],
            &mut out,
        )
        .expect("memory takes all");

        assert_eq!(String::from_utf8_lossy(&out), "'=1+1,'-m,-1.5,+2,m\n");
    }
}
