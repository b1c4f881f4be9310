//! Lines → families: which lines are wanted, and what they have in common with those before.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use indexmap::{IndexMap, map::Entry as LabelsEntry};
use memchr::memchr;

use super::{
    End, Exposition, Family, Kind, Labels, Problems, Reason, Value,
    line::{Le, Line, bare_name, is_blank, number, parse_line, plain_count, trim_start},
};
use crate::histogram::{Bucket, Histogram};

/// So many names are remembered for skipping; the lines of further ones are read whole. No picker comes near, and a
/// hostile text could otherwise take many times its own size in memory.
const KEPT_NAMES: usize = 10_000;

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

pub(super) struct Reader<'a, W> {
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
    series: IndexMap<Labels<'a>, Value>,
}

impl<'a, W: FnMut(&str) -> bool> Reader<'a, W> {
    pub(super) fn new(wanted: W) -> Self {
        Self {
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
        }
    }

    /// Takes the next line, without its `\n`.
    pub(super) fn take(&mut self, line: &'a [u8]) {
        self.line += 1;
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
                let [b'}', b' ', digits @ ..] = rest else {
                    return false;
                };
                let (Some(le), Some(count)) = (self.bound(bound), plain_count(digits)) else {
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
        if let Value::Histogram(h) = &mut self.families[family].series[series] {
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
                if (self.wanted)(name) || (self.wanted)(&format!("{name}_total")) {
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
        let [b'}', b' ', value @ ..] = &rest[self.run.labels.len()..] else {
            return None;
        };
        let value = number(value)?;
        Some(self.set_part(route, (family, series), value))
    }

    /// The first line of a name is read whole even when nobody wants it, so that a body that is not
    /// metrics is seen to be none.
    fn sample_of_new_name(&mut self, line: &'a [u8]) -> Result<(), Reason> {
        let parsed = parse_line(line)?;
        let route = self.route(parsed.name.clone());
        let bare = bare_name(line);
        if !bare.is_empty() {
            if route != Route::Skip || self.routes.len() < KEPT_NAMES {
                self.routes.insert(bare, route);
            }
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
                series: IndexMap::new(),
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
                match self.families[family].series.entry(labels) {
                    LabelsEntry::Occupied(_) => Err(Reason::DuplicateSeries),
                    LabelsEntry::Vacant(e) => {
                        e.insert(Value::Number(value));
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
        let Value::Histogram(h) = &mut self.families[at.0].series[at.1] else {
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
        let series = &mut self.families[family].series;
        let as_before = match series.last() {
            Some((_, Value::Histogram(before))) => before.buckets.len(),
            _ => 0,
        };
        let entry = series.entry(labels);
        let place = entry.index();
        let value = entry.or_insert_with(|| {
            let mut histogram = Histogram::default();
            histogram.buckets.reserve_exact(as_before);
            Value::Histogram(Box::new(histogram))
        });
        match value {
            Value::Histogram(_) => Ok(place),
            Value::Number(_) => Err(Reason::DuplicateSeries),
        }
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

    /// What was read, of a text that ends with a line end or not.
    pub(super) fn finish(mut self, ends_within_a_line: bool) -> Exposition<'a> {
        let mut families = Vec::with_capacity(self.families.len());
        for Building { name, mut series } in self.families {
            if series.is_empty() {
                continue;
            }
            for value in series.values_mut() {
                if let Value::Histogram(h) = value {
                    for le in h.sort_and_dedup() {
                        let text = format!("{name} le=\"{le}\"");
                        self.problems
                            .add(0, Reason::DuplicateBucket, text.as_bytes());
                    }
                }
            }
            let declared = self.types.get(name.as_ref()).copied();
            let counter = || {
                let kind = self.types.get(name.strip_suffix("_total")?).copied();
                kind.filter(|kind| *kind == Kind::Counter)
            };
            let kind = declared.or_else(counter).unwrap_or(match series[0] {
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
            end: match ends_within_a_line {
                _ if self.eof => End::Eof,
                true => End::NoNewline,
                false => End::Line,
            },
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
