//! Execution against the real exchange and a real database: what is journaled, sent, booked and
//! found again. Risk is the one thing that a test answers for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod desk;
mod orders;
mod restart;
