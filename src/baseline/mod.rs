//! What pods say now, held against what was once good: is anything of it lost, and did it get worse? Pure.
//!
//! As with assertions, no data never passes.

mod level;
mod names;
mod saved;

use std::collections::BTreeMap;

use crate::shape::Shape;
use crate::verdict::{Evidence, Verdict};

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
}

/// Holds what is seen now against a baseline; `shapes` are the pods', and `tolerance` is how much worse a number may
/// be, as a share of itself.
pub fn compare(
    baseline: &Baseline,
    evidence: &Evidence<'_>,
    shapes: &[Shape],
    tolerance: f64,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if let Some(names) = &baseline.names {
        verdicts.extend(names.compare(evidence, shapes));
    }
    verdicts.extend(level::compare(&baseline.levels, evidence, tolerance));
    if let Some(reason) = evidence.gap() {
        for verdict in &mut verdicts {
            let findings = std::mem::take(&mut verdict.findings).into_iter();
            let doubted = findings.map(|finding| finding.doubted(&reason));
            *verdict = Verdict::of(verdict.assertion.clone(), doubted.collect());
        }
    }
    verdicts
}
