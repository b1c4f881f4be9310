//! Pieces → the end of a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::piece::MAGIC;
use super::{Piece, Pieces, RecordingError};

/// A recording that grows.
#[derive(Debug)]
pub struct Recorder {
    file: File,
    path: PathBuf,
    /// Where the last whole piece ends.
    end: u64,
}

impl Recorder {
    /// Opens a file to append to, or a new one. What a recording that was killed has left of its last
    /// piece is cut off.
    ///
    /// # Errors
    /// Where the file cannot be written, holds something else, or another process records to it.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let failed = |fault| file_error(path, fault);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(RecordingError::Busy { path: path.into() });
            }
            // Some network filesystems have no locks; they still record.
            Err(TryLockError::Error(fault)) => tracing::info!("no lock: {fault}"),
        }
        let mut start = Vec::new();
        (&mut file)
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(failed)?;
        if !MAGIC.starts_with(&start) {
            return Err(RecordingError::NotARecording { path: path.into() });
        }
        let end = Pieces::index(&file).map_err(failed)?.end();
        file.set_len(end).map_err(failed)?;
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        Ok(Self {
            file,
            path: path.into(),
            end,
        })
    }

    /// Appends a piece. One that cannot be written whole, since the disk is full, is taken back.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn append(&mut self, piece: &Piece) -> Result<(), RecordingError> {
        let written = piece.pack().and_then(|bytes| {
            self.file.write_all(&bytes)?;
            Ok(bytes.len() as u64)
        });
        match written {
            Ok(length) => {
                self.end += length;
                Ok(())
            }
            Err(fault) => {
                // Best effort: a reader leaves out what is not whole.
                let _ = self.file.set_len(self.end);
                Err(file_error(&self.path, fault))
            }
        }
    }

    /// The length of the recording, in bytes.
    pub fn length(&self) -> u64 {
        self.end
    }
}

fn file_error(path: &Path, fault: io::Error) -> RecordingError {
    RecordingError::File {
        doing: "writing the recording",
        path: path.into(),
        fault,
    }
}
