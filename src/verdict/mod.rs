//! An [`Assertion`](crate::assertion::Assertion) and what pods said → a [`Verdict`]. Pure.
//!
//! No data never passes. Whatever is not known, not whole or not enough is inconclusive, an outcome of
//! its own with its reason: a check that passes because nothing was counted is worse than none.

mod evidence;
mod judge;
mod reason;

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::assertion::Measure;
use crate::histogram::Quantile;
use crate::report::{PodLine, Span};
use crate::vocabulary::Generation;
pub use evidence::Evidence;
pub(crate) use evidence::not_whole;
pub use judge::judge;
pub use reason::Reason;

/// How an assertion came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// Nothing that is known decides it.
    Inconclusive,
    /// It does not hold.
    Fail,
}

impl Outcome {
    /// Its name in every form of output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}

/// What became of an assertion.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// As it was written.
    pub assertion: String,
    /// The worst of the findings'.
    pub outcome: Outcome,
    /// What it rests on: one, or with `each(…)` one for every model, the worst first.
    pub findings: Vec<Finding>,
}

/// What became of all of them.
#[derive(Debug, Clone)]
pub struct Smoke {
    /// When the newest of the samples was taken.
    pub at: Timestamp,
    /// Whether that is another time than now, which is known.
    pub is_recorded: bool,
    /// Over what time counts are.
    pub span: Span,
    /// All pods, also those that said nothing.
    pub pods: Vec<PodLine>,
    /// What a reader must know to take the numbers right.
    pub notes: Vec<String>,
    /// In the order of the assertions.
    pub verdicts: Vec<Verdict>,
    /// Whether what is inconclusive does no harm.
    pub allow_inconclusive: bool,
}

impl Smoke {
    /// The worst of the verdicts'; without any nothing was decided.
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.verdicts.iter().map(|verdict| verdict.outcome);
        outcomes.max().unwrap_or(Outcome::Inconclusive)
    }

    /// Whether a pipeline goes on.
    pub fn is_good(&self) -> bool {
        match self.outcome() {
            Outcome::Pass => true,
            Outcome::Inconclusive => self.allow_inconclusive,
            Outcome::Fail => false,
        }
    }

    /// How many came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let same = |verdict: &&Verdict| verdict.outcome == outcome;
        self.verdicts.iter().filter(same).count()
    }
}

/// What was seen of one model, or of all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Of `each(…)`.
    pub model: Option<String>,
    /// Whether it holds there.
    pub outcome: Outcome,
    /// What was held against the assertion's number; `None` where there is nothing.
    pub seen: Option<Seen>,
    /// Observations that a quantile or a rate of errors rests on.
    pub samples: Option<f64>,
    /// Why it is inconclusive.
    pub reason: Option<Reason>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A number in its base unit.
    Number(f64, Measure),
    /// A quantile in its base unit.
    Quantile(Quantile, Measure),
    /// Generations of names.
    Generations(Vec<Generation>),
    /// Names of models.
    Models(Vec<String>),
    /// A number in its base unit, and what it was.
    Shift {
        /// What it was.
        before: f64,
        /// What it is.
        now: Quantile,
        /// The unit of both.
        measure: Measure,
    },
    /// What has no number.
    Words(String),
}

impl Verdict {
    /// What findings come to: their worst.
    pub(crate) fn of(assertion: String, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| Reverse(finding.outcome));
        let outcomes = findings.iter().map(|finding| finding.outcome);
        Self {
            assertion,
            outcome: outcomes.max().unwrap_or(Outcome::Inconclusive),
            findings,
        }
    }
}

impl Finding {
    /// That something holds or not, and what was seen.
    pub(crate) fn decided(holds: bool, seen: Seen) -> Self {
        Self {
            model: None,
            outcome: passes(holds),
            seen: Some(seen),
            samples: None,
            reason: None,
        }
    }

    /// The same, where it is doubtful whether all was seen: what holds is not proven by that, what does not hold is.
    pub(crate) fn doubted(self, reason: &Reason) -> Self {
        match self.outcome == Outcome::Pass || self.reason == Some(Reason::NoObservation) {
            true => Self {
                outcome: Outcome::Inconclusive,
                reason: Some(reason.clone()),
                ..self
            },
            false => self,
        }
    }

    /// The same, where it is of a part of all that there is, and the rest may turn it.
    pub(crate) fn of_a_part(self, reason: &Reason) -> Self {
        match self.outcome {
            Outcome::Fail => Self {
                outcome: Outcome::Inconclusive,
                reason: Some(reason.clone()),
                ..self
            },
            Outcome::Pass | Outcome::Inconclusive => self.doubted(reason),
        }
    }

    /// That nothing decides it.
    pub(crate) fn inconclusive(reason: Reason) -> Self {
        Self {
            model: None,
            outcome: Outcome::Inconclusive,
            seen: None,
            samples: None,
            reason: Some(reason),
        }
    }
}

fn passes(holds: bool) -> Outcome {
    match holds {
        true => Outcome::Pass,
        false => Outcome::Fail,
    }
}
