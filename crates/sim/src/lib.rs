//! The backtester: the strategy, the risk core, the order core and the matching core of live
//! trading, run in one thread on a recorded market.
//!
//! It decides when what happens and what a recorded price lets an order do; every decision about
//! orders, limits and matching is made by the same cores that trade live. The same recording and
//! configuration give the same events and the same report, byte for byte.
//!
//! | moment | what happens |
//! |---|---|
//! | a bar begins | orders sent before meet its prices: open, the nearer of high and low, the other, close |
//! | a bar ends | positions are marked at its close, then the strategy sees it and decides |
//! | the next event | is the first that what was decided can trade at |
//!
//! While no order is open nothing can trade, so the matching core sleeps; that changes the speed
//! of a run and not its result.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod backtest;
mod config;
mod desk;
mod digest;
mod drawdown;
mod error;
mod report;
mod statistics;
mod translate;
mod venue;
mod wallet;
pub mod world;

pub use backtest::Backtest;
pub use config::{BacktestConfig, FillModel, FillProfile, default_instrument};
pub use error::BacktestError;
pub use report::{Costs, Data, DayEquity, Drawdown, Report, Results, Trading};
