//! Metrics text → which families and labels it has, whatever their values: by it, two versions of a picker
//! are told apart. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::exposition;

/// Families by name, each with the names of its labels over all series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape(BTreeMap<String, BTreeSet<String>>);

/// How one shape differs from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Families that are new.
    pub gained: Vec<String>,
    /// Families that are no longer there.
    pub lost: Vec<String>,
    /// Families that are in both, with other labels.
    pub relabelled: Vec<Relabelled>,
}

/// A family with other labels than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relabelled {
    /// Its name.
    pub family: String,
    /// Labels that are new.
    pub gained: Vec<String>,
    /// Labels that are no longer there.
    pub lost: Vec<String>,
}

impl Shape {
    /// Adds a page's families.
    pub fn add(&mut self, text: &[u8]) {
        for family in exposition::read_all(text).families {
            let labels = self.0.entry(family.name.into_owned()).or_default();
            for series in family.series.keys() {
                for (name, _) in series.iter() {
                    if !labels.contains(name) {
                        labels.insert(name.to_owned());
                    }
                }
            }
        }
    }

    /// Adds what another one has.
    pub fn merge(&mut self, other: &Self) {
        for (family, labels) in &other.0 {
            let known = self.0.entry(family.clone()).or_default();
            known.extend(labels.iter().cloned());
        }
    }

    /// Leaves only what another one has, too.
    pub fn keep_common(&mut self, other: &Self) {
        self.0.retain(|family, labels| {
            let also = other.0.get(family);
            labels.retain(|label| also.is_some_and(|also| also.contains(label)));
            also.is_some()
        });
    }

    /// The families' names.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is a family of this name.
    pub fn has(&self, family: &str) -> bool {
        self.0.contains_key(family)
    }

    /// The labels of a family.
    pub fn labels(&self, family: &str) -> Option<&BTreeSet<String>> {
        self.0.get(family)
    }

    /// What has changed since `before`.
    pub fn since(&self, before: &Self) -> Changes {
        let missing = |of: &Self, from: &Self| -> Vec<String> {
            let names = of.0.keys();
            names
                .filter(|name| !from.0.contains_key(*name))
                .cloned()
                .collect()
        };
        let relabelled = before.0.iter().filter_map(|(family, old)| {
            let new = self.0.get(family)?;
            let gained: Vec<String> = new.difference(old).cloned().collect();
            let lost: Vec<String> = old.difference(new).cloned().collect();
            (!gained.is_empty() || !lost.is_empty()).then(|| Relabelled {
                family: family.clone(),
                gained,
                lost,
            })
        });
        Changes {
            gained: missing(self, before),
            lost: missing(before, self),
            relabelled: relabelled.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Shape {
        let mut shape = Shape::default();
        shape.add(text.as_bytes());
        shape
    }

    #[test]
    fn families_and_labels_come_and_go_and_values_do_not_matter() {
        let before = shape("a{m=\"x\",t=\"1\"} 1\nb 2\nc 3\n");
        let after = shape("a{m=\"y\",p=\"2\"} 9\nb 7\nd 3\n");
        let changes = after.since(&before);
        assert_eq!(
            changes,
            Changes {
                gained: vec!["d".to_owned()],
                lost: vec!["c".to_owned()],
                relabelled: vec![Relabelled {
                    family: "a".to_owned(),
                    gained: vec!["p".to_owned()],
                    lost: vec!["t".to_owned()],
                }],
            }
        );
    }
}
