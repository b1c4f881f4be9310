//! gateway-core: a minimal endpoint picker for Kubernetes inference gateways.
//!
//! A gateway (Envoy and what is built on it) asks it about every request, over
//! the external processing protocol. It reads the model from the request's
//! body, picks the endpoint, rewrites the model where it should, and counts:
//!
//! listen → stream → parse model → pick → reply → record → expose
//!
//! - `server` speaks gRPC; `stream` follows one request through its phases;
//! - `request`, `rewrite`, `pick` and `reply` decide, without I/O;
//! - `metrics` counts, `names` bounds what clients can make it count;
//! - `expose` serves the counts to readers that `authorize` lets through;
//! - `endpoints` resolves a list of them; `pool_watch` and `rewrite_watch`
//!   follow instead what the cluster says of a pool.
//!
//! [`run`] is the whole of it.

mod accept;
mod authority;
mod authorize;
mod buckets;
#[cfg(any(test, fuzzing))]
pub mod checks;
mod cluster;
mod config;
mod endpoints;
mod expose;
mod headers;
mod health;
mod members;
mod metrics;
mod names;
mod pick;
mod pool_watch;
mod process;
mod refusal;
mod reply;
mod request;
mod response;
mod rewrite;
mod rewrite_watch;
mod server;
mod stream;
mod tls;
mod under_way;
mod usage;
mod watching;

/// The external processing protocol, as generated from `proto/`.
pub mod proto {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/proto.rs"));
}

use std::sync::{Arc, Once};

