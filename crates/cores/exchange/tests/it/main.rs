//! The exchange from outside: its rules as sentences, a naive model beside it, recorded order flow
//! through it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it ran on"
)]

mod desk;
mod generator;
mod model;
mod naive;
mod recorded;
mod recordings;
mod rules;
