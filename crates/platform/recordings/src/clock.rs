//! Instants as recordings write them: counted since 1970 in some unit, or as local date and time.

use ploy_domain::{Nanos, Timestamp, time::days_from_civil};
use std::{fmt, str::FromStr};

/// Local time minus UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UtcOffset(Nanos);

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no time zone; write UTC, IST, Asia/Kolkata or an offset such as +05:30")]
pub struct UtcOffsetError(String);

impl UtcOffset {
    /// UTC itself.
    pub const UTC: Self = Self(Nanos::ZERO);
    /// Indian Standard Time.
    pub const IST: Self = Self(Nanos::from_secs(19_800));

    /// Local time minus UTC.
    #[must_use]
    pub const fn span(self) -> Nanos {
        self.0
    }
}

impl FromStr for UtcOffset {
    type Err = UtcOffsetError;
    /// Parses `UTC`, `Z`, `IST`, `Asia/Kolkata`, `Asia/Calcutta` or `±HH:MM`.
    fn from_str(text: &str) -> Result<Self, UtcOffsetError> {
        match text.to_ascii_lowercase().as_str() {
            "utc" | "z" | "gmt" => Ok(Self::UTC),
            "ist" | "asia/kolkata" | "asia/calcutta" => Ok(Self::IST),
            other => offset(other.as_bytes()).ok_or_else(|| UtcOffsetError(text.to_owned())),
        }
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.get() / 60_000_000_000;
        let sign = if minutes < 0 { '-' } else { '+' };
        write!(
            f,
            "{sign}{:02}:{:02}",
            minutes.abs() / 60,
            minutes.abs() % 60
        )
    }
}

/// `±HH:MM` or `±HHMM`.
fn offset(text: &[u8]) -> Option<UtcOffset> {
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?),
        _ => return None,
    };
    let whole = hours <= 14 && minutes < 60;
    whole.then(|| UtcOffset(Nanos::from_secs(sign * (hours * 3600 + minutes * 60))))
}

/// The unit of a count since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Told by the size of the value.
    Auto,
    /// So many nanoseconds.
    Nanos(i64),
}

/// The instant `count` units after 1970-01-01, in nanoseconds.
pub(crate) fn since_1970(count: i64, unit: Unit) -> Option<i64> {
    let nanos = match unit {
        Unit::Nanos(nanos) => nanos,
        // Seconds reach 1e11 in the year 5138, milliseconds 1e14, microseconds 1e17.
        Unit::Auto => match count {
            ..100_000_000_000 => 1_000_000_000,
            100_000_000_000..100_000_000_000_000 => 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            100_000_000_000_000_000.. => 1,
        },
    };
    count.checked_mul(nanos)
}