use futures::{FutureExt, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::transport::Server;
use tracing::warn;

pub use cluster::Error as ClusterError;
pub use config::{
    Arguments, Authority, Config, Error as ConfigError, LogFormat, NotAnAuthority, PoolName,
};
pub use endpoints::Unresolved;
pub use rewrite::{Error as RewriteError, Rewrite, Rewrites, Target};
pub use tls::Error as TlsError;

use crate::accept::{Tls, connections};
use crate::authority::WithAuthority;
use crate::authorize::Reviewer;
use crate::expose::Page;
use crate::metrics::Metrics;
use crate::names::ModelNames;
use crate::pick::{Limits, Pool};
use crate::proto::envoy::service::ext_proc::v3::external_processor_server::ExternalProcessorServer;
use crate::rewrite::LiveRewrites;
use crate::stream::Picker;
use crate::tls::Acceptor;

/// The most bytes that HTTP/2 lets be under way (RFC 9113, 6.9.1).
const WIDEST_WINDOW: u32 = (1 << 31) - 1;

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
    #[error(transparent)]
    Resolve(#[from] Unresolved),
    /// Nobody can be asked who may read the metrics.
    #[error("metrics are to be shown to authorized readers only")]
    Guard(#[source] ClusterError),
    /// Nobody can be asked which endpoints the pool has.
    #[error("the endpoints are to be those of an InferencePool")]
    Pool(#[source] ClusterError),
    /// No certificate.
    #[error("preparing TLS")]
    Tls(#[source] TlsError),
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
            Self::Resolve(_) => Some("list endpoints as --endpoints IP:PORT, or mend the name"),
            Self::Guard(_) => Some(
                "run it in a cluster, point KUBECONFIG at one, \
                 or open the metrics to everybody with --metrics-endpoint-auth=false",
            ),
            Self::Pool(_) => Some(
                "run it in a cluster, point KUBECONFIG at one, \
                 or list the endpoints with --endpoints IP:PORT",
            ),
            Self::Tls(_) => Some(
                "a certificate folder holds tls.crt and tls.key in PEM; \
                 without --cert-path the certificate is self-signed",
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
/// metrics or about the pool, a certificate is no good, or a server breaks
/// down.
pub async fn run(
    sockets: Sockets,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let pool = Arc::new(Pool::new(Limits {
        in_flight: config.max_in_flight.map(Into::into),
        fallbacks: config.fallbacks,
    }));
    let configured = config.models.iter().map(|name| name.as_str().into());
    let configured = configured.chain(config.rewrites.names().cloned());
    let names = ModelNames::new(configured, config.max_model_names);
    let pool_name = config.pool.as_ref().map_or("static", |pool| &pool.name);
    let metrics = Arc::new(Metrics::new(names, pool_name));
    let rewrites = Arc::new(LiveRewrites::new(config.rewrites));

    let stop = shutdown.shared();
    let client = async {
        Ok::<_, Error>(match &config.pool {
            Some(_) => Some(cluster::connect().await.map_err(Error::Pool)?),
            None if config.metrics_auth => Some(cluster::connect().await.map_err(Error::Guard)?),
            None => None,
        })
    };
    let client = tokio::select! {
        client = client => client?,
        // Nothing is under way yet.
        () = stop.clone() => return Ok(()),
    };
    let are_known = watch::Sender::new(false);
    let endpoints = async {
        let (Some(name), Some(client)) = (&config.pool, &client) else {
            let unresolved = endpoints::follow(&config.endpoints, &pool, &are_known).await;
            return unresolved.into();
        };
        let default = client.default_namespace();
        let (namespace, name) = (name.namespace.as_deref().unwrap_or(default), &name.name);
        tokio::select! {
            never = pool_watch::follow(client, namespace, name, &pool, &are_known) => match never {},
            never = rewrite_watch::follow(client, namespace, name, &rewrites, &metrics) => match never {},
        }
    };

    let reviewer = client.clone().filter(|_| config.metrics_auth);
    let page = Page::new(
        metrics.clone(),
        pool.clone(),
        are_known.subscribe(),
        reviewer.map(Reviewer::new),
    );
    let metrics_tls = match &config.metrics_certificate {
        Some(folder) => {
            Tls::Required(Acceptor::new(Some(folder), b"\x08http/1.1").map_err(Error::Tls)?)
        }
        None => Tls::Off,
    };
    let page = expose::serve(sockets.metrics, metrics_tls, Arc::new(page));

    let (reporter, health_service) = tonic_health::server::health_reporter();
    // A gateway that vanishes says no goodbye: without it its requests would
    // run for ever.
    let server = || {
        Server::builder()
            .http2_keepalive_interval(Some(config.keepalive))
            .http2_keepalive_timeout(Some(config.keepalive))
    };
    let health = server()
        .add_service(health_service)
        .serve_with_incoming(connections(sockets.health, Tls::Off));

    let picker = Picker {
        pool: pool.clone(),
        rewrites: rewrites.clone(),
        metrics: metrics.clone(),
        max_body: config.max_body,
        conformance: config.conformance,
        hidden_bodies: Once::new(),
        hidden_headers: Once::new(),
    };
    // A message may hold the whole body of an upload or of a response, which is
    // as long as the gateway's buffer lets it be.
    let service = ExternalProcessorServer::new(server::Service(Arc::new(picker)))
        .max_decoding_message_size(usize::MAX);
    let grpc_tls = match config.secure_serving {
        Some(false) => Tls::Off,
        required => {
            let acceptor =
                Acceptor::new(config.certificate.as_deref(), b"\x02h2").map_err(Error::Tls)?;
            if required.is_some() {
                Tls::Required(acceptor)
            } else {
                Tls::Either(acceptor)
            }
        }
    };
    let gateways =
        connections(sockets.grpc, grpc_tls).map(|connection| connection.map(WithAuthority::new));
    // One connection carries all requests that a gateway's worker has under way:
    // a defence against floods that ends it ends them all. Floods are for the
    // gateway to stop, which knows its clients apart. The wider the window, the
    // more small frames may wait to be read, and one request whose frames wait
    // does not hold up the others.
    let grpc = server()
        .http2_max_pending_accept_reset_streams(Some(usize::MAX))
        .initial_connection_window_size(WIDEST_WINDOW)
        .add_service(service)
        .serve_with_incoming_shutdown(gateways, stop.clone());
    let drained = async {
        stop.clone().await;
        sleep(config.grace_period).await;
    };

    tokio::select! {
        // Endpoints first: those that need no resolving are known before the
        // first request is taken.
        biased;
        failed = endpoints => Err(failed),
        served = grpc => served.map_err(Error::Serve),
        served = health => served.map_err(Error::Health),
        never = health::follow(&reporter, are_known.subscribe(), stop.clone()) => match never {},
        never = page => match never {},
        () = drained => {
            warn!("the grace period is over: requests still under way are cut off");
            Ok(())
        }
    }
}
