//! The one source of time in the shells: wall time for stamps, monotonic time for durations (ASY-5).
//! Cores see neither; they get what a [`Clock`] said as an argument.

use ploy_domain::{Nanos, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A clock. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    Manual(ManualClock),
}

impl Clock {
    /// The system's clocks.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The wall time, which may step. For stamps only.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(clock) => clock.now(),
        }
    }

    /// The monotonic time. For durations only.
    #[must_use]
    pub fn instant(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::now(),
            Source::Manual(clock) => clock.instant(),
        }
    }
}

fn system_now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The hand of a clock that only moves when told. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Timestamp,
    base: Instant,
    elapsed_ns: Arc<AtomicI64>,
    stepped_ns: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self {
            start,
            base: Instant::now(),
            elapsed_ns: Arc::default(),
            stepped_ns: Arc::default(),
        }
    }

    /// The clock that this hand moves.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(self.clone()))
    }

    /// Lets time pass, on both clocks.
    pub fn advance(&self, by: Duration) {
        let ns = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.elapsed_ns.fetch_add(ns, Ordering::SeqCst);
    }

    /// Steps the wall clock alone, as a time server might.
    pub fn step(&self, by: Nanos) {
        self.stepped_ns.fetch_add(by.get(), Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        let passed = self.elapsed_ns.load(Ordering::SeqCst);
        let stepped = self.stepped_ns.load(Ordering::SeqCst);
        self.start
            .plus(Nanos::new(passed))
            .plus(Nanos::new(stepped))
    }

    fn instant(&self) -> Instant {
        let ns = self.elapsed_ns.load(Ordering::SeqCst).unsigned_abs();
        self.base + Duration::from_nanos(ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let hand = ManualClock::at(Timestamp::from_nanos(1_000));
        let clock = hand.clock();
        let before = clock.instant();
        hand.advance(Duration::from_nanos(500));
        assert_eq!(clock.now(), Timestamp::from_nanos(1_500));
        assert_eq!(clock.instant() - before, Duration::from_nanos(500));
    }

    #[test]
    fn a_step_of_the_wall_clock_leaves_durations_alone() {
        let hand = ManualClock::at(Timestamp::from_nanos(1_000));
        let clock = hand.clock();
        let before = clock.instant();
        hand.step(Nanos::new(-700));
        assert_eq!(clock.now(), Timestamp::from_nanos(300));
        assert_eq!(clock.instant(), before);
    }

    #[test]
    fn the_system_clock_is_past_the_year_2024() {
        assert!(Clock::system().now() > Timestamp::from_nanos(1_704_067_200_000_000_000));
    }
}
