//! The prices of one side of a book in order, best last. It decides only which level a price has;
//! what rests there is the book's business.
//!
//! The best levels, where nearly everything happens, lie sorted in one short array; the rest is a
//! tree. Levels move between the two by half an array at a time, so that a touch that wanders
//! costs little and nothing depends on the tick.

use ploy_domain::{Price, Side};
use std::collections::BTreeMap;

/// Levels in the array; 64 × 16 bytes are 16 cache lines.
const NEAR_MAX: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Rung {
    rank: i64,
    level: u32,
}

/// One side's prices.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    side: Side,
    /// The best levels, worst first.
    near: Vec<Rung>,
    /// All others; empty unless `near` has some.
    far: BTreeMap<i64, u32>,
}

impl Ladder {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            near: Vec::with_capacity(NEAR_MAX),
            far: BTreeMap::new(),
        }
    }

    /// A number that is larger the better the price is for the other side.
    const fn rank(&self, price: Price) -> i64 {
        match self.side {
            Side::Buy => price.raw(),
            // Unlike negation, this reverses the order without overflowing.
            Side::Sell => !price.raw(),
        }
    }

    /// The level with the best price.
    pub(crate) fn best(&self) -> Option<u32> {
        self.near.last().map(|rung| rung.level)
    }

    /// The level at `price`.
    pub(crate) fn find(&self, price: Price) -> Option<u32> {
        let rank = self.rank(price);
        let at = self.near.partition_point(|rung| rung.rank < rank);
        match self.near.get(at) {
            Some(rung) if rung.rank == rank => Some(rung.level),
            _ if at == 0 => self.far.get(&rank).copied(),
            _ => None,
        }
    }

    /// Adds a level at a price that has none.
    pub(crate) fn insert(&mut self, price: Price, level: u32) {
        let rank = self.rank(price);
        if self.near.len() == NEAR_MAX {
            let spilled = self.near.drain(..NEAR_MAX / 2);
            self.far.extend(spilled.map(|rung| (rung.rank, rung.level)));
        }
        let at = self.near.partition_point(|rung| rung.rank < rank);
        if at == 0 && !self.far.is_empty() {
            self.far.insert(rank, level);
        } else {
            self.near.insert(at, Rung { rank, level });
        }
    }

    /// Removes the level at `price`.
    pub(crate) fn remove(&mut self, price: Price) {
        let rank = self.rank(price);
        let at = self.near.partition_point(|rung| rung.rank < rank);
        if self.near.get(at).is_some_and(|rung| rung.rank == rank) {
            self.near.remove(at);
        } else {
            self.far.remove(&rank);
        }
        if self.near.is_empty() && !self.far.is_empty() {
            self.refill();
        }
    }

    #[cold]
    fn refill(&mut self) {
        let best = std::iter::from_fn(|| self.far.pop_last());
        self.near.extend(
            best.take(NEAR_MAX / 2)
                .map(|(rank, level)| Rung { rank, level }),
        );
        self.near.reverse();
    }

    /// All levels, best first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let far = self.far.values().rev().copied();
        self.near.iter().rev().map(|rung| rung.level).chain(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ladder_is_a_sorted_map(
            steps in proptest::collection::vec((1i64..400, 0u8..3), 1..1500),
            buy in any::<bool>(),
        ) {
            let mut ladder = Ladder::new(if buy { Side::Buy } else { Side::Sell });
            let mut map = BTreeMap::new();
            for (at, (price, add)) in steps.into_iter().enumerate() {
                let known = map.contains_key(&price);
                if known && add == 0 {
                    map.remove(&price);
                    ladder.remove(Price::from_raw(price));
                } else if !known {
                    map.insert(price, at as u32);
                    ladder.insert(Price::from_raw(price), at as u32);
                }
                prop_assert_eq!(ladder.find(Price::from_raw(price)), map.get(&price).copied());
                let best = if buy { map.values().next_back() } else { map.values().next() };
                prop_assert_eq!(ladder.best(), best.copied());
            }
            let mut levels: Vec<u32> = map.into_values().collect();
            if buy {
                levels.reverse();
            }
            prop_assert_eq!(ladder.iter().collect::<Vec<_>>(), levels);
        }
    }
}
