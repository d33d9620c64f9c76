//! The shapes of the JSON that the gateway speaks, in both directions of trust: it writes them, the
//! command line reads them.
//!
//! Decimals and instants are texts, since a JSON number loses digits; words are the domain's own.
//! What they mean is the domain's business, which status they travel with the routes'.

mod account;
mod fill;
mod market;
mod order;
mod problem;
mod risk;
mod strategy;
mod stream;
mod why;

pub use account::{AccountJson, BalanceJson, PositionJson};
pub use fill::FillJson;
pub(crate) use market::feed_word;
pub use market::{LevelJson, MarketJson, QuoteJson, TickJson};
pub use order::{OrderJson, ReasonJson};
pub use problem::{FieldErrorJson, ProblemJson};
pub use risk::{CancelAllJson, ExposureJson, KillJson, LimitsJson, RiskJson, ScopeStateJson};
pub use strategy::StrategyJson;
pub use stream::Frame;
pub use why::{FactJson, WhyJson, WhyLineJson};

use serde::{Deserialize, Serialize};

/// A list, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListJson<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The value of `after` that brings the next part; `null` at the end.
    pub next: Option<String>,
}

impl<T> ListJson<T> {
    /// A list that fits in one answer.
    #[must_use]
    pub fn whole<V>(views: Vec<V>) -> Self
    where
        T: From<V>,
    {
        Self {
            items: views.into_iter().map(T::from).collect(),
            next: None,
        }
    }
}

impl<T, V> From<ploy_wire::api::Page<V>> for ListJson<T>
where
    T: From<V>,
{
    fn from(page: ploy_wire::api::Page<V>) -> Self {
        Self {
            items: page.items.into_iter().map(T::from).collect(),
            next: page.next,
        }
    }
}

/// The text of a value that may be missing.
fn text(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}
