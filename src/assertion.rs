//! The small language of `igctl smoke`: text → [`Assertion`]. Pure; it knows the signals of
//! [`crate::vocabulary`] and nothing of what was read.
//!
//! It stays near the thresholds of k6 where nothing speaks against, and like PromQL it demands a unit
//! where there is one: `p99 < 2` would mean seconds to one reader and milliseconds to the next. The
//! grammar stands in the help of `igctl smoke` and in its man page.

use std::fmt;
use std::iter;

use unicode_width::UnicodeWidthStr;

use crate::exposition::Kind;
use crate::glob::Glob;
use crate::visible::visible;
use crate::vocabulary::{Entry, Generation, Scope, Signal, TABLE, Unit};

/// What is claimed, and how it was written.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// As it was written.
    pub text: String,
    /// What it means.
    pub claim: Claim,
}

/// What can be claimed.
#[derive(Debug, Clone)]
pub enum Claim {
    /// Of all models that match together.
    All(Test),
    /// Of every model that matches by itself.
    Each(Test),
    /// That no model matches.
    Absent(Glob),
    /// That all pickers use these names, or that none does.
    Generation {
        /// `==` rather than `!=`.
        is: bool,
        /// The names.
        generation: Generation,
    },
}

/// A quantity held against a number.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is measured.
    pub quantity: Quantity,
    /// Of which models; `None`: of all.
    pub models: Option<Glob>,
    /// How they are compared.
    pub comparison: Comparison,
    /// In the base unit: seconds, bytes, a share of 1, per second.
    pub bound: f64,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// A counter or gauge of models.
    Count(Signal),
    /// Requests per second.
    Rate,
    /// Errors as a share of what was asked for.
    ErrorRate,
    /// A quantile of a distribution.
    Quantile {
        /// 0 to 1.
        q: f64,
        /// Of what.
        signal: Signal,
    },
    /// A gauge of the pool.
    Pool(Signal),
}

/// How a value and a bound are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    NotEqual,
}

impl Comparison {
    /// Whether `value` compares so to `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Greater => value > bound,
            Self::AtLeast => value >= bound,
            Self::Equal => value == bound,
            Self::NotEqual => value != bound,
        }
    }
}

impl Quantity {
    /// The unit of its values.
    pub fn unit(self) -> Measure {
        match self {
            Self::Rate => Measure::PerSecond,
            Self::ErrorRate => Measure::Of(Unit::Ratio),
            Self::Count(signal) | Self::Pool(signal) | Self::Quantile { signal, .. } => {
                Measure::Of(signal.entry().unit)
            }
        }
    }
}

/// The unit of a quantity, and so of the number that it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// That of a signal; a ratio is written in percent.
    Of(Unit),
    /// Per second.
    PerSecond,
}

impl Measure {
    /// What may stand behind a number, with what it multiplies by.
    fn suffixes(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Of(Unit::Seconds) => &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)],
            Self::Of(Unit::Bytes) => &[("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)],
            Self::Of(Unit::Ratio) => &[("%", 0.01)],
            Self::PerSecond => &[("/s", 1.0)],
            Self::Of(Unit::Count | Unit::Tokens) => &[("", 1.0)],
        }
    }
}

/// Why a text is no assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The file and line that it stands in; `None` for an argument.
    pub place: Option<String>,
    /// The whole text.
    text: String,
    /// Where it stops making sense, in bytes.
    at: usize,
    /// What is wrong there.
    problem: String,
}

impl std::error::Error for SyntaxError {}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.text.split_at(self.at);
        let before = visible(before);
        let place = self.place.as_deref().map(visible);
        writeln!(
            f,
            "cannot read an assertion{}{}",
            if place.is_some() { " of " } else { "" },
            place.unwrap_or_default()
        )?;
        writeln!(f, "  {before}{}", visible(after))?;
        write!(
            f,
            "  {:width$}^ {}",
            "",
            // A glob's problem quotes it.
            visible(&self.problem),
            width = before.width()
        )
    }
}

