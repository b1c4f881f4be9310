//! Any bytes as metrics text: the reader neither panics nor takes more than linear time (libFuzzer's
//! `-timeout`), and what it says of one family does not hang on which others are wanted.

use igctl::exposition::{self, Exposition};

/// So many families are read once more, each alone.
const ALONE: usize = 4;

pub(crate) fn check(text: &[u8]) {
    let all = read(text, |_| true);
    for family in all.families.iter().take(ALONE) {
        let alone = read(text, |name| name == family.name);
        // As text, since NaN does not equal itself.
        assert_eq!(
            format!("{:?}", alone.family(&family.name)),
            format!("{:?}", Some(family))
        );
        assert_eq!(alone.samples, all.samples);
    }
}

/// Only names that are no part of a histogram, since `x_sum` may be either.
fn read(text: &[u8], wanted: impl Fn(&str) -> bool) -> Exposition<'_> {
    exposition::read(text, |name| {
        let is_part = ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.ends_with(suffix));
        !is_part && wanted(name)
    })
}
