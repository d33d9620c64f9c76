//! From a 64-bit key to a place: open addressing with linear probing, and removal by shifting
//! back, so that no tombstones pile up and the cost does not grow with history.
//!
//! The standard map is not used because its order and cost depend on a random seed.

/// An empty entry holds this place.
const VACANT: u32 = u32::MAX;
const CAPACITY_MIN: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    place: u32,
}

/// The table; at most half of it is in use. Equal keys may be in it more than once.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    len: usize,
    shift: u32,
}

impl Index {
    /// A table that takes `keys` keys without growing.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let capacity = (keys.max(1) * 2).next_power_of_two().max(CAPACITY_MIN);
        let vacant = Entry {
            key: 0,
            place: VACANT,
        };
        Self {
            entries: vec![vacant; capacity],
            len: 0,
            shift: 64 - capacity.trailing_zeros(),
        }
    }

    /// Where the search for `key` starts: Fibonacci hashing (Knuth, TAOCP 3, §6.4).
    const fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    const fn mask(&self) -> usize {
        self.entries.len() - 1
    }

    /// The first place under `key` that `is` accepts.
    pub(crate) fn find(&self, key: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.position(key, is).map(|at| self.entries[at].place)
    }

    fn position(&self, key: u64, is: impl Fn(u32) -> bool) -> Option<usize> {
        let mut at = self.home(key);
        loop {
            let entry = &self.entries[at];
            if entry.place == VACANT {
                return None;
            }
            if entry.key == key && is(entry.place) {
                return Some(at);
            }
            at = (at + 1) & self.mask();
        }
    }

    /// Adds `place` under `key`.
    pub(crate) fn insert(&mut self, key: u64, place: u32) {
        if (self.len + 1) * 2 > self.entries.len() {
            self.grow();
        }
        self.put(Entry { key, place });
        self.len += 1;
    }

    fn put(&mut self, entry: Entry) {
        let mut at = self.home(entry.key);
        while self.entries[at].place != VACANT {
            at = (at + 1) & self.mask();
        }
        self.entries[at] = entry;
    }

    fn grow(&mut self) {
        let mut larger = Self::with_capacity(self.entries.len());
        for entry in self.entries.iter().filter(|entry| entry.place != VACANT) {
            larger.put(*entry);
        }
        larger.len = self.len;
        *self = larger;
    }

    /// Removes the first place under `key` that `is` accepts, and answers it.
    pub(crate) fn remove(&mut self, key: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut hole = self.position(key, is)?;
        let place = self.entries[hole].place;
        let mask = self.mask();
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry.place == VACANT {
                break;
            }
            // An entry may move into the hole unless its search starts after the hole.
            let displaced = at.wrapping_sub(self.home(entry.key)) & mask;
            if displaced >= at.wrapping_sub(hole) & mask {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole].place = VACANT;
        self.len -= 1;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_index_agrees_with_a_map(steps in proptest::collection::vec((0u64..60, any::<bool>()), 1..400)) {
            let mut index = Index::with_capacity(1);
            let mut map = BTreeMap::new();
            for (at, (key, add)) in steps.into_iter().enumerate() {
                if add && !map.contains_key(&key) {
                    map.insert(key, at as u32);
                    index.insert(key, at as u32);
                } else {
                    prop_assert_eq!(index.remove(key, |_| true), map.remove(&key));
                }
                for key in 0..60 {
                    prop_assert_eq!(index.find(key, |_| true), map.get(&key).copied());
                }
            }
        }
    }

    #[test]
    fn equal_keys_are_told_apart_by_place() {
        let mut index = Index::with_capacity(4);
        index.insert(7, 1);
        index.insert(7, 2);
        assert_eq!(index.find(7, |place| place == 2), Some(2));
        assert_eq!(index.remove(7, |place| place == 1), Some(1));
        assert_eq!(index.find(7, |place| place == 1), None);
        assert_eq!(index.find(7, |_| true), Some(2));
    }
}
