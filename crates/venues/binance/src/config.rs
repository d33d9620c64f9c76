//! Where the venue is and what is traded there. Reading it from files is the caller's business.

use crate::credentials::Credentials;
use ploy_domain::{Symbol, VenueId};
use ploy_venue_port::{ConnectionPolicy, RateLimit};
use std::time::Duration;

/// How to reach a venue that speaks Binance Spot.
#[derive(Debug, Clone)]
pub struct BinanceConfig {
    /// The venue's name in Ploy: `BINANCE`, or `SIM` for the built-in exchange.
    pub venue: VenueId,
    /// Base of REST, without `/api`: `https://api.binance.com`.
    pub rest_url: String,
    /// Base of the market streams: `wss://stream.binance.com:9443`.
    pub stream_url: String,
    /// The WebSocket API, with its path: `wss://ws-api.binance.com:443/ws-api/v3`.
    pub ws_api_url: String,
    /// The account's key; a feed needs none.
    pub credentials: Option<Credentials>,
    /// The instruments to load and trade; none means all, which only the built-in exchange has
    /// few enough of.
    pub symbols: Vec<Symbol>,
    /// For how long an order that exists may be missing in queries (ORD-16): 60 s for the venue,
    /// 2 s for the built-in exchange.
    pub visibility_lag: Duration,
    /// Levels a side of a book snapshot, at most 5000; the request's weight grows with it.
    pub snapshot_levels: u32,
    /// Limits until the venue has stated its own.
    pub rate_limits: Vec<RateLimit>,
    /// Times of the stream connections.
    pub connection: ConnectionPolicy,
    /// Where the jitter of reconnects comes from; differs between processes.
    pub jitter_seed: u64,
}

/// The configuration cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An address is missing or has another scheme.
    #[error("{field} is '{value}'; expected {expected}")]
    Url {
        /// Which address.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it has to begin with.
        expected: &'static str,
    },
    /// A broker without a key.
    #[error("venue {venue} has no API key; orders need one")]
    NoCredentials {
        /// Which venue.
        venue: VenueId,
    },
    /// The HTTP client cannot be built.
    #[error("the HTTP client for venue {venue} cannot be built")]
    Http {
        /// Which venue.
        venue: VenueId,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The TLS configuration cannot be built.
    #[error("TLS cannot be set up for venue {venue}")]
    Tls {
        /// Which venue.
        venue: VenueId,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

impl BinanceConfig {
    /// A venue at these bases, with the published limits and times, without a key.
    #[must_use]
    pub fn new(venue: VenueId, rest_url: &str, stream_url: &str, ws_api_url: &str) -> Self {
        Self {
            venue,
            rest_url: rest_url.trim_end_matches('/').to_owned(),
            stream_url: stream_url.trim_end_matches('/').to_owned(),
            ws_api_url: ws_api_url.trim_end_matches('/').to_owned(),
            credentials: None,
            symbols: Vec::new(),
            visibility_lag: Duration::from_secs(60),
            snapshot_levels: 5_000,
            rate_limits: crate::limits::published(),
            connection: ConnectionPolicy::default(),
            jitter_seed: 0,
        }
    }

    /// The built-in exchange at `host:port`, where one port serves everything and only the limits
    /// hold that it states itself.
    #[must_use]
    pub fn built_in(venue: VenueId, address: &str) -> Self {
        let http = format!("http://{address}");
        let ws = format!("ws://{address}");
        Self {
            visibility_lag: Duration::from_secs(2),
            rate_limits: Vec::new(),
            ..Self::new(venue, &http, &ws, &format!("{ws}/ws-api/v3"))
        }
    }

    /// The venue at `url`: `binance:` is the production venue, `http://host:port` the built-in
    /// exchange.
    #[must_use]
    pub fn of_url(venue: VenueId, url: &str, symbols: Vec<Symbol>) -> Self {
        let config = match url.strip_prefix("http://") {
            Some(address) => Self::built_in(venue, address.trim_end_matches('/')),
            None => Self::new(
                venue,
                "https://api.binance.com",
                "wss://stream.binance.com:9443",
                "wss://ws-api.binance.com:443/ws-api/v3",
            ),
        };
        Self { symbols, ..config }
    }

    /// Checks the addresses.
    ///
    /// # Errors
    /// [`ConfigError::Url`] names the first that cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let http: &[&str] = &["http://", "https://"];
        let ws: &[&str] = &["ws://", "wss://"];
        for (field, value, schemes, expected) in [
            ("rest_url", &self.rest_url, http, "http://… or https://…"),
            ("stream_url", &self.stream_url, ws, "ws://… or wss://…"),
            ("ws_api_url", &self.ws_api_url, ws, "ws://… or wss://…"),
        ] {
            if !schemes.iter().any(|scheme| value.starts_with(scheme)) {
                return Err(ConfigError::Url {
                    field,
                    value: value.clone(),
                    expected,
                });
            }
        }
        Ok(())
    }
}
