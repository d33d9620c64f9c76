//! When an instrument trades. Sessions are values; the calendar of holidays feeds them.

use crate::time::{Nanos, Timestamp};

/// The trading hours of an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// Open at every instant, days counted in UTC.
    Always,
    /// Open on weekdays between two local times.
    Weekdays {
        /// Local time minus UTC; India is +5 h 30 min.
        utc_offset: Nanos,
        /// First instant of trading, counted from local midnight.
        open: Nanos,
        /// First instant after trading, counted from local midnight.
        close: Nanos,
    },
}

/// Whether an instrument may trade at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPhase {
    /// Orders are accepted.
    Open,
    /// No orders.
    Closed,
}

const DAY: Nanos = Nanos::from_secs(86_400);

impl Session {
    /// The hours of the National Stock Exchange of India for equities: 09:15 to 15:30 IST.
    #[must_use]
    pub const fn nse() -> Self {
        Self::Weekdays {
            utc_offset: Nanos::from_secs(5 * 3600 + 30 * 60),
            open: Nanos::from_secs(9 * 3600 + 15 * 60),
            close: Nanos::from_secs(15 * 3600 + 30 * 60),
        }
    }

    /// The phase at `at`.
    #[must_use]
    pub fn phase(&self, at: Timestamp) -> SessionPhase {
        let open = match self {
            Self::Always => true,
            Self::Weekdays {
                utc_offset,
                open,
                close,
            } => {
                let local = at.plus(*utc_offset).as_nanos();
                // 1970-01-01 was a Thursday; day 3 of the shifted week is a Sunday.
                let weekday = (local.div_euclid(DAY.get()) + 3).rem_euclid(7);
                let of_day = local.rem_euclid(DAY.get());
                weekday < 5 && (open.get()..close.get()).contains(&of_day)
            }
        };
        if open {
            SessionPhase::Open
        } else {
            SessionPhase::Closed
        }
    }

    /// The instant at which the bars of the day containing `at` are anchored: the opening, or
    /// midnight UTC.
    #[must_use]
    pub fn anchor(&self, at: Timestamp) -> Timestamp {
        match self {
            Self::Always => at.floor_to(DAY, Timestamp::EPOCH),
            Self::Weekdays {
                utc_offset, open, ..
            } => at
                .plus(*utc_offset)
                .floor_to(DAY, Timestamp::EPOCH)
                .minus(*utc_offset)
                .plus(*open),
        }
    }

    /// The number of the trading day containing `at`, counted in local days from 1970-01-01.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> i64 {
        let offset = match self {
            Self::Always => Nanos::ZERO,
            Self::Weekdays { utc_offset, .. } => *utc_offset,
        };
        at.plus(offset).as_nanos().div_euclid(DAY.get())
    }

    /// Trading days in a year, for annualising: 365 when always open, else 252.
    #[must_use]
    pub const fn days_per_year(&self) -> u32 {
        match self {
            Self::Always => 365,
            Self::Weekdays { .. } => 252,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::days_from_civil;

    /// An instant given in Indian time.
    fn ist(date: (i64, i64, i64), hour: i64, minute: i64) -> Timestamp {
        let secs = days_from_civil(date.0, date.1, date.2) * 86_400 + hour * 3600 + minute * 60;
        Timestamp::from_nanos((secs - 19_800) * 1_000_000_000)
    }

    #[test]
    fn nse_opens_at_nine_fifteen_on_weekdays() {
        let monday = (2024, 1, 1);
        assert_eq!(
            Session::nse().phase(ist(monday, 9, 14)),
            SessionPhase::Closed
        );
        assert_eq!(Session::nse().phase(ist(monday, 9, 15)), SessionPhase::Open);
        assert_eq!(
            Session::nse().phase(ist(monday, 15, 29)),
            SessionPhase::Open
        );
        assert_eq!(
            Session::nse().phase(ist(monday, 15, 30)),
            SessionPhase::Closed
        );
        assert_eq!(
            Session::nse().phase(ist((2024, 1, 6), 12, 0)),
            SessionPhase::Closed
        );
        assert_eq!(
            Session::nse().phase(ist((2024, 1, 7), 12, 0)),
            SessionPhase::Closed
        );
    }

    #[test]
    fn bars_are_anchored_at_the_opening() {
        assert_eq!(
            Session::nse().anchor(ist((2024, 1, 1), 14, 3)),
            ist((2024, 1, 1), 9, 15)
        );
        let noon = Timestamp::from_nanos(Nanos::from_secs(86_400 * 3 + 43_200).get());
        assert_eq!(
            Session::Always.anchor(noon),
            Timestamp::from_nanos(DAY.get() * 3)
        );
    }
}
