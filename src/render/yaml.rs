//! Any value as YAML that a terminal may be shown.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use crate::visible::acts;

/// The document; of `many` with the line before it that separates them.
///
/// # Errors
/// Those of `out`.
pub(super) fn print(value: &impl Serialize, many: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        // Control characters are escaped already. What else acts on a terminal is spelt as YAML does within
        // double quotes; elsewhere it is at least seen.
        match acts(c) && c != '\n' {
            true if u32::from(c) > 0xffff => write!(safe, "\\U{:08X}", u32::from(c)),
            true => write!(safe, "\\u{:04X}", u32::from(c)),
            false => safe.write_char(c),
        }
        .map_err(io::Error::other)?;
    }
    if many {
        writeln!(out, "---")?;
    }
    out.write_all(safe.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_left_and_it_is_yaml() {
        let hostile = ["a\u{1b}[2J\u{9b}\u{202e}b", "\u{202e}c", "模型: #1", "null"];
        let mut text = Vec::new();
        print(&hostile, true, &mut text).expect("a Vec takes everything");
        let text = String::from_utf8(text).expect("YAML is UTF-8");
        let read: Vec<String> = serde_saphyr::from_str(&text).expect("it is YAML");
        assert!(!text.contains(|c| acts(c) && c != '\n'), "{text:?}");
        assert_eq!(read, [hostile[0], "\\u202Ec", hostile[2], hostile[3]]);
    }

    #[test]
    fn what_is_unknown_is_null() {
        let document = BTreeMap::from([("a", None), ("b", Some(0.0))]);
        let mut text = Vec::new();
        print(&document, false, &mut text).expect("a Vec takes everything");
        let text = String::from_utf8(text).expect("YAML is UTF-8");
        assert_eq!(text, "a: null\nb: 0.0\n");
    }
}
