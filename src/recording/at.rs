//! A moment of a recording, as people name it. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A moment of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum At {
    /// Its last look.
    #[default]
    End,
    /// `2026-11-25T10:05:00Z`; without a zone UTC.
    Moment(Timestamp),
    /// `10:05` or `10:05:30`, UTC: the last one in the recording.
    TimeOfDay(Time),
    /// `-5m`: so long before the last look.
    BeforeEnd(SignedDuration),
}

impl At {
    /// Which look is meant, of looks at these times (ascending): the last one that was not later; and how much earlier
    /// it was. `None` where the recording does not cover that time.
    pub fn choose(self, looks: &[Timestamp]) -> Option<(usize, SignedDuration)> {
        let last = *looks.last()?;
        let wanted = match self {
            Self::End => last,
            Self::Moment(moment) => moment,
            Self::TimeOfDay(time) => {
                let on =
                    |date: jiff::civil::Date| Offset::UTC.to_timestamp(date.to_datetime(time)).ok();
                let today = Offset::UTC.to_datetime(last).date();
                on(today)
                    .filter(|moment| *moment <= last)
                    .or_else(|| on(today.yesterday().ok()?))?
            }
            Self::BeforeEnd(time) => last.checked_sub(time).ok()?,
        };
        let not_later = looks.partition_point(|look| *look <= wanted);
        // What came after the last look nobody knows.
        let look = not_later.checked_sub(1).filter(|_| wanted <= last)?;
        Some((look, wanted.duration_since(looks[look])))
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(ago) = text.strip_prefix('-')
            && ago.starts_with(|c: char| c.is_ascii_digit())
            && let Ok(ago) = ago.parse::<SignedDuration>()
        {
            return Ok(Self::BeforeEnd(ago));
        }
        if let Ok(moment) = text.parse() {
            return Ok(Self::Moment(moment));
        }
        // These read past an offset or a zone, and a time of day past the date before it.
        let is_of = |more: &str| {
            text.starts_with(|c: char| c.is_ascii_digit())
                && text.contains(':')
                && text.chars().all(|c| c.is_ascii_digit() || more.contains(c))
        };
        if is_of(":.")
            && let Ok(time) = text.parse()
        {
            return Ok(Self::TimeOfDay(time));
        }
        if is_of("-T :.")
            && let Ok(moment) = text.parse::<DateTime>()
            && let Ok(moment) = Offset::UTC.to_timestamp(moment)
        {
            return Ok(Self::Moment(moment));
        }
        Err(
            "not a time; write for example 2026-11-25T10:05:00Z, 10:05:00 (UTC), or -5m for so long before the end"
                .to_owned(),
        )
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("its end"),
            Self::Moment(moment) => moment.fmt(f),
            Self::TimeOfDay(time) => time.fmt(f),
            Self::BeforeEnd(time) => write!(f, "-{time:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(at: &str) -> Option<usize> {
        // Every five minutes across a midnight, from 23:50 to 00:10.
        let first: Timestamp = "2026-11-25T23:50:00Z".parse().expect("a time");
        let looks: Vec<Timestamp> = (0..5)
            .map(|n| first + SignedDuration::from_mins(5 * n))
            .collect();
        let at: At = at.parse().expect("a moment");
        at.choose(&looks).map(|(look, _)| look)
    }

    #[test]
    fn a_moment_is_the_last_look_before_it() {
        let asked = [
            "2026-11-25T23:50:00Z",
            "2026-11-25T23:54:59.9Z",
            "2026-11-26T01:10:00+01:00",
            "2026-11-26T01:10:00+01:00[Europe/Berlin]",
            "2026-11-25T23:55:00",
            "2026-11-25 23:55",
            "23:55",
            "00:07:30",
            "-5m",
            "-0s",
            "-12m30s",
        ];
        let looks = [0, 0, 4, 4, 1, 1, 1, 3, 3, 4, 1];
        assert_eq!(asked.map(chosen), looks.map(Some));
    }

    #[test]
    fn what_the_recording_does_not_cover_is_no_look() {
        let asked = [
            "2026-11-25T23:49:59Z",
            "2026-11-26T00:10:01Z",
            "2026-11-24T23:55:00",
            "12:00",
            "-21m",
        ];
        assert_eq!(asked.map(chosen), [None; 5]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let texts = [
            "",
            "-",
            "5m",
            "noon",
            "25:00",
            "2026-11-25",
            "--5m",
            "1",
            "12:05:00+02:00",
            "12:05:00[Europe/Berlin]",
            "2026-11-25T12:05[Europe/Berlin]",
        ];
        let refused = texts.map(|text| text.parse::<At>().is_err());
        assert_eq!(refused, [true; 11]);
    }
}
