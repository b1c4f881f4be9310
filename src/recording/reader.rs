//! A file that holds a recording.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::piece::MAGIC;
use super::{At, Piece, Pieces, RecordingError};

/// A recording to be read. Another process may go on with it meanwhile.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    pieces: Pieces<File>,
    /// When each look was, ascending; at least one.
    looks: Vec<Timestamp>,
}

/// A look that was so much earlier than what was asked for is told.
const STALE: SignedDuration = SignedDuration::from_mins(1);

/// The path that means stdin.
const STDIN: &str = "-";

/// Whether a file, or stdin, begins as recordings do.
pub fn is_recording(path: &Path) -> bool {
    if path == Path::new(STDIN) {
        // What is only looked at stays in the buffer for whoever reads it.
        let mut stdin = io::stdin().lock();
        return stdin
            .fill_buf()
            .is_ok_and(|start| start.starts_with(&MAGIC));
    }
    let mut start = [0; MAGIC.len()];
    // Another pipe cannot be read twice, and so is none.
    let mut begins = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        let whole = file.metadata()?.is_file() && file.read_exact(&mut start).is_ok();
        Ok(whole && start == MAGIC)
    };
    begins().unwrap_or(false)
}

impl Recording {
    /// Opens a recording, and says what of it is not whole.
    ///
    /// # Errors
    /// Where the file cannot be read, or no piece in it is whole.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let pieces = open(path).and_then(Pieces::index);
        let pieces = pieces.map_err(|fault| RecordingError::File {
            doing: "reading the recording",
            path: path.into(),
            fault,
        })?;
        if pieces.left_out > 0 {
            tracing::warn!(
                "{}: {} bytes belong to no whole look and are left out",
                path.display(),
                pieces.left_out
            );
        }
        let looks = pieces.looks();
        match looks.is_empty() {
            true => Err(RecordingError::Empty { path: path.into() }),
            false => Ok(Self {
                path: path.into(),
                pieces,
                looks,
            }),
        }
    }

    /// When each look was, ascending; at least one.
    pub fn looks(&self) -> &[Timestamp] {
        &self.looks
    }

    /// Which look is meant.
    ///
    /// # Errors
    /// Where the recording does not cover that time.
    pub fn choose(&self, at: At) -> Result<usize, RecordingError> {
        if at == At::End {
            return Ok(self.pieces.last());
        }
        let (look, earlier) = at
            .choose(&self.looks)
            .ok_or_else(|| self.out_of_range(at.to_string()))?;
        if earlier > STALE {
            tracing::warn!(
                "{}: the last look before {at} is of {}, {earlier:#} earlier",
                self.path.display(),
                self.looks[look]
            );
        }
        Ok(look)
    }

    /// What was said at one of [`Self::looks`].
    ///
    /// # Errors
    /// Where it is not as it was written.
    pub fn read(&mut self, look: usize) -> Result<Piece, RecordingError> {
        self.pieces
            .read(look)
            .map_err(|damage| RecordingError::Piece {
                path: self.path.clone(),
                at: self.looks[look],
                other: look
                    .checked_sub(1)
                    .or(Some(look + 1))
                    .and_then(|other| self.looks.get(other).copied()),
                damage,
            })
    }

    /// That nothing was recorded at the time that was asked for.
    pub(crate) fn out_of_range(&self, asked: String) -> RecordingError {
        RecordingError::OutOfRange {
            path: self.path.clone(),
            asked,
            first: self.looks[0],
            last: self.looks[self.looks.len() - 1],
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if path != Path::new(STDIN) {
        return File::open(path);
    }
    // Moments are found by going back and forth.
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    Ok(file)
}
