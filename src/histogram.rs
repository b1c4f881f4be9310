//! Histograms with classic buckets: merge, difference, quantile, mean. Pure.
//!
//! A quantile here equals Prometheus' `histogram_quantile` on the same buckets, but it also says which
//! bucket it lies in: within a bucket the value is interpolated, not measured, and beyond the last
//! finite bound there is no value at all.
//! Source: <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>.

/// Differences of counts below this share of the count are taken as noise of float addition, as
/// Prometheus does.
const SMALL_DELTA: f64 = 1e-12;

/// Cumulative count of the observations up to and with `le`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Upper bound, inclusive, in the family's unit; `+Inf` for the last.
    pub le: f64,
    /// Observations at or below the bound.
    pub count: f64,
}

/// Buckets with ascending bounds, and what `_sum` and `_count` say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// Ascending by `le`.
    pub buckets: Vec<Bucket>,
    /// Sum of the observations, in the family's unit; `None` without a `_sum` line.
    pub sum: Option<f64>,
    /// Number of observations; `None` without a `_count` line.
    pub count: Option<f64>,
}

/// What is known of a quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantile {
    /// No observation, or no usable buckets.
    Unknown,
    /// Interpolated inside the bucket `lower < x <= upper`.
    Within {
        /// As `histogram_quantile` gives it.
        value: f64,
        /// The bucket's lower bound; `-Inf` in the lowest bucket where its bound is not above 0.
        lower: f64,
        /// The bucket's upper bound.
        upper: f64,
    },
    /// Above the last finite bound, which is all that is known.
    Above(f64),
}

impl Quantile {
    /// The number that `histogram_quantile` would give, if any.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Unknown => None,
            Self::Within { value, .. } | Self::Above(value) => Some(value),
        }
    }
}

impl Histogram {
    /// Puts the buckets in order; of equal bounds the first one stays. Returns the bounds that came
    /// twice.
    pub(crate) fn sort_and_dedup(&mut self) -> Vec<f64> {
        let ordered = |a: &Bucket, b: &Bucket| a.le.total_cmp(&b.le).is_lt();
        let mut twice = Vec::new();
        if !self.buckets.is_sorted_by(ordered) {
            self.buckets.sort_by(|a, b| a.le.total_cmp(&b.le));
            self.buckets.dedup_by(|b, a| {
                let same = a.le == b.le;
                if same {
                    twice.push(b.le);
                }
                same
            });
        }
        twice
    }

    /// Number of observations: `_count`, else the `+Inf` bucket.
    pub fn observations(&self) -> Option<f64> {
        self.count.or_else(|| self.in_buckets())
    }

    /// Number of observations in the buckets, which is what quantiles rest on; `None` without a `+Inf` bucket.
    pub fn in_buckets(&self) -> Option<f64> {
        let last = self.buckets.last().filter(|b| b.le == f64::INFINITY);
        last.map(|b| b.count)
    }

    /// The counts of the buckets, and the whole one.
    pub(crate) fn counts(&self) -> impl Iterator<Item = f64> {
        self.buckets.iter().map(|b| b.count).chain(self.count)
    }

    /// Leaves the bounds, and nothing that is known of them.
    pub(crate) fn make_unknown(&mut self) {
        self.buckets.iter_mut().for_each(|b| b.count = f64::NAN);
        self.sum = Some(f64::NAN);
        self.count = Some(f64::NAN);
    }

    /// Mean of the observations; `None` where there are none, or the sum is no number.
    pub fn mean(&self) -> Option<f64> {
        let (sum, n) = (self.sum?, self.observations()?);
        (n > 0.0).then_some(sum / n).filter(|mean| mean.is_finite())
    }

    /// True when a cumulative count is lower than one before it: a read that was not atomic, or mixed
    /// sources.
    pub fn falls(&self) -> bool {
        self.buckets
            .windows(2)
            .any(|w| w[1].count < w[0].count && !almost_equal(w[0].count, w[1].count))
    }

