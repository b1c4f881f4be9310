//! Model rewrites: a client's model name stands for one or several target
//! models, by weight.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// Which model each client's name stands for.
#[derive(Debug, Default)]
pub struct Rewrites {
    by_model: BTreeMap<Arc<str>, Split>,
    /// What every other model stands for.
    for_all: Option<Split>,
}

/// One target of a rewrite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The model name that the model server knows.
    pub target: Arc<str>,
    /// Its share of the requests, over the sum of all weights.
    pub weight: u32,
}

/// One `--rewrite` as it is typed: `MODEL=TARGET:WEIGHT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The name that clients use.
    pub model: Arc<str>,
    /// One model that it stands for.
    pub to: Target,
}

/// Why a rewrite cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not `MODEL=TARGET:WEIGHT`.
    #[error("a rewrite is MODEL=TARGET:WEIGHT with a whole number for the weight")]
    Form,
    /// The file is not the JSON that it should be.
    #[error("reading the rewrites as JSON")]
    Json(#[source] serde_json::Error),
    /// All weights of a model are 0, or they overflow.
    #[error("the weights of {0:?} must add up to between 1 and {max}", max = u32::MAX)]
    Weights(Arc<str>),
    /// An empty name.
    #[error("a rewrite needs a name on both sides")]
    Unnamed,
}

impl FromStr for Rewrite {
    type Err = Error;

    /// The model ends at the first `=`, the target at the last `:`; names in
    /// which that goes wrong belong into a rewrite file.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (model, to) = text.split_once('=').ok_or(Error::Form)?;
        let (target, weight) = to.rsplit_once(':').ok_or(Error::Form)?;
        Ok(Self {
            model: model.into(),
            to: Target {
                target: target.into(),
                weight: weight.parse().map_err(|_| Error::Form)?,
            },
        })
    }
}

impl Rewrites {
    /// Gathers rewrites; those of one model share its requests by weight.
    ///
    /// # Errors
    /// A name is empty, or the weights of a model do not add up.
    pub fn new(rewrites: impl IntoIterator<Item = Rewrite>) -> Result<Self, Error> {
        let mut targets = BTreeMap::<_, Vec<_>>::new();
        for Rewrite { model, to } in rewrites {
            if model.is_empty() || to.target.is_empty() {
                return Err(Error::Unnamed);
            }
            targets.entry(model).or_default().push(to);
        }
        targets
            .into_iter()
            .map(|(model, targets)| {
                let split = Split::new(targets).ok_or_else(|| Error::Weights(model.clone()))?;
                Ok((model, split))
            })
            .collect::<Result<_, _>>()
            .map(|by_model| Self {
                by_model,
                for_all: None,
            })
    }

    /// Of several rules for one model the first counts; those without any
    /// weight are left out.
    pub(crate) fn from_rules(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut rewrites = Self::default();
        for Rule { model, targets } in rules {
            let Some(split) = Split::new(targets) else {
                continue;
            };
            match model {
                Some(model) => {
                    rewrites.by_model.entry(model).or_insert(split);
                }
                None => {
                    rewrites.for_all.get_or_insert(split);
                }
            }
        }
        rewrites
    }

    /// Reads a rewrite file: `{"model": [{"target": "name", "weight": 1}]}`.
    ///
    /// # Errors
    /// The text is other JSON, or none; a model stands in it twice, or without
    /// any target.
    pub fn read(json: &str) -> Result<Vec<Rewrite>, Error> {
        let File(file) = serde_json::from_str(json).map_err(Error::Json)?;
        Ok(file
            .into_iter()
            .flat_map(|(model, targets)| {
                targets.into_iter().map(move |to| Rewrite {
                    model: model.clone(),
                    to,
                })
            })
            .collect())
    }

    /// What the next request for `model` goes to, if it is rewritten at all.
    pub(crate) fn target(&self, model: &str) -> Option<Arc<str>> {
        self.by_model
            .get(model)
            .or(self.for_all.as_ref())
            .map(Split::next)
    }

    /// How many models are rewritten by name.
    pub(crate) fn len(&self) -> usize {
        self.by_model.len()
    }

    /// Every name in it, on either side.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let splits = self.by_model.values().chain(&self.for_all);
        let targets = splits.flat_map(|split| split.targets.iter().map(|target| &target.target));
        self.by_model.keys().chain(targets)
    }
}

/// A rewrite file, in which nothing may be without effect.
struct File(BTreeMap<Arc<str>, Vec<Target>>);

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FileVisitor)
    }
}

struct FileVisitor;

impl<'de> Visitor<'de> for FileVisitor {
    type Value = File;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of lists of targets, by model")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File, A::Error> {
        let mut file = BTreeMap::<Arc<str>, _>::new();
        while let Some((model, targets)) = map.next_entry::<Arc<str>, Vec<Target>>()? {
            if targets.is_empty() {
                return Err(A::Error::custom(format_args!("{model:?} has no target")));
            }
            if file.contains_key(&model) {
                return Err(A::Error::custom(format_args!(
                    "{model:?} for the second time"
                )));
            }
            file.insert(model, targets);
        }
        Ok(File(file))
    }
}

/// What a model, or every model, stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) model: Option<Arc<str>>,
    pub(crate) targets: Vec<Target>,
}

/// The rewrites of the command line, and behind them those of the cluster.
#[derive(Debug)]
pub(crate) struct LiveRewrites {
    fixed: Rewrites,
    live: RwLock<Arc<Rewrites>>,
}

impl LiveRewrites {
    pub(crate) fn new(fixed: Rewrites) -> Self {
        Self {
            fixed,
            live: RwLock::default(),
        }
    }

