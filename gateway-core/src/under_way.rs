//! A request that was sent on: what its response shows until it ends.

use bytes::Bytes;
use tokio::time::Instant;

use crate::headers;
use crate::metrics::{Answer, InFlight};
use crate::pick::Pick;
use crate::proto::envoy::config::core::v3::HeaderMap;
use crate::response::Reader;

/// Counted as sent; counted as answered at [`UnderWay::end`], or as cancelled
/// when dropped before.
#[derive(Debug)]
pub(crate) struct UnderWay {
    in_flight: InFlight,
    pick: Pick,
    /// The model as the client named it, where it was rewritten.
    client_model: Option<String>,
    answer: Answer,
    reader: Option<Reader>,
}

impl UnderWay {
    pub(crate) fn new(in_flight: InFlight, pick: Pick, client_model: Option<String>) -> Self {
        Self {
            in_flight,
            pick,
            client_model,
            answer: Answer::default(),
            reader: None,
        }
    }

    /// Takes the response's headers. True if its body may change on the way,
    /// so that no length may be promised.
    pub(crate) fn begin_response(&mut self, headers: &HeaderMap, shows_body: bool) -> bool {
        self.answer.status = headers::number(headers, ":status").unwrap_or_default();
        if shows_body {
            self.answer.bytes = Some(0);
            let model = self.client_model.as_deref();
            self.reader = Reader::new(self.answer.status, headers, model);
        }
        self.reader.as_ref().is_some_and(Reader::puts_model_back)
    }

    /// Takes the next piece of the response's body; returns what is to be sent
    /// on for it where that is not the piece itself.
    pub(crate) fn read(&mut self, piece: &Bytes) -> Option<Bytes> {
        *self.answer.bytes.get_or_insert(0) += piece.len() as u64;
        let reader = self.reader.as_mut()?;
        if reader.is_stream() && !piece.is_empty() {
            self.answer.first_piece.get_or_insert_with(Instant::now);
        }
        reader.read(piece)
    }

    /// The endpoint that has the request.
    pub(crate) fn pick(&mut self) -> &mut Pick {
        &mut self.pick
    }

    /// Whether the response has begun.
    pub(crate) fn has_response(&self) -> bool {
        self.answer.status != 0
    }

    /// The response is over.
    pub(crate) fn end(mut self) {
        if let Some(reader) = &self.reader {
            self.answer.usage = reader.usage();
        }
        self.in_flight.answered(&self.answer);
    }
}