impl Assertion {
    /// Reads one assertion.
    ///
    /// # Errors
    /// Where it follows no rule of the grammar: says at which character.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor { text, at: 0 };
        let claim = cursor
            .claim()
            .and_then(|claim| cursor.end().map(|()| claim));
        match claim {
            Ok(claim) => Ok(Self {
                text: text.trim().to_owned(),
                claim,
            }),
            Err((at, problem)) => Err(SyntaxError {
                place: None,
                text: text.to_owned(),
                at,
                problem,
            }),
        }
    }

    /// Reads one a line; empty lines and lines that begin with `#` say nothing.
    ///
    /// # Errors
    /// As [`Self::parse`], with the line's number behind `name`.
    pub fn parse_lines(lines: &str, name: &str) -> Result<Vec<Self>, SyntaxError> {
        lines
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .map(|(index, line)| {
                Self::parse(line).map_err(|fault| SyntaxError {
                    place: Some(format!("{name}:{}", index + 1)),
                    ..fault
                })
            })
            .collect()
    }
}

/// Where reading stopped, and why.
type Fault = (usize, String);

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn claim(&mut self) -> Result<Claim, Fault> {
        let begun = self.skip_space();
        match self.word() {
            "each" => {
                self.expect('(')?;
                let begun = self.skip_space();
                let test = self.test()?;
                if let Quantity::Pool(_) = test.quantity {
                    return Err((begun, "this is the pool's, not each model's".to_owned()));
                }
                if of_picker(test.quantity) {
                    return Err((begun, "this is the picker's, not each model's".to_owned()));
                }
                self.expect(')')?;
                Ok(Claim::Each(test))
            }
            "absent" => {
                self.expect('(')?;
                let models = self.models()?;
                self.expect(')')?;
                Ok(Claim::Absent(models))
            }
            "generation" => self.generation(),
            _ => {
                self.at = begun;
                self.test().map(Claim::All)
            }
        }
    }

    fn generation(&mut self) -> Result<Claim, Fault> {
        let at = self.skip_space();
        let is = match self.comparison()? {
            Comparison::Equal => true,
            Comparison::NotEqual => false,
            _ => return Err((at, "generations are compared with == or !=".to_owned())),
        };
        let at = self.skip_space();
        let name = self.word();
        GENERATIONS
            .into_iter()
            .find(|generation| generation.name() == name)
            .map(|generation| Claim::Generation { is, generation })
            .ok_or_else(|| {
                let names: Vec<&str> = GENERATIONS.iter().map(|g| g.name()).collect();
                (at, format!("a generation is one of {}", names.join(", ")))
            })
    }

    fn test(&mut self) -> Result<Test, Fault> {
        let (quantity, models) = self.quantity()?;
        let comparison = self.comparison()?;
        let bound = self.number(quantity.unit())?;
        Ok(Test {
            quantity,
            models,
            comparison,
            bound,
        })
    }

    fn quantity(&mut self) -> Result<(Quantity, Option<Glob>), Fault> {
        let begun = self.skip_space();
        let word = self.word();
        if let Some(q) = percentile(word) {
            let (signal, models) = self.of_what()?;
            return match q {
                Some(q) => Ok((Quantile { q, signal }, models)),
                None => Err((begun, "a quantile is p0 to p100, such as p99".to_owned())),
            };
        }
        use Quantity::{Count, ErrorRate, Pool, Quantile, Rate};
        let quantity = match word {
            "rate" => Rate,
            "error_rate" => ErrorRate,
            _ => match named(word) {
                Some(entry) if entry.kind == Kind::Histogram => {
                    let problem = format!("{word} is a distribution: write p99({word})");
                    return Err((begun, problem));
                }
                Some(entry) if entry.scope == Scope::Pool => Pool(entry.signal),
                Some(entry) if entry.scope == Scope::Model => Count(entry.signal),
                _ => return Err((begun, format!("expected {}", quantities().join(", ")))),
            },
        };
        let at = self.skip_space();
        let models = if self.take("(") {
            if let Pool(_) = quantity {
                return Err((at, format!("{word} is the pool's: it has no models")));
            }
            let models = self.models()?;
            self.expect(')')?;
            Some(models)
        } else {
            None
        };
        Ok((quantity, models))
    }

    /// What stands in the parentheses behind a quantile: a signal, models, both, or nothing.
    fn of_what(&mut self) -> Result<(Signal, Option<Glob>), Fault> {
        self.skip_space();
        if !self.take("(") {
            return Ok((Signal::Latency, None));
        }
        let begun = self.skip_space();
        if self.rest().starts_with('"') {
            let models = self.models()?;
            self.expect(')')?;
            return Ok((Signal::Latency, Some(models)));
        }
        let entry = named(self.word())
            .filter(|entry| entry.kind == Kind::Histogram)
            .ok_or_else(|| {
                let known = TABLE
                    .iter()
                    .filter(|e| e.kind == Kind::Histogram && e.scope != Scope::Inner)
                    .map(|e| e.title);
                let known: Vec<&str> = known.collect();
                (
                    begun,
                    format!("expected {} or a \"model\"", known.join(", ")),
                )
            })?;
        let at = self.skip_space();
        let models = if self.take(",") {
            if entry.scope != Scope::Model {
                let problem = format!("{} is the picker's: it has no models", entry.title);
                return Err((at, problem));
            }
            Some(self.models()?)
        } else {
            None
        };
        self.expect(')')?;
        Ok((entry.signal, models))
    }

    fn models(&mut self) -> Result<Glob, Fault> {
        let begun = self.skip_space();
        if !self.take("\"") {
            return Err((begun, "expected a model's name in double quotes".to_owned()));
        }
        let mut glob = String::new();
        loop {
            if self.take("\\\"") {
                glob.push('"');
            } else if self.take("\"") {
                break;
            } else if let Some(c) = self.rest().chars().next() {
                // Other escapes are the glob's: \* is a star.
                glob.push(c);
                self.at += c.len_utf8();
                if c == '\\'
                    && let Some(c) = self.rest().chars().next()
                {
                    glob.push(c);
                    self.at += c.len_utf8();
                }
            } else {
                return Err((begun, "these quotes are not closed".to_owned()));
            }
        }
        Glob::parse(&glob).map_err(|fault| (begun, fault.to_string()))
    }

    fn comparison(&mut self) -> Result<Comparison, Fault> {
        let at = self.skip_space();
        // Longer ones first.
        let known = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        known
            .into_iter()
            .find(|(sign, _)| self.take(sign))
            .map(|(_, comparison)| comparison)
            .ok_or_else(|| (at, "expected <, <=, >, >=, == or !=".to_owned()))
    }

    /// A number with its unit, in the base unit.
    fn number(&mut self, measure: Measure) -> Result<f64, Fault> {
        let begun = self.skip_space();
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '.');
        let number: f64 = digits
            .parse()
            .map_err(|_| (begun, "expected a number such as 20 or 1.5".to_owned()))?;
        let at = self.at;
        let unit = self.take_while(|c| c.is_alphanumeric() || matches!(c, '%' | '/' | 'µ'));
        let known = measure.suffixes();
        known
            .iter()
            .find(|(suffix, _)| *suffix == unit)
            // Divided where that is exact: 3 * 0.001 is not 0.003.
            .map(|(_, factor)| match *factor < 1.0 {
                true => number / (1.0 / factor).round(),
                false => number * factor,
            })
            .ok_or_else(|| {
                let units: Vec<&str> = known.iter().map(|(suffix, _)| *suffix).collect();
                let problem = match (&units[..], unit) {
                    ([""], _) => "a count has no unit".to_owned(),
                    (units, "") => format!("a unit is missing: {}", units.join(", ")),
                    (units, _) => format!("the unit here is {}", units.join(", ")),
                };
                (at, problem)
            })
    }

    fn end(&mut self) -> Result<(), Fault> {
        let at = self.skip_space();
        match self.rest() {
            "" => Ok(()),
            _ => Err((at, "expected the end of the assertion".to_owned())),
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), Fault> {
        let at = self.skip_space();
        match self.take(sign.encode_utf8(&mut [0; 4])) {
            true => Ok(()),
            false => Err((at, format!("expected {sign}"))),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) -> usize {
        self.take_while(char::is_whitespace);
        self.at
    }

    /// A name, or `p99.9`.
    fn word(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    }

    fn take(&mut self, sign: &str) -> bool {
        let taken = self.rest().starts_with(sign);
        self.at += if taken { sign.len() } else { 0 };
        taken
    }

    fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}

const GENERATIONS: [Generation; 4] = [
    Generation::LlmDEpp,
    Generation::LlmDRouterEpp,
    Generation::InferenceObjective,
    Generation::InferenceModel,
];

/// `None`: no quantile; `Some(None)`: one that cannot be.
fn percentile(word: &str) -> Option<Option<f64>> {
    let percent: f64 = word
        .strip_prefix('p')
        .filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))?
        .parse()
        .ok()?;
    Some((percent <= 100.0).then_some(percent / 100.0))
}

