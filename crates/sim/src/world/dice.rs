//! Chance with a seed. Every subject of a run draws from a sequence of its own, so that taking one
//! fault out of a plan leaves the rest of the run as it was.

use ploy_domain::Nanos;

/// A sequence of numbers that looks like chance (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence of a seed for one purpose.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: distinct purposes begin far from each other.
        let start = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut dice = Self(seed ^ start);
        dice.next();
        dice
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when there is none below it.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        match self.next().checked_rem(bound) {
            Some(number) => number,
            None => 0,
        }
    }

    /// Whether something happens that does so in so many of a thousand cases.
    pub(crate) const fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A time between two.
    pub(crate) fn between(&mut self, least: Nanos, most: Nanos) -> Nanos {
        let width = (most.get() - least.get()).max(0).unsigned_abs();
        let more = i64::try_from(self.below(width + 1)).unwrap_or_default();
        Nanos::new(least.get() + more)
    }

    /// A time of so many milliseconds.
    pub(crate) fn millis(&mut self, least: i64, most: i64) -> Nanos {
        self.between(Nanos::from_millis(least), Nanos::from_millis(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_independent_and_seeds_repeat() {
        let draw = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            [dice.next(), dice.next(), dice.next()]
        };
        assert_eq!(draw(1, "bus"), draw(1, "bus"));
        assert_ne!(draw(1, "bus"), draw(1, "venue"));
        assert_ne!(draw(1, "bus"), draw(2, "bus"));
    }

    #[test]
    fn times_stay_between_their_bounds() {
        let mut dice = Dice::new(7, "times");
        for _ in 0..1_000 {
            let span = dice.millis(3, 9);
            assert!(span >= Nanos::from_millis(3) && span <= Nanos::from_millis(9));
        }
        assert_eq!(dice.below(0), 0);
    }
}
