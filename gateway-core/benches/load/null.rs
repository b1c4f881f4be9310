//! An external processing server that lets everything pass: what the protocol
//! itself costs.

use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use gateway_core::proto::envoy::config::core::v3::{
    HeaderValue, HeaderValueOption, header_value_option::HeaderAppendAction,
};
use gateway_core::proto::envoy::service::ext_proc::v3::{
    BodyMutation, BodyResponse, CommonResponse, HeaderMutation, HeadersResponse, HttpBody,
    ProcessingRequest, ProcessingResponse, StreamedBodyResponse, TrailersResponse,
    body_mutation::Mutation,
    external_processor_server::{ExternalProcessor, ExternalProcessorServer},
    processing_request::Request as Message,
    processing_response::Response as Reply,
};
use prost_types::{Struct, Value, value::Kind};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use crate::support::free_socket;

/// Sends every request to `endpoint`, for ever. Its first line says where it
/// listens, as gateway-core's does.
pub(crate) async fn run(endpoint: String) {
    let listener = free_socket().await;
    let address = listener.local_addr().expect("a bound socket");
    eprintln!(r#"{{"message":"listening","grpc":"{address}"}}"#);
    let service = ExternalProcessorServer::new(Null(endpoint.into()));
    Server::builder()
        .add_service(service)
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .expect("it serves");
}

struct Null(Bytes);

const DESTINATION: &str = "x-gateway-destination-endpoint";

type Replies = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

#[tonic::async_trait]
impl ExternalProcessor for Null {
    type ProcessStream = Replies;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let endpoint = self.0.clone();
        let replies = request
            .into_inner()
            .map(move |message| Ok(reply(message?, &endpoint)));
        Ok(Response::new(Box::pin(replies)))
    }
}

fn reply(message: ProcessingRequest, endpoint: &Bytes) -> ProcessingResponse {
    let dynamic_metadata = match &message.request {
        Some(Message::RequestHeaders(_)) => Some(routing(endpoint)),
        _ => None,
    };
    let response = message.request.map(|message| match message {
        Message::RequestHeaders(_) => Reply::RequestHeaders(HeadersResponse {
            response: Some(CommonResponse {
                header_mutation: Some(destination(endpoint)),
                body_mutation: None,
            }),
        }),
        Message::ResponseHeaders(_) => Reply::ResponseHeaders(HeadersResponse::default()),
        Message::RequestBody(body) => Reply::RequestBody(same(body)),
        Message::ResponseBody(body) => Reply::ResponseBody(same(body)),
        Message::RequestTrailers(_) => Reply::RequestTrailers(TrailersResponse::default()),
        Message::ResponseTrailers(_) => Reply::ResponseTrailers(TrailersResponse::default()),
    });
    ProcessingResponse {
        response,
        dynamic_metadata,
    }
}

fn same(body: HttpBody) -> BodyResponse {
    let piece = StreamedBodyResponse {
        body: body.body,
        end_of_stream: body.end_of_stream,
    };
    BodyResponse {
        response: Some(CommonResponse {
            header_mutation: None,
            body_mutation: Some(BodyMutation {
                mutation: Some(Mutation::StreamedResponse(piece)),
            }),
        }),
    }
}

/// The destination as Istio wants it.
fn routing(endpoint: &Bytes) -> Struct {
    let structure = |key: &str, kind| Struct {
        fields: [(key.to_owned(), Value { kind: Some(kind) })].into(),
    };
    let endpoint = String::from_utf8_lossy(endpoint).into_owned();
    let routing = structure(DESTINATION, Kind::StringValue(endpoint));
    structure("envoy.lb", Kind::StructValue(routing))
}

/// The destination as all others want it.
fn destination(endpoint: &Bytes) -> HeaderMutation {
    HeaderMutation {
        set_headers: vec![HeaderValueOption {
            header: Some(HeaderValue {
                key: DESTINATION.to_owned(),
                value: String::new(),
                raw_value: endpoint.clone(),
            }),
            append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        }],
        remove_headers: Vec::new(),
    }
}
