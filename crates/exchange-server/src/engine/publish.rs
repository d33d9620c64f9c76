//! What streams are told: messages for the market streams, messages for account owners, and the
//! batches that depth streams collect between two beats.

use crate::{clock::millis, decimal::fixed};
use ploy_domain::{BookLevel, Price, Quantity, Side, Timestamp};
use ploy_exchange_core::BookChange;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// A message on a market stream, encoded once for all its subscribers.
#[derive(Debug)]
pub(crate) struct MarketMessage {
    /// `btcusdt@trade`, …
    pub(crate) stream: String,
    pub(crate) payload: String,
}

/// An event for the owner of an account.
#[derive(Debug)]
pub(crate) struct UserMessage {
    /// Index of the account.
    pub(crate) account: usize,
    pub(crate) payload: String,
}

/// Messages of one batch of commands, sent once its records are written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) market: Vec<Arc<MarketMessage>>,
    pub(crate) user: Vec<Arc<UserMessage>>,
    /// Whether anybody listens to market streams; if nobody does nothing is encoded.
    pub(crate) market_wanted: bool,
}

impl Outbox {
    /// Adds a market message; the payload is only made when somebody listens.
    pub(crate) fn market(&mut self, stream: String, payload: impl FnOnce() -> Value) {
        if self.market_wanted {
            let payload = payload().to_string();
            self.market
                .push(Arc::new(MarketMessage { stream, payload }));
        }
    }

    pub(crate) fn user(&mut self, account: usize, event: &Value) {
        let payload = event.to_string();
        self.user.push(Arc::new(UserMessage { account, payload }));
    }
}

/// The levels that changed since the last beat, with their final quantities.
#[derive(Debug)]
pub(crate) struct DepthBatch {
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
    /// The last update id of the batch before.
    before: u64,
    last: u64,
}

impl DepthBatch {
    /// An empty batch after update `last`.
    pub(crate) const fn after(last: u64) -> Self {
        Self {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            before: last,
            last,
        }
    }

    /// Takes a change in, numbered `update_id`.
    pub(crate) fn add(&mut self, change: &BookChange, update_id: u64) {
        let side = match change.side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        side.insert(change.price, change.quantity);
        self.last = update_id;
    }

    /// Whether nothing changed since the last beat.
    pub(crate) fn is_empty(&self) -> bool {
        self.last == self.before
    }

    /// Ends the batch; the next one begins where it ends.
    pub(crate) const fn take(&mut self) -> Self {
        let next = Self::after(self.last);
        std::mem::replace(self, next)
    }

    /// The payload of the depth streams.
    pub(crate) fn event(&self, symbol: &str, now: Timestamp) -> Value {
        json!({
            "e": "depthUpdate", "E": millis(now), "s": symbol,
            "U": self.before + 1, "u": self.last,
            "b": self.bids.iter().rev().map(pair).collect::<Vec<_>>(),
            "a": self.asks.iter().map(pair).collect::<Vec<_>>(),
        })
    }
}

fn pair((price, quantity): (&Price, &Quantity)) -> [String; 2] {
    [fixed(price.raw()), fixed(quantity.raw())]
}

/// Levels as `[["price","quantity"],…]`.
pub(crate) fn levels(levels: &[BookLevel]) -> Value {
    let pairs = levels
        .iter()
        .map(|level| pair((&level.price, &level.quantity)));
    pairs.collect::<Vec<_>>().into()
}
