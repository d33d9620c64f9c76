//! The difference between our clock and the venue's, which signed requests have to allow for
//! (binance-spot §3.3).

use ploy_domain::{Nanos, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Venue time minus local time, as last measured.
#[derive(Debug, Default)]
pub(crate) struct VenueClock {
    offset_ns: AtomicI64,
    measured: AtomicBool,
}

impl VenueClock {
    /// Takes the venue's answer `server` to a question that was sent at `sent` and answered at
    /// `received`; the answer is taken to be from the middle of the round trip.
    pub(crate) fn measure(&self, sent: Timestamp, received: Timestamp, server: Timestamp) {
        let middle = sent.plus(Nanos::new((received - sent).get() / 2));
        self.offset_ns
            .store((server - middle).get(), Ordering::Relaxed);
        self.measured.store(true, Ordering::Relaxed);
    }

    /// The venue found our time wrong: the measure is used until there is a new one, which is to
    /// be taken before the next question.
    pub(crate) fn doubt(&self) {
        self.measured.store(false, Ordering::Relaxed);
    }

    /// Whether it was measured and not doubted since.
    pub(crate) fn is_measured(&self) -> bool {
        self.measured.load(Ordering::Relaxed)
    }

    /// The venue's time when ours is `local`.
    pub(crate) fn at(&self, local: Timestamp) -> Timestamp {
        local.plus(Nanos::new(self.offset_ns.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_measured_against_the_middle_of_the_round_trip() {
        let ms = |ms| Timestamp::from_millis(ms).unwrap();
        let clock = VenueClock::default();
        assert!(!clock.is_measured());
        clock.measure(ms(1_000), ms(1_200), ms(3_100));
        assert!(clock.is_measured());
        clock.doubt();
        assert!(!clock.is_measured());
        assert_eq!(clock.at(ms(5_000)), ms(7_000));
    }
}
