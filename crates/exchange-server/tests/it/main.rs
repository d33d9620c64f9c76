//! The exchange over its own port: what clients of the venue would see.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod books;
mod faults;
mod harness;
mod market_data;
mod orders;
mod restart;
mod streams;
mod user_data;
