//! The chassis against real servers and a real collector.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cache;
mod collector;
mod grpc;
mod log_owner;
mod order_log;
mod over_nats;
mod relay;
mod telemetry;
