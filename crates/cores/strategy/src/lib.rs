//! What a strategy is, and what runs one: pure decisions from market facts and order events.
//!
//! [`Strategy`] decides what to trade. [`Instance`] turns its actions into intents with derived
//! ids, follows its own orders and position along the account's log, and builds the bars it sees.
//! Whether an order may be sent is left to risk, how it is sent to execution, and everything that
//! touches a clock, a disk or a wire to the shells. The same instance runs live, in replay and in
//! backtests.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod action;
mod bars;
mod contract;
mod indicator;
mod instance;
mod strategy;
mod tracker;

pub use action::{Action, Actions, OrderRequest};
pub use bars::BarError;
pub use contract::{Effect, Input, InstanceConfig, InstanceError, Snapshot};
pub use indicator::{Ema, Sma};
pub use instance::Instance;
pub use strategy::{Blocked, Context, Strategy};
pub use tracker::TrackError;
