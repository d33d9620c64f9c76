//! Market facts in canonical form. Every fact carries the venue's time and the receive time.

use crate::{
    bars::Bar,
    ids::{InstrumentId, VenueId},
    money::{Price, Quantity},
    order::Side,
    time::Timestamp,
};

/// A trade that happened at the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// What was traded.
    pub instrument: InstrumentId,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// Who crossed the spread.
    pub aggressor: Side,
    /// The venue's trade number; rises within an instrument.
    pub venue_trade_id: u64,
    /// The venue's time.
    pub ts_event: Timestamp,
    /// When it reached us.
    pub ts_receive: Timestamp,
}

/// The best prices of a book. An empty side is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Whose book.
    pub instrument: InstrumentId,
    /// Best buy level.
    pub bid: Option<BookLevel>,
    /// Best sell level.
    pub ask: Option<BookLevel>,
    /// The venue's update number of the book, 0 where it has none.
    pub update_id: u64,
    /// The venue's time.
    pub ts_event: Timestamp,
    /// When it reached us.
    pub ts_receive: Timestamp,
}

impl Quote {
    /// The price halfway between bid and ask, rounded down to 1e-8.
    #[must_use]
    pub fn mid(&self) -> Option<Price> {
        let (bid, ask) = (self.bid?.price.raw(), self.ask?.price.raw());
        Some(Price::from_raw(bid + (ask - bid) / 2))
    }

    /// Whether the best bid is at or above the best ask, which no sane book shows.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.bid, self.ask), (Some(bid), Some(ask)) if bid.price >= ask.price)
    }
}

/// The total quantity that rests at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookLevel {
    /// The price.
    pub price: Price,
    /// The absolute quantity there; zero removes the level.
    pub quantity: Quantity,
}

/// Absolute quantities of the levels that changed between two update numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookDelta {
    /// Whose book.
    pub instrument: InstrumentId,
    /// First update number covered.
    pub first_update_id: u64,
    /// Last update number covered.
    pub last_update_id: u64,
    /// Changed buy levels.
    pub bids: Vec<BookLevel>,
    /// Changed sell levels.
    pub asks: Vec<BookLevel>,
    /// Whether this replaces the whole book rather than changing it.
    pub is_snapshot: bool,
    /// The venue's time.
    pub ts_event: Timestamp,
    /// When it reached us.
    pub ts_receive: Timestamp,
}

/// What a feed can be trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedState {
    /// No connection.
    Disconnected,
    /// Connected; the book is being rebuilt.
    Synchronising,
    /// A gap was seen; prices are not to be used until resynchronised.
    Gapped,
    /// Nothing was received for longer than the limit.
    Stale,
    /// Current and complete.
    Good,
}

/// A change of a feed's state. Stale is a fact too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedStatus {
    /// The venue of the feed.
    pub venue: VenueId,
    /// The instrument, or the whole feed.
    pub instrument: Option<InstrumentId>,
    /// The new state.
    pub state: FeedState,
    /// Rises with each connection of the feed.
    pub feed_epoch: u64,
    /// When.
    pub ts_event: Timestamp,
}

/// Everything ingestion publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketEvent {
    /// A trade.
    Trade(Trade),
    /// New best prices.
    Quote(Quote),
    /// Changed depth.
    Book(BookDelta),
    /// A closed bar.
    Bar(Bar),
    /// The feed changed its state.
    Status(FeedStatus),
}

impl MarketEvent {
    /// The instrument it speaks of, if it speaks of one.
    #[must_use]
    pub const fn instrument(&self) -> Option<&InstrumentId> {
        match self {
            Self::Trade(trade) => Some(&trade.instrument),
            Self::Quote(quote) => Some(&quote.instrument),
            Self::Book(delta) => Some(&delta.instrument),
            Self::Bar(bar) => Some(&bar.instrument),
            Self::Status(status) => status.instrument.as_ref(),
        }
    }
}
