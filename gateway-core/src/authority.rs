//! An HTTP/2 connection whose requests name nobody that is no host.
//!
//! Istio's gateways call a picker by their own name of its cluster,
//! `outbound|9002||picker.llm.svc.cluster.local`, which is no authority
//! (RFC 3986, 3.2) and so nothing that the HTTP library goes on with. Nobody
//! reads it: other characters in their places keep the length, and with it the
//! sizes of both ends' header tables (RFC 7541, 4.1).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use httlib_huffman::{DecoderSpeed, decode};
use http::uri::Authority;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

/// What an HTTP/2 client begins with (RFC 9113, 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A frame's length, kind, flags and stream (RFC 9113, 4.1).
pub(crate) const FRAME_HEAD: usize = 9;
/// The kind of frame that begins a request (RFC 9113, 6.2), and its flags.
pub(crate) const HEADERS: u8 = 1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// Frames of headers that are longer pass as they are: none that is honest is.
const LONGEST: usize = 16 << 10;
/// `:authority` in the static table of header fields (RFC 7541, A).
const AUTHORITY: usize = 1;

/// A connection that is read through such glasses.
#[derive(Debug)]
pub(crate) struct WithAuthority<S> {
    inner: S,
    /// Read, and not yet looked at.
    raw: BytesMut,
    /// Looked at, and not yet taken.
    ready: BytesMut,
    /// So many bytes pass as they are.
    pass: usize,
    begun: bool,
}

impl<S> WithAuthority<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self {
            inner,
            raw: BytesMut::new(),
            ready: BytesMut::new(),
            pass: 0,
            begun: false,
        }
    }

    /// Moves what is whole from `raw` to `ready`.
    fn look(&mut self) {
        if !self.begun {
            let known = self.raw.len().min(PREFACE.len());
            if self.raw[..known] != PREFACE[..known] {
                self.pass = usize::MAX; // no HTTP/2
            } else if known < PREFACE.len() {
                return;
            } else {
                self.pass = PREFACE.len();
            }
            self.begun = true;
        }
        loop {
            let now = self.pass.min(self.raw.len());
            self.ready.put(self.raw.split_to(now));
            if self.pass != usize::MAX {
                self.pass -= now;
            }
            if self.pass > 0 || self.raw.len() < FRAME_HEAD {
                return;
            }
            let length = usize::from(self.raw[0]) << 16
                | usize::from(self.raw[1]) << 8
                | usize::from(self.raw[2]);
            let (kind, flags) = (self.raw[3], self.raw[4]);
            if kind != HEADERS || flags & END_HEADERS == 0 || length > LONGEST {
                self.pass = FRAME_HEAD + length;
            } else if self.raw.len() < FRAME_HEAD + length {
                return;
            } else {
                let frame = self.raw.split_to(FRAME_HEAD + length);
                match rewritten(&frame) {
                    Some(frame) => self.ready.put(&frame[..]),
                    None => self.ready.put(frame),
                }
            }
        }
    }
}

/// A frame of headers with another authority; `None` where it may stay.
fn rewritten(frame: &[u8]) -> Option<Vec<u8>> {
    let flags = frame[4];
    let mut block = &frame[FRAME_HEAD..];
    if flags & PADDED != 0 {
        let padding = usize::from(*block.first()?);
        block = block.get(1..block.len().checked_sub(padding)?)?;
    }
    let (priority, block) = block.split_at_checked(if flags & PRIORITY == 0 { 0 } else { 5 })?;
    let (place, value) = bad_authority(block)?;
    let length = value.len();
    let value = value.into_iter().map(|byte| match byte {
        b'.' => b'.',
        byte if byte.is_ascii_alphanumeric() => byte,
        _ => b'-',
    });
    let mut new = [priority, &block[..place.start]].concat();
    write_length(&mut new, length);
    new.extend(value);
    new.extend_from_slice(&block[place.end..]);
    if new.len() > LONGEST {
        return None;
    }
    let size = u32::try_from(new.len()).ok()?.to_be_bytes();
    let head = [size[1], size[2], size[3], HEADERS, flags & !PADDED];
    Some([&head[..], &frame[5..FRAME_HEAD], &new].concat())
}

