//! UTC time in nanoseconds. The clock itself lives in the shells; here time is only a value.

use std::{fmt, ops::Sub};

/// A span of time in nanoseconds, possibly negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(i64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `ns` nanoseconds.
    #[must_use]
    pub const fn new(ns: i64) -> Self {
        Self(ns)
    }

    /// `us` microseconds, saturating.
    #[must_use]
    pub const fn from_micros(us: i64) -> Self {
        Self(us.saturating_mul(1_000))
    }

    /// `ms` milliseconds, saturating.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    /// `s` seconds, saturating.
    #[must_use]
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }

    /// The number of nanoseconds.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whole milliseconds, rounded towards zero.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0 / 1_000_000
    }
}

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The epoch itself; also "not set" in wire messages.
    pub const EPOCH: Self = Self(0);

    /// `ns` nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(ns: i64) -> Self {
        Self(ns)
    }

    /// `ms` milliseconds since the epoch; `None` when out of range (after the year 2262).
    #[must_use]
    pub const fn from_millis(ms: i64) -> Option<Self> {
        match ms.checked_mul(1_000_000) {
            Some(ns) => Some(Self(ns)),
            None => None,
        }
    }

    /// `us` microseconds since the epoch; `None` when out of range.
    #[must_use]
    pub const fn from_micros(us: i64) -> Option<Self> {
        match us.checked_mul(1_000) {
            Some(ns) => Some(Self(ns)),
            None => None,
        }
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant plus `span`, saturating at the ends of the range.
    #[must_use]
    pub const fn plus(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.get()))
    }

    /// This instant minus `span`, saturating at the ends of the range.
    #[must_use]
    pub const fn minus(self, span: Nanos) -> Self {
        Self(self.0.saturating_sub(span.get()))
    }

    /// The start of the right-open interval of length `step` that contains this instant, when
    /// intervals are anchored at `anchor`. A non-positive `step` answers the instant itself.
    #[must_use]
    pub const fn floor_to(self, step: Nanos, anchor: Timestamp) -> Self {
        if step.get() <= 0 {
            return self;
        }
        let since = self.0.saturating_sub(anchor.0);
        Self(self.0.saturating_sub(since.rem_euclid(step.get())))
    }
}

impl Sub for Timestamp {
    type Output = Nanos;
    /// The span from `earlier` to `self`, saturating.
    fn sub(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (
            self.0.div_euclid(86_400_000_000_000),
            self.0.rem_euclid(86_400_000_000_000),
        );
        let (year, month, day) = civil_from_days(days);
        let (secs, ns) = (of_day / 1_000_000_000, of_day % 1_000_000_000);
        let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ns:09}Z"
        )
    }
}

/// The proleptic Gregorian date of a day number counted from 1970-01-01.
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
#[must_use]
pub const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The day number, counted from 1970-01-01, of a proleptic Gregorian date.
/// Source: as [`civil_from_days`].
#[must_use]
pub const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = (153 * mp + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_timestamp_prints_as_rfc3339() {
        let t = Timestamp::from_millis(1_735_689_600_123).unwrap();
        assert_eq!(t.to_string(), "2025-01-01T00:00:00.123000000Z");
        assert_eq!(
            Timestamp::from_nanos(-1).to_string(),
            "1969-12-31T23:59:59.999999999Z"
        );
    }

    #[test]
    fn flooring_respects_the_anchor() {
        let anchor = Timestamp::from_nanos(15);
        let floor = |ns| {
            Timestamp::from_nanos(ns)
                .floor_to(Nanos::new(10), anchor)
                .as_nanos()
        };
        assert_eq!(
            (floor(15), floor(24), floor(25), floor(14)),
            (15, 15, 25, 5)
        );
    }

    proptest! {
        #[test]
        fn dates_round_trip(days in -200_000i64..200_000) {
            let (y, m, d) = civil_from_days(days);
            prop_assert_eq!(days_from_civil(y, m, d), days);
        }
    }
}
