//! Text of strangers, made safe for a terminal: model names come from clients, error bodies from the
//! network, and either may hold escape sequences. What would act on a terminal, or reorder or hide what
//! it shows, is written out instead.

use std::borrow::Cow;

/// Replaces control characters (C0, DEL, C1), line ends, and marks that change the direction of text or
/// have no width by their escapes.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a character does something else than stand where it is written.
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_left() {
        let hostile = "a\u{1b}[2Jb\u{9b}31m\u{7f}\r\n\u{202e}c\u{200b}模型-7b";
        assert_eq!(
            visible(hostile),
            r"a\u{1b}[2Jb\u{9b}31m\u{7f}\r\n\u{202e}c\u{200b}模型-7b"
        );
    }

    #[test]
    fn harmless_text_is_not_copied() {
        assert!(matches!(
            visible("meta-llama/Llama-3.1-8B-Instruct"),
            Cow::Borrowed(_)
        ));
    }
}
