//! The execution service: owns accounts under a lease, journals every order before it is sent,
//! sends it once, and books what the venue says. The decisions are `ploy-orders-core`'s; here they
//! meet the database, the risk service and the venue.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod account;
mod api;
mod app;
mod asks;
pub mod config;
mod effects;
mod grpc;
mod inputs;
mod leader;
mod marks;
mod metrics;
mod reading;
mod rows;
mod setup;
pub mod standalone;
mod store;
mod stored;
mod views;
mod volatile;

/// Whose logs and spans these are.
const SERVICE: &str = "execution";

pub use account::{AccountSetup, Journal};
pub use api::ExecutionService;
pub use app::{App, Deps};
pub use store::{ExecutionStore, MIGRATIONS};
pub use volatile::VolatileLog;
