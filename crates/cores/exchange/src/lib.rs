//! The matching engine: price-time priority, order types, filters, balances and fees.
//!
//! [`OrderBook`] is the raw book, usable alone; [`Exchange`] puts accounts, rules and reports
//! around one book per instrument. Both are pure: time is an argument, and the same commands
//! always give the same events.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod accounts;
mod book;
mod chains;
mod clients;
mod command;
mod config;
mod event;
mod exchange;
mod index;
mod ladder;
mod market;
mod order;
mod reject;
mod stops;

pub use accounts::Balance;
pub use book::{BookError, Fill, OrderBook, Resting, Taker};
pub use command::{
    AmendOrder, ClientId, Command, OrderId, OrderRef, OrderSize, PlaceOrder, StpMode,
};
pub use config::{AccountTerms, ConfigError, Listing};
pub use event::{
    BalanceChange, BookChange, Event, ExpiryReason, Prevention, Rejection, TradeParty, TradeReport,
};
pub use exchange::{Depth, Exchange, LastTrade, Touch};
pub use order::{OrderStatus, VenueOrder};
pub use reject::RejectReason;
