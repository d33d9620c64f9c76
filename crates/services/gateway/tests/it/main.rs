//! The gateway over real HTTP, with small services in memory behind it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod access;
mod bad_input;
mod commands;
mod harness;
mod kill;
mod life;
mod platform;
mod reads;
mod stream;
