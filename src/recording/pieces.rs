//! Bytes → the pieces in them. Only headers are read to find them, so that one moment of hours is found at once.

use std::io::{self, Read, Seek, SeekFrom};

use jiff::Timestamp;
use memchr::memmem;

use super::piece::{Damage, HEADER, MAGIC, Piece, header};

/// So much is searched at once for the next piece behind a damaged one.
const SEARCHED: usize = 1 << 20;

/// The pieces of a recording.
#[derive(Debug)]
pub struct Pieces<R> {
    content: R,
    places: Vec<Place>,
    /// Bytes that belong to no whole piece: the last one, cut off, or damage.
    pub left_out: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    length: u64,
    at: Timestamp,
}

impl<R: Read + Seek> Pieces<R> {
    /// Finds the pieces.
    ///
    /// # Errors
    /// Those of `content`. Damage is none: what is whole around it is found.
    pub fn index(mut content: R) -> io::Result<Self> {
        let end = content.seek(SeekFrom::End(0))?;
        let mut places = Vec::new();
        let mut left_out = 0;
        let mut offset = 0;
        while offset < end {
            match piece_at(&mut content, offset, end)? {
                Some(place) if is_whole(&mut content, place, end)? => {
                    places.push(place);
                    offset += place.length;
                }
                _ => {
                    let next = next_magic(&mut content, offset + 1)?.unwrap_or(end);
                    left_out += next - offset;
                    offset = next;
                }
            }
        }
        // By their time they are looked for, also where a clock was set back.
        places.sort_by_key(|place| place.at);
        Ok(Self {
            content,
            places,
            left_out,
        })
    }

    /// When each look was, ascending.
    pub fn looks(&self) -> Vec<Timestamp> {
        self.places.iter().map(|place| place.at).collect()
    }

    /// Reads the piece of one of [`Self::looks`].
    ///
    /// # Errors
    /// Where it is not as it was written.
    pub fn read(&mut self, look: usize) -> Result<Piece, Damage> {
        let place = self.places[look];
        self.content.seek(SeekFrom::Start(place.offset))?;
        let mut bytes = Vec::new();
        self.content
            .by_ref()
            .take(place.length)
            .read_to_end(&mut bytes)?;
        let piece = Piece::unpack(&bytes)?;
        // By a header alone it was found, and put in its order.
        match piece.at.as_microsecond() == place.at.as_microsecond() {
            true => Ok(piece),
            false => Err(Damage::OtherTime(piece.at)),
        }
    }

    /// Which of [`Self::looks`] was written last: of another time than the last of them, where the clock was set back.
    pub(super) fn last(&self) -> usize {
        let places = self.places.iter().enumerate();
        let last = places.max_by_key(|(_, place)| place.offset);
        last.map_or(0, |(look, _)| look)
    }

    /// Where the last whole piece ends.
    pub(super) fn end(&self) -> u64 {
        let ends = self.places.iter().map(|place| place.offset + place.length);
        ends.max().unwrap_or(0)
    }
}

/// The whole piece that begins there, if one does.
fn piece_at(content: &mut (impl Read + Seek), offset: u64, end: u64) -> io::Result<Option<Place>> {
    let mut bytes = [0; HEADER];
    content.seek(SeekFrom::Start(offset))?;
    match content.read_exact(&mut bytes) {
        Ok(()) => {}
        Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(fault) => return Err(fault),
    }
    Ok(header(&bytes)
        .filter(|(length, _)| *length <= end - offset)
        .map(|(length, at)| Place { offset, length, at }))
}

/// Whether a piece is as long as it says: where neither the end nor another piece follows, it may be cut off, and reach
/// into the pieces behind it.
fn is_whole(content: &mut (impl Read + Seek), place: Place, end: u64) -> io::Result<bool> {
    let behind = place.offset + place.length;
    Ok(behind == end
        || piece_at(content, behind, end)?.is_some()
        || next_magic(content, place.offset + 1)?.is_none_or(|next| next >= behind))
}

/// Where the next piece may begin, from `offset` on.
fn next_magic(content: &mut (impl Read + Seek), mut offset: u64) -> io::Result<Option<u64>> {
    let finder = memmem::Finder::new(&MAGIC);
    let mut bytes = Vec::new();
    loop {
        content.seek(SeekFrom::Start(offset))?;
        bytes.clear();
        content
            .by_ref()
            .take(SEARCHED as u64)
            .read_to_end(&mut bytes)?;
        if let Some(at) = finder.find(&bytes) {
            return Ok(Some(offset + at as u64));
        }
        if bytes.len() < SEARCHED {
            return Ok(None);
        }
        // It may lie across the border.
        offset += (SEARCHED - MAGIC.len()) as u64;
    }
}
