//! Decisions → messages to Envoy. Pure.

use bytes::Bytes;
use prost_types::{Struct, Value, value::Kind};

use crate::proto::envoy::config::core::v3::{HeaderValue, HeaderValueOption, header_value_option};
use crate::proto::envoy::service::ext_proc::v3::{
    BodyMutation, BodyResponse, CommonResponse, HeaderMutation, HeadersResponse, ImmediateResponse,
    ProcessingResponse, StreamedBodyResponse, TrailersResponse, body_mutation,
    processing_response::Response,
};
use crate::proto::envoy::r#type::v3::HttpStatus;

/// The header, and the key of the metadata, that names the picked endpoint
/// (Endpoint Picker Protocol, GIE proposal 004).
pub(crate) const DESTINATION: &str = "x-gateway-destination-endpoint";

/// The namespace of the metadata that gateways route by.
pub(crate) const ROUTING: &str = "envoy.lb";

/// The header in which GIE's conformance suite reads the endpoint.
const TEST_SERVED: &str = "x-conformance-test-served-endpoint";

const CONTENT_LENGTH: &str = "content-length";

/// Envoy takes no longer piece of a body back, with some room for the frame.
const MAX_PIECE: usize = 62_000;

/// Which half of the exchange a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// What a reply changes. The default changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// `ip:port`, set as header and as metadata.
    pub(crate) destination: Option<Bytes>,
    /// Where the request was served, told in a header.
    pub(crate) served: Option<Bytes>,
    /// The new length of the body, for a body that follows whole.
    pub(crate) content_length: Option<usize>,
    /// The body that follows may have another length than was said.
    pub(crate) removes_content_length: bool,
    /// The whole body, or this piece of it, anew.
    pub(crate) body: Option<Bytes>,
}

impl Changes {
    /// Sends the request to an endpoint.
    pub(crate) fn to(destination: &Bytes) -> Self {
        Self {
            destination: Some(destination.clone()),
            ..Self::default()
        }
    }

    fn metadata(&self) -> Option<Struct> {
        let destination = self.destination.as_ref()?;
        let destination = String::from_utf8_lossy(destination).into_owned();
        let routing = structure(DESTINATION, Kind::StringValue(destination));
        Some(structure(ROUTING, Kind::StructValue(routing)))
    }

    fn into_response(self) -> CommonResponse {
        let destination = self.destination.map(|value| header(DESTINATION, value));
        let served = self.served.map(|value| header(TEST_SERVED, value));
        let length = self.content_length.map(|length| length.to_string().into());
        let length = length.map(|value| header(CONTENT_LENGTH, value));
        let mutation = HeaderMutation {
            set_headers: [destination, length, served]
                .into_iter()
                .flatten()
                .collect(),
            remove_headers: match self.removes_content_length {
                true => vec![CONTENT_LENGTH.to_owned()],
                false => Vec::new(),
            },
        };
        CommonResponse {
            header_mutation: (mutation != HeaderMutation::default()).then_some(mutation),
            body_mutation: self.body.map(|body| BodyMutation {
                mutation: Some(body_mutation::Mutation::Body(body)),
            }),
        }
    }
}

/// Answers a message of headers.
pub(crate) fn headers(side: Side, changes: Changes) -> ProcessingResponse {
    let dynamic_metadata = changes.metadata();
    let headers = HeadersResponse {
        response: Some(changes.into_response()),
    };
    ProcessingResponse {
        response: Some(match side {
            Side::Request => Response::RequestHeaders(headers),
            Side::Response => Response::ResponseHeaders(headers),
        }),
        dynamic_metadata,
    }
}

/// Answers a piece of a body, or a whole body, outside full duplex.
pub(crate) fn body(side: Side, changes: Changes) -> ProcessingResponse {
    let dynamic_metadata = changes.metadata();
    ProcessingResponse {
        dynamic_metadata,
        ..body_response(side, changes.into_response())
    }
}

