//! One pod's metrics text → a [`Snapshot`]: per signal, the newest name that the picker emits, and its
//! series added up over every label that no report asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use indexmap::{
    IndexMap,
    map::Entry::{Occupied, Vacant},
};

use crate::{
    exposition::{self, Family, KEPT_PROBLEMS, Kind, Labels, Problems, Value},
    vocabulary::{self, Entry, Generation, Name, Scope, Signal},
};

/// Seconds since 1970 at which a process started: by it, restarts are found.
/// Source: <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
const PROCESS_START: &str = "process_start_time_seconds";

/// So many prefixes of unknown names are told.
const TOLD_PREFIXES: usize = 12;

/// What one pod said at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    readings: BTreeMap<Signal, Reading>,
    /// Signals that the text names, also those without a series yet.
    named: BTreeSet<Signal>,
    /// When the process started, in seconds since 1970; `None` where it does not say.
    pub process_start: Option<f64>,
    /// What could not be read, or only with doubt.
    pub problems: ReadingProblems,
}

/// A signal as one picker emits it.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which of its names was read.
    pub name: Name,
    /// By what tells them apart; values of series that differ in other labels are added, but for views of a pool.
    pub series: IndexMap<Key, Value>,
}

/// What tells the series of a signal apart. A label that a series does not carry is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The model that the client named; empty where the picker could not read one.
    pub model: Option<Box<str>>,
    /// The model that the request was sent to.
    pub target: Option<Box<str>>,
    /// The request's priority.
    pub priority: Option<Box<str>>,
    /// The fairness id: mostly the tenant.
    pub fairness: Option<Box<str>>,
    /// The value of the signal's own label, see [`Entry::label`]; the pool's name for a pool's signals.
    pub own: Option<Box<str>>,
}

/// What a report must say of the text itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadingProblems {
    /// Lines that could not be read.
    pub unreadable: usize,
    /// Lines that contradict others, or say what cannot be.
    pub doubtful: usize,
    /// The first few, as text: line number, reason, excerpt. Safe to print.
    pub first: Vec<String>,
    /// The text ends inside a line: its last number may be cut off.
    pub no_final_newline: bool,
}

/// Why a body is no picker's metrics.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SnapshotError {
    /// Nothing to read.
    #[error("the answer is empty")]
    Empty,
    /// An error page, say.
    #[error("the answer is not metrics text; it begins: {first_line}")]
    NotMetrics {
        /// Escaped, cut.
        first_line: String,
    },
    /// Metrics, but not one name that a picker has.
    #[error("{names} metric names, none of {}; found: {}", vocabulary::PREFIXES.join(", "), found.join(", "))]
    NotAPicker {
        /// How many names the text has.
        names: usize,
        /// What they begin with.
        found: Vec<String>,
    },
}

impl Snapshot {
    /// Reads a body.
    ///
    /// # Errors
    /// Where the body is not metrics, or not a picker's: a picker of v0.1 that has served nothing and
    /// one without per-model metrics look the same, and neither is "no traffic".
    pub fn read(text: &[u8]) -> Result<Self, SnapshotError> {
        match Self::read_any(text)? {
            (snapshot, None) => Ok(snapshot),
            (_, Some(no_picker)) => Err(no_picker),
        }
    }

    /// Reads the body of what may be a picker of v0.1 before its first request, which names nothing yet: metrics
    /// without a picker's name are an empty snapshot.
    ///
    /// # Errors
    /// Where the body is not metrics.
    pub fn read_before_first(text: &[u8]) -> Result<Self, SnapshotError> {
        Self::read_any(text).map(|(snapshot, _)| snapshot)
    }

    /// What metrics say, and why they are no picker's where they are none.
    fn read_any(text: &[u8]) -> Result<(Self, Option<SnapshotError>), SnapshotError> {
        let mut found = BTreeSet::new();
        let mut named = BTreeSet::new();
        let mut is_picker = false;
        let exposition = exposition::read(text, |name| {
            is_picker |= vocabulary::is_picker_name(name);
            if found.len() < TOLD_PREFIXES {
                found.insert(prefix(name));
            }
            let known = vocabulary::lookup(name);
            named.extend(known.map(|(entry, _)| entry.signal));
            name == PROCESS_START || known.is_some()
        });
        if text.iter().all(u8::is_ascii_whitespace) {
            return Err(SnapshotError::Empty);
        }
        if exposition.is_not_metrics() {
            let first_line = text
                .split(|b| *b == b'\n')
                .find(|l| !l.trim_ascii().is_empty())
                .unwrap_or_default();
            let start = &first_line[..first_line.len().min(200)];
            return Err(SnapshotError::NotMetrics {
                first_line: String::from_utf8_lossy(start.trim_ascii_end())
                    .escape_debug()
                    .to_string(),
            });
        }
        let no_picker = (!is_picker).then(|| SnapshotError::NotAPicker {
            names: exposition.names,
            found: found.into_iter().collect(),
        });
        let mut snapshot = Self {
            problems: ReadingProblems::of(&exposition.problems, exposition.end),
            named,
            ..Self::default()
        };
        for family in exposition.families {
            if family.name == PROCESS_START {
                if let Some(Value::Number(start)) = family.series.first().map(|(_, value)| value) {
                    snapshot.process_start = Some(*start).filter(|s| s.is_finite() && *s > 0.0);
                }
            } else if let Some((entry, rank)) = vocabulary::lookup(&family.name) {
                snapshot.keep_newest(entry, rank, family);
            }
        }
        Ok((snapshot, no_picker))
    }

