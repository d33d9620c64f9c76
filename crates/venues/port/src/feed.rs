//! Market data in: the port and the envelope of what it yields.

use crate::error::VenueError;
use async_trait::async_trait;
use ploy_domain::{BarInterval, Instrument, InstrumentId, MarketEvent, VenueId};
use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A venue's market data.
#[async_trait]
pub trait Feed: Debug + Send + Sync {
    /// Whose data.
    fn venue(&self) -> VenueId;

    /// The trading rules of the configured instruments, as the venue states them now.
    ///
    /// # Errors
    /// [`VenueError`]; never an empty list in place of a failed answer.
    async fn instruments(&self) -> Result<Vec<Instrument>, VenueError>;

    /// Delivers market data into `sink` until `token` is cancelled or the receiver is gone.
    /// Reconnects, resubscribes and resynchronises by itself and says so with
    /// [`MarketEvent::Status`].
    ///
    /// A sink that stays full for a few seconds ends the connection: the gap is then announced
    /// and healed, instead of old data being delivered as if it were new.
    ///
    /// # Errors
    /// [`VenueError::Refused`] for subscriptions this venue cannot serve. Nothing else ends it.
    async fn run(
        &self,
        subscriptions: Vec<Subscription>,
        sink: mpsc::Sender<FeedMessage>,
        token: CancellationToken,
    ) -> Result<(), VenueError>;

    /// What could not be decoded so far.
    fn decode_stats(&self) -> DecodeStats;
}

/// What to deliver about one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Every trade.
    pub trades: bool,
    /// Every change of the best prices, while the book is good.
    pub quotes: bool,
    /// Snapshot and deltas of the depth.
    pub book: bool,
    /// The venue's own closed bars of these intervals.
    pub bars: Vec<BarInterval>,
}

impl Subscription {
    /// Trades, quotes and book, without the venue's bars.
    #[must_use]
    pub const fn full(instrument: InstrumentId) -> Self {
        Self {
            instrument,
            trades: true,
            quotes: true,
            book: true,
            bars: Vec::new(),
        }
    }
}

/// One message of a feed. `(venue, feed_epoch, seq)` is its identity; a hole in `seq` is a loss
/// between the adapter and the reader (failure-model MSG-23).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedMessage {
    /// Rises with each connection of the feed.
    pub feed_epoch: u64,
    /// 1, 2, 3 … within the epoch; a heartbeat repeats the last one.
    pub seq: u64,
    /// What it says.
    pub body: FeedBody,
}

/// What a feed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedBody {
    /// A market fact or a change of the feed's state.
    Event(MarketEvent),
    /// Nothing happened for a second, and the connection is alive.
    Heartbeat,
}

/// Messages that an adapter could not use. None of them ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeStats {
    /// Not in the documented form; skipped.
    pub malformed: u64,
    /// With a word that is not in the adapter's vocabulary; surfaced as unrecognised.
    pub unknown_values: u64,
    /// Seen before; dropped.
    pub duplicates: u64,
    /// Trades whose number leaves a hole behind the one before.
    pub trade_gaps: u64,
}

/// The counters behind [`DecodeStats`].
#[derive(Debug, Default)]
pub struct DecodeCounts {
    malformed: AtomicU64,
    unknown_values: AtomicU64,
    duplicates: AtomicU64,
    trade_gaps: AtomicU64,
}

impl DecodeCounts {
    /// One more malformed message.
    pub fn malformed(&self) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
    }

    /// One more unknown word.
    pub fn unknown_value(&self) {
        self.unknown_values.fetch_add(1, Ordering::Relaxed);
    }

    /// One more duplicate.
    pub fn duplicate(&self) {
        self.duplicates.fetch_add(1, Ordering::Relaxed);
    }

    /// One more hole in the trade numbers.
    pub fn trade_gap(&self) {
        self.trade_gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    #[must_use]
    pub fn stats(&self) -> DecodeStats {
        DecodeStats {
            malformed: self.malformed.load(Ordering::Relaxed),
            unknown_values: self.unknown_values.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            trade_gaps: self.trade_gaps.load(Ordering::Relaxed),
        }
    }
}
