//! Indicators with one step per value, whatever their length.

use ploy_domain::Price;
use std::cmp::Ordering;

/// The simple moving average of the last `length` prices, exact: it is kept as a sum.
#[derive(Debug, Clone)]
pub struct Sma {
    window: Box<[i64]>,
    next: usize,
    seen: usize,
    sum: i128,
}

impl Sma {
    /// An average over `length` prices; a length of zero counts as one.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self {
            window: vec![0; length.max(1)].into_boxed_slice(),
            next: 0,
            seen: 0,
            sum: 0,
        }
    }

    /// Adds a price; the oldest one leaves.
    pub fn push(&mut self, price: Price) {
        let length = self.window.len();
        if let Some(slot) = self.window.get_mut(self.next) {
            self.sum += i128::from(price.raw()) - i128::from(*slot);
            *slot = price.raw();
        }
        self.next += 1;
        if self.next == length {
            self.next = 0;
        }
        self.seen += usize::from(self.seen < length);
    }

    /// Whether the window is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.seen == self.window.len()
    }

    /// The average, rounded down to 1e-8; `None` until the window is full.
    #[must_use]
    pub fn value(&self) -> Option<Price> {
        let mean = self.sum.div_euclid(self.length());
        i64::try_from(mean)
            .ok()
            .filter(|_| self.is_full())
            .map(Price::from_raw)
    }

    /// How this average compares with another, without rounding either; `None` until both
    /// windows are full.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        // The sum of n prices below 2^63 times a length stays far below 2^127.
        (self.is_full() && other.is_full())
            .then(|| (self.sum * other.length()).cmp(&(other.sum * self.length())))
    }

    fn length(&self) -> i128 {
        self.window.len() as i128
    }
}

/// The exponential moving average with smoothing 2 ÷ (length + 1), in floats: it never becomes
/// money.
#[derive(Debug, Clone)]
pub struct Ema {
    smoothing: f64,
    length: usize,
    seen: usize,
    value: f64,
}

impl Ema {
    /// An average that forgets with the given length; a length of zero counts as one.
    #[must_use]
    pub fn new(length: usize) -> Self {
        let length = length.max(1);
        Self {
            smoothing: 2.0 / (length as f64 + 1.0),
            length,
            seen: 0,
            value: 0.0,
        }
    }

    /// Adds a value. The first one is the start.
    pub fn push(&mut self, value: f64) {
        if self.seen == 0 {
            self.value = value;
        } else {
            self.value += self.smoothing * (value - self.value);
        }
        self.seen = self.seen.saturating_add(1);
    }

    /// The average; `None` until as many values were seen as its length.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        (self.seen >= self.length).then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sma(length: usize, raws: &[i64]) -> Sma {
        let mut sma = Sma::new(length);
        raws.iter().for_each(|raw| sma.push(Price::from_raw(*raw)));
        sma
    }

    #[test]
    fn an_average_has_no_value_before_its_window_is_full() {
        assert_eq!(sma(3, &[1, 2]).value(), None);
        assert_eq!(sma(3, &[1, 2, 6]).value(), Some(Price::from_raw(3)));
        assert_eq!(sma(3, &[1, 2]).compare(&sma(1, &[5])), None);
    }

    #[test]
    fn comparing_sees_differences_that_rounding_hides() {
        let (a, b) = (sma(2, &[1, 2]), sma(3, &[1, 1, 2]));
        assert_eq!(a.value(), b.value());
        assert_eq!(a.compare(&b), Some(Ordering::Greater));
    }

    #[test]
    fn an_exponential_average_follows_its_definition() {
        let mut ema = Ema::new(3);
        for value in [2.0, 4.0] {
            ema.push(value);
        }
        assert_eq!(ema.value(), None);
        ema.push(8.0);
        assert_eq!(ema.value(), Some(5.5));
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_last_prices(length in 1usize..20, raws in proptest::collection::vec(0i64..i64::MAX, 20..60)) {
            let last = &raws[raws.len() - length..];
            let mean: i128 = last.iter().map(|raw| i128::from(*raw)).sum::<i128>() / length as i128;
            prop_assert_eq!(sma(length, &raws).value(), Some(Price::from_raw(i64::try_from(mean)?)));
        }
    }
}
