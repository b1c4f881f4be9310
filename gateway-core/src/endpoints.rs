//! Endpoints from a list: names are resolved, and again every now and then.

use std::io;
use std::net::SocketAddr;

use futures::future::{join_all, try_join_all};
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};
use tracing::warn;

use crate::config::Authority;
use crate::pick::Pool;

/// How long the addresses of names are used.
const RESOLVE_AGAIN: Duration = Duration::from_secs(30);

/// A name that has no address.
#[derive(Debug, thiserror::Error)]
#[error("resolving the endpoint {endpoint}")]
pub struct Unresolved {
    /// As given.
    pub endpoint: Authority,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// Keeps `pool` as the list says, for as long as it is awaited; returns only
/// if a name does not resolve at the start.
pub(crate) async fn follow(
    endpoints: &[Authority],
    pool: &Pool,
    are_known: &watch::Sender<bool>,
) -> Unresolved {
    let mut last = match try_join_all(endpoints.iter().map(resolve)).await {
        Ok(addresses) => addresses,
        Err(unresolved) => return unresolved,
    };
    loop {
        pool.replace(last.iter().flatten().copied());
        are_known.send_replace(true);
        sleep(RESOLVE_AGAIN).await;
        renew(&mut last, join_all(endpoints.iter().map(resolve)).await);
    }
}

/// Takes over what each endpoint resolves to now. One that does not resolve
/// keeps its last addresses, and the others theirs of now.
fn renew(last: &mut [Vec<SocketAddr>], resolved: Vec<Result<Vec<SocketAddr>, Unresolved>>) {
    for (last, resolved) in last.iter_mut().zip(resolved) {
        match resolved {
            Ok(addresses) => *last = addresses,
            Err(Unresolved { endpoint, source }) => {
                warn!(%endpoint, error = %source, "a name no longer resolves; its last addresses stay in use");
            }
        }
    }
}

async fn resolve(endpoint: &Authority) -> Result<Vec<SocketAddr>, Unresolved> {
    match lookup_host((endpoint.host.as_str(), endpoint.port)).await {
        Ok(addresses) => Ok(of_one_family(&addresses.collect::<Vec<_>>()).collect()),
        Err(source) => Err(Unresolved {
            endpoint: endpoint.clone(),
            source,
        }),
    }
}

/// IPv4 where a name has both: most often they lead to one server, which would
/// be two endpoints.
fn of_one_family(addresses: &[SocketAddr]) -> impl Iterator<Item = SocketAddr> {
    let has_v4 = addresses.iter().any(SocketAddr::is_ipv4);
    let addresses = addresses.iter().copied();
    addresses.filter(move |address| address.is_ipv4() == has_v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_longer_resolves_keeps_its_addresses_and_no_other_name() {
        let [a, b, c] = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]
            .map(|text| text.parse::<SocketAddr>().expect("an address"));
        let mut last = [vec![a], vec![b]];
        let unresolved = Unresolved {
            endpoint: "gone:80".parse().expect("an endpoint"),
            source: io::ErrorKind::NotFound.into(),
        };
        renew(&mut last, vec![Err(unresolved), Ok(vec![c])]);
        assert_eq!(last, [vec![a], vec![c]]);
    }

    #[test]
    fn a_name_stands_for_addresses_of_one_family() {
        let lists = [
            &["[::1]:80", "127.0.0.1:80", "127.0.0.2:80"][..],
            &["[::1]:80", "[::2]:80"],
            &[],
        ]
        .map(|texts| {
            let addresses = texts.iter().map(|text| text.parse().expect("an address"));
            let addresses: Vec<_> = addresses.collect();
            let kept = of_one_family(&addresses).map(|address| address.to_string());
            kept.collect::<Vec<_>>()
        });
        assert_eq!(
            lists,
            [
                vec!["127.0.0.1:80", "127.0.0.2:80"],
                vec!["[::1]:80", "[::2]:80"],
                vec![]
            ]
        );
    }
}