    /// Adds `other`. Counts are cumulative, so where layouts differ the bounds that both have are still
    /// exact; the others are dropped. Returns whether any were.
    pub fn merge(&mut self, other: &Self) -> bool {
        let differs = !same_bounds(&self.buckets, &other.buckets);
        self.buckets = joined(&self.buckets, &other.buckets, |a, b| a + b);
        self.sum = self.sum.zip(other.sum).map(|(a, b)| a + b);
        self.count = self.count.zip(other.count).map(|(a, b)| a + b);
        differs
    }

    /// What came since `earlier`, a state of the same series; `None` when a count fell, which only a
    /// new process explains, or the buckets are others.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        if self.fell_since(earlier) || !same_bounds(&self.buckets, &earlier.buckets) {
            return None;
        }
        Some(Self {
            buckets: joined(&self.buckets, &earlier.buckets, |now, then| now - then),
            sum: self.sum.zip(earlier.sum).map(|(now, then)| now - then),
            count: self.count.zip(earlier.count).map(|(now, then)| now - then),
        })
    }

    /// True where a count is lower than it was. One that is missing is not.
    pub fn fell_since(&self, earlier: &Self) -> bool {
        let counts = self.count.zip(earlier.count);
        counts.is_some_and(|(now, then)| now < then)
            || joined(&self.buckets, &earlier.buckets, |now, then| now - then)
                .iter()
                .any(|bucket| bucket.count < 0.0)
    }

    /// The `q`-quantile, `0 <= q <= 1`.
    pub fn quantile(&self, q: f64) -> Quantile {
        let Some((last, finite)) = self
            .buckets
            .split_last()
            .filter(|(last, _)| last.le == f64::INFINITY)
        else {
            return Quantile::Unknown;
        };
        let Some(highest) = finite.last() else {
            return Quantile::Unknown;
        };
        let counts = monotonic(&self.buckets);
        let all = counts[finite.len()];
        // NaN counts compare as neither.
        if !(all > 0.0 && last.count.is_finite() && (0.0..=1.0).contains(&q)) {
            return Quantile::Unknown;
        }
        let rank = q * all;
        let at = counts[..finite.len()].partition_point(|count| *count < rank);
        let Some(bucket) = finite.get(at) else {
            return Quantile::Above(highest.le);
        };
        let (lower, below) = match at.checked_sub(1) {
            Some(before) => (finite[before].le, counts[before]),
            None if bucket.le <= 0.0 => {
                return Quantile::Within {
                    value: bucket.le,
                    lower: f64::NEG_INFINITY,
                    upper: bucket.le,
                };
            }
            None => (0.0, 0.0),
        };
        let inside = counts[at] - below;
        if inside <= 0.0 {
            return Quantile::Unknown; // the 0-quantile of an empty lowest bucket
        }
        let value = lower + (bucket.le - lower) * ((rank - below) / inside);
        Quantile::Within {
            value,
            lower,
            upper: bucket.le,
        }
    }
}

/// Counts with each falling one raised to the one before it.
fn monotonic(buckets: &[Bucket]) -> Vec<f64> {
    let mut highest = f64::NEG_INFINITY;
    buckets
        .iter()
        .map(|b| {
            if b.count > highest && !almost_equal(highest, b.count) {
                highest = b.count;
            }
            highest
        })
        .collect()
}

fn almost_equal(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() / (a.abs() + b.abs()) < SMALL_DELTA
}

fn same_bounds(a: &[Bucket], b: &[Bucket]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.le == b.le)
}

/// One bucket for each bound that both have.
fn joined(a: &[Bucket], b: &[Bucket], count: impl Fn(f64, f64) -> f64) -> Vec<Bucket> {
    let mut result = Vec::with_capacity(a.len());
    let mut others = b.iter().peekable();
    for bucket in a {
        while others.next_if(|o| o.le < bucket.le).is_some() {}
        if let Some(other) = others.next_if(|o| o.le == bucket.le) {
            result.push(Bucket {
                le: bucket.le,
                count: count(bucket.count, other.count),
            });
        }
    }
    result
}
