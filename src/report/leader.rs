//! Which replica of a picker leads, and what it says of its pool.

use std::collections::{BTreeMap, BTreeSet};

use super::{PodLine, PodSample, PoolView};
use crate::{
    exposition::Value,
    vocabulary::{Scope, Signal},
};

/// Decides who leads the replicas of each picker.
pub(super) fn elect(samples: &[PodSample], pods: &mut [PodLine]) {
    let mut replicas: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, sample) in samples.iter().enumerate() {
        let picker = (&sample.pool, &sample.picker);
        replicas.entry(picker).or_default().push(at);
    }
    for places in replicas.into_values() {
        let words = leaders(&places.iter().map(|at| &samples[*at]).collect::<Vec<_>>());
        for (at, word) in places.into_iter().zip(words) {
            pods[at].leader = word;
        }
    }
}

/// Which replicas of one picker lead: by its own gauge, else by the Lease, else by readiness, since a standby
/// stays unready by design.
fn leaders(samples: &[&PodSample]) -> Vec<Option<bool>> {
    let own_word: Vec<Option<bool>> = samples
        .iter()
        .map(|s| {
            let series = &s.outcome.as_ref().ok()?.get(Signal::Leader)?.series;
            series.values().find_map(|v| match v {
                Value::Number(n) if n.is_finite() => Some(*n == 1.0),
                _ => None,
            })
        })
        .collect();
    let leases: Vec<Option<bool>> = samples.iter().map(|s| s.holds_lease).collect();
    let ready: Vec<Option<bool>> = samples.iter().map(|s| s.ready).collect();
    let one = |words: &[Option<bool>]| words.iter().filter(|w| **w == Some(true)).count() == 1;
    if one(&own_word) {
        own_word
    } else if one(&leases) {
        leases
    } else if samples.len() > 1 && one(&ready) && ready.iter().all(Option::is_some) {
        ready
    } else {
        own_word
    }
}

/// The pool's gauges from the leader or from the only pod; without leader election every replica in a
/// cluster sees the same, so one of them speaks. Of files that do not say who led, none is believed.
pub(super) fn pool_view(samples: &[PodSample], pods: &[PodLine]) -> PoolView {
    let pools: BTreeSet<&Option<String>> = samples.iter().map(|s| &s.pool).collect();
    if pools.len() > 1 {
        return PoolView::default(); // several pools have no one view
    }
    let usable = || samples.iter().zip(pods).filter(|(s, _)| s.outcome.is_ok());
    let elected = pods.iter().any(|p| p.leader.is_some());
    let chosen = if elected {
        usable().find(|(_, p)| p.leader == Some(true))
    } else if samples.len() == 1 || samples.iter().all(|s| s.ready.is_some()) {
        usable()
            .find(|(s, _)| s.ready != Some(false))
            .or_else(|| usable().next())
    } else {
        None
    };
    let Some((sample, _)) = chosen else {
        return PoolView::default();
    };
    let Ok(snapshot) = &sample.outcome else {
        return PoolView::default();
    };
    let gauges = snapshot
        .readings()
        .filter(|(signal, _)| signal.entry().scope == Scope::Pool)
        .filter_map(
            |(signal, reading)| match reading.series.values().collect::<Vec<_>>()[..] {
                [Value::Number(n)] if n.is_finite() => Some((signal, *n)),
                _ => None, // several pools in one picker have no one value
            },
        )
        .collect();
    PoolView {
        from: Some(sample.name.clone()),
        gauges,
    }
}
