//! Any bytes as a recording: the reader does not panic, finds its pieces in the order of time, and what
//! stands behind damage is found.

use std::io::Cursor;

use igctl::recording::{Piece, Pieces};
use jiff::Timestamp;

/// The bytes that every piece begins with; its length follows.
const MAGIC: usize = 16;

pub(crate) fn check(bytes: &[u8]) {
    let mut pieces = Pieces::index(Cursor::new(bytes)).expect("memory is readable");
    let looks = pieces.looks();
    assert!(looks.is_sorted(), "{looks:?}");
    assert!(pieces.left_out <= bytes.len() as u64);
    let whole = (0..looks.len()).filter(|look| pieces.read(*look).is_ok());
    let whole = whole.count();

    let at = Timestamp::UNIX_EPOCH;
    let last = Piece {
        at,
        pods: Vec::new(),
    }
    .pack()
    .expect("it packs");
    let mut longer = bytes.to_vec();
    longer.extend(&last);
    if promises(bytes, &last[..MAGIC], longer.len()) {
        return;
    }
    let mut pieces = Pieces::index(Cursor::new(longer)).expect("memory is readable");
    let looks = pieces.looks();
    let found = (0..looks.len()).filter(|look| pieces.read(*look).is_ok());
    let found = found.count();
    assert!(found >= whole, "{found} of {whole}");
}

/// Whether a cut-off piece promises just so many bytes that it takes all up to `end` for its own.
fn promises(bytes: &[u8], magic: &[u8], end: usize) -> bool {
    let headers = bytes.windows(MAGIC + 8).enumerate();
    headers
        .map(|(at, header)| (at as u64, header.split_at(MAGIC)))
        .any(|(at, (start, length))| {
            let length = length.try_into().map_or(0, u64::from_le_bytes);
            start == magic && at.checked_add(length) == Some(end as u64)
        })
}
