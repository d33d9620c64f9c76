//! What somebody wants to do: the content of an order before anything happened to it.

use crate::{
    ids::{AccountId, ClientOrderId, Hash128, InstrumentId, StrategyId},
    money::{Price, Quantity},
    time::Timestamp,
};
use std::{fmt, str::FromStr};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Adds to the position.
    Buy,
    /// Takes from the position.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// +1 for a buy, −1 for a sell.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
}

/// How an order is to be executed, with the prices it needs and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderKind {
    /// At the best prices there are, now.
    Market,
    /// At `price` or better.
    Limit {
        /// The worst price.
        price: Price,
        /// Refused instead of taking liquidity.
        post_only: bool,
    },
    /// A market order once the last trade reaches `stop`.
    Stop {
        /// The trigger.
        stop: Price,
    },
    /// A limit order at `price` once the last trade reaches `stop`.
    StopLimit {
        /// The trigger.
        stop: Price,
        /// The worst price after it.
        price: Price,
    },
}

impl OrderKind {
    /// The limit price, if the kind has one.
    #[must_use]
    pub const fn limit_price(&self) -> Option<Price> {
        match self {
            Self::Limit { price, .. } | Self::StopLimit { price, .. } => Some(*price),
            Self::Market | Self::Stop { .. } => None,
        }
    }

    /// The trigger price, if the kind has one.
    #[must_use]
    pub const fn stop_price(&self) -> Option<Price> {
        match self {
            Self::Stop { stop } | Self::StopLimit { stop, .. } => Some(*stop),
            Self::Market | Self::Limit { .. } => None,
        }
    }

    /// The word for it: `market`, `limit`, `post_only`, `stop`, `stop_limit`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit {
                post_only: false, ..
            } => "limit",
            Self::Limit {
                post_only: true, ..
            } => "post_only",
            Self::Stop { .. } => "stop",
            Self::StopLimit { .. } => "stop_limit",
        }
    }
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeInForce {
    /// Until filled or cancelled.
    Gtc,
    /// What can be filled at once; the rest expires.
    Ioc,
    /// All of it at once or nothing.
    Fok,
    /// Until the end of the session.
    Day,
}

/// A word that is not in the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not a {what}; expected one of {expected}")]
pub struct ParseWordError {
    /// The vocabulary.
    pub what: &'static str,
    /// The offending text.
    pub value: String,
    /// Its words.
    pub expected: &'static str,
}

macro_rules! words {
    ($type:ident, $what:literal, $expected:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $type {
            type Err = ParseWordError;
            /// Parses the word, in any case.
            fn from_str(value: &str) -> Result<Self, ParseWordError> {
                match value.to_ascii_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(ParseWordError {
                        what: $what,
                        value: value.to_owned(),
                        expected: $expected,
                    }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words!(Side, "side", "buy, sell", Buy = "buy", Sell = "sell");
words!(
    TimeInForce,
    "time in force",
    "gtc, ioc, fok, day",
    Gtc = "gtc",
    Ioc = "ioc",
    Fok = "fok",
    Day = "day"
);

/// The content of an order. It never changes after it was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Ploy's identifier of the order.
    pub order_id: ClientOrderId,
    /// Which account trades.
    pub account: AccountId,
    /// Whose decision it is; `api` for orders of people.
    pub strategy: StrategyId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How.
    pub kind: OrderKind,
    /// How much, above zero.
    pub quantity: Quantity,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// The price that the decision was made at, for slippage.
    pub decision_price: Option<Price>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// After this instant it must not be sent.
    pub valid_until: Timestamp,
}

impl Intent {
    /// A hash of what would reach the venue: approvals hold for exactly this content.
    #[must_use]
    pub fn content_hash(&self) -> u128 {
        let mut hash = Hash128::new();
        let words = [
            self.order_id.as_str(),
            self.account.as_str(),
            self.strategy.as_str(),
            self.instrument.symbol().as_str(),
            self.instrument.venue().as_str(),
            self.side.word(),
            self.kind.word(),
            self.time_in_force.word(),
        ];
        for word in words {
            hash.write(word.as_bytes());
            hash.write(&[0]);
        }
        let optional = |price: Option<Price>| price.map_or(i64::MIN, Price::raw);
        let numbers = [
            self.quantity.raw(),
            optional(self.kind.limit_price()),
            optional(self.kind.stop_price()),
            i64::from(self.reduce_only),
        ];
        for number in numbers {
            hash.write(&number.to_be_bytes());
        }
        hash.finish()
    }
}
