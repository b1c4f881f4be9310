//! Metrics text → families of series: our own reader of the Prometheus text format 0.0.4 and of
//! OpenMetrics 1.0. It knows no metric; the caller says which families it wants.
//!
//! Model names come from clients and stand in label values, so a value may hold anything: `,`, `=`,
//! `}`, a whole other sample. The reader is therefore quote-aware and never guesses: a line is either
//! read exactly or counted in [`Problems`].
//!
//! One pass over the bytes. A line of a family that nobody wants costs one search for its end; the
//! labels that a histogram repeats on its 37 lines are read once, by comparing the bytes with those of
//! the line before.
//!
//! Sources: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Where they leave room, what Prometheus'
//! own parser accepts decides.

mod line;
mod problem;
mod reader;

use std::{borrow::Cow, collections::HashSet};

use indexmap::IndexMap;
use memchr::memchr;

use crate::histogram::Histogram;
pub(crate) use problem::KEPT_PROBLEMS;
pub use problem::{Problem, Problems, Reason};
use reader::Reader;

/// What one body of metrics text says of the families that were wanted.
#[derive(Debug, Default)]
pub struct Exposition<'a> {
    /// The wanted families that have at least one series, in the order of their first sample.
    pub families: Vec<Family<'a>>,
    /// Metric names seen, wanted or not (`x_bucket`, `x_sum` and `x_count` are three); unwanted ones up to 10,000.
    pub names: usize,
    /// Sample lines, wanted or not, readable or not.
    pub samples: usize,
    /// What could not be read, or was read with doubt.
    pub problems: Problems,
    /// How the text ends.
    pub end: End,
}

/// All series of one name.
#[derive(Debug, PartialEq)]
pub struct Family<'a> {
    /// As the samples carry it: a counter's ends in `_total` in both formats.
    pub name: Cow<'a, str>,
    /// Declared by `# TYPE`, or evident from the samples.
    pub kind: Kind,
    /// Each label set, without `le`, with its value; in the order of the text.
    pub series: IndexMap<Labels<'a>, Value>,
}

/// Labels sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Labels<'_> {
    /// The value of a label; `None` when the series does not carry it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }
}

/// What a series holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a counter, a gauge or an untyped sample.
    Number(f64),
    /// Of `_bucket`, `_sum` and `_count` lines together. Boxed, since most series are numbers, and a text may have very
    /// many.
    Histogram(Box<Histogram>),
}

/// The kind of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, but for restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// `untyped`, `unknown`, `summary`, the further kinds of OpenMetrics, or no `# TYPE` line.
    Other,
}

/// How a body ends: whether it can have been cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum End {
    /// With a line end.
    #[default]
    Line,
    /// With OpenMetrics' `# EOF`: whole.
    Eof,
    /// Inside a line. Legal, but also what a cut-off body looks like.
    NoNewline,
}

impl Exposition<'_> {
    /// True when the body holds something, but not one line that a metrics text could hold: an error
    /// page, say.
    pub fn is_not_metrics(&self) -> bool {
        self.samples > 0 && self.problems.unreadable >= self.samples
    }

    /// The family of that name, if it has a series.
    pub fn family(&self, name: &str) -> Option<&Family<'_>> {
        self.families.iter().find(|f| f.name == name)
    }
}

/// Reads a whole body. `wanted` is asked of metric names, and of names without `_bucket`, `_sum` or `_count`; only
/// families for which it answers true are read.
pub fn read<'a>(text: &'a [u8], wanted: impl FnMut(&str) -> bool) -> Exposition<'a> {
    let mut reader = Reader::new(wanted);
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = after;
        reader.take(line);
    }
    let ends_within_a_line = text.last().is_some_and(|byte| *byte != b'\n');
    reader.finish(ends_within_a_line)
}

/// Reads every family of a body.
pub fn read_all(text: &[u8]) -> Exposition<'_> {
    // Only what has buckets is a histogram: a name that ends in `_sum` or `_count` may be one of its own.
    let mut histograms = HashSet::new();
    read(text, |name| {
        histograms.extend(name.strip_suffix("_bucket").map(str::to_owned));
        false
    });
    read(text, |name| {
        let stems = ["_bucket", "_sum", "_count"].map(|suffix| name.strip_suffix(suffix));
        let mut stems = stems.into_iter().flatten();
        !stems.any(|stem| histograms.contains(stem))
    })
}