    pub(crate) fn replace(&self, live: Rewrites) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }

    /// What the next request for `model` goes to, if it is rewritten at all.
    pub(crate) fn target(&self, model: &str) -> Option<Arc<str>> {
        let live = || {
            self.live
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .target(model)
        };
        self.fixed.target(model).or_else(live)
    }
}

/// The targets of one model and whose turn it is.
#[derive(Debug)]
struct Split {
    targets: Vec<Target>,
    total: u32,
    /// How far one request is from the next on the circle of weights. Without
    /// a common divisor with `total` every place is visited once a round, so
    /// shares are exact; near the golden section no target gets long runs.
    stride: u32,
    turn: AtomicU32,
}

impl Split {
    fn new(targets: Vec<Target>) -> Option<Self> {
        let total = targets
            .iter()
            .try_fold(0_u32, |sum, target| sum.checked_add(target.weight))
            .filter(|&total| total > 0)?;
        let golden = (f64::from(total) * 0.618) as u32;
        let stride = (golden.max(1)..=total)
            .find(|&stride| greatest_common_divisor(stride, total) == 1)
            .unwrap_or(1);
        Some(Self {
            targets,
            total,
            stride,
            turn: AtomicU32::new(0),
        })
    }

    fn next(&self) -> Arc<str> {
        let turn = u64::from(self.turn.fetch_add(1, Ordering::Relaxed));
        let mut place = turn * u64::from(self.stride) % u64::from(self.total);
        for target in &self.targets {
            match place.checked_sub(u64::from(target.weight)) {
                None => return target.target.clone(),
                Some(rest) => place = rest,
            }
        }
        unreachable!("the place is below the sum of the weights")
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrites(typed: &[&str]) -> Rewrites {
        Rewrites::new(typed.iter().map(|text| text.parse().expect("a rewrite")))
            .expect("weights that add up")
    }

    #[test]
    fn shares_are_exact_over_one_round() {
        let rewrites = rewrites(&["m=a:90", "m=b:10"]);
        let round: Vec<_> = (0..100).filter_map(|_| rewrites.target("m")).collect();
        let shares = ["a", "b"].map(|name| round.iter().filter(|to| &***to == name).count());
        assert_eq!(shares, [90, 10]);
    }

    #[test]
    fn equal_shares_alternate() {
        let rewrites = rewrites(&["m=a:50", "m=b:50"]);
        let first: Vec<_> = (0..10).filter_map(|_| rewrites.target("m")).collect();
        let a = first.iter().filter(|to| &***to == "a").count();
        assert!((4..=6).contains(&a), "{first:?}");
    }

    #[test]
    fn a_weight_of_0_gets_nothing_and_other_models_are_left_alone() {
        let rewrites = rewrites(&["m=a:0", "m=b:1"]);
        let seen = [
            rewrites.target("m"),
            rewrites.target("m"),
            rewrites.target("x"),
        ];
        assert_eq!(seen, [Some("b".into()), Some("b".into()), None]);
    }

    #[test]
    fn a_target_may_hold_colons_and_the_weight_is_compulsory() {
        let typed = ["m=a:b:7", "m=a", "m=a:x", "a:7", "m=a:-1"]
            .map(|text| text.parse::<Rewrite>().ok().map(|rewrite| rewrite.to));
        let expected = Target {
            target: "a:b".into(),
            weight: 7,
        };
        assert_eq!(typed, [Some(expected), None, None, None, None]);
    }

    #[test]
    fn of_rules_the_first_for_a_model_counts_and_one_for_all_comes_last() {
        let rule = |model: Option<&str>, target: &str| Rule {
            model: model.map(Arc::from),
            targets: vec![Target {
                target: target.into(),
                weight: 1,
            }],
        };
        let rules = [
            rule(None, "rest"),
            rule(Some("m"), "first"),
            rule(Some("m"), "second"),
        ];
        let live = LiveRewrites::new(rewrites(&["typed=wins:1"]));
        live.replace(Rewrites::from_rules(
            rules.into_iter().chain([rule(Some("typed"), "loses")]),
        ));
        let targets = ["m", "x", "typed"].map(|model| live.target(model));
        assert_eq!(
            targets,
            ["first", "rest", "wins"].map(|target| Some(target.into()))
        );
    }

    #[test]
    fn a_file_takes_names_that_the_flag_cannot() {
        let read =
            Rewrites::read(r#"{"a=b":[{"target":"c","weight":2}]}"#).expect("a rewrite file");
        let expected = Rewrite {
            model: "a=b".into(),
            to: Target {
                target: "c".into(),
                weight: 2,
            },
        };
        assert_eq!(read, [expected]);
    }

    #[test]
    fn what_would_do_nothing_in_a_file_is_refused_with_its_place() {
        let errors = [
            r#"{"m": [{"target":"a","weight":1}], "m": [{"target":"b","weight":1}]}"#,
            r#"{"m": []}"#,
            r#"{"m": [{"target":"a","weight":1,"wieght":3}]}"#,
            r#"{"m": [{"target":"a","weight":1,"weight":3}]}"#,
        ]
        .map(|json| match Rewrites::read(json) {
            Err(Error::Json(error)) => error.to_string(),
            other => format!("{other:?}"),
        });
        let expected = [
            "\"m\" for the second time at line 1 column 68",
            "\"m\" has no target at line 1 column 9",
            "unknown field `wieght`, expected `target` or `weight` at line 1 column 40",
            "duplicate field `weight` at line 1 column 40",
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn weights_that_do_not_add_up_are_refused() {
        let typed = [&["m=a:0"][..], &["m=a:4294967295", "m=b:1"]].map(|typed| {
            Rewrites::new(typed.iter().map(|text| text.parse().expect("a rewrite"))).is_err()
        });
        assert_eq!(typed, [true, true]);
    }
}
