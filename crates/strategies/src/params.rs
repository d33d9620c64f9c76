//! Reading a strategy's parameters: every mistake names the parameter, the value and what would
//! have been right.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

/// A parameter that a strategy knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamSpec {
    /// Its name.
    pub name: &'static str,
    /// What it takes when it is not given; `None` when there is no default.
    pub default: Option<&'static str>,
    /// What it means and which values it takes.
    pub meaning: &'static str,
}

/// Why a strategy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// There is no strategy of that name.
    #[error("there is no strategy '{kind}'; known are {known}")]
    UnknownStrategy {
        /// What was asked for.
        kind: String,
        /// What there is.
        known: String,
    },
    /// The strategy has no such parameter.
    #[error("strategy {strategy} has no parameter '{name}'; it takes {known}")]
    UnknownParam {
        /// Which strategy.
        strategy: &'static str,
        /// What was given.
        name: String,
        /// What it takes.
        known: String,
    },
    /// The value is no value of that kind, or lies outside its bounds.
    #[error("parameter {name} must be {expected}, was '{value}'")]
    Invalid {
        /// Which parameter.
        name: &'static str,
        /// What was given.
        value: String,
        /// The bound.
        expected: String,
    },
    /// Two parameters exclude each other.
    #[error("parameters {first} and {second} exclude each other; give one of them")]
    Exclusive {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

/// The given parameters of one strategy, checked against those it knows.
#[derive(Debug)]
pub(crate) struct Params<'a> {
    specs: &'static [ParamSpec],
    given: &'a BTreeMap<String, String>,
}

impl<'a> Params<'a> {
    pub(crate) fn new(
        strategy: &'static str,
        specs: &'static [ParamSpec],
        given: &'a BTreeMap<String, String>,
    ) -> Result<Self, ParamError> {
        let known = |name: &String| specs.iter().any(|spec| spec.name == name);
        match given.keys().find(|name| !known(name)) {
            Some(name) => Err(ParamError::UnknownParam {
                strategy,
                name: name.clone(),
                known: list(specs.iter().map(|spec| spec.name)),
            }),
            None => Ok(Self { specs, given }),
        }
    }

    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The value of `name`, or its default, if it satisfies `allowed`; `expected` says what that
    /// is.
    pub(crate) fn read<T: FromStr>(
        &self,
        name: &'static str,
        expected: impl Display,
        allowed: impl FnOnce(&T) -> bool,
    ) -> Result<T, ParamError> {
        let default = self.specs.iter().find(|spec| spec.name == name);
        let default = default.and_then(|spec| spec.default).unwrap_or_default();
        let text = self.given.get(name).map_or(default, String::as_str);
        text.trim()
            .parse()
            .ok()
            .filter(allowed)
            .ok_or_else(|| ParamError::Invalid {
                name,
                value: text.to_owned(),
                expected: expected.to_string(),
            })
    }
}

/// `a, b, c`.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
