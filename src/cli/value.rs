//! What may stand behind a flag: text → its value, or what is wrong with it.

use std::time::Duration;

use bytesize::ByteSize;

use crate::config::MaxScrape;

/// Longer than anyone waits, and short enough to be added to any moment.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// As kubectl reads durations: `1h2m3s`, and a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text
            .parse::<jiff::SignedDuration>()
            .map_err(|_| "not a duration; write for example 500ms, 10s or 1m30s".to_owned())
            .and_then(|parsed| {
                Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
            })?,
    };
    if duration > LONGEST {
        return Err("more than a year".to_owned());
    }
    Ok(duration)
}

/// `duration`, where 0 is no limit.
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    duration(text).map(|limit| if limit.is_zero() { LONGEST } else { limit })
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|d| {
        if d.is_zero() {
            Err("must be more than 0".to_owned())
        } else {
            Ok(d)
        }
    })
}

/// A number of bytes with its unit.
pub(super) fn size(text: &str) -> Result<MaxScrape, String> {
    let size: ByteSize = text
        .parse()
        .map_err(|_| "not a size; write for example 256MiB".to_owned())?;
    match usize::try_from(size.as_u64()) {
        Ok(0) => Err("must be more than 0".to_owned()),
        Ok(bytes) => Ok(MaxScrape(bytes)),
        Err(_) => Err("more than this machine can hold".to_owned()),
    }
}

/// `20%`, as a share.
pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').and_then(|n| n.parse::<f64>().ok());
    match percent.filter(|percent| percent.is_finite() && *percent >= 0.0) {
        Some(percent) => Ok(percent / 100.0),
        None => Err("not a share in percent; write for example 20%".to_owned()),
    }
}

/// A quantile in percent, as a share.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if (0.0..=100.0).contains(&p) => Ok(p / 100.0),
        _ => Err("not a quantile in percent; write for example 50,90,99.9".to_owned()),
    }
}
