//! A recording → OpenMetrics 1.0 with the time of each sample, as `promtool tsdb create-blocks-from
//! openmetrics` takes it.
//! Source: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! Each series gets the labels `namespace` and `pod` of who said it, or `instance` for what is no pod; a
//! label of that name that it has already is renamed as Prometheus would, to `exported_…`. Names of metrics
//! and labels that need quotes have `_` for what is unusual in them, as Prometheus stores them where it is not
//! allowed all of UTF-8: not every promtool takes the quotes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use jiff::Timestamp;

use crate::discover::Pod;
use crate::exposition::{self, Family, Kind, Labels, Value};
use crate::recording::Piece;

/// What was said over time. Samples of a family must stand together, and a recording may be longer than memory: they
/// wait in a file.
#[derive(Debug)]
pub struct Families {
    waiting: BufWriter<File>,
    length: u64,
    by_name: BTreeMap<String, Samples>,
}

#[derive(Debug)]
struct Samples {
    kind: &'static str,
    /// Where they wait, in bytes: begin and length.
    places: Vec<(u64, u64)>,
}

impl Families {
    /// None yet.
    ///
    /// # Errors
    /// Where no temporary file can be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            waiting: BufWriter::new(tempfile::tempfile()?),
            length: 0,
            by_name: BTreeMap::new(),
        })
    }

    /// Adds what all pods said at a later moment.
    ///
    /// # Errors
    /// Where there is no room to keep it.
    pub fn add(&mut self, piece: &Piece) -> io::Result<()> {
        let mut lines = String::new();
        for recorded in &piece.pods {
            let Ok(page) = &recorded.page else { continue };
            for family in exposition::read_all(&page.body).families {
                lines.clear();
                write_samples(&family, &recorded.pod, page.taken, &mut lines);
                self.waiting.write_all(lines.as_bytes())?;
                let (name, kind) = name_and_kind(&family);
                let samples = self.by_name.entry(name).or_insert_with(|| Samples {
                    kind,
                    places: Vec::new(),
                });
                samples.places.push((self.length, lines.len() as u64));
                self.length += lines.len() as u64;
            }
        }
        Ok(())
    }

    /// The document.
    ///
    /// # Errors
    /// Those of `out`, and of the temporary file.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let mut waiting = self.waiting.into_inner()?;
        for (name, Samples { kind, places }) in &self.by_name {
            writeln!(out, "# TYPE {name} {kind}")?;
            for (begin, length) in places {
                waiting.seek(SeekFrom::Start(*begin))?;
                io::copy(&mut (&waiting).take(*length), out)?;
            }
        }
        writeln!(out, "# EOF")
    }
}

/// In OpenMetrics a counter's name has no `_total`, and its samples must.
fn name_and_kind(family: &Family<'_>) -> (String, &'static str) {
    let (name, kind) = match (family.kind, family.name.strip_suffix("_total")) {
        (Kind::Counter, Some(name)) => (name, "counter"),
        (Kind::Gauge, _) => (&*family.name, "gauge"),
        (Kind::Histogram, _) => (&*family.name, "histogram"),
        (Kind::Counter | Kind::Other, _) => (&*family.name, "unknown"),
    };
    (unquoted(name, ":").into_owned(), kind)
}

/// A name that needs no quotes: of letters, digits, `_` and `also`, and not a digit first.
fn unquoted<'a>(name: &'a str, also: &str) -> Cow<'a, str> {
    let is_usual = |(at, c): (usize, char)| {
        c.is_ascii_alphabetic() || c == '_' || also.contains(c) || (at > 0 && c.is_ascii_digit())
    };
    match name.char_indices().all(is_usual) {
        true => Cow::Borrowed(name),
        false => {
            let usual = name.char_indices();
            let usual = usual.map(|(at, c)| if is_usual((at, c)) { c } else { '_' });
            Cow::Owned(usual.collect())
        }
    }
}

fn write_samples(family: &Family<'_>, pod: &Pod, taken: Timestamp, lines: &mut String) {
    let name = unquoted(&family.name, ":");
    let taken = taken.as_millisecond();
    let taken = format!("{}.{:03}", taken / 1000, taken % 1000);
    for (labels, value) in &family.series {
        let labels = labels_with(labels, pod);
        let mut line = |suffix: &str, more: &str, value: f64| {
            let value = number(value);
            let _ = writeln!(lines, "{name}{suffix}{{{labels}{more}}} {value} {taken}");
        };
        match value {
            Value::Number(value) => line("", "", *value),
            Value::Histogram(histogram) => {
                for bucket in &histogram.buckets {
                    let le = format!(",le=\"{}\"", bound(bucket.le));
                    line("_bucket", &le, bucket.count);
                }
                if let Some(sum) = histogram.sum {
                    line("_sum", "", sum);
                }
                if let Some(count) = histogram.count {
                    line("_count", "", count);
                }
            }
        }
    }
}

fn labels_with(labels: &Labels<'_>, pod: &Pod) -> String {
    let ours: &[(&str, &str)] = match &pod.namespace {
        Some(namespace) => &[("namespace", namespace), ("pod", &pod.name)],
        None => &[("instance", &pod.name)],
    };
    let theirs =
        labels.iter().map(
            |(name, value)| match ours.iter().any(|(our, _)| *our == name) {
                true => (Cow::Owned(format!("exported_{name}")), value),
                false => (unquoted(name, ""), value),
            },
        );
    let ours = ours
        .iter()
        .map(|(name, value)| (Cow::Borrowed(*name), *value));
    ours.chain(theirs)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect::<Vec<_>>()
        .join(",")
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => format!("{value:?}"),
    }
}

/// As the pickers write it, so that it is the same series as one that Prometheus has scraped: Go's
/// shortest form, with an exponent below 1e-4 and from 1e6 on.
fn bound(le: f64) -> String {
    let scientific = format!("{le:e}");
    let parts = scientific.split_once('e');
    let parts = parts.and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?)));
    match parts {
        Some((digits, exponent)) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        Some(_) => le.to_string(),
        None => number(le),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_spelt_as_go_does() {
        let bounds = [
            0.0,
            0.005,
            1.0,
            100_000.0,
            1e6,
            1_048_576.0,
            0.0001,
            1e-5,
            f64::INFINITY,
        ];
        assert_eq!(
            bounds.map(bound),
            [
                "0",
                "0.005",
                "1",
                "100000",
                "1e+06",
                "1.048576e+06",
                "0.0001",
                "1e-05",
                "+Inf"
            ]
        );
    }
}
