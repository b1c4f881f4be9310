//! Names of models, with wildcards. Pure.

use std::str::Chars;

use regex::Regex;

/// A model's whole name, in which `*` stands for anything, `?` for one character, `[a-c]` for one of these,
/// `[!a]` for any other one and `{a,b}` for either; a backslash before any of them means itself.
///
/// A name that is written just so matches as well: names come from clients, and `a[1]` may be one.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    regex: Regex,
}

/// Why a text is no glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// `[a`
    #[error("unclosed character class; missing ']', or write \\[ for the character")]
    UnclosedClass,
    /// `[b-a]`
    #[error("invalid range; '{0}' > '{1}'")]
    InvalidRange(char, char),
    /// `{a`
    #[error("unclosed alternate group; missing '}}', or write \\{{ for the character")]
    UnclosedGroup,
    /// `a}`
    #[error("unopened alternate group; missing '{{', or write \\}} for the character")]
    UnopenedGroup,
    /// `a\`
    #[error("dangling '\\'; write \\\\ for the character")]
    DanglingEscape,
    /// It would take too much memory.
    #[error("it is too large")]
    TooLarge,
}

impl Glob {
    /// Reads a glob.
    ///
    /// # Errors
    /// Where a bracket has no partner.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        Ok(Self {
            text: text.to_owned(),
            regex: Regex::new(&pattern(text)?).map_err(|_| GlobError::TooLarge)?,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a model of this name is meant.
    pub fn is_match(&self, name: &str) -> bool {
        name == self.text || self.regex.is_match(name)
    }
}

/// The same as a regular expression.
fn pattern(glob: &str) -> Result<String, GlobError> {
    let mut pattern = String::from("(?s)^");
    let mut open = 0_usize;
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            '[' => pattern.push_str(&class(&mut chars)?),
            '{' => {
                open += 1;
                pattern.push_str("(?:");
            }
            '}' => {
                open = open.checked_sub(1).ok_or(GlobError::UnopenedGroup)?;
                pattern.push(')');
            }
            ',' if open > 0 => pattern.push('|'),
            '\\' => pattern.push_str(&literal(chars.next().ok_or(GlobError::DanglingEscape)?)),
            c => pattern.push_str(&literal(c)),
        }
    }
    match open {
        0 => Ok(pattern + "$"),
        _ => Err(GlobError::UnclosedGroup),
    }
}

/// What stands behind a `[`, up to its `]`.
fn class(chars: &mut Chars<'_>) -> Result<String, GlobError> {
    let mut pattern = String::from("[");
    if chars.as_str().starts_with(['!', '^']) {
        chars.next();
        pattern.push('^');
    }
    // A `]` that comes first is one of the characters.
    loop {
        let from = member(chars)?;
        pattern.push_str(&literal(from));
        let rest = chars.as_str();
        if rest.starts_with('-') && !rest.starts_with("-]") {
            chars.next();
            let to = member(chars)?;
            if to < from {
                return Err(GlobError::InvalidRange(from, to));
            }
            pattern.push('-');
            pattern.push_str(&literal(to));
        }
        if chars.as_str().starts_with(']') {
            chars.next();
            pattern.push(']');
            return Ok(pattern);
        }
    }
}

fn member(chars: &mut Chars<'_>) -> Result<char, GlobError> {
    match chars.next() {
        Some('\\') => chars.next(),
        other => other,
    }
    .ok_or(GlobError::UnclosedClass)
}

fn literal(c: char) -> String {
    regex::escape(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_matches() {
        let globs = [
            ("qwen*", "qwen3-32b", "a-qwen"),
            ("*/llama", "meta/x/llama", "llama"),
            ("a*", "a\nb", "b"),
            ("m-?", "m-é", "m-"),
            ("m-?", "m-模", "m-ab"),
            ("[ab]", "b", "c"),
            ("[0-9é]", "é", "e"),
            ("[!a-c]", "模", "b"),
            ("[]-]", "]", "["),
            ("[a-]", "-", "b"),
            ("[\\]]", "]", "\\"),
            ("{a,b{1,2}}x", "b2x", "b3x"),
            ("a,b", "a,b", "a"),
            ("a\\*\\[\\{", "a*[{", "aa[{"),
            ("a[1]", "a[1]", "a[2]"),
            ("a[1]", "a1", "a"),
            ("{\"id\":?}", "{\"id\":?}", "id"),
            ("a.+b", "a.+b", "axxb"),
        ];
        for (glob, matches, differs) in globs {
            let glob = Glob::parse(glob).unwrap_or_else(|e| panic!("{glob}: {e}"));
            let outcomes = [matches, differs].map(|name| glob.is_match(name));
            assert_eq!(outcomes, [true, false], "{glob:?}");
        }
    }

    #[test]
    fn what_has_no_partner_is_no_glob() {
        let wrong = ["[a", "[]", "[", "[b-a]", "[a-", "{a,b", "a}", "a\\", "[a\\"];
        let faults = wrong.map(|glob| Glob::parse(glob).err());
        use GlobError::{
            DanglingEscape, InvalidRange, UnclosedClass, UnclosedGroup, UnopenedGroup,
        };
        assert_eq!(
            faults,
            [
                UnclosedClass,
                UnclosedClass,
                UnclosedClass,
                InvalidRange('b', 'a'),
                UnclosedClass,
                UnclosedGroup,
                UnopenedGroup,
                DanglingEscape,
                UnclosedClass
            ]
            .map(Some)
        );
    }

    proptest! {
        /// What can be read as a glob matches itself, and escaped nothing else.
        #[test]
        fn a_name_matches_itself(name in "[a\\[\\]{},*?!é\\\\-]{0,9}", other in "[a\\[\\]{},*?!é\\\\-]{0,9}") {
            if let Ok(glob) = Glob::parse(&name) {
                prop_assert!(glob.is_match(&name));
            }
            let escaped: String = name.chars().flat_map(|c| ['\\', c]).collect();
            let glob = Glob::parse(&escaped).expect("all of it is escaped");
            prop_assert!(glob.is_match(&name));
            prop_assert_eq!(glob.is_match(&other), other == name || other == escaped);
        }
    }
}
