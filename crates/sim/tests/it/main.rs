//! The backtester from outside: what a recorded market and a strategy lead to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod fills;
mod lookahead;
mod recorded;
mod reports;
mod script;
mod world;
