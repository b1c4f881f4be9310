//! gateway-core: a minimal endpoint picker for Kubernetes inference gateways.
//!
//! A gateway (Envoy and what is built on it) asks it about every request, over
//! the external processing protocol. It reads the model from the request's
//! body, picks the endpoint, rewrites the model where it should, and counts:
//!
//! listen → stream → parse model → pick → reply → record → expose
//!
//! - [`server`] speaks gRPC; [`stream`] follows one request through its phases;
//! - [`request`], [`rewrite`], [`pick`] and [`reply`] decide, without I/O;
//! - [`metrics`] counts, [`names`] bounds what clients can make it count;
//! - [`expose`] serves the counts to readers that [`authorize`] lets through.
//!
//! [`run`] is the whole of it.

mod authorize;
mod buckets;
mod config;
mod endpoints;
mod expose;
mod headers;
mod health;
mod members;
mod metrics;
mod names;
mod pick;
mod process;
mod refusal;
mod reply;
mod request;
mod response;
mod rewrite;
mod server;
mod stream;
mod under_way;
mod usage;

/// The external processing protocol, as generated from `proto/`.
pub mod proto {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/proto.rs"));
}

use std::sync::{Arc, Once};

use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::warn;

pub use authorize::Error as AuthorizeError;
pub use config::{Arguments, Authority, Config, Error as ConfigError, LogFormat, NotAnAuthority};
pub use rewrite::{Error as RewriteError, Rewrite, Rewrites, Target};

use crate::expose::Page;
use crate::metrics::Metrics;
use crate::names::ModelNames;
use crate::pick::Pool;
use crate::proto::envoy::service::ext_proc::v3::external_processor_server::ExternalProcessorServer;
use crate::stream::Picker;

/// Where a running gateway-core listens. Bound by the caller, who so knows the
/// ports.
#[derive(Debug)]
pub struct Sockets {
    /// External processing.
    pub grpc: TcpListener,
    /// gRPC health.
    pub health: TcpListener,
    /// `/metrics` and `/healthz`.
    pub metrics: TcpListener,
}

/// Why gateway-core does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name in the list of endpoints is not known.
    #[error("resolving the endpoint {endpoint}")]
    Resolve {
        /// As given.
        endpoint: Authority,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Nobody can be asked who may read the metrics.
    #[error("metrics are to be shown to authorized readers only")]
    Authorize(#[source] AuthorizeError),
    /// The gRPC service broke down.
    #[error("serving external processing")]
    Serve(#[source] tonic::transport::Error),
    /// The gRPC health service broke down.
    #[error("serving gRPC health")]
    Health(#[source] tonic::transport::Error),
}

impl Error {
    /// What to try next, if there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Resolve { .. } => Some("list endpoints as --endpoints IP:PORT, or mend the name"),
            Self::Authorize(_) => Some(
                "run it in a cluster, point KUBECONFIG at one, \
                 or open the metrics to everybody with --metrics-endpoint-auth=false",
            ),
            Self::Serve(_) | Self::Health(_) => None,
        }
    }
}

/// Serves until `shutdown` resolves; then stops accepting, lets requests under
/// way end within the grace period, and returns.
///
/// # Errors
/// An endpoint does not resolve, no cluster can be asked about readers of the
/// metrics, or a server breaks down.
pub async fn run(
    sockets: Sockets,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let pool = Arc::new(Pool::default());
    let addresses = endpoints::resolve(&config.endpoints)
        .await
        .map_err(|(endpoint, source)| Error::Resolve { endpoint, source })?;
    pool.replace(addresses);

    let reviewer = match config.metrics_auth {
        true => Some(
            authorize::Reviewer::connect()
                .await
                .map_err(Error::Authorize)?,
        ),
        false => None,
    };
    let configured = config.models.iter().map(|name| name.as_str().into());
    let configured = configured.chain(config.rewrites.names().cloned());
    let names = ModelNames::new(configured, config.max_model_names);
    let metrics = Arc::new(Metrics::new(names, "static"));
    metrics.endpoints(pool.len());

    let page = Page {
        metrics: metrics.clone(),
        reviewer,
    };
    let page = expose::serve(sockets.metrics, Arc::new(page));

    let (reporter, health_service) = tonic_health::server::health_reporter();
    health::report(&reporter, pool.len() > 0).await;
    let stop = shutdown.shared();
    let health = Server::builder()
        .add_service(health_service)
        .serve_with_incoming(TcpIncoming::from(sockets.health).with_nodelay(Some(true)));

    let picker = Picker {
        pool,
        rewrites: config.rewrites,
        metrics,
        max_body: config.max_body,
        hidden_bodies: Once::new(),
    };
    // A buffered body is one message. One that is too long shall be answered
    // with 413, for which it must be read; far beyond that gRPC may refuse it.
    let longest_message = config.max_body.saturating_mul(2).saturating_add(1 << 20);
    let service = ExternalProcessorServer::new(server::Service(Arc::new(picker)))
        .max_decoding_message_size(longest_message);
    let grpc = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(sockets.grpc).with_nodelay(Some(true)),
            stop.clone(),
        );
    let drained = async {
        stop.await;
        health::report(&reporter, false).await;
        sleep(config.grace_period).await;
    };

    tokio::select! {
        served = grpc => served.map_err(Error::Serve),
        served = health => served.map_err(Error::Health),
        never = page => match never {},
        () = drained => {
            warn!("the grace period is over: requests still under way are cut off");
            Ok(())
        }
    }
}
