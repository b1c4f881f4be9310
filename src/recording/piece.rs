//! One look at all pods ↔ one piece of a file: a gzip member (RFC 1952) that says in its header how long
//! it is and of when, so that a reader finds its way without unpacking, and `zcat` still reads it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use flate2::{Compression, GzBuilder, read::GzDecoder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::discover::Pod;
use crate::scrape::Page;

/// How every piece begins: gzip's magic, deflate, an extra field and nothing else, no time, level and
/// system unknown; the extra field's length, and its only part, `IG`, of 16 bytes.
pub(super) const MAGIC: [u8; 16] = *b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x14\0IG\x10\0";
/// The magic and what the extra field holds: the piece's length, and its time in microseconds since 1970,
/// both 64 bits, little-endian.
pub(super) const HEADER: usize = MAGIC.len() + 16;
/// Where the length stands.
const LENGTH: usize = MAGIC.len();
/// Name and version of what is in a piece.
const SCHEMA: &str = "igctl.recording/v1";
/// The longest page that is read: no scrape is that long, whatever `--max-scrape` was.
const MAX_PAGE: u64 = 4 << 30;
/// The longest first line that is read: some thousand pods.
const MAX_HEAD: u64 = 16 << 20;

/// What all pods said at one moment.
#[derive(Debug, Clone)]
pub struct Piece {
    /// When looking began.
    pub at: Timestamp,
    /// Every pod there was.
    pub pods: Vec<Recorded>,
}

/// A pod, with its page or why there was none.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Whose.
    pub pod: Pod,
    /// What it showed, or the error's text.
    pub page: Result<Page, String>,
}

/// Why a piece cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// Its gzip is damaged, or it is shorter than it says.
    #[error("it cannot be unpacked")]
    Unpack(#[from] io::Error),
    /// Its first line cannot be read.
    #[error("its first line is not that of a recording")]
    Head(#[from] serde_json::Error),
    /// Its header has another time.
    #[error("its header says another time than {0}, which it is of")]
    OtherTime(Timestamp),
    /// A recording of another kind.
    #[error("its format is {0:?}; this igctl reads {SCHEMA}")]
    Schema(String),
    /// More than any page can be.
    #[error("a page of it is longer than {} GiB", MAX_PAGE >> 30)]
    TooLong,
}

/// The first line of a piece. The pages follow, one after the other.
#[derive(Serialize, Deserialize)]
struct Head {
    schema: String,
    at: Timestamp,
    pods: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    pod: Pod,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Page {
        taken: Timestamp,
        elapsed_seconds: f64,
        wire_bytes: u64,
        /// Of the text, which follows.
        length: u64,
    },
    Error(String),
}

impl Piece {
    /// The bytes of the piece.
    ///
    /// # Errors
    /// None but those of memory: writing to it cannot fail.
    pub fn pack(&self) -> io::Result<Vec<u8>> {
        let head = Head {
            schema: SCHEMA.to_owned(),
            at: self.at,
            pods: self.pods.iter().map(Entry::of).collect(),
        };
        let mut extra = MAGIC[12..].to_vec();
        extra.extend([0; 8]);
        extra.extend(self.at.as_microsecond().to_le_bytes());
        let mut gzip = GzBuilder::new()
            .extra(extra)
            .operating_system(0xff)
            .write(Vec::new(), Compression::default());
        serde_json::to_writer(&mut gzip, &head)?;
        gzip.write_all(b"\n")?;
        for page in self
            .pods
            .iter()
            .filter_map(|entry| entry.page.as_ref().ok())
        {
            gzip.write_all(&page.body)?;
        }
        let mut bytes = gzip.finish()?;
        let length = (bytes.len() as u64).to_le_bytes();
        bytes[LENGTH..LENGTH + length.len()].copy_from_slice(&length);
        Ok(bytes)
    }

    /// The piece that these bytes are.
    ///
    /// # Errors
    /// Where they are not as they were written, or by a newer igctl.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Damage> {
        let mut text = BufReader::new(GzDecoder::new(bytes));
        let mut line = Vec::new();
        text.by_ref().take(MAX_HEAD).read_until(b'\n', &mut line)?;
        let head: Head = serde_json::from_slice(&line)?;
        if head.schema != SCHEMA {
            return Err(Damage::Schema(head.schema));
        }
        let mut pods = Vec::new();
        for Entry { pod, outcome } in head.pods {
            let page = match outcome {
                Outcome::Page {
                    taken,
                    elapsed_seconds,
                    wire_bytes,
                    length,
                } => Ok(Page {
                    body: exactly(length, &mut text)?,
                    taken,
                    elapsed: Duration::try_from_secs_f64(elapsed_seconds).unwrap_or_default(),
                    wire_bytes,
                }),
                Outcome::Error(error) => Err(error),
            };
            pods.push(Recorded { pod, page });
        }
        // Only at the end does gzip compare its checksum.
        match text.read(&mut [0])? {
            0 => Ok(Self { at: head.at, pods }),
            _ => Err(Damage::Unpack(io::ErrorKind::InvalidData.into())),
        }
    }
}

impl Entry {
    fn of(recorded: &Recorded) -> Self {
        Self {
            pod: recorded.pod.clone(),
            outcome: match &recorded.page {
                Ok(page) => Outcome::Page {
                    taken: page.taken,
                    elapsed_seconds: page.elapsed.as_secs_f64(),
                    wire_bytes: page.wire_bytes,
                    length: page.body.len() as u64,
                },
                Err(error) => Outcome::Error(error.clone()),
            },
        }
    }
}

/// So many bytes, of which none is taken for granted before it is there.
fn exactly(length: u64, text: &mut impl Read) -> Result<Vec<u8>, Damage> {
    if length > MAX_PAGE {
        return Err(Damage::TooLong);
    }
    let mut body = Vec::new();
    text.take(length).read_to_end(&mut body)?;
    match body.len() as u64 == length {
        true => Ok(body),
        false => Err(Damage::Unpack(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// What a piece's header says: how long the piece is, and of when.
pub(super) fn header(bytes: &[u8; HEADER]) -> Option<(u64, Timestamp)> {
    let number = |at: usize| -> [u8; 8] { std::array::from_fn(|i| bytes[at + i]) };
    let length = u64::from_le_bytes(number(LENGTH));
    let at = Timestamp::from_microsecond(i64::from_le_bytes(number(LENGTH + 8))).ok()?;
    (bytes.starts_with(&MAGIC) && length > HEADER as u64).then_some((length, at))
}
