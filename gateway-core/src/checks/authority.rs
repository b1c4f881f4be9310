//! Any bytes as what a gateway writes on its connection: however they are cut
//! into pieces the same is read, frame by frame of the same kind and stream,
//! and all but the frames of headers as it was written.

use futures::FutureExt;
use tokio::io::AsyncReadExt;

use crate::authority::{FRAME_HEAD, HEADERS, PREFACE, WithAuthority};

/// The first byte says where the bytes are cut.
///
/// # Panics
/// Something does not hold.
pub fn check(bytes: &[u8]) {
    let Some((cut, frames)) = bytes.split_first() else {
        return;
    };
    let written = [PREFACE, frames].concat();
    let (first, rest) = written.split_at(usize::from(*cut).min(written.len()));
    let at_once = read(&written, &[]);
    let in_pieces = read(first, rest);
    assert!(at_once == in_pieces, "{}", at_once.escape_ascii());

    let after = at_once.strip_prefix(PREFACE).expect("the preface stays");
    assert_eq!(unread(after), unread(frames));
}

fn read(first: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut got = Vec::new();
    WithAuthority::new(first.chain(rest))
        .read_to_end(&mut got)
        .now_or_never()
        .expect("memory never waits")
        .expect("memory can be read");
    got
}

/// The frames' kinds, streams and, but for those of headers, contents; the last
/// one may be cut short.
fn unread(mut bytes: &[u8]) -> Vec<(u8, &[u8], &[u8])> {
    let mut frames = Vec::new();
    while let Some((head, after)) = bytes.split_at_checked(FRAME_HEAD) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (content, after) = after.split_at(length.min(after.len()));
        let is_whole = content.len() == length;
        let seen = if head[3] == HEADERS && is_whole {
            &[]
        } else {
            content
        };
        frames.push((head[3], &head[5..], seen));
        bytes = after;
    }
    frames
}
