//! Counters of this process.

use super::Slot;
use std::collections::HashMap;

/// Keys counted at once. More than that is an attack, and those beyond it are not let through.
const KEYS_MAX: usize = 100_000;

/// The counters of the windows that are open.
#[derive(Debug, Default)]
pub(super) struct Windows(HashMap<(String, i64), (i64, u64)>);

impl Windows {
    /// Counts one event. When there are too many keys, every event counts as one too many.
    pub(super) fn increment(&mut self, key: &str, slot: Slot) -> u64 {
        let id = (key.to_owned(), slot.window_ms);
        if self.0.len() >= KEYS_MAX && !self.0.contains_key(&id) {
            self.forget_closed(slot);
            if self.0.len() >= KEYS_MAX {
                return u64::MAX;
            }
        }
        let (number, count) = self.0.entry(id).or_insert((slot.number, 0));
        if *number != slot.number {
            (*number, *count) = (slot.number, 0);
        }
        *count += 1;
        *count
    }

    fn forget_closed(&mut self, now: Slot) {
        let end_ms = |number: i64, window_ms: i64| (number + 1).saturating_mul(window_ms);
        let now_ms = end_ms(now.number, now.window_ms) - now.ends_in_ms;
        self.0
            .retain(|(_, window_ms), (number, _)| end_ms(*number, *window_ms) > now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn memory_stays_bounded_whatever_the_keys() {
        let mut windows = Windows::default();
        let slot = |ms| Slot::at(ms, Duration::from_secs(1));
        for n in 0..KEYS_MAX {
            assert_eq!(windows.increment(&n.to_string(), slot(500)), 1);
        }
        assert_eq!(windows.increment("one more", slot(500)), u64::MAX);
        assert_eq!(
            windows.increment("7", slot(500)),
            2,
            "known keys still count"
        );
        assert_eq!(windows.increment("later", slot(1_000)), 1);
        assert_eq!(windows.0.len(), 1);
    }
}
