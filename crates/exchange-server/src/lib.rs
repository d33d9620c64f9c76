//! The built-in exchange as a server: a Binance-compatible REST API, market streams and WebSocket
//! API around the matching engine, a market that is generated or replayed, injected faults, and a
//! ledger of everything received and done.
//!
//! ```no_run
//! # async fn open() -> Result<(), ploy_exchange_server::ServerError> {
//! use ploy_exchange_server::{AccountConfig, Config, Server};
//!
//! let config = Config {
//!     accounts: vec![AccountConfig::new("main", "ploy-dev-key", "a-secret")],
//!     ..Config::default()
//! };
//! let exchange = Server::bind(config).await?;
//! println!("http://{}", exchange.local_addr());
//! exchange.run_until(tokio_util::sync::CancellationToken::new()).await
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod api;
mod clock;
mod config;
mod decimal;
mod engine;
mod http;
pub mod ledger;
mod market;
mod rng;
mod server;

pub use api::sign;
pub use config::{
    AccountConfig, Config, ConfigError, InstrumentConfig, LimitsConfig, MarketConfig, Secret, VENUE,
};
pub use engine::OpenError;
pub use http::faults::FaultPlan;
pub use market::{MarketScript, ScriptItem, Speed};
pub use server::{Bound, Server, ServerError};
