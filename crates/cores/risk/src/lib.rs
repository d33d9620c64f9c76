//! The risk core: judges every order, keeps exposure from the order log and the reservations of its
//! own approvals, and holds the trading states.
//!
//! It decides and remembers; it does not know where orders come from, where decisions go or what
//! time it is. Checks are those of trading-semantics §2, in that order, all evaluated; missing
//! input denies.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod checks;
mod core;
mod exposure;
mod limits;
mod market;
mod profit;
mod rate;
mod resets;
mod states;

pub use crate::{
    core::{CheckRequest, Effect, Input, RiskCore, Settings},
    exposure::{AccountExposure, ExposureLine, LogError},
    limits::{Limits, LimitsError},
    resets::{ResetAnswer, ResetRules},
    states::{StateEntry, TradingStates},
};
