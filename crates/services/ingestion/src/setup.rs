//! From the configuration to what the service is built of.

use crate::config::Config;
use ploy_venue_binance::{BinanceConfig, BinanceFeed, ConfigError};

impl Config {
    /// The feed of the configured venue; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for an address that cannot work.
    pub fn feed(&self) -> Result<BinanceFeed, ConfigError> {
        let venue = &self.venue;
        BinanceFeed::new(BinanceConfig {
            jitter_seed: std::process::id().into(),
            ..BinanceConfig::of_url(venue.id, &venue.url, venue.symbols.clone())
        })
    }
}
