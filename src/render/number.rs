//! Numbers for people: short, aligned, with no more digits than they are worth.

use crate::{histogram::Quantile, vocabulary::Unit};

/// What stands for a number that is not known.
pub(crate) const UNKNOWN: &str = "-";

/// A count: `41,218`. A count that is not whole keeps one decimal.
pub(crate) fn count(n: f64) -> String {
    if n.fract() == 0.0 {
        grouped(n)
    } else {
        format!("{n:.1}")
    }
}

/// A rate per second, to three digits: `0.667`, `12.3`, `1,234`. What is not zero does not look like it.
pub(crate) fn rate(n: f64) -> String {
    if n == 0.0 {
        "0".to_owned()
    } else if n > 0.0 && n < 0.000_5 {
        "<0.001".to_owned()
    } else if n.abs() >= 999.5 {
        grouped(n.round())
    } else {
        digits(n)
    }
}

/// A share in percent with one decimal. What is not zero does not look like it.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "<0.1".to_owned()
    } else {
        format!("{percent:.1}")
    }
}

/// A value in its unit: `182ms`, `2.41s`, `1.2kB`.
pub(crate) fn value(n: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => seconds(n),
        Unit::Bytes => bytes(n),
        Unit::Count | Unit::Tokens if n.fract() == 0.0 => grouped(n),
        Unit::Count | Unit::Tokens => rate(n),
        Unit::Ratio => format!("{n:.2}"),
    }
}

/// A quantile in its unit; beyond the last finite bound only that is told: `>3600s`.
pub(crate) fn quantile(q: Quantile, unit: Unit) -> String {
    match q {
        Quantile::Unknown => UNKNOWN.to_owned(),
        Quantile::Within { value: v, .. } => value(v, unit),
        Quantile::Above(bound) => format!(">{}", self::bound(bound, unit)),
    }
}

/// The bucket that a quantile was interpolated in: `6–8s`.
pub(crate) fn bucket(q: Quantile, unit: Unit) -> Option<String> {
    let Quantile::Within { lower, upper, .. } = q else {
        return None;
    };
    let lower = if lower.is_infinite() {
        "-Inf".to_owned()
    } else {
        plain(lower)
    };
    let suffix = if unit == Unit::Seconds { "s" } else { "" };
    Some(format!("{lower}–{}{suffix}", plain(upper)))
}

/// A span of time in its two largest parts: `3h12m`, `1.5s`.
pub(crate) fn span(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() / 10.0;
    if seconds > 0.0 && seconds < 0.95 {
        return format!("{:.0}ms", seconds * 1e3);
    }
    if tenths > 0.0 && tenths < 10.0 {
        return format!("{tenths}s");
    }
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => two(s / 60, "m", s % 60, "s"),
        3600..86400 => two(s / 3600, "h", s % 3600 / 60, "m"),
        _ => two(s / 86400, "d", s % 86400 / 3600, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

fn seconds(n: f64) -> String {
    match n.abs() {
        // Rounding decides, so that 999.6ms is 1.00s.
        s if s >= 0.9995 || s == 0.0 => format!("{}s", digits(n)),
        s if s >= 0.000_999_5 => format!("{}ms", digits(n * 1e3)),
        _ => format!("{}µs", digits(n * 1e6)),
    }
}

fn bytes(n: f64) -> String {
    match n.abs() {
        b if b < 999.5 => format!("{}B", digits(n)),
        b if b < 999_500.0 => format!("{}kB", digits(n / 1e3)),
        b if b < 999_500_000.0 => format!("{}MB", digits(n / 1e6)),
        _ => format!("{}GB", digits(n / 1e9)),
    }
}

/// A bucket's bound as it was written, not rounded.
fn bound(n: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => format!("{}s", plain(n)),
        Unit::Bytes => format!("{}B", plain(n)),
        _ => plain(n),
    }
}

fn plain(n: f64) -> String {
    format!("{n}")
}

/// Three significant digits, but all that stand before the point.
fn digits(n: f64) -> String {
    let size = n.abs();
    let decimals = match size {
        s if s == 0.0 || s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.9995 => 2,
        _ => 3,
    };
    format!("{n:.decimals$}")
}

fn grouped(n: f64) -> String {
    let text = format!("{n:.0}");
    let (sign, digits) = text.split_at(usize::from(text.starts_with('-')));
    let mut grouped = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number as text, or that it is not known.
pub(super) fn known(n: Option<f64>, text: fn(f64) -> String) -> String {
    n.map_or_else(|| UNKNOWN.to_owned(), text)
}

/// 0.999 → `99.9`, without the noise of binary fractions.
pub(crate) fn round_percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_pretend() {
        let table = [
            (count(41218.0), "41,218"),
            (count(0.0), "0"),
            (count(-1234567.0), "-1,234,567"),
            (rate(0.666667), "0.667"),
            (rate(1234.4), "1,234"),
            (rate(1.0 / 3600.0), "<0.001"),
            (percent(0.0), "0.0"),
            (percent(0.0001), "<0.1"),
            (percent(1.0), "100.0"),
            (seconds(0.0), "0s"),
            (seconds(0.1824), "182ms"),
            (seconds(0.9996), "1.00s"),
            (seconds(2.414), "2.41s"),
            (seconds(11.84), "11.8s"),
            (seconds(752.4), "752s"),
            (seconds(0.00042), "420µs"),
            (bytes(1234.0), "1.23kB"),
            (span(11520.0), "3h12m"),
            (span(14.2), "14s"),
            (span(2.003), "2s"),
            (span(1.5), "1.5s"),
            (span(0.2), "200ms"),
            (span(90000.0), "1d1h"),
            (quantile(Quantile::Above(3600.0), Unit::Seconds), ">3600s"),
            (quantile(Quantile::Unknown, Unit::Seconds), "-"),
            (
                bucket(
                    Quantile::Within {
                        value: 6.12,
                        lower: 6.0,
                        upper: 8.0,
                    },
                    Unit::Seconds,
                )
                .unwrap_or_default(),
                "6–8s",
            ),
        ];
        let (got, want): (Vec<String>, Vec<&str>) = table.into_iter().unzip();
        assert_eq!(got, want);
    }

    #[test]
    fn quantile_titles_have_no_noise() {
        assert_eq!(
            [0.5, 0.999, 0.29, 0.9999].map(round_percent),
            [50.0, 99.9, 29.0, 99.99]
        );
    }
}
