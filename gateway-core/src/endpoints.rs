//! Where the pool's endpoints come from.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use tokio::net::lookup_host;

use crate::config::Authority;

/// The addresses of all endpoints, each once and in order.
///
/// # Errors
/// The first name that does not resolve, and why.
pub(crate) async fn resolve(
    endpoints: &[Authority],
) -> Result<BTreeSet<SocketAddr>, (Authority, io::Error)> {
    let mut addresses = BTreeSet::new();
    for endpoint in endpoints {
        let resolved = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
        addresses.extend(resolved.map_err(|error| (endpoint.clone(), error))?);
    }
    Ok(addresses)
}
