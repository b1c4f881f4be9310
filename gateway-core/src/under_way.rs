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
    is_response_begun: bool,
}

impl UnderWay {
    /// `shows_body` says whether the response's body and its end will be seen.
    pub(crate) fn new(
        in_flight: InFlight,
        pick: Pick,
        client_model: Option<String>,
        shows_body: bool,
    ) -> Self {
        let answer = Answer {
            bytes: shows_body.then_some(0),
            ..Answer::default()
        };
        Self {
            in_flight,
            pick,
            client_model,
            answer,
            reader: None,
            is_response_begun: false,
        }
    }

    /// Takes the response's headers. True if its body may change on the way,
    /// so that no length may be promised.
    pub(crate) fn begin_response(&mut self, headers: &HeaderMap) -> bool {
        self.is_response_begun = true;
        self.answer.status = headers::number(headers, ":status").unwrap_or_default();
        if self.answer.bytes.is_some() {
            let model = self.client_model.as_deref();
            self.reader = Reader::new(self.answer.status, headers, model);
        }
        self.reader.as_ref().is_some_and(Reader::puts_model_back)
    }

    /// Whether the response's headers were seen.
    pub(crate) fn is_response_begun(&self) -> bool {
        self.is_response_begun
    }

    /// Takes the next piece of the response's body; returns what is to be sent
    /// on for it where that is not the piece itself.
    pub(crate) fn read(&mut self, piece: &Bytes) -> Option<Bytes> {
        *self.answer.bytes.as_mut()? += piece.len() as u64;
        let reader = self.reader.as_mut()?;
        let changed = reader.read(piece);
        if reader.was_token() {
            let now = Some(Instant::now());
            match self.answer.first_piece {
                None => self.answer.first_piece = now,
                Some(_) => self.answer.last_piece = now,
            }
        }
        changed
    }

    /// The endpoint that has the request.
    pub(crate) fn pick(&mut self) -> &mut Pick {
        &mut self.pick
    }

    /// The response is over.
    pub(crate) fn end(mut self) {
        if let Some(reader) = &self.reader {
            self.answer.usage = reader.usage();
        }
        self.in_flight.answered(&self.answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::names::ModelNames;
    use crate::pick::Pool;
    use crate::proto::envoy::config::core::v3::HeaderValue;
    use std::sync::Arc;
    use tokio::time::{Duration, advance};

    /// What is observed of a stream of five tokens: its first piece comes after
    /// 200 ms, the others 100 ms one after the other, its end 1 s later.
    async fn observed(pieces: &[&'static str]) -> [Option<String>; 3] {
        let pool = Pool::default();
        pool.replace(["10.0.0.1:8000".parse().expect("an address")]);
        let metrics = Arc::new(Metrics::new(ModelNames::new([], 1), "p"));
        let in_flight = metrics.begin(metrics.models("m", None), Instant::now(), None);
        let mut under_way = UnderWay::new(in_flight, pool.pick(None).expect("a pick"), None, true);
        let headers = [(":status", "200"), ("content-type", "text/event-stream")];
        let headers = headers.map(|(key, value)| HeaderValue {
            key: key.to_owned(),
            raw_value: Bytes::from_static(value.as_bytes()),
            ..HeaderValue::default()
        });
        let headers = headers.into();
        under_way.begin_response(&HeaderMap { headers });
        advance(Duration::from_millis(100)).await;
        for piece in pieces {
            advance(Duration::from_millis(100)).await;
            under_way.read(&Bytes::from_static(piece.as_bytes()));
        }
        advance(Duration::from_secs(1)).await;
        under_way.read(&Bytes::new());
        under_way.end();
        let page = metrics.page();
        ["duration_seconds", "ttft_seconds", "streaming_tpot_seconds"].map(|name| {
            let series = format!("inference_model_request_{name}_sum{{");
            let line = page.lines().find(|line| line.starts_with(&series))?;
            line.rsplit(' ').next().map(str::to_owned)
        })
    }

    const TOKENS: &str = "data: {\"choices\":[{\"text\":\"a\"}]}\n\n";
    const USAGE: &str = "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":5}}\n\n";

    #[tokio::test(start_paused = true)]
    async fn a_streams_times_are_those_of_its_pieces() {
        let times = observed(&[TOKENS, TOKENS, USAGE]).await;
        assert_eq!(
            times,
            ["1.4", "0.2", "0.05"].map(|time| Some(time.to_owned()))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn comments_in_a_stream_are_no_pieces_of_it() {
        let times = observed(&[": hello\n\n", TOKENS, ": still here\r\n\r\n", USAGE, ":\n"]).await;
        assert_eq!(
            times,
            ["1.6", "0.3", "0.05"].map(|time| Some(time.to_owned()))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_in_one_piece_does_not_tell_when_its_tokens_came() {
        let whole =
            "data: {\"choices\":[],\"usage\":{\"completion_tokens\":5}}\n\ndata: [DONE]\n\n";
        assert_eq!(
            observed(&[whole]).await,
            [Some("1.2".to_owned()), None, None]
        );
    }
}
