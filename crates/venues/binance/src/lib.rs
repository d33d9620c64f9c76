//! Binance Spot behind the venue port; the built-in exchange speaks the same wire.
//!
//! Decides how the canonical forms of `ploy-venue-port` are written to and read from this wire:
//! signatures, decimals, codes, streams, the synchronisation of books. Leaves every decision about
//! an order to execution and every decision about data to ingestion.
//! Source: the venue's published API, state of July 2026.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod broker;
mod clock;
mod config;
mod credentials;
mod depth;
mod feed;
mod ids;
mod limits;
mod refusal;
mod rest;
mod sign;
mod socket;
mod tls;
mod wire;

pub use broker::BinanceBroker;
pub use config::{BinanceConfig, ConfigError};
pub use credentials::{ApiSecret, Credentials};
pub use depth::{DepthInput, DepthOutput, DepthSync};
pub use feed::BinanceFeed;
pub use refusal::{Proof, Refusal, proof_of_refusal};
pub use wire::market::{MarketFrame, Undecodable, decode_frame, decode_snapshot};
