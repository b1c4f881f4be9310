//! What pods say now, held against what was once good: is anything of it lost, and did it get worse? Pure.
//!
//! As with assertions, no data never passes.

mod level;
mod names;
mod saved;

use std::collections::BTreeMap;

use crate::shape::Shape;
use crate::verdict::{Evidence, Finding, Reason, Verdict};

pub use level::Level;
pub use names::Names;
pub use saved::{ReportError, is_report};

/// The quantile that may not get worse.
const Q: f64 = 0.99;

/// What was good.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// What was counted, by model.
    pub levels: BTreeMap<String, Level>,
    /// Families, labels and builds; a report does not know them.
    pub names: Option<Names>,
    /// Why it is less than what there was.
    pub gap: Option<Reason>,
}

/// Holds what is seen now against a baseline; `shapes` are the pods', and `tolerance` is how much worse a number may
/// be, as a share of itself.
pub fn compare(
    baseline: &Baseline,
    evidence: &Evidence<'_>,
    shapes: &[Shape],
    tolerance: f64,
) -> Vec<Verdict> {
    let of_baseline = baseline.gap.clone().map(Box::new).map(Reason::OfBaseline);
    let gap = evidence.gap().or(of_baseline);
    let names = baseline.names.iter();
    // A name that a pod has lost is lost whatever others say.
    let names = names
        .flat_map(|names| names.compare(evidence, shapes))
        .map(|verdict| doubted(verdict, gap.as_ref(), Finding::doubted));
    let levels = level::compare(&baseline.levels, evidence, tolerance)
        .into_iter()
        .map(|verdict| doubted(verdict, gap.as_ref(), Finding::of_a_part));
    names.chain(levels).collect()
}

fn doubted(
    verdict: Verdict,
    gap: Option<&Reason>,
    doubt: fn(Finding, &Reason) -> Finding,
) -> Verdict {
    let Some(reason) = gap else {
        return verdict;
    };
    let findings = verdict.findings.into_iter();
    let findings = findings.map(|finding| doubt(finding, reason));
    Verdict::of(verdict.assertion, findings.collect())
}