/// Where in a block of header fields (RFC 7541, 6) an authority stands that is
/// none, with its length, and what it is.
fn bad_authority(block: &[u8]) -> Option<(std::ops::Range<usize>, Vec<u8>)> {
    let mut fields = Fields { block, at: 0 };
    while let Some(first) = block.get(fields.at) {
        let (index, has_value) = match first {
            0x80.. => (fields.number(7)?, false),
            0x40.. => (fields.number(6)?, true),
            0x20.. => (fields.number(5)?, false), // the table's size
            _ => (fields.number(4)?, true),
        };
        if !has_value {
            continue;
        }
        let is_authority = match index {
            0 => fields.string()? == b":authority",
            index => index == AUTHORITY,
        };
        let start = fields.at;
        let value = fields.string()?;
        if is_authority && Authority::try_from(&value[..]).is_err() {
            return Some((start..fields.at, value));
        }
    }
    None
}

struct Fields<'a> {
    block: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    /// An integer with a prefix of so many bits (RFC 7541, 5.1).
    fn number(&mut self, bits: u32) -> Option<usize> {
        let mask = (1 << bits) - 1;
        let mut number = usize::from(*self.block.get(self.at)? & mask);
        self.at += 1;
        if number < usize::from(mask) {
            return Some(number);
        }
        for shift in [0, 7, 14, 21] {
            let byte = *self.block.get(self.at)?;
            self.at += 1;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A string as it is meant (RFC 7541, 5.2).
    fn string(&mut self) -> Option<Vec<u8>> {
        let is_huffman = self.block.get(self.at)? & 0x80 != 0;
        let length = self.number(7)?;
        let text = self.block.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        if !is_huffman {
            return Some(text.to_vec());
        }
        let mut decoded = Vec::new();
        decode(text, &mut decoded, DecoderSpeed::FiveBits).ok()?;
        Some(decoded)
    }
}

/// The length of a string that is written as it is (RFC 7541, 5.1 and 5.2).
fn write_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = match length.checked_sub(0x7f) {
        None => return out.extend(u8::try_from(length)),
        Some(rest) => rest,
    };
    out.push(0x7f);
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.extend(u8::try_from(rest));
}

