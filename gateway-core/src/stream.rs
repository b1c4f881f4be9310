//! One HTTP request as Envoy tells it, message by message.
//!
//! How request bodies reach the picker decides what is possible with those
//! that name a model:
//!
//! | body mode | answer to the headers | destination goes with | model rewrite |
//! | --- | --- | --- | --- |
//! | `FULL_DUPLEX_STREAMED` | when the body is in | the headers | yes |
//! | `BUFFERED` | at once | the body | yes |
//! | `STREAMED` | at once | the headers | refused |
//! | `NONE`, `BUFFERED_PARTIAL`, `GRPC` | at once | the headers | no: the model stays unknown |
//!
//! The headers of all other requests are answered at once and with a
//! destination; nothing of them is counted.
//!
//! Where response bodies are `NONE` or `BUFFERED_PARTIAL` the end of a response
//! is not seen, and so it has no duration.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Once};

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::headers;
use crate::metrics::{InFlight, Metrics, Models};
use crate::pick::{Pick, Pool, Subset};
use crate::proto::envoy::config::core::v3::{HeaderMap, Metadata};
use crate::proto::envoy::extensions::filters::http::ext_proc::v3::processing_mode::BodySendMode;
use crate::proto::envoy::service::ext_proc::v3::{
    HttpBody, HttpHeaders, ProcessingRequest, ProcessingResponse, processing_request::Request,
};
use crate::refusal::Refusal;
use crate::reply::{self, Changes, Side};
use crate::request::{self, Model};
use crate::rewrite::LiveRewrites;
use crate::under_way::UnderWay;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Picker {
    pub(crate) pool: Arc<Pool>,
    pub(crate) rewrites: Arc<LiveRewrites>,
    pub(crate) metrics: Arc<Metrics>,
    /// Longest request body that is read for its model, in bytes.
    pub(crate) max_body: usize,
    /// Obeys and answers the conformance suite's own headers.
    pub(crate) conformance: bool,
    /// Logs once that the gateway does not show request bodies.
    pub(crate) hidden_bodies: Once,
    /// Logs once that it shows bodies of responses without their headers.
    pub(crate) hidden_headers: Once,
}

/// One request, from its headers to the end of its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    picker: Arc<Picker>,
    request_mode: BodySendMode,
    response_mode: BodySendMode,
    started: Instant,
    request: HeaderMap,
    subset: Option<Subset>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The body that names the model is coming in.
    Body(Incoming),
    /// Sent on and counted; its response is awaited or passing by.
    UnderWay(Box<UnderWay>),
    /// Nothing is to be decided or counted: not yet, never, or not any more.
    Passing { pick: Option<Pick> },
    /// The picker has answered the request itself.
    Refused,
}

impl Phase {
    /// The endpoint that has the request.
    fn pick(&mut self) -> Option<&mut Pick> {
        match self {
            Self::UnderWay(under_way) => Some(under_way.pick()),
            Self::Passing { pick } => pick.as_mut(),
            Self::Body(_) | Self::Refused => None,
        }
    }
}

impl Default for Phase {
    fn default() -> Self {
        Self::Passing { pick: None }
    }
}

/// A request's body as it comes in. A single piece is kept as it is, and with
/// it the message that it came in; several are copied together.
#[derive(Debug, Default)]
struct Incoming {
    single: Bytes,
    joined: BytesMut,
    /// Made already where the destination went with the headers.
    pick: Option<Pick>,
}

impl Incoming {
    fn push(&mut self, piece: Bytes) {
        if self.length() == 0 {
            self.single = piece;
        } else if !piece.is_empty() {
            self.joined.extend_from_slice(&mem::take(&mut self.single));
            self.joined.extend_from_slice(&piece);
        }
    }

    fn length(&self) -> usize {
        self.single.len() + self.joined.len()
    }

    fn into_body(self) -> Bytes {
        if self.joined.is_empty() {
            self.single
        } else {
            self.joined.freeze()
        }
    }
}

/// A request whose model is known and whose endpoint is chosen.
struct Decision {
    destination: Bytes,
    body: Bytes,
    is_rewritten: bool,
}

/// A refusal, and the models that it is counted under, if it is counted.
struct Refused(Refusal, Option<Models>);

pub(crate) type Replies = VecDeque<ProcessingResponse>;

