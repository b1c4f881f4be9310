//! A recording, looked at as if the moment were now.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Moment, PodError, PodPage};
use crate::config::RecordingSource;
use crate::recording::{Piece, Recording, RecordingError};

/// A moment of a recording, and what came before it.
pub(super) struct Replay {
    recording: Recording,
    look: usize,
    /// What was said then.
    piece: Piece,
}

impl Replay {
    pub(super) fn open(source: &RecordingSource) -> Result<Self, RecordingError> {
        let mut recording = Recording::open(&source.path)?;
        let look = recording.choose(source.at)?;
        let piece = recording.read(look)?;
        Ok(Self {
            recording,
            look,
            piece,
        })
    }

    pub(super) fn moment(&self) -> Moment {
        Moment::from(self.piece.clone())
    }

    /// The look that comes nearest to so long before.
    pub(super) fn look_back(&mut self, window: Duration) -> Result<Moment, RecordingError> {
        let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
        let looks = self.recording.looks();
        let now = looks[self.look];
        let error = |look: &usize| (now.duration_since(looks[*look]) - window).abs();
        let nearest = (0..self.look).min_by_key(error);
        // What is half as long is not what was asked for.
        match nearest.filter(|look| error(look) <= window / 2) {
            Some(look) => self.recording.read(look).map(Moment::from),
            None => Err(self
                .recording
                .out_of_range(format!("{window:#} before {now}"))),
        }
    }
}

impl From<Piece> for Moment {
    fn from(piece: Piece) -> Self {
        let pods = piece.pods.into_iter().map(|recorded| PodPage {
            pod: recorded.pod,
            page: recorded.page.map_err(PodError::Recorded),
        });
        Self {
            at: piece.at,
            pods: pods.collect(),
            notices: Vec::new(),
        }
    }
}
