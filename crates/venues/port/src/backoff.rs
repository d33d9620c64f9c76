//! Exponential back-off with full jitter: `sleep = random(0, min(cap, base × 2^n))`
//! (failure-model §10.2). The chance comes from a seed, so a test can repeat it.

use std::time::Duration;

/// The waits between attempts.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
    state: u64,
}

impl Backoff {
    /// Waits of at most `base`, then twice that and so on up to `cap`, drawn from `seed`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self {
            base,
            cap,
            failures: 0,
            state: seed,
        }
    }

    /// How long to wait after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        let nanos = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX - 1);
        Duration::from_nanos(self.draw() % (nanos + 1))
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

    fn ceiling(&self) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.base
            .checked_mul(factor)
            .map_or(self.cap, |wait| wait.min(self.cap))
    }

    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn backoff(seed: u64) -> Backoff {
        Backoff::new(Duration::from_millis(250), Duration::from_secs(30), seed)
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_its_ceiling(seed: u64) {
            let mut backoff = backoff(seed);
            for failure in 0..80u32 {
                let ceiling = 250u64.saturating_mul(1 << failure.min(20)).min(30_000);
                prop_assert!(backoff.next_delay() <= Duration::from_millis(ceiling));
            }
        }
    }

    #[test]
    fn waits_spread_over_the_whole_range() {
        let waits: Vec<_> = (0..1_000)
            .map(|seed| backoff(seed).next_delay().as_millis())
            .collect();
        let below = waits.iter().filter(|wait| **wait < 125).count();
        assert!(
            (400..600).contains(&below),
            "{below} of 1000 in the lower half"
        );
    }

    #[test]
    fn a_reset_starts_again_with_the_base() {
        let mut backoff = backoff(1);
        (0..20).for_each(|_| {
            backoff.next_delay();
        });
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(250));
    }
}
