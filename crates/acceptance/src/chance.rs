//! Chance with a seed: a run that failed can be run again, as far as the operating system allows.

use std::{
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Says which seed to use.
const SEED_VARIABLE: &str = "CRASH_SEED";
/// Says how long the load of a crash test lasts.
const SECONDS_VARIABLE: &str = "CRASH_SECONDS";

/// A sequence of numbers that looks like chance (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed in `CRASH_SEED`, or one that nobody has tuned to.
    #[must_use]
    pub fn seed() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let fresh = now.map_or(1, |since| u64::from(since.subsec_nanos()) ^ since.as_secs());
        number(SEED_VARIABLE).unwrap_or(fresh)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range, which is not empty.
    pub const fn among(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// A duration of so many milliseconds.
    pub const fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.among(range))
    }

    /// One of some things; `None` of nothing.
    pub fn one_of<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.next()).unwrap_or_default();
        things.get(at.checked_rem(things.len())?)
    }

    /// The things in another order.
    pub fn shuffled<T>(&mut self, mut things: Vec<T>) -> Vec<T> {
        let mut out = Vec::with_capacity(things.len());
        while !things.is_empty() {
            let at = usize::try_from(self.next()).unwrap_or_default() % things.len();
            out.push(things.swap_remove(at));
        }
        out
    }
}

/// How long the load of a crash test lasts: `CRASH_SECONDS`, or `usual`.
#[must_use]
pub fn load_time(usual: Duration) -> Duration {
    number(SECONDS_VARIABLE).map_or(usual, Duration::from_secs)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var_os(variable)?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_chance() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            [chance.next(), chance.among(5..9), chance.next()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!((5..9).contains(&draw(7)[1]));
        let mut order = Chance::new(7).shuffled(vec![1, 2, 3, 4]);
        order.sort_unstable();
        assert_eq!(order, [1, 2, 3, 4]);
    }
}
