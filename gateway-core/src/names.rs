//! Which model names become label values.
//!
//! Clients choose `model`; every new label value costs memory here and in
//! every reader for ever. So configured names always pass, others up to a cap
//! of their number and of their length, and the rest share one label. A name
//! once let in stays, so that what goes up for it also goes down.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The label of all names that are not let in.
const OTHER: &str = "other";

/// Longer names (in bytes) are counted as [`OTHER`].
const MAX_LENGTH: usize = 512;

/// How many bytes of names are let in for each name that may be. A name is
/// written some 400 times per scrape, so that those of a thousand models take
/// some 25 MiB of the page at most.
const MEAN_LENGTH: usize = 64;

/// How many are let in at least, so that a few names may be long.
const LEAST_ROOM: usize = 64 << 10;

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
    /// The bytes that `let_in` takes on the page.
    length: usize,
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
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = self.settled(&names, name) {
            return label;
        }
        drop(names);
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have let it, or the last one, in between the locks.
        if let Some(label) = self.settled(&names, name) {
            return label;
        }
        let name: Arc<str> = name.into();
        names.length += written_length(&name);
        names.let_in.insert(name.clone());
        name
    }

    /// The label of a name that is not to be let in: it is already, or it may
    /// not be.
    fn settled(&self, names: &Names, name: &str) -> Option<Arc<str>> {
        let may_not = || {
            name.len() > MAX_LENGTH
                || names.let_in.len() >= self.cap
                || names.length + written_length(name) > self.room()
        };
        let known = names.get(name);
        known.or_else(|| may_not().then_some(&self.other)).cloned()
    }

    /// How many bytes the names that are let in may take on the page.
    fn room(&self) -> usize {
        self.cap.saturating_mul(MEAN_LENGTH).max(LEAST_ROOM)
    }
}

/// The length of a name on the page, where some characters are escaped.
fn written_length(name: &str) -> usize {
    let is_escaped = |byte: &u8| matches!(byte, b'\\' | b'"' | b'\n');
    name.len() + name.bytes().filter(is_escaped).count()
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

    /// What is escaped counts twice: 500 backslashes take 1,000 bytes.
    #[test]
    fn a_flood_of_long_names_is_let_in_until_their_bytes_are_used_up() {
        let names = ModelNames::new(["\\".repeat(512).into()], 1000);
        let flood = (0..100).map(|number| format!("{number:0>12}{}", "\\".repeat(500)));
        let let_in = flood.filter(|name| &*names.label(name) != OTHER).count();
        let short = names.label("short");
        let configured = names.label(&"\\".repeat(512));
        assert_eq!(
            (let_in, &*short, configured.len()),
            (LEAST_ROOM / 1012, "short", 512)
        );
    }

    #[test]
    fn who_lets_more_names_in_gives_them_more_room() {
        let names = ModelNames::new([], 10_000);
        let flood = (0..10_000).map(|number| format!("{number:064}"));
        let others = flood.filter(|name| &*names.label(name) == OTHER).count();
        assert_eq!(others, 0);
    }

    /// With no room left no thread may wait for another.
    #[test]
    fn a_flood_of_names_needs_no_lock_of_its_own() {
        let names = Arc::new(ModelNames::new([], 0));
        let reader = names.clone();
        let _reading = reader.names.read().expect("nobody panicked");
        let (sender, label) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(names.label("new")));
        let label = label.recv_timeout(std::time::Duration::from_secs(5));
        assert_eq!(label.as_deref(), Ok(OTHER));
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
