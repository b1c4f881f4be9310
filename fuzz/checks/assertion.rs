//! Any text as an assertion: it is read, or the message shows it on one line with the caret below, and
//! neither lets through what acts on a terminal.

use igctl::assertion::Assertion;

pub(crate) fn check(text: &str) {
    match Assertion::parse(text) {
        Ok(assertion) => {
            let again = Assertion::parse(&assertion.text).expect("it was read before");
            assert_eq!(
                format!("{:?}", again.claim),
                format!("{:?}", assertion.claim)
            );
        }
        Err(fault) => {
            let message = fault.to_string();
            assert_eq!(message.lines().count(), 3, "{message:?}");
            assert!(
                !message.contains(|c: char| c.is_control() && c != '\n'),
                "{message:?}"
            );
        }
    }
    let _ = Assertion::parse_lines(text, "a file");
}
