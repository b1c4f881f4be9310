//! One HTTP request as Envoy tells it, message by message.
//!
//! How request bodies reach the picker decides what is possible with those
//! that name a model:
//!
//! | body mode | answer to the headers | destination goes with | model rewrite |
//! | --- | --- | --- | --- |
//! | `FULL_DUPLEX_STREAMED` | when the body is in | the headers | yes |
//! | `BUFFERED`, `BUFFERED_PARTIAL` | at once | the body | yes |
//! | `STREAMED` | at once | the headers | refused |
//! | `NONE`, `GRPC` | at once | the headers | no: the model stays unknown |
//!
//! The headers of all other requests are answered at once and with a
//! destination; nothing of them is counted.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Once};

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::headers;
use crate::metrics::{Metrics, Models};
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

#[derive(Debug, Default)]
struct Incoming {
    pieces: Vec<Bytes>,
    length: usize,
    /// Made already where the destination went with the headers.
    pick: Option<Pick>,
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
            phase: Phase::Passing { pick: None },
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
            BodySendMode::Buffered | BodySendMode::BufferedPartial if names_model => {
                replies.push_back(reply::headers(Side::Request, Changes::default()));
                self.phase = Phase::Body(Incoming::default());
            }
            mode => {
                let pick = self
                    .pick()
                    .map_err(|refusal| Refused(refusal, counted_as))?;
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
        incoming.pieces.push(message.body.clone());
        incoming.length += message.body.len();
        if incoming.length > self.picker.max_body {
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
            BodySendMode::Buffered | BodySendMode::BufferedPartial => {
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
        let Phase::Body(incoming) = mem::replace(&mut self.phase, Phase::Passing { pick: None })
        else {
            unreachable!("only a request whose body is coming in is decided on");
        };
        let metrics = &self.picker.metrics;
        let length = incoming.length;
        let body = join(incoming.pieces);
        let model = Model::in_body(&body)
            .map_err(|error| Refused(Refusal::BadRequest(error), Some(Metrics::nameless())))?;
        let target = self.picker.rewrites.target(&model.name);
        let models = metrics.models(&model.name, target.as_deref());
        let refused = |refusal| Refused(refusal, Some(models.clone()));

        let target = target.filter(|target| **target != *model.name);
        if target.is_some() && self.request_mode == BodySendMode::Streamed {
            return Err(refused(Refusal::NotImplemented));
        }
        let pick = match incoming.pick {
            Some(pick) => pick,
            None => self.pick().map_err(refused)?,
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
        let in_flight = metrics.begin(models, self.started, length);
        let under_way = UnderWay::new(in_flight, pick, client_model);
        self.phase = Phase::UnderWay(Box::new(under_way));
        Ok(decision)
    }

    fn response_headers(
        &mut self,
        message: &HttpHeaders,
        metadata: &Metadata,
        replies: &mut Replies,
    ) {
        // The answer came before the end of the body. It stands, and where an
        // endpoint gave it and the model can be told, it is counted.
        if let Phase::Body(incoming) = &self.phase {
            let is_from_endpoint = incoming.pick.is_some();
            if !is_from_endpoint || self.decide().is_err() {
                self.phase = Phase::Passing { pick: None };
            }
        }
        let mut changes = Changes::default();
        if let Phase::UnderWay(under_way) = &mut self.phase
            && let Some(headers) = &message.headers
        {
            let shows_body = self.response_mode != BodySendMode::None;
            changes.removes_content_length = under_way.begin_response(headers, shows_body);
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
        if message.end_of_stream {
            self.end();
        }
    }

    fn response_body(&mut self, message: HttpBody, replies: &mut Replies) {
        let changed = match &mut self.phase {
            Phase::UnderWay(under_way) => under_way.read(&message.body),
            _ => None,
        };
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
        if let Phase::UnderWay(under_way) =
            mem::replace(&mut self.phase, Phase::Passing { pick: None })
        {
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

    fn pick(&self) -> Result<Pick, Refusal> {
        Ok(self.picker.pool.pick(self.subset.as_ref())?)
    }

    fn method(&self) -> &[u8] {
        headers::get(&self.request, ":method").unwrap_or_default()
    }

    fn path(&self) -> &[u8] {
        headers::get(&self.request, ":path").unwrap_or_default()
    }
}

impl Drop for Exchange {
    /// The gateway has closed the stream, in whatever way. Where it does not
    /// show response bodies, that is how the end of a response looks; Envoy
    /// then resets the stream even if all is well.
    fn drop(&mut self) {
        if let Phase::UnderWay(under_way) = &self.phase
            && under_way.has_response()
            && self.response_mode == BodySendMode::None
        {
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

/// One body from its pieces; a single piece with bytes in it is not copied.
fn join(pieces: Vec<Bytes>) -> Bytes {
    let mut filled = pieces.iter().filter(|piece| !piece.is_empty());
    match (filled.next(), filled.next()) {
        (None, _) => Bytes::new(),
        (Some(only), None) => only.clone(),
        _ => pieces
            .iter()
            .fold(BytesMut::new(), |mut body, piece| {
                body.extend_from_slice(piece);
                body
            })
            .freeze(),
    }
}

fn lossy(bytes: Option<&[u8]>) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes.unwrap_or_default())
}
