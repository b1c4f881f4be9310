//! The gRPC service: one stream per request, read, decided on and answered in
//! place, without a task or a channel between.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::proto::envoy::service::ext_proc::v3::{
    ProcessingRequest, ProcessingResponse, external_processor_server::ExternalProcessor,
};
use crate::stream::{Exchange, Picker, Replies};

/// Answers Envoy's external processing streams.
#[derive(Debug)]
pub(crate) struct Service(pub(crate) Arc<Picker>);

#[tonic::async_trait]
impl ExternalProcessor for Service {
    type ProcessStream = Conversation;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Conversation>, Status> {
        Ok(Response::new(Conversation {
            messages: request.into_inner(),
            exchange: Exchange::new(self.0.clone()),
            replies: Replies::new(),
        }))
    }
}

/// The replies to one stream. Dropping it, which is what becomes of a stream
/// that the gateway cancels, ends the request.
#[derive(Debug)]
pub(crate) struct Conversation {
    messages: Streaming<ProcessingRequest>,
    exchange: Exchange,
    replies: Replies,
}

impl Stream for Conversation {
    type Item = Result<ProcessingResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(reply) = this.replies.pop_front() {
                return Poll::Ready(Some(Ok(reply)));
            }
            if this.exchange.is_refused() {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut this.messages).poll_next(context)) {
                Some(Ok(message)) => this.exchange.receive(message, &mut this.replies),
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(None),
            }
        }
    }
}
