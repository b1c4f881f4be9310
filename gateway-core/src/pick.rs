//! The endpoints of the pool and which of them takes the next request.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use bytes::Bytes;

/// The endpoints that are ready, as they are known now.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    endpoints: RwLock<Endpoints>,
    turn: AtomicUsize,
    /// Apart, or all that a client asks after asking for the models would go to
    /// one endpoint of two.
    turn_without_model: AtomicUsize,
    limits: Limits,
}

#[derive(Debug, Default)]
struct Endpoints {
    ready: Arc<[Arc<Endpoint>]>,
    /// Those that are ready, and those that are not any more but still have
    /// requests: should they come back, these count.
    known: HashMap<SocketAddr, Weak<Endpoint>>,
}

/// What a pick may be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Requests that one endpoint may have in flight.
    pub(crate) in_flight: Option<usize>,
    /// How many further endpoints are named, for the gateway to try after the
    /// first.
    pub(crate) fallbacks: usize,
}

/// Why there is no pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPick {
    /// No endpoint is ready, or the subset allows none that is.
    NoneReady,
    /// All have as many requests in flight as they may.
    AllBusy,
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
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes over a new list; true if it differs. Endpoints that stay, or that
    /// come back, keep their count of requests in flight.
    pub(crate) fn replace(&self, addresses: impl IntoIterator<Item = SocketAddr>) -> bool {
        let mut endpoints = self
            .endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Endpoints { ready, known } = &mut *endpoints;
        let addresses: BTreeSet<_> = addresses.into_iter().collect();
        let is_same = ready.iter().map(|old| &old.address).eq(&addresses);
        *ready = addresses
            .into_iter()
            .map(|address| {
                let known = known.entry(address).or_default();
                known.upgrade().unwrap_or_else(|| {
                    let new = Arc::new(Endpoint::new(address));
                    *known = Arc::downgrade(&new);
                    new
                })
            })
            .collect();
        known.retain(|_, endpoint| endpoint.strong_count() > 0);
        !is_same
    }

    /// How many endpoints are ready.
    pub(crate) fn len(&self) -> usize {
        self.snapshot().len()
    }

    /// The endpoint with the fewest requests in flight, in turn among equals.
    pub(crate) fn pick(&self, subset: Option<&Subset>) -> Result<Pick, NoPick> {
        self.pick_in(&self.turn, subset)
    }

    /// As [`Self::pick`], for a request that names no model.
    pub(crate) fn pick_without_model(&self, subset: Option<&Subset>) -> Result<Pick, NoPick> {
        self.pick_in(&self.turn_without_model, subset)
    }

    fn pick_in(&self, turns: &AtomicUsize, subset: Option<&Subset>) -> Result<Pick, NoPick> {
        let endpoints = self.snapshot();
        let allowed = || {
            endpoints
                .iter()
                .filter(|endpoint| subset.is_none_or(|subset| subset.allows(endpoint.address)))
        };
        let turn = turns.load(Ordering::Relaxed);
        loop {
            let loads: Vec<_> = allowed()
                .map(|endpoint| (endpoint.load(), endpoint))
                .collect();
            let least = loads.iter().map(|&(load, _)| load).min();
            let least = least.ok_or(NoPick::NoneReady)?;
            if self.is_full(least) {
                return Err(NoPick::AllBusy);
            }
            let mut equals = loads.iter().filter(|&&(load, _)| load == least);
            let count = equals.clone().count();
            let &(_, endpoint) = equals.nth(turn % count).expect("one has the least");
            // Another request may have taken the last place just now.
            if endpoint.take(|load| !self.is_full(load)) {
                turns.fetch_add(1, Ordering::Relaxed);
                let destination = self.with_fallbacks(endpoint, allowed(), turn);
                return Ok(Pick {
                    endpoint: endpoint.clone(),
                    destination,
                });
            }
        }
    }

    fn is_full(&self, load: usize) -> bool {
        self.limits.in_flight.is_some_and(|limit| load >= limit)
    }

    /// The endpoint, and after it those others that have room, least busy first
    /// and in turn among equals.
    fn with_fallbacks<'a>(
        &self,
        endpoint: &Endpoint,
        others: impl Iterator<Item = &'a Arc<Endpoint>>,
        turn: usize,
    ) -> Bytes {
        if self.limits.fallbacks == 0 {
            return endpoint.text.clone();
        }
        let mut others: Vec<_> = others
            .filter(|other| other.address != endpoint.address)
            .map(|other| (other.load(), &other.text))
            .filter(|&(load, _)| !self.is_full(load))
            .collect();
        let first = turn % others.len().max(1);
        others.rotate_left(first);
        others.sort_by_key(|&(load, _)| load);
        let others = others.into_iter().take(self.limits.fallbacks);
        std::iter::once(&endpoint.text)
            .chain(others.map(|(_, text)| text))
            .map(|text| &text[..])
            .collect::<Vec<_>>()
            .join(&b',')
            .into()
    }

    fn snapshot(&self) -> Arc<[Arc<Endpoint>]> {
        self.endpoints
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .ready
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

    fn load(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts one more request in flight, if so many allow it.
    fn take(&self, allows: impl Fn(usize) -> bool) -> bool {
        let order = Ordering::Relaxed;
        self.in_flight
            .fetch_update(order, order, |load| allows(load).then_some(load + 1))
            .is_ok()
    }
}

/// An endpoint that has a request in flight for as long as this lives.
#[derive(Debug)]
pub(crate) struct Pick {
    endpoint: Arc<Endpoint>,
    destination: Bytes,
}

impl Pick {
    /// `ip:port`, and after it the fallbacks, if any are wanted.
    pub(crate) fn destination(&self) -> &Bytes {
        &self.destination
    }

    /// The gateway says that it was another endpoint that served the request.
    pub(crate) fn was_served_by(&mut self, address: SocketAddr, pool: &Pool) {
        let endpoints = pool.snapshot();
        let served = endpoints
            .iter()
            .find(|endpoint| endpoint.address == address);
        if let Some(served) = served
            && served.take(|_| true)
        {
            let picked = std::mem::replace(&mut self.endpoint, served.clone());
            picked.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Pick {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Ordering::Relaxed);
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

    fn picked(pick: &Result<Pick, NoPick>) -> Result<&str, NoPick> {
        let pick = pick.as_ref().map_err(|&no| no)?;
        Ok(std::str::from_utf8(pick.destination()).expect("an address"))
    }

    /// Picks for requests that end before the next.
    fn one_by_one(pool: &Pool, count: usize) -> Vec<String> {
        let picks = (0..count).map(|_| picked(&pool.pick(None)).map(str::to_owned));
        picks
            .collect::<Result<_, _>>()
            .expect("an endpoint each time")
    }

    #[test]
    fn idle_endpoints_take_turns() {
        assert_eq!(one_by_one(&pool(&[A, B]), 4), [A, B, A, B]);
    }

    #[test]
    fn requests_without_a_model_and_refused_ones_take_no_turn_of_the_others() {
        let pool = pool(&[A, B]);
        let nowhere = Subset::new(["10.0.0.9:1"]);
        let picks = [(); 4].map(|()| {
            let others = [pool.pick_without_model(None), pool.pick(Some(&nowhere))];
            drop(others);
            picked(&pool.pick(None)).map(str::to_owned)
        });
        assert_eq!(picks, [A, B, A, B].map(|endpoint| Ok(endpoint.to_owned())));
    }

    #[test]
    fn the_least_busy_endpoint_is_next() {
        let pool = pool(&[A, B]);
        let held = [pool.pick(None), pool.pick(None), pool.pick(None)];
        assert_ne!(picked(&pool.pick(None)), picked(&held[2]));
    }

    #[test]
    fn an_endpoint_that_stays_keeps_its_count() {
        let pool = pool(&[A]);
        let _held = pool.pick(None);
        pool.replace([A, B].map(|text| text.parse().expect("an address")));
        assert_eq!(one_by_one(&pool, 2), [B, B]);
    }

    #[test]
    fn an_endpoint_that_comes_back_with_requests_is_as_busy_as_before() {
        let pool = pool(&[A]);
        let _held = pool.pick(None);
        pool.replace([]);
        pool.replace([A, B].map(|text| text.parse().expect("an address")));
        assert_eq!(one_by_one(&pool, 2), [B, B]);
    }

    #[test]
    fn an_endpoint_that_is_gone_and_idle_is_forgotten() {
        let pool = pool(&[A, B]);
        pool.replace([]);
        let endpoints = pool.endpoints.read().expect("nobody panicked");
        assert_eq!(endpoints.known.len(), 0);
    }

    #[test]
    fn only_a_list_that_differs_is_a_change() {
        let pool = pool(&[A, B]);
        let changes = [&[B, A, A][..], &[B], &[B]]
            .map(|texts| pool.replace(texts.iter().map(|text| text.parse().expect("an address"))));
        assert_eq!(changes, [false, true, false]);
    }

    #[test]
    fn a_subset_limits_the_choice() {
        let pool = pool(&[A, B]);
        let subsets = [
            Subset::new([B]),
            Subset::new(["10.0.0.9:1, 10.0.0.1"]),
            Subset::new([""]),
        ];
        let picks = subsets.map(|subset| picked(&pool.pick(Some(&subset))).map(str::to_owned));
        assert_eq!(
            picks,
            [Ok(B.to_owned()), Ok(A.to_owned()), Err(NoPick::NoneReady)]
        );
    }

    #[test]
    fn endpoints_of_a_subset_take_turns_however_many_lie_between_them() {
        let pool = pool(&[A, "10.0.0.2:8000", "10.0.0.3:8000", "10.0.0.4:8000"]);
        let subset = Subset::new([A, "10.0.0.4:8000"]);
        let picks = [(); 4].map(|()| picked(&pool.pick(Some(&subset))).map(str::to_owned));
        let (first, last) = (Ok(A.to_owned()), Ok("10.0.0.4:8000".to_owned()));
        assert_eq!(picks, [first.clone(), last.clone(), first, last]);
    }

    #[test]
    fn an_empty_pool_has_no_pick() {
        assert_eq!(picked(&pool(&[]).pick(None)), Err(NoPick::NoneReady));
    }

    #[test]
    fn full_endpoints_get_no_more() {
        let pool = Pool::new(Limits {
            in_flight: Some(1),
            ..Limits::default()
        });
        pool.replace([A, B].map(|text| text.parse().expect("an address")));
        let held = [pool.pick(None), pool.pick(None)];
        let refused = picked(&pool.pick(None)).map(str::to_owned);
        drop(held);
        assert_eq!(
            (refused, pool.pick(None).is_ok()),
            (Err(NoPick::AllBusy), true)
        );
    }

    #[test]
    fn fallbacks_follow_the_pick_by_load() {
        let pool = Pool::new(Limits {
            fallbacks: 1,
            ..Limits::default()
        });
        pool.replace([A, B, "10.0.0.3:8000"].map(|text| text.parse().expect("an address")));
        let held = [pool.pick(None), pool.pick(None)];
        let third = pool.pick(None);
        assert_eq!(
            [picked(&held[0]), picked(&third)],
            [
                Ok("10.0.0.1:8000,10.0.0.2:8000"),
                Ok("10.0.0.2:8000,10.0.0.1:8000")
            ]
        );
    }

    #[test]
    fn an_endpoint_that_is_full_is_no_fallback() {
        let pool = Pool::new(Limits {
            in_flight: Some(1),
            fallbacks: 2,
        });
        pool.replace([A, B, "10.0.0.3:8000"].map(|text| text.parse().expect("an address")));
        let held = [pool.pick(None), pool.pick(None), pool.pick(None)];
        let destinations = held.each_ref().map(|pick| picked(pick).map(str::len));
        let length = |endpoints| Ok(endpoints * A.len() + (endpoints - 1));
        assert_eq!(destinations, [length(3), length(2), length(1)]);
    }

    #[test]
    fn equal_fallbacks_take_turns() {
        let pool = Pool::new(Limits {
            fallbacks: 1,
            ..Limits::default()
        });
        pool.replace([A, B, "10.0.0.3:8000"].map(|text| text.parse().expect("an address")));
        let mut named = one_by_one(&pool, 6);
        named.sort();
        named.dedup();
        // Each of three, followed by each of the two others.
        assert_eq!(named.len(), 6, "{named:?}");
    }

    #[test]
    fn the_endpoint_that_served_is_the_busy_one() {
        let pool = pool(&[A, B]);
        let mut pick = pool.pick(None).expect("a pick");
        pick.was_served_by(B.parse().expect("an address"), &pool);
        assert_eq!(one_by_one(&pool, 2), [A, A]);
    }
}
