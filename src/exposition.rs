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

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    fmt,
};

use memchr::{memchr, memchr2};

use crate::histogram::{Bucket, Histogram};

/// More labels than this on one line make it unreadable: no picker comes near, and a hostile line
/// could otherwise take many times its own size in memory.
const MAX_LABELS: usize = 128;

/// So many problems are kept with their line; the rest are only counted.
const KEPT_PROBLEMS: usize = 20;

/// What one body of metrics text says of the families that were wanted.
#[derive(Debug, Default)]
pub struct Exposition<'a> {
    /// The wanted families that have at least one series, in the order of their first sample.
    pub families: Vec<Family<'a>>,
    /// Metric names seen, wanted or not (`x_bucket`, `x_sum` and `x_count` are three).
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
    /// In the order of the text; label sets are distinct.
    pub series: Vec<Series<'a>>,
}

/// One label set with its value.
#[derive(Debug, PartialEq)]
pub struct Series<'a> {
    /// Without `le`.
    pub labels: Labels<'a>,
    /// A number, or the buckets of a histogram.
    pub value: Value,
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
    /// Of `_bucket`, `_sum` and `_count` lines together.
    Histogram(Histogram),
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
    fn add(&mut self, line: usize, reason: Reason, text: &[u8]) {
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

/// Reads a whole body. `wanted` is asked once for each metric name, and for the name without
/// `_bucket`, `_sum` or `_count`; only families for which it answers true are read.
pub fn read<'a>(text: &'a [u8], wanted: impl FnMut(&str) -> bool) -> Exposition<'a> {
    let mut reader = Reader {
        wanted,
        families: Vec::new(),
        places: HashMap::new(),
        routes: HashMap::new(),
        types: HashMap::new(),
        line: 0,
        samples: 0,
        problems: Problems::default(),
        run: Run::default(),
        eof: false,
    };
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = after;
        reader.line += 1;
        reader.take(line);
    }
    let end = match text.last() {
        _ if reader.eof => End::Eof,
        None | Some(b'\n') => End::Line,
        Some(_) => End::NoNewline,
    };
    reader.finish(end)
}

/// Where the samples of a name go.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Route {
    Skip,
    Number(usize),
    Bucket(usize),
    Sum(usize),
    Count(usize),
}

/// What the lines before have in common with the next one, probably.
#[derive(Default)]
struct Run<'a> {
    name: &'a [u8],
    route: Option<Route>,
    /// Of the last bucket line: everything up to and with `le="`.
    bucket: &'a [u8],
    /// Of the last bucket line: its labels without `le`, from `{` on, not closed.
    labels: &'a [u8],
    /// The series that both belong to: family and place in it.
    series: (usize, usize),
    /// The bounds of the series so far, as text and number, and which of them comes next: every series
    /// of a family spells the same bounds.
    bounds: Vec<(&'a [u8], f64)>,
    next_bound: usize,
}

struct Reader<'a, W> {
    wanted: W,
    families: Vec<Building<'a>>,
    /// Family name → its place.
    places: HashMap<Cow<'a, str>, usize>,
    /// Metric name as it stands in the text → what to do with its lines.
    routes: HashMap<&'a [u8], Route>,
    /// What `# TYPE` lines say.
    types: HashMap<&'a str, Kind>,
    line: usize,
    samples: usize,
    problems: Problems,
    run: Run<'a>,
    eof: bool,
}

struct Building<'a> {
    name: Cow<'a, str>,
    series: Vec<Series<'a>>,
    by_labels: HashMap<Labels<'a>, usize>,
}

