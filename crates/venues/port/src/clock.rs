//! The wall clock of the adapters: stamps only, never durations.

use ploy_domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The current time by the system's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Receive times of one connection, which never run backwards even when the system's clock does.
#[derive(Debug, Clone, Default)]
pub struct ReceiveClock {
    last: Timestamp,
}

impl ReceiveClock {
    /// The receive time of a message that arrived at `at`.
    pub fn stamp(&mut self, at: Timestamp) -> Timestamp {
        self.last = self.last.max(at);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receive_time_never_runs_backwards() {
        let mut clock = ReceiveClock::default();
        let stamps = [5, 3, 7].map(|ns| clock.stamp(Timestamp::from_nanos(ns)).as_nanos());
        assert_eq!(stamps, [5, 5, 7]);
        assert!(now() > Timestamp::EPOCH);
    }
}
