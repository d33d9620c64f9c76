//! Arbitrary domain values for property tests: every value the types can hold, not only sane ones.

pub(crate) mod events;
pub(crate) mod ids;
pub(crate) mod market;
pub(crate) mod orders;
pub(crate) mod risk;
pub(crate) mod views;

use crate::convert::Vocabulary;
use ploy_domain::{Amount, Nanos, Price, Quantity, Timestamp};
use proptest::{collection::vec, prelude::*};
use std::fmt::Debug;

pub(crate) fn price() -> impl Strategy<Value = Price> {
    any::<i64>().prop_map(Price::from_raw)
}

pub(crate) fn quantity() -> impl Strategy<Value = Quantity> {
    any::<i64>().prop_map(Quantity::from_raw)
}

pub(crate) fn amount() -> impl Strategy<Value = Amount> {
    any::<i64>().prop_map(Amount::from_raw)
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_nanos)
}

pub(crate) fn nanos() -> impl Strategy<Value = Nanos> {
    any::<i64>().prop_map(Nanos::new)
}

pub(crate) fn word<W: Vocabulary + Copy + Debug>() -> impl Strategy<Value = W> {
    prop::sample::select(W::ALL)
}

/// A text for people.
pub(crate) fn prose() -> impl Strategy<Value = String> {
    ".{0,24}"
}

pub(crate) fn few<S: Strategy>(one: S) -> impl Strategy<Value = Vec<S::Value>> {
    vec(one, 0..4)
}

pub(crate) fn named() -> impl Strategy<Value = Vec<(String, String)>> {
    few((prose(), prose()))
}