/// Sends bytes on in full duplex: pieces that Envoy takes, of which only the
/// last bears `end`. No bytes still make one piece, for the end in it.
pub(crate) fn pieces(
    side: Side,
    bytes: Bytes,
    end: bool,
) -> impl Iterator<Item = ProcessingResponse> {
    let count = bytes.len().div_ceil(MAX_PIECE).max(1);
    (0..count).map(move |index| {
        let start = index * MAX_PIECE;
        let stop = bytes.len().min(start + MAX_PIECE);
        let piece = StreamedBodyResponse {
            body: bytes.slice(start..stop),
            end_of_stream: end && index + 1 == count,
        };
        body_response(
            side,
            CommonResponse {
                header_mutation: None,
                body_mutation: Some(BodyMutation {
                    mutation: Some(body_mutation::Mutation::StreamedResponse(piece)),
                }),
            },
        )
    })
}

/// Answers trailers.
pub(crate) fn trailers(side: Side) -> ProcessingResponse {
    let trailers = TrailersResponse::default();
    response(match side {
        Side::Request => Response::RequestTrailers(trailers),
        Side::Response => Response::ResponseTrailers(trailers),
    })
}

/// Ends the request with an answer of the picker's own.
pub(crate) fn immediate(status: u16, text: &str) -> ProcessingResponse {
    response(Response::ImmediateResponse(ImmediateResponse {
        status: Some(HttpStatus {
            code: status.into(),
        }),
        headers: Some(HeaderMutation {
            set_headers: vec![header(
                "content-type",
                Bytes::from_static(b"text/plain; charset=utf-8"),
            )],
            remove_headers: Vec::new(),
        }),
        body: Bytes::copy_from_slice(text.as_bytes()),
        details: "endpoint_picker_refused".to_owned(),
    }))
}

fn body_response(side: Side, common: CommonResponse) -> ProcessingResponse {
    let body = BodyResponse {
        response: Some(common),
    };
    response(match side {
        Side::Request => Response::RequestBody(body),
        Side::Response => Response::ResponseBody(body),
    })
}

fn response(response: Response) -> ProcessingResponse {
    ProcessingResponse {
        response: Some(response),
        dynamic_metadata: None,
    }
}

/// Envoy takes either `value` or `raw_value`, never both.
fn header(key: &str, value: Bytes) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: key.to_owned(),
            value: String::new(),
            raw_value: value,
        }),
        append_action: header_value_option::HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    }
}

fn structure(key: &str, kind: Kind) -> Struct {
    Struct {
        fields: [(key.to_owned(), Value { kind: Some(kind) })].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(reply: ProcessingResponse) -> (usize, bool) {
        match reply.response {
            Some(Response::RequestBody(BodyResponse {
                response:
                    Some(CommonResponse {
                        body_mutation:
                            Some(BodyMutation {
                                mutation: Some(body_mutation::Mutation::StreamedResponse(piece)),
                            }),
                        ..
                    }),
            })) => (piece.body.len(), piece.end_of_stream),
            other => panic!("no piece of a request body: {other:?}"),
        }
    }

    #[test]
    fn a_long_body_goes_back_in_pieces_of_which_the_last_ends_it() {
        let sizes = [0, 1, MAX_PIECE, MAX_PIECE + 1].map(|size| {
            pieces(Side::Request, vec![b'x'; size].into(), true)
                .map(piece)
                .collect::<Vec<_>>()
        });
        assert_eq!(
            sizes,
            [
                vec![(0, true)],
                vec![(1, true)],
                vec![(MAX_PIECE, true)],
                vec![(MAX_PIECE, false), (1, true)],
            ]
        );
    }

    #[test]
    fn a_body_that_trailers_follow_has_no_end() {
        let sent: Vec<_> = pieces(Side::Request, "x".into(), false)
            .map(piece)
            .collect();
        assert_eq!(sent, [(1, false)]);
    }
}