impl<'a, W: FnMut(&str) -> bool> Reader<'a, W> {
    fn take(&mut self, line: &'a [u8]) {
        if !self.eof && self.continues_run(line) {
            return;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = trim_start(line);
        if line.is_empty() {
            return;
        }
        if self.eof {
            self.samples += 1;
            self.problems.add(self.line, Reason::AfterEof, line);
        } else if line[0] == b'#' {
            self.comment(line);
        } else {
            self.samples += 1;
            if let Err(reason) = self.sample(line) {
                self.problems.add(self.line, reason, line);
            }
        }
    }

    /// The fast ways: a line of a skipped name, or one more bucket of the same series.
    fn continues_run(&mut self, line: &'a [u8]) -> bool {
        match self.run.route {
            Some(Route::Skip) => {
                let n = self.run.name.len();
                let same = line.len() > n
                    && line.starts_with(self.run.name)
                    && matches!(line[n], b'{' | b' ');
                self.samples += usize::from(same);
                same
            }
            Some(Route::Bucket(_))
                if !self.run.bucket.is_empty() && line.starts_with(self.run.bucket) =>
            {
                let rest = &line[self.run.bucket.len()..];
                let Some(end) = memchr(b'"', rest) else {
                    return false;
                };
                let (bound, rest) = (&rest[..end], &rest[end + 1..]);
                let [b'}', b' ', number @ ..] = rest else {
                    return false;
                };
                let (Some(le), Some(count)) = (self.bound(bound), plain_count(number)) else {
                    return false;
                };
                self.samples += 1;
                self.push_bucket(self.run.series, le, count);
                true
            }
            _ => false,
        }
    }

    /// The number of a bound, from the series before where it is spelt the same.
    fn bound(&mut self, text: &'a [u8]) -> Option<f64> {
        let i = self.run.next_bound;
        if let Some((spelt, le)) = self.run.bounds.get(i)
            && *spelt == text
        {
            self.run.next_bound += 1;
            return Some(*le);
        }
        let le = number(text).filter(|le| !le.is_nan())?;
        // A sane layout is short; do not remember a hostile one.
        if i < 256 {
            self.run.bounds.truncate(i);
            self.run.bounds.push((text, le));
            self.run.next_bound += 1;
        }
        Some(le)
    }

    fn push_bucket(&mut self, (family, series): (usize, usize), le: f64, count: f64) {
        if let Value::Histogram(h) = &mut self.families[family].series[series].value {
            h.buckets.push(Bucket { le, count });
        }
    }

    fn comment(&mut self, line: &'a [u8]) {
        let rest = trim_start(&line[1..]);
        if rest == b"EOF" {
            self.eof = true;
            return;
        }
        let Some(rest) = rest
            .strip_prefix(b"TYPE")
            .filter(|r| r.first().is_some_and(|b| is_blank(*b)))
        else {
            return; // HELP, UNIT, or any remark
        };
        let Some((name, kind)) = declared(trim_start(rest)) else {
            self.problems.add(
                self.line,
                Reason::Malformed("a # TYPE line without a name and a kind"),
                line,
            );
            self.samples += 1;
            return;
        };
        match self.types.entry(name) {
            Entry::Occupied(e) if *e.get() != kind => {
                self.problems.add(self.line, Reason::OtherType, line)
            }
            Entry::Occupied(_) => {}
            // Remember only what someone may ask for: OpenMetrics declares `x` and samples `x_total`.
            Entry::Vacant(e) => {
                if (self.wanted)(name)
                    || kind == Kind::Counter && (self.wanted)(&format!("{name}_total"))
                {
                    e.insert(kind);
                }
            }
        }
    }

    fn sample(&mut self, line: &'a [u8]) -> Result<(), Reason> {
        let bare = bare_name(line);
        let route = match self.routes.get(bare) {
            Some(route) if !bare.is_empty() => *route,
            _ => return self.sample_of_new_name(line),
        };
        self.run.name = bare;
        self.run.route = Some(route);
        if route == Route::Skip {
            return Ok(());
        }
        if let Some(done) = self.sum_or_count_of_run(route, &line[bare.len()..]) {
            return done;
        }
        let parsed = parse_line(line)?;
        self.add(route, line, parsed)
    }

    /// `x_sum{…} 1` right after the buckets of the same series.
    fn sum_or_count_of_run(&mut self, route: Route, rest: &'a [u8]) -> Option<Result<(), Reason>> {
        let (Route::Sum(family) | Route::Count(family)) = route else {
            return None;
        };
        let (of, series) = self.run.series;
        if of != family || self.run.labels.is_empty() || !rest.starts_with(self.run.labels) {
            return None;
        }
        let [b'}', b' ', number @ ..] = &rest[self.run.labels.len()..] else {
            return None;
        };
        let value = simple_number(number)?;
        Some(self.set_part(route, (family, series), value))
    }

    /// The first line of a name is read whole even when nobody wants it, so that a body that is not
    /// metrics is seen to be none.
    fn sample_of_new_name(&mut self, line: &'a [u8]) -> Result<(), Reason> {
        let parsed = parse_line(line)?;
        let route = self.route(parsed.name.clone());
        let bare = bare_name(line);
        if !bare.is_empty() {
            self.routes.insert(bare, route);
            self.run.name = bare;
            self.run.route = Some(route);
        }
        self.add(route, line, parsed)
    }

    fn route(&mut self, name: Cow<'a, str>) -> Route {
        if (self.wanted)(&name) {
            return Route::Number(self.place(name));
        }
        for (suffix, route) in [
            ("_bucket", Route::Bucket as fn(usize) -> Route),
            ("_sum", Route::Sum),
            ("_count", Route::Count),
        ] {
            if let Some(stem) = name.strip_suffix(suffix)
                && (self.wanted)(stem)
            {
                let stem = match &name {
                    Cow::Borrowed(n) => Cow::Borrowed(&n[..stem.len()]),
                    Cow::Owned(_) => Cow::Owned(stem.to_owned()),
                };
                return route(self.place(stem));
            }
        }
        Route::Skip
    }

    fn place(&mut self, name: Cow<'a, str>) -> usize {
        *self.places.entry(name.clone()).or_insert_with(|| {
            self.families.push(Building {
                name,
                series: Vec::new(),
                by_labels: HashMap::new(),
            });
            self.families.len() - 1
        })
    }

    fn add(&mut self, route: Route, line: &'a [u8], parsed: Line<'a>) -> Result<(), Reason> {
        let Line {
            labels, le, value, ..
        } = parsed;
        match route {
            Route::Skip => Ok(()),
            Route::Number(family) => {
                // `le` is an ordinary label outside buckets.
                let labels = match le {
                    Some(le) => with_le(labels, le.text),
                    None => labels,
                };
                let family = &mut self.families[family];
                match family.by_labels.entry(labels) {
                    Entry::Occupied(_) => Err(Reason::DuplicateSeries),
                    Entry::Vacant(e) => {
                        let series = Series {
                            labels: e.key().clone(),
                            value: Value::Number(value),
                        };
                        e.insert(family.series.len());
                        family.series.push(series);
                        Ok(())
                    }
                }
            }
            Route::Bucket(family) => {
                let le = le.ok_or(Reason::NoBound)?;
                let bound = number(le.text.as_bytes())
                    .filter(|b| !b.is_nan())
                    .ok_or(Reason::BadBound)?;
                let series = self.histogram(family, labels)?;
                self.push_bucket((family, series), bound, value);
                self.remember(line, &le, (family, series));
                Ok(())
            }
            Route::Sum(family) | Route::Count(family) => {
                let series = self.histogram(family, labels)?;
                self.set_part(route, (family, series), value)
            }
        }
    }

    fn set_part(&mut self, route: Route, at: (usize, usize), value: f64) -> Result<(), Reason> {
        let Value::Histogram(h) = &mut self.families[at.0].series[at.1].value else {
            return Err(Reason::DuplicateSeries);
        };
        let part = if matches!(route, Route::Sum(_)) {
            &mut h.sum
        } else {
            &mut h.count
        };
        if part.is_some() {
            return Err(Reason::DuplicateSeries);
        }
        *part = Some(value);
        Ok(())
    }

    /// The series to put a part of a histogram into.
    fn histogram(&mut self, family: usize, labels: Labels<'a>) -> Result<usize, Reason> {
        let family = &mut self.families[family];
        Ok(match family.by_labels.entry(labels) {
            Entry::Occupied(e) => match family.series[*e.get()].value {
                Value::Histogram(_) => *e.get(),
                Value::Number(_) => return Err(Reason::DuplicateSeries),
            },
            Entry::Vacant(e) => {
                let place = family.series.len();
                let mut histogram = Histogram::default();
                if let Some(Series {
                    value: Value::Histogram(before),
                    ..
                }) = family.series.last()
                {
                    histogram.buckets.reserve_exact(before.buckets.len());
                }
                family.series.push(Series {
                    labels: e.key().clone(),
                    value: Value::Histogram(histogram),
                });
                e.insert(place);
                place
            }
        })
    }

    /// Lets the next line of this series take the fast way, if `le` is its last label.
    fn remember(&mut self, line: &'a [u8], le: &Le<'a>, series: (usize, usize)) {
        self.run.bucket = &[];
        self.run.labels = &[];
        self.run.next_bound = 0;
        let Some(start) = le.last_at else { return };
        let value_start = start + b"le=\"".len();
        if line.get(start..value_start) != Some(b"le=\"") {
            return; // blanks around `=`
        }
        let bound = le.text.len();
        if line.get(value_start + bound + 1) != Some(&b'}') {
            return; // a comma or blanks before `}`
        }
        self.run.bucket = &line[..value_start];
        self.run.series = series;
        let labels = &line[self.run.name.len()..start];
        self.run.labels = labels.strip_suffix(b",").unwrap_or(b"");
        // The layout begins anew with the lowest bound.
        let _ = self.bound(&line[value_start..value_start + bound]);
    }

    fn finish(mut self, end: End) -> Exposition<'a> {
        let mut families = Vec::with_capacity(self.families.len());
        for Building {
            name, mut series, ..
        } in self.families
        {
            if series.is_empty() {
                continue;
            }
            for s in &mut series {
                if let Value::Histogram(h) = &mut s.value {
                    for le in h.sort_and_dedup() {
                        let text = format!("{name} le=\"{le}\"");
                        self.problems
                            .add(0, Reason::DuplicateBucket, text.as_bytes());
                    }
                }
            }
            let declared = self.types.get(name.as_ref()).copied();
            let kind = declared
                .or_else(|| self.types.get(name.strip_suffix("_total")?).copied())
                .unwrap_or(match series[0].value {
                    Value::Histogram(_) => Kind::Histogram,
                    Value::Number(_) => Kind::Other,
                });
            families.push(Family { name, kind, series });
        }
        Exposition {
            families,
            names: self.routes.len(),
            samples: self.samples,
            problems: self.problems,
            end,
        }
    }
}

