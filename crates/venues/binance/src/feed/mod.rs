//! The feed half: instruments by REST, market data by the combined stream, books kept in step.

mod instrument;
mod outlet;
mod session;
mod snapshot;

use crate::{
    config::{BinanceConfig, ConfigError},
    rest::Rest,
};
use async_trait::async_trait;
use ploy_domain::{Instrument, Reason, ReasonCode, VenueId};
use ploy_venue_port::{
    DecodeCounts, DecodeStats, Feed, FeedMessage, Subscription, Supervisor, VenueError,
};
use session::{FeedSession, SessionParts};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The venue allows this many streams on a connection.
const STREAMS_MAX: usize = 1_024;

/// Market data of a venue that speaks Binance Spot.
#[derive(Debug)]
pub struct BinanceFeed {
    config: BinanceConfig,
    rest: Arc<Rest>,
    counts: Arc<DecodeCounts>,
    /// Connections made so far, over all runs.
    epochs: Arc<AtomicU64>,
}

impl BinanceFeed {
    /// A feed; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for addresses that cannot work.
    pub fn new(config: BinanceConfig) -> Result<Self, ConfigError> {
        let rest = Arc::new(Rest::new(&config)?);
        Ok(Self {
            config,
            rest,
            counts: Arc::default(),
            epochs: Arc::default(),
        })
    }

    /// The names of the streams that `subscriptions` need.
    fn streams(&self, subscriptions: &[Subscription]) -> Result<Vec<String>, VenueError> {
        let operation = "subscribe";
        let refuse = |code, context: String| VenueError::Refused {
            operation,
            reason: Reason::new(code, context),
        };
        let mut streams = Vec::new();
        for subscription in subscriptions {
            let id = subscription.instrument;
            if *id.venue() != self.config.venue {
                let context = format!("instrument={id} venue={}", self.config.venue);
                return Err(refuse(ReasonCode::InstrumentUnknown, context));
            }
            let symbol = id.symbol().as_str().to_ascii_lowercase();
            if subscription.trades {
                streams.push(format!("{symbol}@trade"));
            }
            if subscription.quotes || subscription.book {
                streams.push(format!("{symbol}@depth@100ms"));
                streams.push(format!("{symbol}@bookTicker"));
            }
            let bars = subscription.bars.iter();
            streams.extend(bars.map(|interval| format!("{symbol}@kline_{interval}")));
        }
        if streams.is_empty() || streams.len() > STREAMS_MAX {
            let context = format!("streams={} min=1 max={STREAMS_MAX}", streams.len());
            return Err(refuse(ReasonCode::Malformed, context));
        }
        Ok(streams)
    }
}

#[async_trait]
impl Feed for BinanceFeed {
    fn venue(&self) -> VenueId {
        self.config.venue
    }

    async fn instruments(&self) -> Result<Vec<Instrument>, VenueError> {
        let info = self.rest.exchange_info(&self.config.symbols).await?;
        let mut instruments = BTreeMap::new();
        for symbol in &info.symbols {
            let (instrument, known) =
                symbol
                    .instrument(self.config.venue)
                    .map_err(|error| VenueError::Protocol {
                        operation: "exchange info",
                        detail: error.to_string(),
                    })?;
            if !known {
                self.counts.unknown_value();
                tracing::warn!(instrument = %instrument.id, status = symbol.status, "unknown symbol status");
            }
            instruments.insert(instrument.id, instrument);
        }
        Ok(instruments.into_values().collect())
    }

    async fn run(
        &self,
        subscriptions: Vec<Subscription>,
        sink: mpsc::Sender<FeedMessage>,
        token: CancellationToken,
    ) -> Result<(), VenueError> {
        let streams = self.streams(&subscriptions)?.join("/");
        let parts = SessionParts {
            url: format!("{}/stream?streams={streams}", self.config.stream_url),
            policy: self.config.connection,
            snapshot_levels: self.config.snapshot_levels,
            rest: Arc::clone(&self.rest),
            counts: Arc::clone(&self.counts),
            epochs: Arc::clone(&self.epochs),
        };
        let mut session = FeedSession::new(parts, &subscriptions, sink);
        let seed = self.config.jitter_seed;
        let mut supervisor = Supervisor::new("market_stream", self.config.connection, seed);
        supervisor.run(&mut session, &token).await;
        Ok(())
    }

    fn decode_stats(&self) -> DecodeStats {
        self.counts.stats()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> BinanceFeed {
        let venue = VenueId::parse("SIM").unwrap();
        BinanceFeed::new(BinanceConfig::built_in(venue, "127.0.0.1:1")).unwrap()
    }

    #[test]
    fn a_subscription_becomes_streams() {
        let mut subscription = Subscription::full("BTCUSDT.SIM".parse().unwrap());
        subscription.bars = vec!["1m".parse().unwrap()];
        assert_eq!(
            feed().streams(&[subscription]).unwrap().join("/"),
            "btcusdt@trade/btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@kline_1m"
        );
    }

    #[test]
    fn what_the_venue_cannot_serve_is_refused() {
        let elsewhere = Subscription::full("BTCUSDT.OTHER".parse().unwrap());
        assert_eq!(feed().streams(&[elsewhere]).unwrap_err().class(), "refused");
        let many = vec![Subscription::full("BTCUSDT.SIM".parse().unwrap()); 400];
        assert_eq!(feed().streams(&many).unwrap_err().class(), "refused");
        assert!(feed().streams(&[]).is_err());
    }
}
