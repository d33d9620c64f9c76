//! The strategy service: runs instances of strategies under leases. What to trade is decided by
//! `ploy-strategy-core` and the strategies; here they meet the market, the order log and execution.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod app;
pub mod config;
mod grpc;
mod runner;
mod setup;
pub mod standalone;
mod store;
mod submit;

pub use app::{App, Deps, InstanceSetup, StrategyService};
pub use store::{Decisions, MIGRATIONS};
