//! The records of the ledger: what the exchange received and what it did, in its own words.
//!
//! One JSON object per line. `seq` rises by one per record over the whole life of the file, `at`
//! is the exchange's time in nanoseconds, `kind` says which of the variants follows. Prices,
//! quantities and amounts are decimals in text. Orders of the generated market are not recorded;
//! its trades with accounts are, from the account's side.

use serde::{Deserialize, Serialize};

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Rises by one per record.
    pub seq: u64,
    /// When, in nanoseconds since the epoch.
    pub at: i64,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The exchange opened; everything after it belongs to this run.
    Opened {
        /// Version of the program.
        version: String,
    },
    /// An account received money or an asset from outside.
    Deposited {
        /// Whose.
        account: String,
        /// Of what.
        asset: String,
        /// How much.
        amount: String,
    },
    /// An authenticated request to place or cancel arrived; `Accepted`, `Cancelled` or `Rejected`
    /// with the same `request` says what became of it.
    Received(Received),
    /// A request was refused; nothing changed.
    Rejected {
        /// The request.
        request: u64,
        /// Whose.
        account: String,
        /// The client order id it named or would have used.
        client_order_id: Option<String>,
        /// The code answered.
        code: i32,
        /// The text answered.
        message: String,
    },
    /// An order was taken in.
    Accepted(Accepted),
    /// A waiting stop order began to work.
    Triggered {
        /// Which order.
        order: OrderKey,
    },
    /// An order was executed in whole or in part; a trade between two accounts, or of an account
    /// with itself, is recorded once per order.
    Filled(Filled),
    /// An order was taken out by its owner.
    Cancelled {
        /// The request that did it.
        request: u64,
        /// Which order.
        order: OrderKey,
        /// The client order id of the cancel itself.
        cancel_client_order_id: String,
        /// What had been executed.
        executed: String,
    },
    /// An order ended by itself.
    Expired {
        /// Which order.
        order: OrderKey,
        /// Why, in the venue's word.
        reason: String,
        /// Whether self-trade prevention ended it.
        in_match: bool,
        /// What had been executed.
        executed: String,
    },
    /// Numbers up to these may have been published for the symbol; after a restart counting goes
    /// on above them.
    Reserved {
        /// The symbol.
        symbol: String,
        /// Public trade ids, aggregates included.
        trade_id: u64,
        /// Book update ids.
        update_id: u64,
    },
    /// The last price of a symbol, now and then, so that the market resumes where it was.
    Marked {
        /// The symbol.
        symbol: String,
        /// Its last price.
        price: String,
    },
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The exchange's number of the request; rises over the whole life of the file.
    pub request: u64,
    /// `order.place`, `order.cancel` or `openOrders.cancelAll`.
    pub method: String,
    /// Whose key signed it.
    pub account: String,
    /// The key's id.
    pub api_key: String,
    /// The order's client order id, when the request names one.
    pub client_order_id: Option<String>,
    /// Its parameters in the order sent, signature left out.
    pub parameters: Vec<(String, String)>,
}

/// Which order of which account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderKey {
    /// Whose.
    pub account: String,
    /// Where.
    pub symbol: String,
    /// The exchange's number of the order.
    pub order_id: u64,
    /// The owner's name for it.
    pub client_order_id: String,
}

/// An order as it was taken in, with all that a restart needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The request that placed it.
    pub request: u64,
    /// Which order.
    pub order: OrderKey,
    /// `BUY` or `SELL`.
    pub side: String,
    /// `LIMIT`, `MARKET`, …
    pub order_type: String,
    /// `GTC`, `IOC` or `FOK`.
    pub time_in_force: String,
    /// Total quantity.
    pub quantity: String,
    /// Quote amount of a market order sized by it, else 0.
    pub quote_quantity: String,
    /// Limit price, else 0.
    pub price: String,
    /// Trigger, else 0.
    pub stop_price: String,
    /// Self-trade prevention mode.
    pub self_trade_prevention: String,
    /// Whether it works at once; `false` for a stop that waits.
    pub working: bool,
    /// The caller's number of its strategy, echoed.
    pub strategy_id: Option<u64>,
    /// The caller's kind of strategy, echoed.
    pub strategy_type: Option<u64>,
}

/// An execution of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Which order.
    pub order: OrderKey,
    /// The public trade id.
    pub trade_id: u64,
    /// `BUY` or `SELL`.
    pub side: String,
    /// At which price.
    pub price: String,
    /// How much.
    pub quantity: String,
    /// `price × quantity`.
    pub value: String,
    /// What was charged.
    pub commission: String,
    /// In which asset.
    pub commission_asset: String,
    /// Whether the order rested.
    pub maker: bool,
    /// Whether nothing is left of the order.
    pub complete: bool,
}
