//! Exponential back-off with full jitter: `wait = random(0, min(cap, base × 2^n))`.

use super::Chance;
use std::time::Duration;

/// The waits between attempts.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
    chance: Chance,
}

impl Backoff {
    /// Waits of at most `base`, then twice that and so on up to `cap`, drawn from `seed`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self {
            base,
            cap,
            failures: 0,
            chance: Chance(seed),
        }
    }

    /// How long to wait after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(factor).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        self.chance.up_to(ceiling)
    }

    /// The failures are over; the next wait is short again.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_start_again_after_a_reset() {
        let ceiling = |n: u32| Duration::from_millis((50u64 << n.min(10)).min(500));
        for seed in 0..200 {
            let mut backoff =
                Backoff::new(Duration::from_millis(50), Duration::from_millis(500), seed);
            for n in 0..40 {
                assert!(
                    backoff.next_delay() <= ceiling(n),
                    "seed {seed}, failure {n}"
                );
            }
            assert_eq!(backoff.failures(), 40);
            backoff.reset();
            assert!(backoff.next_delay() <= ceiling(0));
        }
    }

    #[test]
    fn waits_spread_over_the_whole_range() {
        let first = |seed| {
            Backoff::new(Duration::from_millis(100), Duration::from_secs(1), seed).next_delay()
        };
        let low = (0..1_000).filter(|seed| first(*seed) < Duration::from_millis(50));
        assert!((400..600).contains(&low.count()));
    }
}
