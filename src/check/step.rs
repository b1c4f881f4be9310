//! One link of the chain and what became of it.

use std::error::Error;

use crate::cause;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: Name,
    /// Of which picker, where there are several: its Service's namespace and name, or, found without one, its namespace.
    pub picker: Option<String>,
    /// Whether it holds.
    pub outcome: Outcome,
    /// What was found, or what is wrong, or why it was not looked at.
    pub found: String,
    /// What that rests on, line by line.
    pub evidence: Vec<String>,
    /// Shell commands that mend it, in this order.
    pub fix: Vec<String>,
}

/// The links, in the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "`text` says what each is")]
pub enum Name {
    Kubeconfig,
    Pool,
    Picker,
    MyRights,
    ReadersRight,
    PickersRight,
    Metrics,
    Content,
}

impl Name {
    const ALL: [Self; 8] = [
        Self::Kubeconfig,
        Self::Pool,
        Self::Picker,
        Self::MyRights,
        Self::ReadersRight,
        Self::PickersRight,
        Self::Metrics,
        Self::Content,
    ];

    /// For people and programs.
    pub fn text(self) -> &'static str {
        match self {
            Self::Kubeconfig => "kubeconfig",
            Self::Pool => "pool",
            Self::Picker => "picker",
            Self::MyRights => "my rights",
            Self::ReadersRight => "reader's right",
            Self::PickersRight => "picker's right",
            Self::Metrics => "metrics",
            Self::Content => "content",
        }
    }
}

/// Whether a link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It holds, but.
    Warn,
    /// It is broken.
    Fail,
    /// It was not looked at.
    Skip,
}

impl Outcome {
    /// For people and programs.
    pub fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

impl Step {
    fn new(name: Name, outcome: Outcome, found: impl Into<String>) -> Self {
        Self {
            name,
            picker: None,
            outcome,
            found: found.into(),
            evidence: Vec::new(),
            fix: Vec::new(),
        }
    }

    pub(super) fn ok(name: Name, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, found)
    }

    pub(super) fn warn(name: Name, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warn, found)
    }

    pub(super) fn fail(name: Name, found: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail, found)
    }

    pub(super) fn skip(name: Name, why: impl Into<String>) -> Self {
        Self::new(name, Outcome::Skip, why)
    }

    /// What a fault keeps from being looked at: its first line is told with it, the others are evidence.
    pub(super) fn skip_with(name: Name, what: &str, fault: &(dyn Error + 'static)) -> Self {
        let Self {
            found, evidence, ..
        } = Self::fail_with(name, fault);
        Self::skip(name, format!("{what}: {found}")).because(evidence)
    }

    /// Behind a broken link.
    pub(super) fn behind(name: Name) -> Self {
        Self::skip(name, "needs the step above")
    }

    /// This link and all after it, behind a broken one.
    pub(super) fn behind_from(first: Name) -> impl Iterator<Item = Self> {
        let names = Name::ALL.into_iter().filter(move |name| *name >= first);
        names.map(Self::behind)
    }

    /// With more of what it rests on.
    pub(super) fn because(mut self, evidence: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.evidence.extend(evidence.into_iter().map(Into::into));
        self
    }

    /// With the next thing to try, line by line.
    pub(super) fn advised(self, hint: Option<String>) -> Self {
        self.because(hint.iter().flat_map(|hint| hint.lines()))
    }

    /// With commands that mend it.
    pub(super) fn mended_by(mut self, fix: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.fix.extend(fix.into_iter().map(Into::into));
        self
    }

    /// The first line of a message is what was found, the others are evidence.
    pub(super) fn fail_with(name: Name, fault: &(dyn Error + 'static)) -> Self {
        let told = cause::told(fault);
        let mut lines = told.lines().map(str::trim);
        Self::fail(name, lines.next().unwrap_or_default()).because(lines)
    }

    /// Whether both are broken, and rest on the same.
    pub(super) fn shares_its_cause(&self, other: &Self) -> bool {
        let cause = self.evidence.first();
        self.is_broken() && other.is_broken() && cause.is_some() && cause == other.evidence.first()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.outcome == Outcome::Fail
    }
}
