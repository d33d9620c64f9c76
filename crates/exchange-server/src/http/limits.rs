//! Request weight per address in fixed minutes.

use crate::api::ApiError;
use ploy_domain::{Nanos, Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

const MINUTE: Nanos = Nanos::from_secs(60);

/// The weight that each address has used in the current minute.
#[derive(Debug)]
pub(crate) struct WeightWindows {
    limit: u32,
    used: Mutex<(Timestamp, HashMap<IpAddr, u32>)>,
}

impl WeightWindows {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit,
            used: Mutex::new((Timestamp::EPOCH, HashMap::new())),
        }
    }

    fn with<T>(&self, now: Timestamp, act: impl FnOnce(&mut HashMap<IpAddr, u32>) -> T) -> T {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.floor_to(MINUTE, Timestamp::EPOCH);
        if used.0 != minute {
            *used = (minute, HashMap::new());
        }
        act(&mut used.1)
    }

    /// Charges a request, or refuses it when the minute is used up.
    pub(crate) fn charge(
        &self,
        address: IpAddr,
        weight: u32,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.with(now, |used| {
            let count = used.entry(address).or_default();
            *count = count.saturating_add(weight);
            if *count > self.limit {
                let minute = now.floor_to(MINUTE, Timestamp::EPOCH);
                let until = minute.plus(MINUTE).as_millis();
                return Err(ApiError::weight_exceeded(self.limit, until));
            }
            Ok(())
        })
    }

    /// Gives back what a successful order does not cost.
    pub(crate) fn refund(&self, address: IpAddr, weight: u32, now: Timestamp) {
        self.with(now, |used| {
            let count = used.entry(address).or_default();
            *count = count.saturating_sub(weight);
        });
    }

    pub(crate) fn used(&self, address: IpAddr, now: Timestamp) -> u32 {
        self.with(now, |used| used.get(&address).copied().unwrap_or(0))
    }

    pub(crate) const fn limit(&self) -> u32 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_weight_and_the_next_one_again() {
        let windows = WeightWindows::new(10);
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        assert_eq!(windows.charge(one, 10, at(0)), Ok(()));
        let refusal = windows.charge(one, 1, at(59_999)).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (429, -1003));
        assert_eq!(refusal.retry_after_ms, Some(60_000));
        assert_eq!(windows.charge(other, 1, at(59_999)), Ok(()));
        assert_eq!(windows.charge(one, 1, at(60_000)), Ok(()));
        windows.refund(one, 1, at(60_000));
        assert_eq!(windows.used(one, at(60_000)), 0);
    }
}