fn with_le<'a>(mut labels: Labels<'a>, le: Cow<'a, str>) -> Labels<'a> {
    let at = labels.0.partition_point(|(n, _)| n.as_ref() < "le");
    labels.0.insert(at, (Cow::Borrowed("le"), le));
    labels
}

/// `name kind` of a `# TYPE` line.
fn declared(rest: &[u8]) -> Option<(&str, Kind)> {
    let rest = std::str::from_utf8(rest).ok()?;
    let (name, kind) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?, // escapes would make it a name that nobody wants
        None => rest.split_once([' ', '\t'])?,
    };
    let kind = match kind.trim_matches([' ', '\t']) {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "" => return None,
        _ => Kind::Other,
    };
    Some((name, kind))
}

/// One sample line, read whole.
struct Line<'a> {
    name: Cow<'a, str>,
    labels: Labels<'a>,
    le: Option<Le<'a>>,
    value: f64,
}

/// The label `le`.
struct Le<'a> {
    text: Cow<'a, str>,
    /// Where it begins in the line, if no label follows it.
    last_at: Option<usize>,
}

fn parse_line(line: &[u8]) -> Result<Line<'_>, Reason> {
    use Reason::Malformed;
    let mut cursor = Cursor { line, at: 0 };
    let mut name = match bare_name(line) {
        b"" => None,
        bare => {
            cursor.at = bare.len();
            Some(Cow::Borrowed(
                std::str::from_utf8(bare).map_err(|_| Malformed("a name that is no name"))?,
            ))
        }
    };
    cursor.blanks();
    let mut labels = Labels::default();
    let mut le = None;
    if cursor.skip(b'{') {
        loop {
            cursor.blanks();
            if cursor.skip(b'}') {
                break;
            }
            let begin = cursor.at;
            let label = if cursor.peek() == Some(b'"') {
                let quoted = cursor.quoted()?;
                cursor.blanks();
                if cursor.peek() != Some(b'=') {
                    if name.replace(quoted).is_some() {
                        return Err(Malformed("two names"));
                    }
                    separator(&mut cursor)?;
                    continue;
                }
                quoted
            } else {
                let bare = cursor.label_name();
                if bare.is_empty() {
                    return Err(Malformed("a label without a name"));
                }
                Cow::Borrowed(bare)
            };
            cursor.blanks();
            if !cursor.skip(b'=') {
                return Err(Malformed("a label without ="));
            }
            cursor.blanks();
            if cursor.peek() != Some(b'"') {
                return Err(Malformed("a label value without quotes"));
            }
            let value = cursor.quoted()?;
            separator(&mut cursor)?;
            if let Some(Le { last_at, .. }) = &mut le {
                *last_at = None;
            }
            if label == "le" {
                if le.is_some() {
                    return Err(Malformed("a label given twice"));
                }
                le = Some(Le {
                    text: value,
                    last_at: Some(begin),
                });
            } else if labels.0.len() < MAX_LABELS {
                labels.0.push((label, value));
            } else {
                return Err(Malformed("more than 128 labels"));
            }
        }
    }
    let name = name.ok_or(Malformed("no metric name"))?;
    if !labels.0.is_sorted_by(|a, b| a.0 < b.0) {
        labels.0.sort();
        if labels.0.windows(2).any(|w| w[0].0 == w[1].0) {
            return Err(Malformed("a label given twice"));
        }
    }
    let value = value_and_rest(&line[cursor.at..])?;
    Ok(Line {
        name,
        labels,
        le,
        value,
    })
}

