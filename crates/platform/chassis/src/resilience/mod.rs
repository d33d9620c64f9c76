//! What a call does about a target that fails: how long it waits, whether it asks at all, and when it
//! is too late (failure-model §10). State machines only: time and chance are arguments.
//!
//! Which calls may be repeated is the caller's knowledge; new orders never are.

mod backoff;
mod breaker;
mod budget;
mod deadline;

pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerSettings, BreakerState, Outcome};
pub use budget::RetryBudget;
pub use deadline::Deadline;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): chance
/// from a seed, so that a test can repeat it.
#[derive(Debug, Clone)]
struct Chance(u64);

impl Chance {
    const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A duration from zero to `ceiling`, both included.
    fn up_to(&mut self, ceiling: std::time::Duration) -> std::time::Duration {
        let nanos = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX - 1);
        std::time::Duration::from_nanos(self.draw() % (nanos + 1))
    }
}
