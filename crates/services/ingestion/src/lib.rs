//! The ingestion service: one feed per venue in, canonical market facts out. It says what a feed
//! can be trusted for; what anybody does with a price is theirs.
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
mod metrics;
mod pump;
mod setup;
pub mod standalone;
mod watchdog;

pub use app::{App, Deps, IngestionService};
