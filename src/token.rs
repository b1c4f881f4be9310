//! Bearer tokens, which nothing prints.

use std::fmt;

/// What a picker wants to see before it shows its metrics.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// A token as it stands in a file or an answer; `None` if there is nothing but blanks.
    pub(crate) fn new(text: &str) -> Option<Self> {
        Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(|text| Self(text.to_owned()))
    }

    /// For the one header that carries it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_printed() {
        assert_eq!(format!("{:?}", Token::new(" s3cr3t\n")), "Some(redacted)");
    }
}