/// A date (`20240131`, `2024-01-31`, `31-01-2024`, also with slashes) as nanoseconds since 1970.
pub(crate) fn date(text: &[u8]) -> Option<i64> {
    let (y, m, d) = match text.iter().position(|b| matches!(b, b'-' | b'/')) {
        None if text.len() == 8 => (&text[..4], &text[4..6], &text[6..]),
        Some(4) if text.len() == 10 && text[7] == text[4] => (&text[..4], &text[5..7], &text[8..]),
        Some(2) if text.len() == 10 && text[5] == text[2] => (&text[6..], &text[3..5], &text[..2]),
        _ => return None,
    };
    let (y, m, d) = (number(y)?, number(m)?, number(d)?);
    let days_of_month = match m {
        2 if (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    ((1970..=2261).contains(&y) && (1..=days_of_month).contains(&d))
        .then(|| days_from_civil(y, m, d) * 86_400_000_000_000)
}

/// A time of day (`09:15`, `09:15:30`, `09:15:30.123`) in nanoseconds since midnight.
pub(crate) fn time_of_day(text: &[u8]) -> Option<i64> {
    let (clock, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b"0"[..]),
    };
    let (h, m, s) = match clock {
        [h1, h2, b':', m1, m2] => ([*h1, *h2], [*m1, *m2], *b"00"),
        [h1, h2, b':', m1, m2, b':', s1, s2] => ([*h1, *h2], [*m1, *m2], [*s1, *s2]),
        _ => return None,
    };
    let (h, m, s) = (number(&h)?, number(&m)?, number(&s)?);
    if h > 23 || m > 59 || s > 59 || fraction.len() > 9 {
        return None;
    }
    let mut nanos = number(fraction)?;
    for _ in fraction.len()..9 {
        nanos *= 10;
    }
    Some((h * 3600 + m * 60 + s) * 1_000_000_000 + nanos)
}

/// Date and time of day with a blank or a `T` between, perhaps a zone behind; local time without
/// one. A date alone is its midnight.
pub(crate) fn date_time(text: &[u8], local: UtcOffset) -> Option<i64> {
    let Some(at) = text.iter().position(|b| matches!(b, b'T' | b't' | b' ')) else {
        return date(text).map(|day| to_utc(day, local));
    };
    let (day, rest) = (date(&text[..at])?, &text[at + 1..]);
    let (clock, zone) = match rest.iter().rposition(|b| matches!(b, b'+' | b'-')) {
        Some(sign) => (&rest[..sign], offset(&rest[sign..])?),
        None => match rest.split_last() {
            Some((b'Z' | b'z', clock)) => (clock, UtcOffset::UTC),
            _ => (rest, local),
        },
    };
    let local_ns = day + time_of_day(clock.trim_ascii())?;
    Some(to_utc(local_ns, zone))
}

/// The instant of a local reading of the clock.
pub(crate) const fn to_utc(local_ns: i64, zone: UtcOffset) -> i64 {
    Timestamp::from_nanos(local_ns).minus(zone.0).as_nanos()
}

fn number(digits: &[u8]) -> Option<i64> {
    let (value, read) = crate::decimal::integer(digits)?;
    (read == digits.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> Option<String> {
        date_time(text.as_bytes(), zone.parse().unwrap())
            .map(|ns| Timestamp::from_nanos(ns).to_string())
    }

    #[test]
    fn local_times_become_utc() {
        let utc = Some("2021-04-22T03:52:10.000000000Z".to_owned());
        assert_eq!(at("2021-04-22 09:22:10", "IST"), utc);
        assert_eq!(at("2021-04-22T09:22:10+05:30", "UTC"), utc);
        assert_eq!(at("22/04/2021 03:52:10", "UTC"), utc);
        assert_eq!(at("20210422 03:52:10.000Z", "IST"), utc);
    }

    #[test]
    fn impossible_dates_and_times_are_refused() {
        for text in [
            "2021-02-29",
            "2021-13-01",
            "2021-04-31",
            "2021-04-22 24:00",
            "2021-04-22 9:15",
            "2021-04-22 09:60",
            "2021/04-22",
            "1969-12-31",
            "",
            "today",
        ] {
            assert_eq!(at(text, "UTC"), None, "{text}");
        }
    }

    #[test]
    fn the_unit_of_a_count_is_told_by_its_size() {
        let second = 1_735_689_600;
        for scale in [1, 1_000, 1_000_000, 1_000_000_000] {
            assert_eq!(
                since_1970(second * scale, Unit::Auto),
                Some(second * 1_000_000_000)
            );
        }
        assert_eq!(
            since_1970(60_000, Unit::Nanos(1_000_000)),
            Some(60_000_000_000)
        );
    }

    #[test]
    fn zones_are_names_or_offsets() {
        assert_eq!("+05:30".parse(), Ok(UtcOffset::IST));
        assert_eq!("asia/kolkata".parse(), Ok(UtcOffset::IST));
        assert_eq!("-0400".parse::<UtcOffset>().unwrap().to_string(), "-04:00");
        assert!("Mars".parse::<UtcOffset>().is_err());
    }
}