/// After a label or a quoted name: a comma, or the closing brace, which stays.
fn separator(cursor: &mut Cursor<'_>) -> Result<(), Reason> {
    cursor.blanks();
    if cursor.skip(b',') || cursor.peek() == Some(b'}') {
        Ok(())
    } else {
        Err(Reason::Malformed("labels that are not closed"))
    }
}

/// The value, then perhaps a timestamp, then perhaps an exemplar.
fn value_and_rest(rest: &[u8]) -> Result<f64, Reason> {
    use Reason::Malformed;
    let (value, rest) = word(trim_start(rest));
    let value = number(value).ok_or(Malformed("no value, or one that is no number"))?;
    let (timestamp, rest) = match trim_start(rest) {
        exemplar @ [b'#', ..] => (&b""[..], exemplar),
        other => word(other),
    };
    if !timestamp.is_empty() && !number(timestamp).is_some_and(f64::is_finite) {
        return Err(Malformed("a timestamp that is no number"));
    }
    match trim_start(rest) {
        [] => Ok(value),
        // OpenMetrics' exemplar; nothing here needs it.
        [b'#', exemplar @ ..] if trim_start(exemplar).first() == Some(&b'{') => Ok(value),
        _ => Err(Malformed("something after the value")),
    }
}

struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn label_name(&mut self) -> &'a str {
        let rest = &self.line[self.at..];
        let end = rest
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
            .unwrap_or(rest.len());
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return "";
        }
        self.at += end;
        std::str::from_utf8(&rest[..end]).unwrap_or("")
    }

    /// A quoted string. `\"`, `\\` and `\n` are its only escapes; any other backslash stands for itself.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Reason> {
        let start = self.at + 1;
        let mut owned: Option<Vec<u8>> = None;
        let mut from = start;
        loop {
            let rest = &self.line[from..];
            let Some(i) = memchr2(b'"', b'\\', rest) else {
                return Err(Reason::Malformed("a quote that is not closed"));
            };
            let at = from + i;
            if self.line[at] == b'"' {
                self.at = at + 1;
                let text = match owned {
                    None => std::str::from_utf8(&self.line[start..at])
                        .map(Cow::Borrowed)
                        .ok(),
                    Some(mut text) => {
                        text.extend_from_slice(&self.line[from..at]);
                        String::from_utf8(text).map(Cow::Owned).ok()
                    }
                };
                return text.ok_or(Reason::Malformed("a label value that is not UTF-8"));
            }
            let text = owned.get_or_insert_default();
            text.extend_from_slice(&self.line[from..at]);
            match self.line.get(at + 1) {
                Some(b'n') => text.push(b'\n'),
                Some(escaped @ (b'"' | b'\\')) => text.push(*escaped),
                Some(other) => text.extend_from_slice(&[b'\\', *other]),
                None => return Err(Reason::Malformed("a quote that is not closed")),
            }
            from = at + 2;
        }
    }
}

/// The metric name that a line begins with, or nothing.
fn bare_name(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b':')))
        .unwrap_or(line.len());
    match line.first() {
        Some(b'0'..=b'9') | None => b"",
        // Followed by anything else, it is no name.
        _ if line.get(end).is_some_and(|b| !(is_blank(*b) || *b == b'{')) => b"",
        _ => &line[..end],
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Up to the next blank, and what follows.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(memchr2(b' ', b'\t', text).unwrap_or(text.len()))
}

/// A bucket's count as nearly every line has it: digits to the end of the line.
fn plain_count(text: &[u8]) -> Option<f64> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    // Up to 15 digits are exact in an f64.
    if text.is_empty() || text.len() > 15 {
        return None;
    }
    let mut n = 0u64;
    for b in text {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n = n * 10 + u64::from(digit);
    }
    Some(n as f64)
}

/// A value that goes to the end of the line.
fn simple_number(text: &[u8]) -> Option<f64> {
    plain_count(text).or_else(|| number(text))
}

/// A number as Go's `strconv.ParseFloat` takes it, without its hexadecimal and underscored forms, which
/// Prometheus refuses too.
fn number(text: &[u8]) -> Option<f64> {
    if let Some(n) = plain_count(text) {
        return Some(n);
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
