//! Instruments and their markets, as the API shows them.

use super::text;
use ploy_domain::{BookLevel, FeedState, Instrument, InstrumentStatus, Session};
use ploy_wire::api::MarketView;
use serde::{Deserialize, Serialize};

/// An instrument, its rules, and its market as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketJson {
    /// `SYMBOL.VENUE`.
    pub instrument: String,
    /// The venue's name for it.
    pub symbol: String,
    /// Where it trades.
    pub venue: String,
    /// The asset that is bought and sold.
    pub base: String,
    /// The asset it is paid in.
    pub quote: String,
    /// Prices are multiples of this.
    pub tick: String,
    /// Quantities are multiples of this.
    pub lot: String,
    /// Smallest order.
    pub quantity_min: String,
    /// Largest order.
    pub quantity_max: String,
    /// Lowest price.
    pub price_min: String,
    /// Highest price.
    pub price_max: String,
    /// Smallest order value, in the quote asset.
    pub notional_min: String,
    /// Largest order value, in the quote asset.
    pub notional_max: String,
    /// `trading`, `cancel_only` or `halted`.
    pub status: String,
    /// `always` or `weekdays`.
    pub session: String,
    /// What moves.
    #[serde(flatten)]
    pub last: QuoteJson,
}

/// The part of a market that moves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteJson {
    /// What the feed can be trusted for: `good`, `stale`, `gapped`, `synchronising`, `disconnected`.
    pub feed: String,
    /// The price of the last trade.
    pub last_price: Option<String>,
    /// Best buy level.
    pub bid: Option<LevelJson>,
    /// Best sell level.
    pub ask: Option<LevelJson>,
    /// When anything was last received.
    pub updated_at: Option<String>,
}

/// A market that has moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickJson {
    /// Which one.
    pub instrument: String,
    /// How it stands now.
    #[serde(flatten)]
    pub last: QuoteJson,
}

/// A price and how much there is at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelJson {
    /// The price.
    pub price: String,
    /// How much.
    pub quantity: String,
}

impl From<MarketView> for MarketJson {
    fn from(view: MarketView) -> Self {
        let last = QuoteJson::from(&view);
        let Instrument {
            id,
            base,
            quote,
            tick,
            lot,
            quantity_min,
            quantity_max,
            price_min,
            price_max,
            notional_min,
            notional_max,
            session,
            status,
        } = view.instrument;
        Self {
            instrument: id.to_string(),
            symbol: id.symbol().to_string(),
            venue: id.venue().to_string(),
            base: base.to_string(),
            quote: quote.to_string(),
            tick: tick.to_string(),
            lot: lot.to_string(),
            quantity_min: quantity_min.to_string(),
            quantity_max: quantity_max.to_string(),
            price_min: price_min.to_string(),
            price_max: price_max.to_string(),
            notional_min: notional_min.to_string(),
            notional_max: notional_max.to_string(),
            status: status_word(status).to_owned(),
            session: session_word(&session).to_owned(),
            last,
        }
    }
}

impl From<&MarketView> for QuoteJson {
    fn from(view: &MarketView) -> Self {
        Self {
            feed: feed_word(view.feed).to_owned(),
            last_price: text(view.last_price),
            bid: view.bid.map(LevelJson::from),
            ask: view.ask.map(LevelJson::from),
            updated_at: text(view.updated_at),
        }
    }
}

impl From<BookLevel> for LevelJson {
    fn from(level: BookLevel) -> Self {
        Self {
            price: level.price.to_string(),
            quantity: level.quantity.to_string(),
        }
    }
}

pub(crate) const fn feed_word(feed: FeedState) -> &'static str {
    match feed {
        FeedState::Disconnected => "disconnected",
        FeedState::Synchronising => "synchronising",
        FeedState::Gapped => "gapped",
        FeedState::Stale => "stale",
        FeedState::Good => "good",
    }
}

const fn status_word(status: InstrumentStatus) -> &'static str {
    match status {
        InstrumentStatus::Trading => "trading",
        InstrumentStatus::CancelOnly => "cancel_only",
        InstrumentStatus::Halted => "halted",
    }
}

const fn session_word(session: &Session) -> &'static str {
    match session {
        Session::Always => "always",
        Session::Weekdays { .. } => "weekdays",
    }
}