    /// The signal, if the picker emits it: absent is not zero.
    pub fn get(&self, signal: Signal) -> Option<&Reading> {
        self.readings.get(&signal)
    }

    /// Whether the text names the signal at all, be it in a `# TYPE` line without a series.
    pub fn names(&self, signal: Signal) -> bool {
        self.named.contains(&signal)
    }

    /// All signals that the picker emits.
    pub fn readings(&self) -> impl Iterator<Item = (Signal, &Reading)> {
        self.readings
            .iter()
            .map(|(signal, reading)| (*signal, reading))
    }

    /// The same pod, with other series.
    pub(crate) fn with_readings(&self, readings: BTreeMap<Signal, Reading>) -> Self {
        Self {
            readings,
            ..self.clone()
        }
    }

    /// The generation of names that the per-model numbers were read from: of the requests, else the
    /// newest of any signal. `None` before the first request of a picker whose names of the pool are
    /// the same in two generations.
    pub fn generation(&self) -> Option<Generation> {
        self.get(Signal::Requests)
            .and_then(|r| r.name.generation)
            .or_else(|| {
                self.readings
                    .values()
                    .filter_map(|r| r.name.generation)
                    .max()
            })
    }

    /// True when the picker has counted anything about any model.
    pub fn has_traffic(&self) -> bool {
        self.readings
            .keys()
            .any(|signal| signal.entry().scope == Scope::Model)
    }

    /// All series of a signal together: counts, or observations of a histogram. `None` where it is not emitted, or
    /// does not tell.
    pub(crate) fn total(&self, signal: Signal) -> Option<f64> {
        let values = self.get(signal)?.series.values();
        values
            .map(|value| match value {
                Value::Number(number) => Some(*number),
                Value::Histogram(histogram) => histogram.observations(),
            })
            .sum()
    }

    /// Whether this text lacks what another of the same pod has. Lines that are unreadable in both are the same ones;
    /// that the process does not say any more when it started is how a text that was cut between lines is known.
    pub(crate) fn is_less_whole_than(&self, other: &Self) -> bool {
        self.problems.unreadable > other.problems.unreadable
            || (self.problems.no_final_newline && !other.problems.no_final_newline)
            || (self.process_start.is_none() && other.process_start.is_some())
    }

    /// What the picker says it was built from.
    pub(crate) fn builds(&self) -> impl Iterator<Item = &str> {
        let readings = self.get(Signal::Build).into_iter();
        readings
            .flat_map(|reading| reading.series.keys())
            .filter_map(|key| key.own.as_deref())
            .filter(|build| !build.is_empty())
    }