impl Exchange {
    pub(crate) fn new(picker: Arc<Picker>) -> Self {
        Self {
            picker,
            // What the Endpoint Picker Protocol asks of gateways. Those that
            // are set up otherwise say so in their first message.
            request_mode: BodySendMode::FullDuplexStreamed,
            response_mode: BodySendMode::FullDuplexStreamed,
            started: Instant::now(),
            request: HeaderMap::default(),
            subset: None,
            phase: Phase::default(),
        }
    }

    /// Whether the picker has answered the request itself: nothing more is to
    /// be said then.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.phase, Phase::Refused)
    }

    /// Takes one message and appends what it is to be answered with.
    pub(crate) fn receive(&mut self, message: ProcessingRequest, replies: &mut Replies) {
        if let Some(config) = &message.protocol_config {
            self.request_mode = config.request_body_mode();
            self.response_mode = config.response_body_mode();
        }
        let metadata = message.metadata_context.unwrap_or_default();
        let received = match message.request {
            Some(Request::RequestHeaders(headers)) => {
                self.request_headers(headers, &metadata, replies)
            }
            Some(Request::RequestBody(body)) => self.request_body(body, replies),
            Some(Request::RequestTrailers(_)) => self.request_trailers(replies),
            Some(Request::ResponseHeaders(headers)) => {
                self.response_headers(&headers, &metadata, replies);
                Ok(())
            }
            Some(Request::ResponseBody(body)) => {
                self.response_body(body, replies);
                Ok(())
            }
            Some(Request::ResponseTrailers(_)) => {
                replies.push_back(reply::trailers(Side::Response));
                self.end();
                Ok(())
            }
            None => Ok(()),
        };
        if let Err(refused) = received {
            self.refuse(refused, replies);
        }
    }

    fn request_headers(
        &mut self,
        message: HttpHeaders,
        metadata: &Metadata,
        replies: &mut Replies,
    ) -> Result<(), Refused> {
        self.started = Instant::now();
        self.request = message.headers.unwrap_or_default();
        self.subset = headers::metadata(metadata, SUBSET_HINT, SUBSET).map(Subset::new);
        if self.picker.conformance
            && let Some(selection) = headers::get(&self.request, TEST_SELECTION)
        {
            self.subset = Some(Subset::new(std::str::from_utf8(selection)));
        }

        let names_model =
            !message.end_of_stream && request::is_inference(self.method(), self.path());
        let counted_as = names_model.then(Metrics::nameless);
        match self.request_mode {
            BodySendMode::FullDuplexStreamed if names_model => {
                self.phase = Phase::Body(Incoming::default());
            }
            BodySendMode::Buffered if names_model => {
                replies.push_back(reply::headers(Side::Request, Changes::default()));
                self.phase = Phase::Body(Incoming::default());
            }
            mode => {
                let (pool, subset) = (&self.picker.pool, self.subset.as_ref());
                let pick = if names_model {
                    pool.pick(subset)
                } else {
                    pool.pick_without_model(subset)
                };
                let pick = pick.map_err(|none| Refused(none.into(), counted_as))?;
                let changes = Changes::to(pick.destination());
                replies.push_back(reply::headers(Side::Request, changes));
                self.phase = if names_model && mode == BodySendMode::Streamed {
                    Phase::Body(Incoming {
                        pick: Some(pick),
                        ..Incoming::default()
                    })
                } else {
                    if names_model {
                        self.picker.hidden_bodies.call_once(|| {
                            warn!(?mode, "the gateway does not show request bodies: models stay unknown and requests uncounted");
                        });
                    }
                    Phase::Passing { pick: Some(pick) }
                };
            }
        }
        Ok(())
    }

    fn request_body(&mut self, message: HttpBody, replies: &mut Replies) -> Result<(), Refused> {
        let Phase::Body(incoming) = &mut self.phase else {
            pass_body(Side::Request, self.request_mode, message, None, replies);
            return Ok(());
        };
        incoming.push(message.body);
        if incoming.length() > self.picker.max_body {
            let refusal = Refusal::PayloadTooLarge(self.picker.max_body);
            return Err(Refused(refusal, Some(Metrics::nameless())));
        }
        match self.request_mode {
            BodySendMode::FullDuplexStreamed => {
                if message.end_of_stream {
                    self.send_held(true, replies)?;
                }
            }
            // One message is the whole body, even where trailers follow it.
            BodySendMode::Buffered => {
                let decision = self.decide()?;
                let mut changes = Changes::to(&decision.destination);
                if decision.is_rewritten {
                    changes.content_length = Some(decision.body.len());
                    changes.body = Some(decision.body);
                }
                replies.push_back(reply::body(Side::Request, changes));
            }
            _ => {
                if message.end_of_stream {
                    self.decide()?;
                }
                replies.push_back(reply::body(Side::Request, Changes::default()));
            }
        }
        Ok(())
    }

    /// Trailers end a body as its last piece does otherwise.
    fn request_trailers(&mut self, replies: &mut Replies) -> Result<(), Refused> {
        if matches!(self.phase, Phase::Body(_)) {
            if self.request_mode == BodySendMode::FullDuplexStreamed {
                self.send_held(false, replies)?;
            } else {
                self.decide()?;
            }
        }
        replies.push_back(reply::trailers(Side::Request));
        Ok(())
    }

    /// Answers the headers and the pieces that were held in full duplex.
    fn send_held(&mut self, is_end: bool, replies: &mut Replies) -> Result<(), Refused> {
        let decision = self.decide()?;
        let mut changes = Changes::to(&decision.destination);
        // Trailers go with a body of unsaid length only.
        changes.content_length = is_end.then_some(decision.body.len());
        replies.push_back(reply::headers(Side::Request, changes));
        replies.extend(reply::pieces(Side::Request, decision.body, is_end));
        Ok(())
    }

    /// The body is in: which model, which endpoint. From here on the request
    /// is counted, and so is its end.
    fn decide(&mut self) -> Result<Decision, Refused> {
        let asked = Instant::now();
        let Phase::Body(mut incoming) = mem::take(&mut self.phase) else {
            unreachable!("only a request whose body is coming in is decided on");
        };
        let metrics = &self.picker.metrics;
        let pick = incoming.pick.take();
        let body = incoming.into_body();
        let model = Model::in_body(&body)
            .map_err(|error| Refused(Refusal::BadRequest(error), Some(Metrics::nameless())))?;
        let target = self.picker.rewrites.target(&model.name);
        let models = metrics.models(&model.name, target.as_deref());
        let refused = |refusal| Refused(refusal, Some(models.clone()));

        let target = target.filter(|target| **target != *model.name);
        if target.is_some() && self.request_mode == BodySendMode::Streamed {
            return Err(refused(Refusal::NotImplemented));
        }
        let pick = match pick {
            Some(pick) => pick,
            None => {
                let pick = self.picker.pool.pick(self.subset.as_ref());
                pick.map_err(|none| refused(none.into()))?
            }
        };
        let decision = Decision {
            destination: pick.destination().clone(),
            is_rewritten: target.is_some(),
            body: match target {
                Some(target) => model.replace(&body, &target),
                None => body.clone(),
            },
        };
        metrics.processed(&models, asked.elapsed());
        let client_model = decision.is_rewritten.then(|| model.name.into_owned());
        let in_flight = metrics.begin(models, self.started, Some(body.len()));
        self.begin(in_flight, pick, client_model);
        Ok(decision)
    }

    fn begin(&mut self, in_flight: InFlight, pick: Pick, client_model: Option<String>) {
        let shows_body = self.shows_response_body();
        let under_way = UnderWay::new(in_flight, pick, client_model, shows_body);
        self.phase = Phase::UnderWay(Box::new(under_way));
        // It may run for long, and nothing asks for them any more.
        self.request = HeaderMap::default();
    }

    fn response_headers(
        &mut self,
        message: &HttpHeaders,
        metadata: &Metadata,
        replies: &mut Replies,
    ) {
        if let Phase::Body(incoming) = &mut self.phase {
            // The answer came before the end of the body. It stands, and where an
            // endpoint gave it, it is counted; the model stays unknown.
            let pick = incoming.pick.take();
            self.phase = Phase::default();
            if let Some(pick) = pick {
                let metrics = &self.picker.metrics;
                let in_flight = metrics.begin(Metrics::nameless(), self.started, None);
                self.begin(in_flight, pick, None);
            }
        }
        let mut changes = Changes::default();
        if let Phase::UnderWay(under_way) = &mut self.phase
            && let Some(headers) = &message.headers
        {
            changes.removes_content_length = under_way.begin_response(headers);
        }
        let served = headers::metadata(metadata, reply::ROUTING, SERVED);
        if let Some(served) = served.unwrap_or_default().first()
            && let Ok(address) = served.parse()
        {
            if let Some(pick) = self.phase.pick() {
                pick.was_served_by(address, &self.picker.pool);
            }
            if self.picker.conformance {
                changes.served = Some(Bytes::copy_from_slice(served.as_bytes()));
            }
        }
        replies.push_back(reply::headers(Side::Response, changes));
        if message.end_of_stream || !self.shows_response_body() {
            self.end();
        }
    }

    fn response_body(&mut self, message: HttpBody, replies: &mut Replies) {
        let changed = match &mut self.phase {
            Phase::UnderWay(under_way) => {
                if !under_way.is_response_begun() {
                    self.picker.hidden_headers.call_once(|| {
                        warn!("the gateway does not show response headers: errors and tokens of responses stay unknown, and rewritten models the target's");
                    });
                }
                under_way.read(&message.body)
            }
            _ => None,
        };
        // One message is the whole body, even where trailers follow it.
        let is_end = message.end_of_stream || self.response_mode == BodySendMode::Buffered;
        pass_body(
            Side::Response,
            self.response_mode,
            message,
            changed,
            replies,
        );
        if is_end {
            self.end();
        }
    }

    /// The response is over. Whatever else comes is passed on.
    fn end(&mut self) {
        if let Phase::UnderWay(under_way) = mem::take(&mut self.phase) {
            under_way.end();
        }
    }

    fn refuse(&mut self, Refused(refusal, models): Refused, replies: &mut Replies) {
        info!(
            status = refusal.status(),
            request_id = ?lossy(headers::get(&self.request, "x-request-id")),
            path = ?lossy(Some(request::without_query(self.path()))),
            "request refused: {refusal}"
        );
        if let Some(models) = models {
            self.picker.metrics.refused(models, refusal.word());
        }
        replies.push_back(reply::immediate(refusal.status(), &refusal.to_string()));
        self.phase = Phase::Refused;
    }

    /// Whether the end of a response can be seen.
    fn shows_response_body(&self) -> bool {
        use BodySendMode::{BufferedPartial, None};
        !matches!(self.response_mode, None | BufferedPartial)
    }

    fn method(&self) -> &[u8] {
        headers::get(&self.request, ":method").unwrap_or_default()
    }

    fn path(&self) -> &[u8] {
        headers::get(&self.request, ":path").unwrap_or_default()
    }
}

