//! Bearer tokens, which nothing prints.

use std::fmt;

/// What a picker wants to see before it shows its metrics.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// A token as it stands in a file or an answer; `None` for what is not one word that a header can carry.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>
    pub(crate) fn new(text: &str) -> Option<Self> {
        Some(text.trim())
            .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
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

    #[test]
    fn is_one_word() {
        let others = [
            "",
            " \r\n",
            "Bearer s3cr3t",
            "apiVersion: v1\nkind: Config",
            "s\u{e9}cret",
        ];

        assert_eq!(others.map(Token::new), [const { None }; 5]);
    }
}
