//! Scenarios of the whole system, each with real processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and a failed run is repeated by the seed that it printed"
)]

mod agreement;
mod bad_starts;
mod chaos;
mod crash;
mod one_process;
mod trace;
