//! A report as JSON, for programs. The types here are the schema: `docs/metrics-top.schema.json` is made
//! from them, and a change that breaks a reader changes [`SCHEMA`].

use std::{collections::BTreeMap, io};

use serde::{Serialize, Serializer};

use super::number::round_percent;
use crate::{
    histogram::Quantile,
    report::{Dimension, Distribution, InFlightOf, Report, Row, Span},
    visible::acts,
    vocabulary::Signal,
};

/// Name and version of the document's form. Fields may be added under the same version; none is renamed,
/// removed or given another meaning.
pub const SCHEMA: &str = "igctl.metrics.top/v1";

/// What `igctl metrics top -o json` prints. A value that is not known is null, or its field is absent:
/// never 0.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// `igctl.metrics.top/v1`
    schema: &'a str,
    /// When the newest sample was taken, RFC 3339.
    at: String,
    /// Over what time counts are.
    span: JsonSpan,
    /// Generations of metric names that the numbers were read from, newest first: `llm_d_epp`,
    /// `llm_d_router_epp`, `inference_objective`, `inference_model`.
    generations: Vec<&'a str>,
    /// Every pod, also those that could not be read.
    pods: Vec<Pod<'a>>,
    /// The pool as its picker sees it; null where nothing says which pod to believe.
    pool: Option<Pool<'a>>,
    /// What the pickers themselves take, over all pods: `scheduler`, `request_overhead`,
    /// `response_overhead`, in seconds. What they do not emit is absent.
    overhead: BTreeMap<&'a str, JsonDistribution>,
    /// In the order asked for.
    rows: Vec<JsonRow<'a>>,
    /// Rows that `--limit` left out.
    rows_left_out: usize,
    /// Over all rows, also those left out.
    total: JsonRow<'a>,
    /// What a reader must know to take the numbers right.
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonSpan {
    kind: SpanKind,
    /// Of a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum SpanKind {
    /// Since each picker's process started.
    SinceStart,
    /// Between two samples.
    Window,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Pod<'a> {
    /// `namespace/name`, or a file's name or an address.
    name: &'a str,
    /// The InferencePool, `namespace/name`.
    pool: Option<&'a str>,
    /// The Service or Deployment that it is a replica of.
    picker: Option<&'a str>,
    /// Kubernetes' word; null outside a cluster.
    ready: Option<bool>,
    /// Null without leader election.
    leader: Option<bool>,
    /// Seconds since its process started.
    up_seconds: Option<f64>,
    /// The newest names that it uses.
    generation: Option<&'a str>,
    /// It has counted something of some model.
    has_traffic: bool,
    /// Its process is new since the window began.
    restarted: bool,
    /// Why it is not part of the numbers.
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Pool<'a> {
    /// The pod whose view this is.
    from: &'a str,
    /// `ready_endpoints`, `queue` and `running` (means over endpoints), `kv_cache` (mean, 0 to 1). What
    /// the picker does not emit is absent.
    #[serde(flatten)]
    gauges: BTreeMap<&'a str, Number>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonRow<'a> {
    /// `model`, `target`, `pool`, `pod`, `priority`, `fairness`: those that rows are about. Absent in the
    /// total.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "Key"))]
    key: BTreeMap<&'a str, Option<&'a str>>,
    /// Requests for which an endpoint was chosen.
    requests: Option<Number>,
    /// The same per second, in a window.
    request_rate: Option<f64>,
    /// Errors of all codes.
    errors: Option<Number>,
    /// Errors by code.
    error_codes: BTreeMap<&'a str, Number>,
    /// Errors as a share (0 to 1) of requests and refused requests.
    error_rate: Option<f64>,
    /// Requests that the client gave up, where the picker counts them.
    cancelled: Option<Number>,
    /// Requests being served at the end of the span.
    in_flight: Option<Number>,
    /// True where `in_flight` stands for all rows of the model.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    in_flight_of_model: bool,
    /// Input tokens per second, in a window.
    input_token_rate: Option<f64>,
    /// Output tokens per second, in a window.
    output_token_rate: Option<f64>,
    /// `latency`, `ttft` (streamed responses only), `tpot`, `itl`, `ntpot` in seconds; `request_size`,
    /// `response_size` in bytes; `input_tokens`, `output_tokens`, `cached_tokens`. What the picker does
    /// not emit is absent.
    #[serde(flatten)]
    distributions: BTreeMap<&'a str, JsonDistribution>,
}

/// What a row can be about.
#[cfg(test)]
#[derive(Serialize, schemars::JsonSchema)]
struct Key {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fairness: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct JsonDistribution {
    /// Observations.
    count: Option<Number>,
    /// Their sum, in the unit.
    sum: Option<f64>,
    /// Their mean; null without observations.
    mean: Option<f64>,
    quantiles: Vec<JsonQuantile>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonQuantile {
    /// 0 to 1.
    quantile: f64,
    /// Interpolated within `lower` to `upper`, as Prometheus' histogram_quantile; null where it is
    /// unknown or beyond the last finite bound.
    value: Option<f64>,
    /// The bucket's lower bound; null where the bucket has none.
    lower: Option<f64>,
    /// The bucket's upper bound.
    upper: Option<f64>,
    /// True where the digits mean little: fewer than one observation lies above the quantile, or the
    /// bucket is wider than its lower bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rough: bool,
    /// The last finite bound, where the quantile is above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<f64>,
}

/// A count: written without a point where it is whole.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Whole numbers are exact in an f64 up to 2^53.
        if self.0.fract() == 0.0 && self.0.abs() <= 9_007_199_254_740_992.0 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// The document.
pub(super) fn document(report: &Report) -> impl Serialize {
    Document {
        schema: SCHEMA,
        at: report.at.to_string(),
        span: match report.span {
            Span::SinceStart => JsonSpan {
                kind: SpanKind::SinceStart,
                seconds: None,
            },
            Span::Window(seconds) => JsonSpan {
                kind: SpanKind::Window,
                seconds: Some(seconds),
            },
        },
        generations: report.generations.iter().map(|g| g.name()).collect(),
        pods: report
            .pods
            .iter()
            .map(|p| Pod {
                name: &p.name,
                pool: p.pool.as_deref(),
                picker: p.picker.as_deref(),
                ready: p.ready,
                leader: p.leader,
                up_seconds: p.up,
                generation: p.generation.map(|g| g.name()),
                has_traffic: p.has_traffic,
                restarted: p.restarted,
                error: p.failure.as_deref(),
            })
            .collect(),
        pool: report.pool.from.as_deref().map(|from| Pool {
            from,
            gauges: report
                .pool
                .gauges
                .iter()
                .map(|(signal, n)| (signal.entry().title, Number(*n)))
                .collect(),
        }),
        overhead: distributions(report, &report.overhead),
        rows: report.rows.iter().map(|r| row(report, r)).collect(),
        rows_left_out: report.rows_left_out,
        total: row(report, &report.total),
        notes: &report.notes,
    }
}

/// Any value as JSON that a terminal may be shown, on one line when `compact`.
///
/// # Errors
/// Those of `out`.
pub fn print(value: &impl Serialize, compact: bool, out: &mut dyn io::Write) -> io::Result<()> {
    if compact {
        let mut serializer = serde_json::Serializer::with_formatter(
            &mut *out,
            Visible(serde_json::ser::CompactFormatter),
        );
        value.serialize(&mut serializer)?;
    } else {
        let mut serializer = serde_json::Serializer::with_formatter(
            &mut *out,
            Visible(serde_json::ser::PrettyFormatter::new()),
        );
        value.serialize(&mut serializer)?;
    }
    writeln!(out)
}

fn row<'a>(report: &Report, row: &'a Row) -> JsonRow<'a> {
    JsonRow {
        key: report
            .by
            .iter()
            .map(|d| Dimension::name(*d))
            .zip(row.key.iter().map(Option::as_deref))
            .collect(),
        requests: row.requests.map(Number),
        request_rate: row.rate,
        errors: row.errors.map(Number),
        error_codes: row
            .error_codes
            .iter()
            .map(|(code, n)| (code.as_str(), Number(*n)))
            .collect(),
        error_rate: row.error_rate,
        cancelled: row.cancelled.map(Number),
        in_flight: row.in_flight.map(Number),
        in_flight_of_model: row.in_flight_of == InFlightOf::Model,
        input_token_rate: row.input_token_rate,
        output_token_rate: row.output_token_rate,
        distributions: distributions(report, &row.distributions),
    }
}

fn distributions<'a>(
    report: &Report,
    all: &BTreeMap<Signal, Distribution>,
) -> BTreeMap<&'a str, JsonDistribution> {
    all.iter()
        .map(|(signal, d)| (signal.entry().title, distribution(d, &report.quantiles)))
        .collect()
}

