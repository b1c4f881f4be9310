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

/// Whether a character does something else than stand where it is written: besides those that control, line ends and
/// Unicode's Default_Ignorable_Code_Point
/// (<https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>).
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_left() {
        let hostile = "a\u{1b}[2Jb\u{9b}31m\u{7f}\r\n\u{202e}c\u{200b}模型\u{ad}\u{3164}-7b";
        assert_eq!(
            visible(hostile),
            r"a\u{1b}[2Jb\u{9b}31m\u{7f}\r\n\u{202e}c\u{200b}模型\u{ad}\u{3164}-7b"
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
