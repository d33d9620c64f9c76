//! Exact money: integers at a scale of 1e-8, products in 128 bits, every rounding named.
//!
//! | operation | result |
//! |---|---|
//! | `Price × Quantity` | [`Amount`], exact or rounded as asked |
//! | `Amount ÷ Quantity` | [`Price`], rounded as asked |
//! | `Amount × Bps` | [`Amount`], rounded as asked |
//! | `±` within one type | checked, same type |

use std::{fmt, iter::Sum, str::FromStr};

/// Units per one whole: prices, quantities and amounts count in 1e-8.
pub const SCALE: i64 = 100_000_000;
/// Decimal places of [`SCALE`].
pub const DECIMALS: usize = 8;

/// How a division that leaves a remainder ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards negative infinity.
    Floor,
    /// Towards positive infinity.
    Ceil,
    /// To the nearest, halves to the even neighbour.
    HalfEven,
    /// A remainder is an error.
    Exact,
}

/// Why a computation or a text is not money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits at 1e-8 (±92 233 720 368.54775807).
    #[error("{operation} overflows; values are limited to ±92233720368.54775807")]
    Overflow {
        /// What was computed.
        operation: &'static str,
    },
    /// [`Rounding::Exact`] met a remainder.
    #[error("{operation} is not a multiple of 0.00000001")]
    Inexact {
        /// What was computed.
        operation: &'static str,
    },
    /// Division by zero.
    #[error("{operation} divides by zero")]
    DivisionByZero {
        /// What was computed.
        operation: &'static str,
    },
    /// The text is no plain decimal number.
    #[error("'{text}' is not a decimal number such as 12 or -0.5")]
    Syntax {
        /// The offending text.
        text: String,
    },
    /// More than eight decimal places.
    #[error("'{text}' has {places} decimal places; at most 8 are kept exactly")]
    Precision {
        /// The offending text.
        text: String,
        /// Its significant decimal places.
        places: usize,
    },
}

fn divide(
    numerator: i128,
    denominator: i128,
    r: Rounding,
    op: &'static str,
) -> Result<i64, MoneyError> {
    if denominator == 0 {
        return Err(MoneyError::DivisionByZero { operation: op });
    }
    let (n, d) = if denominator < 0 {
        (-numerator, -denominator)
    } else {
        (numerator, denominator)
    };
    let (quotient, rest) = (n.div_euclid(d), n.rem_euclid(d));
    let up = match r {
        Rounding::Floor => false,
        Rounding::Ceil => rest > 0,
        Rounding::HalfEven => rest > d - rest || (rest == d - rest && quotient % 2 != 0),
        Rounding::Exact if rest != 0 => return Err(MoneyError::Inexact { operation: op }),
        Rounding::Exact => false,
    };
    i64::try_from(quotient + i128::from(up)).map_err(|_| MoneyError::Overflow { operation: op })
}

/// Parses a plain decimal: optional minus, digits, optional fraction of at most eight significant
/// places. No exponent, no separators, no infinities (failure-model SEC-26).
fn parse(text: &str) -> Result<i64, MoneyError> {
    let syntax = || MoneyError::Syntax {
        text: text.to_owned(),
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |s: &str| !s.is_empty() && s.len() <= 40 && s.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) {
        return Err(syntax());
    }
    let kept = fraction.trim_end_matches('0');
    if kept.len() > DECIMALS {
        return Err(MoneyError::Precision {
            text: text.to_owned(),
            places: kept.len(),
        });
    }
    let overflow = || MoneyError::Overflow {
        operation: "number",
    };
    let mut value: i128 = 0;
    let padded = kept.bytes().chain(std::iter::repeat(b'0')).take(DECIMALS);
    for digit in whole.bytes().chain(padded) {
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(i128::from(digit - b'0')))
            .ok_or_else(overflow)?;
    }
    i64::try_from(if negative { -value } else { value }).map_err(|_| overflow())
}