/// A histogram's answers at these quantiles.
pub(super) fn distribution(of: &Distribution, quantiles: &[f64]) -> JsonDistribution {
    let answers = quantiles.iter().zip(&of.quantiles);
    JsonDistribution {
        count: of.count.map(Number),
        sum: of.sum,
        mean: of.mean,
        quantiles: answers
            .map(|(q, answer)| quantile(of, *q, *answer))
            .collect(),
    }
}

fn quantile(of: &Distribution, q: f64, answer: Quantile) -> JsonQuantile {
    let finite = |n: f64| Some(n).filter(|n| n.is_finite());
    let unknown = JsonQuantile {
        quantile: round_percent(q) / 100.0,
        value: None,
        lower: None,
        upper: None,
        rough: of.is_rough(q, answer),
        above: None,
    };
    match answer {
        Quantile::Unknown => unknown,
        Quantile::Within {
            value,
            lower,
            upper,
        } => JsonQuantile {
            value: finite(value),
            lower: finite(lower),
            upper: finite(upper),
            ..unknown
        },
        Quantile::Above(bound) => JsonQuantile {
            lower: finite(bound),
            above: finite(bound),
            ..unknown
        },
    }
}

/// Escapes what JSON need not escape but a terminal would act upon: DEL, C1, marks of direction.
struct Visible<F>(F);

macro_rules! delegate {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        }
    )*};
}

impl<F: serde_json::ser::Formatter> serde_json::ser::Formatter for Visible<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(acts) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let c = rest[at..].chars().next().unwrap_or_default();
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    delegate! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_safe_for_a_terminal_and_still_the_same_strings() {
        let hostile = "a\u{1b}\u{9b}\u{7f}\u{202e}\u{e0041}\"模";
        let mut text = Vec::new();
        print(&hostile, true, &mut text).expect("a Vec takes everything");
        let text = String::from_utf8(text).expect("JSON is UTF-8");
        assert_eq!(
            text,
            "\"a\\u001b\\u009b\\u007f\\u202e\\udb40\\udc41\\\"模\"\n"
        );
        assert_eq!(
            serde_json::from_str::<String>(&text).ok().as_deref(),
            Some(hostile)
        );
    }

    #[test]
    fn the_schema_in_docs_is_current() {
        crate::render::schema::assert_is_current::<Document<'_>>("metrics-top");
    }
}
