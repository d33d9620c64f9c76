//! Recordings as users have them: recorded markets of several sources, and files that are broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod broken;
mod files;
mod formats;
mod recorded;
