//! The whole system under test: real programs started, loaded, killed and restarted, and the oracle
//! that says afterwards whether money and orders came through.
//!
//! Decides nothing about trading. The [`oracle`] compares two witnesses that know nothing of each
//! other: the exchange's own ledger and Ploy's database. The scenarios are in `tests/it`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

pub mod api;
pub mod chance;
pub mod collector;
pub mod distributed;
pub mod load;
pub mod one_process;
pub mod oracle;
pub mod programs;
mod quick;