impl<S: AsyncRead + Unpin> AsyncRead for WithAuthority<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.ready.is_empty() {
            let mut piece = [0; 8 << 10];
            let mut read = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut read))?;
            if read.filled().is_empty() {
                // The end, perhaps within a frame, which is for others to say.
                this.ready = this.raw.split();
                break;
            }
            this.raw.extend_from_slice(read.filled());
            this.look();
        }
        let now = this.ready.len().min(buffer.remaining());
        buffer.put_slice(&this.ready[..now]);
        this.ready.advance(now);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WithAuthority<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl<S: Connected> Connected for WithAuthority<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.inner.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const ISTIOS: &[u8] = b"outbound|9002||picker.llm.svc.cluster.local";
    const OURS: &[u8] = b"outbound-9002--picker.llm.svc.cluster.local";

    /// A frame of headers with these flags and block.
    fn headers(flags: u8, block: &[u8]) -> Vec<u8> {
        let length = u8::try_from(block.len()).expect("a short block");
        [&[0, 0, length, HEADERS, flags, 0, 0, 0, 1], block].concat()
    }

    /// `:method POST` by its index, then `:authority` with this value, then
    /// `te: trailers` without an index.
    fn block(value: &[u8]) -> Vec<u8> {
        let mut block = vec![0x83, 0x41];
        block.extend_from_slice(value);
        block.extend_from_slice(b"\x00\x02te\x08trailers");
        block
    }

    fn plain(value: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        write_length(&mut text, value.len());
        [&text, value].concat()
    }

    fn huffman(value: &[u8]) -> Vec<u8> {
        let mut coded = Vec::new();
        httlib_huffman::encode(value, &mut coded).expect("a coded text");
        let length = u8::try_from(coded.len()).expect("a short text");
        [&[0x80 | length], &coded[..]].concat()
    }

    /// What is read of these bytes, whether they come one at a time or at once.
    async fn read(bytes: &[u8]) -> Vec<u8> {
        let got = read_in_pieces_of(1, bytes).await;
        let at_once = read_in_pieces_of(bytes.len(), bytes).await;
        assert!(got == at_once, "{}", at_once.escape_ascii());
        got
    }

    async fn read_in_pieces_of(length: usize, bytes: &[u8]) -> Vec<u8> {
        let (mut far, near) = duplex(length);
        let mut got = Vec::new();
        let mut near = WithAuthority::new(near);
        let sent = async move {
            far.write_all(bytes).await.expect("it is read");
            drop(far);
        };
        let (_, end) = tokio::join!(sent, near.read_to_end(&mut got));
        end.expect("memory can be read");
        got
    }

    #[tokio::test]
    async fn an_authority_is_found_however_it_is_written() {
        let begins: [&[u8]; 4] = [b"\x41", b"\x01", b"\x11", b"\x40\x0a:authority"];
        for begin in begins {
            let sent = |value: &[u8]| {
                // A size of the table (4096), `:method POST` by its index, and
                // `:path /` that is never to get one.
                let before = &b"\x3f\xe1\x1f\x83\x14\x01/"[..];
                let block = [before, begin, &plain(value)].concat();
                [PREFACE, &headers(END_HEADERS, &block)].concat()
            };
            let got = read(&sent(ISTIOS)).await;
            assert!(got == sent(OURS), "{}", got.escape_ascii());
        }
    }

    #[tokio::test]
    async fn an_authority_that_is_none_is_given_another_of_its_length() {
        let data = [0, 0, 3, 0, 0, 0, 0, 0, 1, b'|', b'|', b'|'];
        let sent = |authority: Vec<u8>| {
            let frame = headers(END_HEADERS, &block(&authority));
            [PREFACE, &frame, &data].concat()
        };

        let got = [
            read(&sent(plain(ISTIOS))).await,
            read(&sent(huffman(ISTIOS))).await,
        ];
        let want = sent(plain(OURS));
        assert!(
            got == [want.clone(), want],
            "{:?}",
            got.map(|got| got.escape_ascii().to_string())
        );
    }

    #[tokio::test]
    async fn priority_stays_and_padding_goes() {
        let priority = [0, 0, 0, 0, 16];
        let padded = [&[2][..], &priority, &block(&plain(ISTIOS)), &[0, 0]].concat();
        let sent = headers(END_HEADERS | PADDED | PRIORITY, &padded);

        let got = read(&[PREFACE, &sent].concat()).await;
        let bare = [&priority[..], &block(&plain(OURS))].concat();
        let want = [PREFACE, &headers(END_HEADERS | PRIORITY, &bare)].concat();
        assert!(got == want, "{}", got.escape_ascii());
    }

    #[tokio::test]
    async fn everything_else_passes_as_it_is() {
        let broken = headers(END_HEADERS, &[0x41, 0xff, 0xff, 0xff]);
        let good = headers(END_HEADERS, &block(&huffman(b"picker.llm:9002")));
        let texts = [
            b"GET /metrics HTTP/1.1\r\nhost: a|b\r\n\r\n".to_vec(),
            b"PRI".to_vec(),
            [PREFACE, &good, &broken, &good[..12]].concat(),
        ];

        for text in texts {
            let got = read(&text).await;
            assert!(got == text, "{}", got.escape_ascii());
        }
    }

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for length in [0, 1, 126, 127, 128, 254, 255, 300, 20_000] {
            let mut block = Vec::new();
            write_length(&mut block, length);
            let read = Fields {
                block: &block,
                at: 0,
            }
            .number(7);
            assert_eq!(read, Some(length));
        }
    }
}
