//! The deepest fall of equity from a peak, followed value by value.

use ploy_domain::Timestamp;

/// One fall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fall {
    pub(crate) peak: i128,
    pub(crate) peak_at: Timestamp,
    pub(crate) bottom: i128,
    pub(crate) bottom_at: Timestamp,
    /// When equity was back at the peak.
    pub(crate) recovered_at: Option<Timestamp>,
}

impl Fall {
    /// The part of the peak that was lost.
    pub(crate) fn fraction(&self) -> f64 {
        if self.peak > 0 {
            (self.peak - self.bottom) as f64 / self.peak as f64
        } else {
            0.0
        }
    }
}

/// Follows equity, in units that never change.
#[derive(Debug, Clone)]
pub(crate) struct Falls {
    now: Fall,
    worst: Fall,
}

impl Falls {
    pub(crate) fn new(equity: i128, at: Timestamp) -> Self {
        let start = Fall {
            peak: equity,
            peak_at: at,
            bottom: equity,
            bottom_at: at,
            recovered_at: None,
        };
        Self {
            now: start,
            worst: start,
        }
    }

    /// Equity at an instant.
    #[inline]
    pub(crate) fn mark(&mut self, equity: i128, at: Timestamp) {
        if equity >= self.now.peak {
            self.recover(equity, at);
        } else if equity < self.now.bottom {
            self.now.bottom = equity;
            self.now.bottom_at = at;
        }
    }

    fn recover(&mut self, equity: i128, at: Timestamp) {
        if self.now.bottom < self.now.peak {
            self.now.recovered_at = Some(at);
            self.keep_worst();
        }
        *self = Self {
            now: Fall {
                peak: equity,
                peak_at: at,
                bottom: equity,
                bottom_at: at,
                recovered_at: None,
            },
            worst: self.worst,
        };
    }

    fn keep_worst(&mut self) {
        if self.now.fraction() > self.worst.fraction() {
            self.worst = self.now;
        }
    }

    /// The deepest fall, the present one included; `None` when equity never fell.
    pub(crate) fn worst(&self) -> Option<Fall> {
        let mut all = self.clone();
        all.keep_worst();
        Some(all.worst).filter(|fall| fall.bottom < fall.peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worst(equities: &[i128]) -> Option<Fall> {
        let at = |n: usize| Timestamp::from_nanos(i64::try_from(n).unwrap());
        let mut falls = Falls::new(equities[0], at(0));
        for (n, equity) in equities.iter().enumerate().skip(1) {
            falls.mark(*equity, at(n));
        }
        falls.worst()
    }

    #[test]
    fn depth_length_and_recovery_are_those_of_the_deepest_fall() {
        let fall = worst(&[100, 90, 100, 120, 60, 80, 120, 119]).unwrap();
        assert_eq!((fall.peak, fall.bottom), (120, 60));
        assert_eq!(fall.fraction(), 0.5);
        let times = [fall.peak_at, fall.bottom_at, fall.recovered_at.unwrap()];
        assert_eq!(times.map(Timestamp::as_nanos), [3, 4, 6]);
    }

    #[test]
    fn a_fall_that_goes_on_has_no_recovery_and_a_rise_has_no_fall() {
        assert_eq!(worst(&[100, 50]).unwrap().recovered_at, None);
        assert_eq!(worst(&[100, 100, 101]), None);
    }

    proptest! {
        #[test]
        fn no_pair_of_values_is_deeper(equities in proptest::collection::vec(1i128..1_000, 2..60)) {
            let found = worst(&equities).map_or(0.0, |fall| fall.fraction());
            let mut deepest = 0f64;
            for (n, later) in equities.iter().enumerate() {
                let peak = *equities[..=n].iter().max().unwrap();
                deepest = deepest.max((peak - later) as f64 / peak as f64);
            }
            prop_assert_eq!(found, deepest);
        }
    }
}
