//! A report that `igctl metrics top -o json` has printed → a baseline.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Baseline, Level, Q};
use crate::histogram::Quantile;
use crate::render::json::SCHEMA;
use crate::report::Ended;
use crate::verdict::Reason;
use crate::vocabulary;

/// Why a report is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is not what `igctl metrics top -o json` prints.
    #[error("it is not a report of igctl metrics top -o json")]
    Json(#[from] serde_json::Error),
    /// A document of another kind.
    #[error("its schema is {0:?}; a baseline is {SCHEMA}")]
    Schema(String),
    /// A model in several rows: their quantiles cannot be added.
    #[error("model {0:?} has several rows; a baseline is made with --by model")]
    SeveralRows(String),
    /// Models that nothing can be compared with.
    #[error("--limit left out {0} of its rows; a baseline is made without")]
    RowsLeftOut(usize),
    /// The quantile that is compared is not in it.
    #[error("it has no 0.99-quantile; a baseline is made with --quantiles 99")]
    NoQuantile,
}

/// Whether a text is a report rather than metrics: these never begin with a brace.
pub fn is_report(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{\"") || text.trim_ascii_start().starts_with(b"{\n")
}

#[derive(Deserialize)]
struct Document {
    schema: String,
    #[serde(default)]
    pods: Vec<SavedPod>,
    #[serde(default)]
    rows: Vec<SavedRow>,
    #[serde(default)]
    rows_left_out: usize,
}

#[derive(Deserialize)]
struct SavedPod {
    name: String,
    error: Option<String>,
}

#[derive(Deserialize)]
struct SavedRow {
    model: Option<String>,
    requests: Option<f64>,
    errors: Option<f64>,
    cancelled: Option<f64>,
    in_flight: Option<f64>,
    error_rate: Option<f64>,
    #[serde(default)]
    error_codes: BTreeMap<String, f64>,
    latency: Option<SavedDistribution>,
}

#[derive(Deserialize)]
struct SavedDistribution {
    count: Option<f64>,
    quantiles: Vec<SavedQuantile>,
}

#[derive(Deserialize)]
struct SavedQuantile {
    quantile: f64,
    value: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    above: Option<f64>,
}

impl Baseline {
    /// Reads a report.
    ///
    /// # Errors
    /// Where it does not say how well each model was served.
    pub fn from_report(text: &[u8]) -> Result<Self, ReportError> {
        let document: Document = serde_json::from_slice(text)?;
        if document.schema != SCHEMA {
            return Err(ReportError::Schema(document.schema));
        }
        if document.rows_left_out > 0 {
            return Err(ReportError::RowsLeftOut(document.rows_left_out));
        }
        let mut levels = BTreeMap::new();
        for row in document.rows {
            let level = row.level()?;
            let Some(model) = row.model.filter(|_| row.requests > Some(0.0)) else {
                continue;
            };
            if levels.insert(model.clone(), level).is_some() {
                return Err(ReportError::SeveralRows(model));
            }
        }
        Ok(Self {
            levels,
            names: None,
            gap: missing(&document.pods),
        })
    }
}

/// Why what was counted is less than all.
fn missing(pods: &[SavedPod]) -> Option<Reason> {
    let errors = pods
        .iter()
        .filter_map(|pod| Some(format!("{}: {}", pod.name, pod.error.as_deref()?)));
    let errors: Vec<String> = errors.collect();
    errors.first().map(|first| Reason::PodsMissing {
        count: errors.len(),
        of: pods.len(),
        first: first.clone(),
    })
}

impl SavedRow {
    fn level(&self) -> Result<Level, ReportError> {
        let refused = self.error_codes.iter();
        let refused = refused.filter(|(code, _)| vocabulary::is_refusal(code));
        let refused: f64 = refused.map(|(_, n)| n).sum();
        let p99 = match &self.latency {
            None => Quantile::Unknown,
            Some(latency) => latency
                .quantiles
                .iter()
                .find(|quantile| (quantile.quantile - Q).abs() < 1e-9)
                .ok_or(ReportError::NoQuantile)?
                .answer(),
        };
        let observations = self.latency.as_ref().and_then(|latency| latency.count);
        let others = [self.errors, self.cancelled, self.in_flight];
        let ended = Ended {
            all: self.requests.unwrap_or(0.0) - others.into_iter().flatten().sum::<f64>(),
            timed: observations.unwrap_or(0.0),
        };
        let p99 = match ended.why_unknown(Q) {
            Some(_) => Quantile::Unknown,
            None => p99,
        };
        Ok(Level {
            error_rate: self.error_rate,
            attempts: self.requests.map(|requests| requests + refused),
            p99,
            observations,
        })
    }
}

impl SavedQuantile {
    fn answer(&self) -> Quantile {
        match (self.value, self.above) {
            (Some(value), _) => Quantile::Within {
                value,
                lower: self.lower.unwrap_or(f64::NEG_INFINITY),
                upper: self.upper.unwrap_or(value),
            },
            (None, Some(above)) => Quantile::Above(above),
            (None, None) => Quantile::Unknown,
        }
    }
}
