//! What every service stands on: process life, configuration, logs, traces, metrics, health, the
//! loops that carry facts, and the plumbing of gRPC and cache.
//!
//! Decides how a service starts, is watched and ends, and how a fact reaches it exactly once in
//! effect. Leaves every decision of trading to the cores and every table to the services.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod begun;
pub mod cache;
mod chain;
pub mod clock;
pub mod config;
pub mod grpc;
pub mod health;
pub mod metrics;
pub mod order_log;
pub mod process;
pub mod relay;
pub mod resilience;
pub mod scope;
pub mod service;
pub mod telemetry;
pub mod trace;

pub use begun::spawn_begun;
pub use chain::chain;
pub use clock::Clock;
pub use process::Process;

/// An error of any kind, as tasks report it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
