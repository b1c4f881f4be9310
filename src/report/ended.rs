//! How many of the requests that have ended have a duration: in most pickers one whose client left before the answer
//! has none, and then quantiles are of the others alone.

use super::Row;
use crate::vocabulary::Signal;

/// Requests that should have a duration, since they have ended and neither failed nor were given up, and those that
/// have one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ended {
    pub(crate) all: f64,
    pub(crate) timed: f64,
}

impl Ended {
    /// Those of a row, all but the ones that it knows to be in flight; `None` where its requests are not known.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        let others = [row.in_flight, row.errors, row.cancelled];
        let latency = row.distributions.get(&Signal::Latency);
        Some(Self {
            all: row.requests? - others.into_iter().flatten().sum::<f64>(),
            timed: latency.and_then(|latency| latency.count).unwrap_or(0.0),
        })
    }

    /// Those of several together.
    pub(crate) fn sum<'a>(several: impl IntoIterator<Item = &'a Self>) -> Self {
        several.into_iter().fold(Self::default(), |sum, one| Self {
            all: sum.all + one.all,
            timed: sum.timed + one.timed,
        })
    }

    /// Whether the `q`-quantile of all durations may be more than that of the known ones.
    pub(crate) fn lacks(self, q: f64) -> bool {
        // A share of 0.01 is no exact number.
        let may_lack = (1.0 - q) * self.all * (1.0 + 1e-9);
        self.all - self.timed > may_lack
    }
}