    /// The models that requests were counted for, each once for each target.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        let requests = self.get(Signal::Requests);
        requests
            .into_iter()
            .flat_map(|reading| reading.series.keys())
            .filter_map(|key| key.model.as_deref())
    }

    /// The models of which more was measured than was refused or given up, and no request counted. A picker counts a
    /// request before it measures it: the count is missing in the text.
    pub(crate) fn uncounted_models(&self) -> BTreeSet<&str> {
        let mut measured: BTreeMap<(&str, Signal), f64> = BTreeMap::new();
        let mut not_served: BTreeMap<&str, f64> = BTreeMap::new();
        for (signal, reading) in &self.readings {
            for (key, value) in &reading.series {
                let Some(model) = key.model.as_deref() else {
                    continue;
                };
                match value {
                    Value::Histogram(histogram) => {
                        *measured.entry((model, *signal)).or_default() +=
                            histogram.observations().unwrap_or_default();
                    }
                    Value::Number(n) if matches!(signal, Signal::Errors | Signal::Cancelled) => {
                        *not_served.entry(model).or_default() += n;
                    }
                    Value::Number(_) => {}
                }
            }
        }
        let counted: BTreeSet<&str> = self.models().collect();
        let of_more = |((model, _), n): ((_, _), f64)| {
            let is_more = n > not_served.get(model).copied().unwrap_or_default();
            (is_more && !counted.contains(model)).then_some(model)
        };
        measured.into_iter().filter_map(of_more).collect()
    }

    /// Whether this picker counts errors at all, so that no error series means no error. The first
    /// release did not; it is told by what came with the counting of errors.
    pub fn counts_errors(&self) -> bool {
        self.generation()
            .is_some_and(|g| g > Generation::InferenceModel)
            || self.readings.keys().any(|signal| {
                use Signal::{Build, Cancelled, Errors, InFlight, ReadyEndpoints};
                matches!(
                    signal,
                    Errors | InFlight | ReadyEndpoints | Build | Cancelled
                )
            })
    }

    /// Whether a model server's own 4xx and 5xx are among the errors, and requests that clients gave up
    /// have a counter of their own. Of all pickers only gateway-core counts these; it is told by what it
    /// alone emits under names of that generation.
    pub fn counts_upstream_errors(&self) -> bool {
        use Signal::{Cancelled, RequestOverhead};
        [Cancelled, RequestOverhead].iter().any(|signal| {
            self.get(*signal)
                .is_some_and(|r| r.name.generation == Some(Generation::InferenceModel))
        })
    }

    fn keep_newest(&mut self, entry: &'static Entry, rank: usize, family: Family<'_>) {
        let before = self
            .readings
            .get(&entry.signal)
            .and_then(|r| entry.names.iter().position(|n| *n == r.name));
        if before.is_some_and(|before| before < rank) {
            return;
        }
        let mut series = IndexMap::new();
        let mut unlike_buckets = false;
        for (labels, mut value) in family.series {
            let key = Key::of(entry, &labels);
            if let Some(doubt) = question(entry.kind, &mut value) {
                let of = key.model.as_ref().map(|model| format!(" of {model:?}"));
                let of = of.unwrap_or_default();
                self.problems.doubt(format!("{}{of}: {doubt}", family.name));
            }
            match series.entry(key) {
                // Several pickers' views of one pool, or of one leader, are no sum.
                Occupied(mut view) if entry.kind == Kind::Gauge && entry.scope != Scope::Model => {
                    view.insert(Value::Number(f64::NAN));
                }
                Occupied(sum) => unlike_buckets |= add(sum.into_mut(), &value),
                Vacant(first) => {
                    first.insert(value);
                }
            }
        }
        if unlike_buckets {
            self.problems.doubt(format!(
                "{}: unlike buckets: added only where their bounds agree",
                family.name
            ));
        }
        let name = entry.names[rank];
        self.readings.insert(entry.signal, Reading { name, series });
    }
}

/// What speaks against a value. One that no count can be is made unknown.
fn question(kind: Kind, value: &mut Value) -> Option<String> {
    let cannot_be = |n: &f64| !n.is_finite() || *n < 0.0;
    match value {
        Value::Number(n) if kind == Kind::Counter && cannot_be(n) => {
            let said = mem::replace(n, f64::NAN);
            Some(format!("{said} is no count"))
        }
        Value::Number(_) => None,
        Value::Histogram(h) => {
            let said = h.counts().find(cannot_be);
            if let Some(said) = said {
                h.make_unknown();
                return Some(format!("{said} is no count"));
            }
            let (count, in_buckets) = (h.count?, h.in_buckets()?);
            (count != in_buckets).then(|| {
                format!(
                    "its count is {count}, and its +Inf bucket {in_buckets}, which quantiles are of"
                )
            })
        }
    }
}

/// Adds a series of the same key. Returns true where unlike bucket layouts were joined.
fn add(sum: &mut Value, value: &Value) -> bool {
    match (sum, value) {
        (Value::Number(sum), Value::Number(n)) => {
            *sum += n;
            false
        }
        (Value::Histogram(sum), Value::Histogram(h)) => sum.merge(h),
        // A family that is a histogram here and a number there: the first stands.
        _ => false,
    }
}

impl Key {
    fn of(entry: &Entry, labels: &Labels<'_>) -> Self {
        let label = |name| labels.get(name).map(Box::from);
        match entry.scope {
            Scope::Model => Self {
                // A label that is missing and one that is empty are the same to Prometheus.
                model: Some(label("model_name").unwrap_or_default()),
                target: label("target_model_name"),
                priority: label("priority"),
                fairness: label("fairness_id"),
                own: entry.label.and_then(label),
            },
            Scope::Pool | Scope::Picker | Scope::Inner => Self {
                own: label("name")
                    .or_else(|| label("build_ref").filter(|build| !build.is_empty()))
                    .or_else(|| label("commit")),
                ..Self::default()
            },
        }
    }
}

impl ReadingProblems {
    fn of(problems: &Problems, end: exposition::End) -> Self {
        Self {
            unreadable: problems.unreadable,
            doubtful: problems.doubtful,
            first: problems
                .first
                .iter()
                .map(|p| match p.line {
                    0 => format!("{}: {}", p.reason, p.excerpt),
                    line => format!("line {line}: {}: {}", p.reason, p.excerpt),
                })
                .collect(),
            no_final_newline: end == exposition::End::NoNewline,
        }
    }

    fn doubt(&mut self, text: String) {
        self.doubtful += 1;
        if self.first.len() < KEPT_PROBLEMS {
            self.first.push(text);
        }
    }
}

/// What people call the source of a metric: `go_`, `vllm:`.
fn prefix(name: &str) -> String {
    let end = name.find([':', '_']).map_or(name.len(), |i| i + 1);
    name[..end].escape_debug().to_string()
}
