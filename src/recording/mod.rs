//! What pods said, kept in one file with when they said it: the evidence of an incident, to be looked at
//! as if it were now. A file is a row of pieces, one for each look at all pods; it grows by whole pieces
//! only, so that whatever ends the recording leaves all of them readable. `docs/recording.md` describes
//! the format.

mod at;
mod piece;
mod pieces;
mod reader;
mod writer;

use std::path::{Path, PathBuf};
use std::{fmt, io};

use jiff::Timestamp;

pub use at::At;
pub use piece::{Damage, Piece, Recorded};
pub use pieces::Pieces;
pub use reader::{Recording, is_recording};
pub use writer::Recorder;

use crate::error::{ERROR, NOT_FOUND, USAGE};
use crate::shell::word;

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The operating system refuses.
    #[error("{doing} {}", path.display())]
    File {
        /// "reading the recording", say.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        fault: io::Error,
    },
    /// There is something else in the file, which is not to be touched.
    #[error("{} holds something else than a recording", path.display())]
    NotARecording {
        /// Which file.
        path: PathBuf,
    },
    /// Two recordings into one file would be mixed up.
    #[error("another igctl is recording to {}", path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// No whole piece in it.
    #[error("the recording {} has nothing in it", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// Only a recording knows when its samples were taken.
    #[error("--export needs a recording: a saved scrape does not say when it was taken")]
    NoneToExport,
    /// It does not cover the time that was asked for.
    #[error("the recording {} has nothing at {asked}: it goes from {first} to {last}", path.display())]
    OutOfRange {
        /// Which file.
        path: PathBuf,
        /// As it was typed.
        asked: String,
        /// Its first look.
        first: Timestamp,
        /// Its last look.
        last: Timestamp,
    },
    /// A piece that is not as it was written.
    #[error("the recording {} cannot be read at {at}", path.display())]
    Piece {
        /// Which file.
        path: PathBuf,
        /// When the look was.
        at: Timestamp,
        /// When the one before or after it was.
        other: Option<Timestamp>,
        /// What is wrong with it.
        #[source]
        damage: Damage,
    },
}

impl RecordingError {
    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotARecording { .. } => Some("give the recording a file of its own".to_owned()),
            Self::OutOfRange { path, first, .. } => Some(look_at(path, first)),
            Self::Piece { path, other, .. } => other
                .as_ref()
                .map(|other| format!("look at another moment, such as  {}", look_at(path, other))),
            Self::NoneToExport => Some("igctl metrics record --help".to_owned()),
            Self::File { .. } | Self::Busy { .. } | Self::Empty { .. } => None,
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotARecording { .. } | Self::NoneToExport => USAGE,
            Self::Empty { .. } | Self::OutOfRange { .. } => NOT_FOUND,
            Self::File { .. } | Self::Busy { .. } | Self::Piece { .. } => ERROR,
        }
    }
}

/// The command that shows a moment of a recording.
pub(crate) fn look_at(path: &Path, at: impl fmt::Display) -> String {
    format!(
        "igctl metrics top -f {} --at {at}",
        word(&path.to_string_lossy())
    )
}
