//! The risk service: judges every order for execution, holds trading states and limits, and trips
//! the kill switch. The judgement is `ploy-risk-core`'s; here it meets the order log, the market,
//! the database and those who ask.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod api;
mod app;
mod braking;
pub mod config;
mod follower;
mod grpc;
mod judge;
mod metrics;
pub mod standalone;
mod store;

pub use api::RiskService;
pub use app::{App, Deps};
pub use store::{MIGRATIONS, RiskStore};
