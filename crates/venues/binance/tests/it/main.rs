//! The adapter as its users see it: against recorded frames, and against a scripted venue.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking and says which data it used"
)]

mod broker;
mod feed;
mod frames;
mod recorded;
mod venue;
