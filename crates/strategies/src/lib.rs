//! The built-in strategies, found by name and built from text parameters.
//!
//! A strategy here decides what to trade and nothing else; running it is `ploy-strategy-core`'s
//! business.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod ma_cross;
mod params;
mod registry;

pub use ma_cross::MaCross;
pub use params::{ParamError, ParamSpec};
pub use registry::{StrategyKind, build, kinds};
