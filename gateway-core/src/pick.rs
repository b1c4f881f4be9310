//! The endpoints of the pool and which of them takes the next request.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

/// The endpoints that are ready, as they are known now.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    endpoints: RwLock<Arc<[Arc<Endpoint>]>>,
    turn: AtomicUsize,
}

/// One model server's address.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    /// The address as text, made once and shared by all replies.
    text: Bytes,
    in_flight: AtomicUsize,
}

/// The endpoints that the gateway allows for one request
/// (`envoy.lb.subset_hint` of the Endpoint Picker Protocol).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Subset(Vec<Member>);

#[derive(Debug, PartialEq, Eq)]
enum Member {
    Endpoint(SocketAddr),
    /// All ports of an address.
    Address(IpAddr),
}

impl Subset {
    /// Reads `ip:port` and bare `ip`, in pieces or separated by commas.
    /// What is neither allows nothing.
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let members = texts
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter_map(|text| {
                let endpoint = text.parse().map(Member::Endpoint).ok();
                endpoint.or_else(|| text.parse().map(Member::Address).ok())
            });
        Self(members.collect())
    }

    fn allows(&self, address: SocketAddr) -> bool {
        self.0.iter().any(|member| match member {
            Member::Endpoint(endpoint) => *endpoint == address,
            Member::Address(ip) => *ip == address.ip(),
        })
    }
}

impl Pool {
    /// Takes over a new list. Endpoints that stay keep their count of
    /// requests in flight.
    pub(crate) fn replace(&self, addresses: impl IntoIterator<Item = SocketAddr>) {
        let mut current = self
            .endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let known: HashMap<_, _> = current.iter().map(|known| (known.address, known)).collect();
        let new = addresses
            .into_iter()
            .map(|address| match known.get(&address) {
                Some(&endpoint) => endpoint.clone(),
                None => Arc::new(Endpoint::new(address)),
            })
            .collect();
        *current = new;
    }

    /// How many endpoints are ready.
    pub(crate) fn len(&self) -> usize {
        self.snapshot().len()
    }

    /// The endpoint with the fewest requests in flight, in turn among equals;
    /// none if none is ready or `subset` allows none.
    pub(crate) fn pick(&self, subset: Option<&Subset>) -> Option<Pick> {
        let endpoints = self.snapshot();
        let count = endpoints.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % count.max(1);
        (0..count)
            .map(|step| &endpoints[(first + step) % count])
            .filter(|endpoint| subset.is_none_or(|subset| subset.allows(endpoint.address)))
            .min_by_key(|endpoint| endpoint.in_flight.load(Ordering::Relaxed))
            .map(|endpoint| Pick::new(endpoint.clone()))
    }

    fn snapshot(&self) -> Arc<[Arc<Endpoint>]> {
        self.endpoints
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Endpoint {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            text: Bytes::from(address.to_string()),
            in_flight: AtomicUsize::new(0),
        }
    }
}

/// An endpoint that has a request in flight for as long as this lives.
#[derive(Debug)]
pub(crate) struct Pick(Arc<Endpoint>);

impl Pick {
    fn new(endpoint: Arc<Endpoint>) -> Self {
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(endpoint)
    }

    /// `ip:port`.
    pub(crate) fn destination(&self) -> &Bytes {
        &self.0.text
    }
}

impl Drop for Pick {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "10.0.0.1:8000";
    const B: &str = "10.0.0.2:8000";

    fn pool(addresses: &[&str]) -> Pool {
        let pool = Pool::default();
        pool.replace(
            addresses
                .iter()
                .map(|text| text.parse().expect("an address")),
        );
        pool
    }

    fn picked(pick: Option<&Pick>) -> Option<&str> {
        pick.map(|pick| std::str::from_utf8(pick.destination()).expect("an address"))
    }

    #[test]
    fn idle_endpoints_take_turns() {
        let pool = pool(&[A, B]);
        let picks: Vec<_> = (0..4)
            .map(|_| picked(pool.pick(None).as_ref()).map(str::to_owned))
            .collect();
        assert_eq!(
            picks.iter().map(Option::as_deref).collect::<Vec<_>>(),
            [Some(A), Some(B), Some(A), Some(B)]
        );
    }

    #[test]
    fn the_least_busy_endpoint_is_next() {
        let pool = pool(&[A, B]);
        let held = [pool.pick(None), pool.pick(None), pool.pick(None)];
        let busy = picked(held[2].as_ref()).map(str::to_owned);
        let next = pool.pick(None);
        assert_ne!(picked(next.as_ref()), busy.as_deref());
    }

    #[test]
    fn an_endpoint_that_stays_keeps_its_count() {
        let pool = pool(&[A]);
        let _held = pool.pick(None);
        pool.replace([A, B].map(|text| text.parse().expect("an address")));
        let next = [(); 2].map(|()| picked(pool.pick(None).as_ref()).map(str::to_owned));
        assert_eq!(next, [Some(B.to_owned()), Some(B.to_owned())]);
    }

    #[test]
    fn a_subset_limits_the_choice() {
        let pool = pool(&[A, B]);
        let picks = [
            Subset::new([B]),
            Subset::new(["10.0.0.9:1, 10.0.0.1"]),
            Subset::new([""]),
        ]
        .map(|subset| picked(pool.pick(Some(&subset)).as_ref()).map(str::to_owned));
        assert_eq!(picks, [Some(B.to_owned()), Some(A.to_owned()), None]);
    }

    #[test]
    fn an_empty_pool_has_no_pick() {
        assert!(pool(&[]).pick(None).is_none());
    }
}
