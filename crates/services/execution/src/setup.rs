//! From the configuration to what the service is built of.

use crate::{AccountSetup, config::Config};
use ploy_chassis::config::Mode;
use ploy_domain::{Instrument, Nanos};
use ploy_orders_core::Settings;
use ploy_venue_binance::{
    ApiSecret, BinanceBroker, BinanceConfig, BinanceFeed, ConfigError, Credentials,
};
use ploy_venue_port::Broker;
use std::sync::Arc;

impl Config {
    /// The way to ask the venue what it lists; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for an address that cannot work.
    pub fn feed(&self) -> Result<BinanceFeed, ConfigError> {
        BinanceFeed::new(self.venue_config())
    }

    /// The configured account with its key, given what the venue lists; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for an address that cannot work.
    pub fn account(&self, mode: Mode, listed: &[Instrument]) -> Result<AccountSetup, ConfigError> {
        let credentials = Credentials {
            key: self.api_key.clone(),
            secret: ApiSecret::new(self.api_secret.expose().to_owned()),
        };
        let broker = BinanceBroker::new(BinanceConfig {
            credentials: Some(credentials),
            ..self.venue_config()
        })?;
        let quarantine_ns = broker.declaration().quarantine().as_nanos();
        let known = listed.iter().map(|one| (one.id, one.clone()));
        Ok(AccountSetup {
            account: self.account,
            broker: Arc::new(broker),
            instruments: known.collect(),
            settings: Settings {
                epoch: 0,
                prefix: mode.order_id_prefix(),
                quarantine: Nanos::new(i64::try_from(quarantine_ns).unwrap_or(i64::MAX)),
                guard: self.guard,
            },
        })
    }

    fn venue_config(&self) -> BinanceConfig {
        let venue = &self.venue;
        BinanceConfig {
            jitter_seed: std::process::id().into(),
            ..BinanceConfig::of_url(venue.id, &venue.url, venue.symbols.clone())
        }
    }
}
