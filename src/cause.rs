//! Error chains of HTTP clients name every layer; a person needs the last.

use std::error::Error;
use std::io;

/// The text of the innermost cause: "Connection refused (os error 111)", not "client error (Connect)".
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}

/// What an error says, and on lines of their own what it comes from, where it does not say so itself.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n  ")
}

/// The same in one line, for a table's cell or a notice.
pub(crate) fn in_a_line(error: &(dyn Error + 'static)) -> String {
    let told = told(error);
    told.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The first cause of type `T`, looking through the wrapping of `io::Error`.
pub(crate) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // The `source` of an `io::Error` is the source of what it wraps, so the wrapped error itself would be passed over.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_inside_io_errors() {
        let fault = io::Error::other(io::Error::other(
            "plug pulled".parse::<u8>().expect_err("no number"),
        ));

        assert_eq!(innermost(&fault), "invalid digit found in string");
        assert!(
            find::<std::num::ParseIntError>(&fault).is_some(),
            "{fault:?}"
        );
    }
}