fn print(raw: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (whole, fraction) = (
        raw.unsigned_abs() / 100_000_000,
        raw.unsigned_abs() % 100_000_000,
    );
    let sign = if raw < 0 { "-" } else { "" };
    if fraction == 0 {
        return f.pad(&format!("{sign}{whole}"));
    }
    let text = format!("{sign}{whole}.{fraction:08}");
    f.pad(text.trim_end_matches('0'))
}

macro_rules! money_type {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(i64::MAX);
            /// The smallest step, 0.00000001.
            pub const EPSILON: Self = Self(1);

            /// From units of 1e-8.
            #[must_use]
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }

            /// In units of 1e-8.
            #[must_use]
            pub const fn raw(self) -> i64 {
                self.0
            }

            /// A whole number.
            ///
            /// # Errors
            /// [`MoneyError::Overflow`] beyond ±92 233 720 368.
            pub const fn from_int(whole: i64) -> Result<Self, MoneyError> {
                match whole.checked_mul(SCALE) {
                    Some(raw) => Ok(Self(raw)),
                    None => Err(MoneyError::Overflow { operation: $word }),
                }
            }

            /// Sum.
            ///
            /// # Errors
            /// [`MoneyError::Overflow`].
            pub const fn plus(self, other: Self) -> Result<Self, MoneyError> {
                match self.0.checked_add(other.0) {
                    Some(raw) => Ok(Self(raw)),
                    None => Err(MoneyError::Overflow { operation: concat!("sum of two ", $word, "s") }),
                }
            }

            /// Difference.
            ///
            /// # Errors
            /// [`MoneyError::Overflow`].
            pub const fn minus(self, other: Self) -> Result<Self, MoneyError> {
                match self.0.checked_sub(other.0) {
                    Some(raw) => Ok(Self(raw)),
                    None => {
                        Err(MoneyError::Overflow { operation: concat!("difference of two ", $word, "s") })
                    }
                }
            }

            /// The same size with the other sign.
            ///
            /// # Errors
            /// [`MoneyError::Overflow`] for the most negative value.
            pub const fn negated(self) -> Result<Self, MoneyError> {
                match self.0.checked_neg() {
                    Some(raw) => Ok(Self(raw)),
                    None => Err(MoneyError::Overflow { operation: concat!("negation of a ", $word) }),
                }
            }

            /// The size without the sign, saturating at [`Self::MAX`].
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.saturating_abs())
            }

            /// Whether it is exactly zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// Whether it is above zero.
            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// Whether it is below zero.
            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// Whether it is a multiple of `step`; nothing is a multiple of a step that is not positive.
            #[must_use]
            pub const fn is_multiple_of(self, step: Self) -> bool {
                step.0 > 0 && self.0 % step.0 == 0
            }

            /// The nearest multiple of `step` in the direction of `rounding`.
            ///
            /// # Errors
            /// [`MoneyError::DivisionByZero`] for a step that is not positive,
            /// [`MoneyError::Inexact`] when exactness was asked and is not there.
            pub fn round_to(self, step: Self, rounding: Rounding) -> Result<Self, MoneyError> {
                const OPERATION: &str = concat!("rounding of a ", $word);
                if step.0 <= 0 {
                    return Err(MoneyError::DivisionByZero { operation: OPERATION });
                }
                let steps = divide(i128::from(self.0), i128::from(step.0), rounding, OPERATION)?;
                match steps.checked_mul(step.0) {
                    Some(raw) => Ok(Self(raw)),
                    None => Err(MoneyError::Overflow { operation: OPERATION }),
                }
            }

            /// The nearest float, for statistics and indicators only; money never comes back from it.
            #[must_use]
            pub const fn to_f64(self) -> f64 {
                self.0 as f64 / SCALE as f64
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;
            fn from_str(text: &str) -> Result<Self, MoneyError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            /// Plain decimal without trailing zeros.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

money_type!(
    /// Quote currency per one unit of the instrument, at 1e-8.
    Price, "price"
);
money_type!(
    /// Units of the instrument, at 1e-8; signed where a position is meant.
    Quantity, "quantity"
);
money_type!(
    /// An amount of some currency or asset, at 1e-8, signed.
    Amount, "amount"
);

impl Price {
    /// What `quantity` is worth at this price.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`]; [`MoneyError::Inexact`] with [`Rounding::Exact`].
    pub fn times(self, quantity: Quantity, rounding: Rounding) -> Result<Amount, MoneyError> {
        let product = i128::from(self.0) * i128::from(quantity.0);
        divide(product, i128::from(SCALE), rounding, "price times quantity").map(Amount)
    }

    /// The price moved by `bps` hundredths of a percent.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`]; [`MoneyError::Inexact`] with [`Rounding::Exact`].
    pub fn shifted(self, bps: Bps, rounding: Rounding) -> Result<Self, MoneyError> {
        let factor = i128::from(Bps::WHOLE + i64::from(bps.0));
        divide(
            i128::from(self.0) * factor,
            i128::from(Bps::WHOLE),
            rounding,
            "price shift",
        )
        .map(Self)
    }
}

impl Amount {
    /// The average price of `quantity` units that cost this amount.
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`], [`MoneyError::Overflow`], [`MoneyError::Inexact`].
    pub fn per(self, quantity: Quantity, rounding: Rounding) -> Result<Price, MoneyError> {
        let numerator = i128::from(self.0) * i128::from(SCALE);
        divide(
            numerator,
            i128::from(quantity.0),
            rounding,
            "amount per quantity",
        )
        .map(Price)
    }

    /// `bps` hundredths of a percent of this amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`]; [`MoneyError::Inexact`] with [`Rounding::Exact`].
    pub fn fraction(self, bps: Bps, rounding: Rounding) -> Result<Self, MoneyError> {
        let product = i128::from(self.0) * i128::from(bps.0);
        divide(
            product,
            i128::from(Bps::WHOLE),
            rounding,
            "fraction of an amount",
        )
        .map(Self)
    }

    /// This amount × `part` ÷ `whole`: for splitting a cost or a fee in proportion.
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`], [`MoneyError::Overflow`], [`MoneyError::Inexact`].
    pub fn share(self, part: Quantity, whole: Quantity, r: Rounding) -> Result<Self, MoneyError> {
        let product = i128::from(self.0) * i128::from(part.0);
        divide(product, i128::from(whole.0), r, "share of an amount").map(Self)
    }
}

impl Quantity {
    /// `bps` hundredths of a percent of this quantity, as an amount of the same asset.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`]; [`MoneyError::Inexact`] with [`Rounding::Exact`].
    pub fn fraction(self, bps: Bps, rounding: Rounding) -> Result<Amount, MoneyError> {
        Amount(self.0).fraction(bps, rounding)
    }

    /// The same number of units, counted as an amount of the base asset.
    #[must_use]
    pub const fn as_amount(self) -> Amount {
        Amount(self.0)
    }
}

/// Hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bps(i32);

impl Bps {
    /// No part at all.
    pub const ZERO: Self = Self(0);
    /// Basis points in a whole.
    pub const WHOLE: i64 = 10_000;

    /// `bps` hundredths of a percent.
    #[must_use]
    pub const fn new(bps: i32) -> Self {
        Self(bps)
    }

    /// The number of hundredths of a percent.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}bp", self.0)
    }
}

/// The sum of many amounts, wide enough never to overflow in practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WideSum(i128);

impl WideSum {
    /// Adds an amount.
    pub fn add(&mut self, amount: Amount) {
        self.0 += i128::from(amount.0);
    }

    /// Whether the parts cancel out.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum as an amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn total(self) -> Result<Amount, MoneyError> {
        i64::try_from(self.0)
            .map(Amount)
            .map_err(|_| MoneyError::Overflow { operation: "sum" })
    }
}

impl Sum<Amount> for WideSum {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Self {
        let mut sum = Self::default();
        amounts.for_each(|amount| sum.add(amount));
        sum
    }
}

#[cfg(test)]
mod tests;