impl Drop for Exchange {
    /// The gateway has closed the stream, in whatever way. Where it shows
    /// neither bodies of responses nor, maybe, their headers, it does so even if
    /// all is well.
    fn drop(&mut self) {
        if !self.shows_response_body() {
            self.end();
        }
    }
}

/// Where gateways say which endpoints a request may go to (GIE proposal 004).
const SUBSET_HINT: &str = "envoy.lb.subset_hint";
const SUBSET: &str = "x-gateway-destination-endpoint-subset";

/// Where they say which endpoint it was in the end.
const SERVED: &str = "x-gateway-destination-endpoint-served";

/// Where GIE's conformance suite says it.
const TEST_SELECTION: &str = "test-epp-endpoint-selection";

/// Lets a piece of a body pass, or what it was changed to. In full duplex it
/// has to be sent back; elsewhere the answer is empty if nothing changed.
fn pass_body(
    side: Side,
    mode: BodySendMode,
    message: HttpBody,
    changed: Option<Bytes>,
    replies: &mut Replies,
) {
    match mode {
        BodySendMode::FullDuplexStreamed | BodySendMode::Grpc => {
            let body = changed.unwrap_or(message.body);
            replies.extend(reply::pieces(side, body, message.end_of_stream));
        }
        _ => replies.push_back(reply::body(
            side,
            Changes {
                body: changed,
                ..Changes::default()
            },
        )),
    }
}

fn lossy(bytes: Option<&[u8]>) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_its_pieces_and_a_single_one_is_not_copied() {
        let whole = Bytes::from_static(b"abc");
        let cuts: [&[Bytes]; 4] = [
            &[],
            &[Bytes::new(), whole.clone(), Bytes::new()],
            &[whole.slice(..1), Bytes::new(), whole.slice(1..)],
            &[whole.slice(..1), whole.slice(1..2), whole.slice(2..)],
        ];
        let bodies = cuts.map(|pieces| {
            let mut incoming = Incoming::default();
            pieces
                .iter()
                .cloned()
                .for_each(|piece| incoming.push(piece));
            let (length, body) = (incoming.length(), incoming.into_body());
            (length, body.as_ptr() == whole.as_ptr(), body)
        });
        let expected = [
            (3, true, whole.clone()),
            (3, false, whole.clone()),
            (3, false, whole),
        ];
        assert_eq!((&bodies[0].2, &bodies[1..]), (&Bytes::new(), &expected[..]));
    }
}
