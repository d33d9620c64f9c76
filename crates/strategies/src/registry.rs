//! Which strategies there are.

use crate::{
    ma_cross::MaCross,
    params::{ParamError, ParamSpec, Params, list},
};
use ploy_strategy_core::Strategy;
use std::collections::BTreeMap;

/// A strategy that can be built by name.
#[derive(Debug, Clone, Copy)]
pub struct StrategyKind {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it can be told.
    pub params: &'static [ParamSpec],
    build: fn(&Params<'_>) -> Result<Box<dyn Strategy>, ParamError>,
}

const KINDS: &[StrategyKind] = &[StrategyKind {
    name: MaCross::NAME,
    summary: "buys when the fast average of closes rises above the slow one, sells when it falls below",
    params: MaCross::PARAMS,
    build: |params| Ok(Box::new(MaCross::from_params(params)?)),
}];

/// Every built-in strategy.
#[must_use]
pub const fn kinds() -> &'static [StrategyKind] {
    KINDS
}

/// Builds the strategy `kind` with the given parameters; what is not given takes its default.
///
/// # Errors
/// [`ParamError`] for an unknown strategy or parameter and for a value outside its bounds.
pub fn build(
    kind: &str,
    params: &BTreeMap<String, String>,
) -> Result<Box<dyn Strategy>, ParamError> {
    let found = KINDS.iter().find(|known| known.name == kind);
    let known = found.ok_or_else(|| ParamError::UnknownStrategy {
        kind: kind.to_owned(),
        known: list(KINDS.iter().map(|known| known.name)),
    })?;
    (known.build)(&Params::new(known.name, known.params, params)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message of the error of building `ma-cross` with one parameter, or `ok`.
    fn check(name: &str, value: &str) -> String {
        let params = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        build("ma-cross", &params).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
    }

    #[test]
    fn every_strategy_builds_with_its_defaults() {
        for kind in kinds() {
            assert!(build(kind.name, &BTreeMap::new()).is_ok(), "{}", kind.name);
        }
    }

    #[test]
    fn mistakes_name_parameter_value_and_bound() {
        assert_eq!(check("fast", "10"), "ok");
        assert_eq!(
            check("fast", "0"),
            "parameter fast must be a whole number from 1 to 9999, was '0'"
        );
        assert_eq!(
            check("slow", "20"),
            "parameter slow must be a whole number from 21 to 10000 (above fast), was '20'"
        );
        assert_eq!(
            check("quantity", "-1"),
            "parameter quantity must be above 0 with at most 8 decimal places, was '-1'"
        );
        assert_eq!(
            check("interval", "1x"),
            "parameter interval must be a bar interval such as 5s, 1m or 1h, was '1x'"
        );
        assert_eq!(
            check("fats", "10"),
            "strategy ma-cross has no parameter 'fats'; it takes fast, slow, interval, quantity, notional"
        );
    }

    #[test]
    fn an_unknown_strategy_is_answered_with_the_known_ones() {
        let error = build("ma-croz", &BTreeMap::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no strategy 'ma-croz'; known are ma-cross"
        );
    }

    #[test]
    fn quantity_and_notional_exclude_each_other() {
        let params = ["quantity", "notional"].map(|name| (name.to_owned(), "1".to_owned()));
        let error = build("ma-cross", &BTreeMap::from(params)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameters quantity and notional exclude each other; give one of them"
        );
    }
}
