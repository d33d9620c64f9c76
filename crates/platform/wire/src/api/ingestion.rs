//! Ingestion: the holder of market feeds.

use super::{ApiError, Call};
use async_trait::async_trait;
use ploy_domain::{BookLevel, FeedState, Instrument, Price, Timestamp};
use std::fmt::Debug;

/// An instrument and its market as last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketView {
    /// The instrument and its rules.
    pub instrument: Instrument,
    /// What its feed can be trusted for.
    pub feed: FeedState,
    /// The price of the last trade.
    pub last_price: Option<Price>,
    /// Best buy level.
    pub bid: Option<BookLevel>,
    /// Best sell level.
    pub ask: Option<BookLevel>,
    /// When anything was last received.
    pub updated_at: Option<Timestamp>,
}

/// What the ingestion service offers.
#[async_trait]
pub trait IngestionApi: Debug + Send + Sync {
    /// All instruments with their markets.
    ///
    /// # Errors
    /// [`ApiError`] when they cannot be told.
    async fn markets(&self, call: Call) -> Result<Vec<MarketView>, ApiError>;
}
