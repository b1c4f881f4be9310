//! Why the picker answers a request itself.

use crate::pick::NoPick;
use crate::request::Unnamed;

/// Each refusal is one HTTP status and one word in `error_code`. Its text goes
/// to the client and into the log; it holds nothing of the request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The body names no model.
    #[error("{0}")]
    BadRequest(Unnamed),
    /// The body is longer than `--max-body` (bytes).
    #[error("the request body is longer than {0} bytes")]
    PayloadTooLarge(usize),
    /// The body went on to the endpoint before its model was known.
    #[error(
        "this model is rewritten, which needs a gateway that sends request bodies \
         FULL_DUPLEX_STREAMED or BUFFERED, not STREAMED"
    )]
    NotImplemented,
    /// Every endpoint has as many requests as `--max-inflight-per-endpoint`.
    #[error("all endpoints are busy")]
    ResourceExhausted,
    /// The pool is empty, or the gateway's subset of it is.
    #[error("no endpoint is ready for this request")]
    ServiceUnavailable,
}

impl From<NoPick> for Refusal {
    fn from(no: NoPick) -> Self {
        match no {
            NoPick::NoneReady => Self::ServiceUnavailable,
            NoPick::AllBusy => Self::ResourceExhausted,
        }
    }
}

impl Refusal {
    /// HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::PayloadTooLarge(_) => 413,
            Self::ResourceExhausted => 429,
            Self::NotImplemented => 501,
            Self::ServiceUnavailable => 503,
        }
    }

    /// The value of `error_code`.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BadRequest",
            Self::PayloadTooLarge(_) => "PayloadTooLarge",
            Self::ResourceExhausted => "ResourceExhausted",
            Self::NotImplemented => "NotImplemented",
            Self::ServiceUnavailable => "ServiceUnavailable",
        }
    }
}
