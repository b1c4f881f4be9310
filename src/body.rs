//! The bytes of an answer → text: unpacked as they arrive, and never more than the limit.

use std::io::{self, Write};

use bytesize::ByteSize;
use flate2::write::MultiGzDecoder;

/// How gzip begins (RFC 1952, 2.3.1); no exposition does.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why an answer's body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More than the limit, packed or unpacked.
    #[error("it is longer than {}", ByteSize(*limit as u64))]
    TooLong {
        /// In bytes.
        limit: usize,
    },
    /// `Content-Encoding` names something that was not asked for.
    #[error("its Content-Encoding is {coding:?}; igctl reads gzip and plain text")]
    UnknownCoding {
        /// As the header says.
        coding: String,
    },
    /// `Content-Encoding: gzip`, and it is not, or not all of it.
    #[error("its gzip is damaged: {0}")]
    Damaged(io::Error),
    /// gzip in gzip.
    #[error("it is packed twice: what is in the gzip begins with the bytes of gzip (1f 8b) again")]
    PackedTwice,
    /// gzip, and no header says so.
    #[error("it is gzip (it begins with the bytes 1f 8b), and no Content-Encoding says so")]
    Undeclared,
}

impl BodyError {
    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TooLong { limit } => Some(format!(
                "if that is no mistake, read more: --max-scrape {}B",
                limit.saturating_mul(4)
            )),
            Self::UnknownCoding { .. }
            | Self::Damaged(_)
            | Self::PackedTwice
            | Self::Undeclared => None,
        }
    }
}

/// A body being read.
pub(crate) struct Body {
    unpacker: Unpacker,
    packed: usize,
    limit: usize,
}

enum Unpacker {
    Plain(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

impl Body {
    /// A body in this `Content-Encoding` (RFC 9110, 8.4), of at most `limit` bytes packed and unpacked.
    pub(crate) fn new(coding: Option<&str>, limit: usize) -> Result<Self, BodyError> {
        let text = Capped {
            text: Vec::new(),
            limit,
        };
        let unpacker = match coding.map(str::trim).unwrap_or_default() {
            coding if coding.is_empty() || coding.eq_ignore_ascii_case("identity") => {
                Unpacker::Plain(text)
            }
            coding
                if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") =>
            {
                Unpacker::Gzip(Box::new(MultiGzDecoder::new(text)))
            }
            coding => {
                return Err(BodyError::UnknownCoding {
                    coding: coding.into(),
                });
            }
        };
        Ok(Self {
            unpacker,
            packed: 0,
            limit,
        })
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        let limit = self.limit;
        self.packed += piece.len();
        if self.packed > limit {
            return Err(BodyError::TooLong { limit });
        }
        match &mut self.unpacker {
            // The cap was checked just now.
            Unpacker::Plain(text) => text.text.extend_from_slice(piece),
            Unpacker::Gzip(decoder) => decoder
                .write_all(piece)
                .map_err(|fault| explain(fault, limit))?,
        }
        Ok(())
    }

    /// Bytes taken so far, as they came.
    pub(crate) fn packed(&self) -> usize {
        self.packed
    }

    /// The text, once all of it is in.
    pub(crate) fn finish(self) -> Result<Vec<u8>, BodyError> {
        let limit = self.limit;
        match self.unpacker {
            Unpacker::Plain(Capped { text, .. }) => match text.starts_with(&GZIP) {
                true => Err(BodyError::Undeclared),
                false => Ok(text),
            },
            // An empty body is an empty body, whatever it says of its coding.
            Unpacker::Gzip(_) if self.packed == 0 => Ok(Vec::new()),
            Unpacker::Gzip(decoder) => {
                let Capped { text, .. } =
                    decoder.finish().map_err(|fault| explain(fault, limit))?;
                match text.starts_with(&GZIP) {
                    true => Err(BodyError::PackedTwice),
                    false => Ok(text),
                }
            }
        }
    }
}

fn explain(fault: io::Error, limit: usize) -> BodyError {
    match fault.kind() {
        io::ErrorKind::FileTooLarge => BodyError::TooLong { limit },
        _ => BodyError::Damaged(fault),
    }
}

struct Capped {
    text: Vec<u8>,
    limit: usize,
}

impl Write for Capped {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.text.len() + piece.len() > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    const TEXT: &[u8] = b"# TYPE inference_model_request_total counter\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn read(coding: Option<&str>, body: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        let read = || {
            let mut reader = Body::new(coding, limit)?;
            body.chunks(7).try_for_each(|piece| reader.push(piece))?;
            reader.finish()
        };
        read().map_err(|fault: BodyError| fault.to_string())
    }

    #[track_caller]
    fn fails(coding: Option<&str>, body: &[u8], limit: usize, because: &str) {
        let outcome = read(coding, body, limit);
        assert!(
            outcome.as_ref().is_err_and(|fault| fault.contains(because)),
            "{outcome:?}, not {because:?}"
        );
    }

    #[test]
    fn plain_and_gzip() {
        for coding in [None, Some(""), Some("identity")] {
            assert_eq!(read(coding, TEXT, 1000).as_deref(), Ok(TEXT), "{coding:?}");
        }
        for coding in ["gzip", "GZIP", "x-gzip", " gzip "] {
            assert_eq!(
                read(Some(coding), &gzip(TEXT), 1000).as_deref(),
                Ok(TEXT),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn gzip_of_several_members_is_one_text() {
        assert_eq!(
            read(Some("gzip"), &[gzip(TEXT), gzip(TEXT)].concat(), 1000),
            Ok([TEXT, TEXT].concat())
        );
    }

    #[test]
    fn other_codings_are_named() {
        fails(Some("br"), TEXT, 1000, "\"br\"");
        fails(Some("gzip, gzip"), TEXT, 1000, "\"gzip, gzip\"");
    }

    #[test]
    fn gzip_where_text_should_be() {
        fails(Some("gzip"), &gzip(&gzip(TEXT)), 1000, "packed twice");
        fails(None, &gzip(TEXT), 1000, "no Content-Encoding");
        fails(None, &[gzip(TEXT), TEXT.to_vec()].concat(), 1000, "1f 8b");
    }

    #[test]
    fn damaged_gzip_is_no_short_text() {
        let packed = gzip(TEXT);
        fails(Some("gzip"), TEXT, 1000, "damaged");
        fails(Some("gzip"), &[&packed[..], TEXT].concat(), 1000, "damaged");
        for cut in [1, 5, 12, packed.len() - 8, packed.len() - 1] {
            fails(Some("gzip"), &packed[..cut], 1000, "damaged");
        }
        fails(
            Some("gzip"),
            &[&packed[..], &packed[..9]].concat(),
            1000,
            "damaged",
        );
    }

    #[test]
    fn never_more_than_the_limit() {
        assert_eq!(read(None, TEXT, TEXT.len()).as_deref(), Ok(TEXT));
        assert_eq!(
            read(Some("gzip"), &gzip(&[b'a'; 1000]), 1000).map(|text| text.len()),
            Ok(1000)
        );
        fails(None, TEXT, TEXT.len() - 1, "longer");
        fails(Some("gzip"), &gzip(&[b'a'; 1001]), 1000, "longer");
    }
}