fn named(title: &str) -> Option<&'static Entry> {
    TABLE
        .iter()
        .find(|entry| entry.title == title && entry.scope != Scope::Inner)
}

fn of_picker(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::Quantile { signal, .. } if signal.entry().scope != Scope::Model)
}

/// What an assertion can begin with.
fn quantities() -> Vec<&'static str> {
    let signals = TABLE
        .iter()
        .filter(|entry| entry.kind != Kind::Histogram)
        .filter(|entry| matches!(entry.scope, Scope::Model | Scope::Pool))
        .map(|entry| entry.title);
    signals
        .chain(["rate", "error_rate", "p99", "each(…)", "absent(…)"])
        .chain(iter::once("generation"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn test(text: &str) -> Test {
        match Assertion::parse(text) {
            Ok(Assertion {
                claim: Claim::All(test) | Claim::Each(test),
                ..
            }) => test,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn numbers_come_in_base_units() {
        let bounds = [
            ("requests(\"qwen*\") >= 20", 20.0),
            ("error_rate < 1%", 0.01),
            ("p99<2s", 2.0),
            ("p95(ttft, \"qwen3-32b\") <= 800ms", 0.8),
            ("each( p99 < 0.5m )", 30.0),
            ("p50(scheduler) < 300us", 0.0003),
            ("rate > 5/s", 5.0),
            ("ready_endpoints >= 2", 2.0),
            ("kv_cache < 90%", 0.9),
            ("p90(request_size) < 1.5kB", 1500.0),
            ("p90(output_tokens, \"m\") == 128", 128.0),
        ];
        let (texts, want): (Vec<&str>, Vec<f64>) = bounds.into_iter().unzip();
        let got: Vec<f64> = texts.iter().map(|text| test(text).bound).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn quantiles_and_signals_are_those_of_the_catalog() {
        let quantities = [
            "p99.9 < 1s",
            "p95(ttft, \"m\") < 1s",
            "p50(\"m\") < 1s",
            "in_flight < 3",
            "queue < 5",
        ]
        .map(|text| test(text).quantity);
        assert_eq!(
            quantities,
            [
                Quantity::Quantile {
                    q: 0.9990000000000001,
                    signal: Signal::Latency
                },
                Quantity::Quantile {
                    q: 0.95,
                    signal: Signal::TimeToFirstToken
                },
                Quantity::Quantile {
                    q: 0.5,
                    signal: Signal::Latency
                },
                Quantity::Count(Signal::InFlight),
                Quantity::Pool(Signal::Queue),
            ]
        );
    }

    #[test]
    fn quotes_in_names_are_escaped_and_other_escapes_are_the_globs() {
        let models = test(r#"requests("a\"b\*c/*") > 0"#).models.expect("models");
        let matches = [r#"a"b*c/d"#, r#"a"bxc/d"#].map(|name| models.is_match(name));
        assert_eq!((models.text(), matches), (r#"a"b\*c/*"#, [true, false]));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let wrong = [
            "",
            "p99",
            "p99 < 2",
            "p99 < 2kB",
            "p99 =< 2s",
            "p101 < 2s",
            "p99 < fast",
            "requests > 20ms",
            "requests(qwen) > 2",
            "requests(\"qwen) > 2",
            "requests(\"[a\") > 2",
            "requests(\"m\" > 2",
            "latency < 2s",
            "reqests > 2",
            "p99(errors) < 2s",
            "p99(scheduler, \"m\") < 2s",
            "ready_endpoints(\"m\") > 2",
            "each(queue < 3)",
            "each(p99(scheduler) < 3s)",
            "each(requests > 2) > 3",
            "absent(other)",
            "generation < llm_d_epp",
            "generation == llm-d",
            "error_rate < 0.01",
            "模型 > \u{1b}[2J1",
        ];
        let told = wrong.map(|text| {
            Assertion::parse(text)
                .err()
                .map_or(format!("{text} was read"), |fault| fault.to_string())
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn files_have_comments_and_their_lines_are_named() {
        let read = |text| Assertion::parse_lines(text, "smoke.txt").map(|all| all.len());
        let fine = read("# speed\n\n  p99 < 2s\nrequests > 0  \n");
        let wrong = read("# speed\n\np99 < 2\n").map_err(|fault| fault.to_string());
        assert_eq!(
            (fine, wrong),
            (
                Ok(2),
                Err("cannot read an assertion of smoke.txt:3\n  p99 < 2\n         ^ a unit is missing: us, ms, s, m".to_owned())
            )
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", at in 0..6_usize) {
            let start = ["", "p99(", "requests(\"", "each(", "generation == ", "p99 < 1"][at];
            if let Err(fault) = Assertion::parse(&format!("{start}{text}")) {
                prop_assert!(fault.to_string().contains('^'));
            }
        }
    }
}
