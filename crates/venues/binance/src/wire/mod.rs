//! The venue's JSON: decimals are strings, times are integers in milli- or microseconds, unknown
//! fields are ignored. Types of this module never leave the crate.

pub(crate) mod market;
pub(crate) mod orders;
pub(crate) mod symbols;
pub(crate) mod user;

use ploy_domain::{Amount, BookLevel, MoneyError, Price, Quantity, Timestamp};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData, str::FromStr};

/// What a decimal string can be read as.
pub(crate) trait Money: FromStr<Err = MoneyError> {
    /// Whether the value may be below zero.
    const SIGNED: bool;
    /// Whether it is.
    fn is_below_zero(&self) -> bool;
}

macro_rules! money {
    ($type:ident, $signed:literal) => {
        impl Money for $type {
            const SIGNED: bool = $signed;
            fn is_below_zero(&self) -> bool {
                self.is_negative()
            }
        }
    };
}

money!(Price, false);
money!(Quantity, false);
money!(Amount, true);

/// A decimal string, read exactly or not at all; never through a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Decimal<T>(pub(crate) T);

impl<'de, T: Money> Deserialize<'de> for Decimal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<T: Money> Visitor<'_> for Text<T> {
            type Value = Decimal<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal string such as \"0.01000000\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal<T>, E> {
                let value: T = text.parse().map_err(E::custom)?;
                if value.is_below_zero() && !T::SIGNED {
                    return Err(E::custom(format_args!("{text} is below zero")));
                }
                Ok(Decimal(value))
            }
        }
        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// A number that the venue gave to an order, a trade or an update. Its numbers are signed 64-bit,
/// which leaves room to count on from any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(deserializer)?;
        u64::try_from(value)
            .map(Self)
            .map_err(|_| de::Error::custom(format_args!("number {value} is below zero")))
    }
}

/// An instant; milliseconds below 10^14, microseconds from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct VenueTime(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for VenueTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(deserializer)?;
        let at = if value >= 100_000_000_000_000 {
            Timestamp::from_micros(value)
        } else {
            Timestamp::from_millis(value)
        };
        at.map(Self)
            .ok_or_else(|| de::Error::custom(format_args!("time {value} is out of range")))
    }
}

/// `["price","quantity"]`; whatever follows is ignored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WireLevel(pub(crate) BookLevel);

impl<'de> Deserialize<'de> for WireLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = WireLevel;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a price and a quantity")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WireLevel, A::Error> {
                let price: Option<Decimal<Price>> = seq.next_element()?;
                let quantity: Option<Decimal<Quantity>> = seq.next_element()?;
                let (Some(price), Some(quantity)) = (price, quantity) else {
                    return Err(de::Error::invalid_length(1, &self));
                };
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(WireLevel(BookLevel {
                    price: price.0,
                    quantity: quantity.0,
                }))
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}

pub(crate) fn levels(wire: &[WireLevel]) -> Vec<BookLevel> {
    wire.iter().map(|level| level.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(json: &str) -> Result<String, String> {
        serde_json::from_str::<Decimal<Price>>(json)
            .map(|price| price.0.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(decimal("\"25000.10000000\""), Ok("25000.1".into()));
        assert_eq!(decimal("\"0.0100000000000000\""), Ok("0.01".into()));
        let signed = serde_json::from_str::<Decimal<Amount>>("\"-1.5\"").unwrap();
        assert_eq!(signed.0.to_string(), "-1.5");
        for wrong in [
            "\"-0.1\"",
            "\"99999999999999999999\"",
            "0.1",
            "\"1e-5\"",
            "\"0.123456789\"",
            "\"\"",
            "null",
            "[]",
        ] {
            assert!(decimal(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_come_in_two_units() {
        let time = |json| {
            serde_json::from_str::<VenueTime>(json)
                .unwrap()
                .0
                .as_nanos()
        };
        assert_eq!(time("1735689600123"), 1_735_689_600_123_000_000);
        assert_eq!(time("1735689600123456"), 1_735_689_600_123_456_000);
        assert!(serde_json::from_str::<VenueTime>("9223372036854775807").is_err());
    }

    #[test]
    fn the_largest_number_still_has_a_successor() {
        let number = |json| serde_json::from_str::<Number>(json);
        let largest = number("9223372036854775807").unwrap().0;
        assert!(largest.checked_add(1).is_some());
        for wrong in ["9223372036854775808", "-1", "1.0", "\"1\""] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_level_ignores_what_follows_its_quantity() {
        let level = |json| serde_json::from_str::<WireLevel>(json);
        let read = level(r#"["1.5","2",[],"x"]"#).unwrap().0;
        assert_eq!(
            (read.price.to_string(), read.quantity.to_string()),
            ("1.5".into(), "2".into())
        );
        assert!(level(r#"["1.5"]"#).is_err());
    }
}
