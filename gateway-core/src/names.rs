//! Which model names become label values.
//!
//! Clients choose `model`; every new label value costs memory here and in
//! every reader for ever. So configured names always pass, others up to a cap,
//! and the rest share one label. A name once let in stays, so that what goes
//! up for it also goes down.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The label of all names that are not let in.
const OTHER: &str = "other";

/// Longer names (in bytes) are counted as [`OTHER`]: a name is written some
/// 150 times per scrape.
const MAX_LENGTH: usize = 512;

#[derive(Debug)]
pub(crate) struct ModelNames {
    other: Arc<str>,
    /// How many names may be let in beside the configured ones.
    cap: usize,
    names: RwLock<Names>,
}

#[derive(Debug, Default)]
struct Names {
    configured: HashSet<Arc<str>>,
    let_in: HashSet<Arc<str>>,
}

impl Names {
    fn get(&self, name: &str) -> Option<&Arc<str>> {
        self.configured.get(name).or_else(|| self.let_in.get(name))
    }
}

impl ModelNames {
    pub(crate) fn new(configured: impl IntoIterator<Item = Arc<str>>, cap: usize) -> Self {
        let names = Self {
            other: OTHER.into(),
            cap,
            names: RwLock::default(),
        };
        names.keep(configured);
        names
    }

    /// Lets names in that are configured, whatever comes of others.
    pub(crate) fn keep(&self, configured: impl IntoIterator<Item = Arc<str>>) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        names.configured.extend(configured);
    }

    /// The label value of a model name. Control characters in it stay as they
    /// are; the exposition format escapes what it must.
    pub(crate) fn label(&self, name: &str) -> Arc<str> {
        if let Some(known) = self
            .names
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
        {
            return known.clone();
        }
        if name.len() > MAX_LENGTH {
            return self.other.clone();
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have let it in between the two locks.
        if let Some(known) = names.get(name) {
            return known.clone();
        }
        if names.let_in.len() >= self.cap {
            return self.other.clone();
        }
        let name: Arc<str> = name.into();
        names.let_in.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_shares_one_label_and_configured_names_keep_theirs() {
        let names = ModelNames::new(["configured".into()], 2);
        let flood = ["a", "b", "c", "a", "configured", "d"].map(|name| names.label(name));
        let expected = ["a", "b", "other", "a", "configured", "other"].map(Arc::from);
        assert_eq!(flood, expected);
    }

    #[test]
    fn only_configured_names_may_be_longer_than_the_limit() {
        let long = "x".repeat(MAX_LENGTH + 1);
        let names = ModelNames::new([long.as_str().into()], 9);
        let labels = [
            names.label(&long),
            names.label(&"y".repeat(MAX_LENGTH + 1)),
            names.label(&long[1..]),
        ];
        assert_eq!(labels, [long.as_str(), OTHER, &long[1..]].map(Arc::from));
    }
}
