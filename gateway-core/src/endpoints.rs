//! Endpoints from a list: names are resolved, and again every now and then.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};
use tracing::warn;

use crate::Error;
use crate::config::Authority;
use crate::pick::Pool;

/// How long the addresses of names are used.
const RESOLVE_AGAIN: Duration = Duration::from_secs(30);

/// Keeps `pool` as the list says, for as long as it is awaited; returns only
/// if a name does not resolve at the start.
pub(crate) async fn follow(
    endpoints: &[Authority],
    pool: &Pool,
    are_known: &watch::Sender<bool>,
) -> Error {
    loop {
        match resolve(endpoints).await {
            Ok(addresses) => {
                pool.replace(addresses);
                are_known.send_replace(true);
            }
            Err((endpoint, source)) if !*are_known.borrow() => {
                return Error::Resolve { endpoint, source };
            }
            Err((endpoint, error)) => {
                warn!(%endpoint, %error, "a name no longer resolves; its last addresses stay in use");
            }
        }
        sleep(RESOLVE_AGAIN).await;
    }
}

/// The addresses of all endpoints, or the first name without any.
async fn resolve(endpoints: &[Authority]) -> Result<BTreeSet<SocketAddr>, (Authority, io::Error)> {
    let mut addresses = BTreeSet::new();
    for endpoint in endpoints {
        let resolved = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
        addresses.extend(resolved.map_err(|error| (endpoint.clone(), error))?);
    }
    Ok(addresses)
}
