//! What could not be read, or was read with doubt.

use std::fmt;

/// So many problems are kept with their line; the rest are only counted.
pub(crate) const KEPT_PROBLEMS: usize = 20;

/// Lines that were not read, and lines that were read with doubt.
#[derive(Debug, Default, PartialEq)]
pub struct Problems {
    /// Lines that are no part of the result, since they are not well-formed.
    pub unreadable: usize,
    /// Lines that contradict others: see [`Problem`].
    pub doubtful: usize,
    /// The first of both.
    pub first: Vec<Problem>,
}

/// One line's problem.
#[derive(Debug, PartialEq)]
pub struct Problem {
    /// Counted from 1; 0 when it concerns no single line.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
    /// The start of the line, with nothing in it that a terminal would act upon.
    pub excerpt: String,
}

/// Why a line is not, or not wholly, part of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The line follows neither format.
    Malformed(&'static str),
    /// `# EOF` came before.
    AfterEof,
    /// A second `# TYPE` says otherwise than the first, which stands.
    OtherType,
    /// The label set came before in this family; the first stands, as in Prometheus.
    DuplicateSeries,
    /// The bound came before in this series; the first stands.
    DuplicateBucket,
    /// A `_bucket` line without `le`.
    NoBound,
    /// A `_bucket` line whose `le` is no number.
    BadBound,
}

impl Reason {
    fn is_unreadable(self) -> bool {
        matches!(
            self,
            Self::Malformed(_) | Self::AfterEof | Self::NoBound | Self::BadBound
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(what) => what,
            Self::AfterEof => "it stands after # EOF",
            Self::OtherType => "it contradicts an earlier # TYPE",
            Self::DuplicateSeries => "the same series came before; the first one stands",
            Self::DuplicateBucket => "the same bucket came before; the first one stands",
            Self::NoBound => "a bucket without le",
            Self::BadBound => "a bucket whose le is no number",
        })
    }
}

impl Problems {
    pub(super) fn add(&mut self, line: usize, reason: Reason, text: &[u8]) {
        if reason.is_unreadable() {
            self.unreadable += 1;
        } else {
            self.doubtful += 1;
        }
        if self.first.len() < KEPT_PROBLEMS {
            let start = &text[..text.len().min(120)];
            let excerpt = String::from_utf8_lossy(start).escape_debug().to_string();
            self.first.push(Problem {
                line,
                reason,
                excerpt,
            });
        }
    }
}
