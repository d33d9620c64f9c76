//! The metrics of a feed, registered once: nothing is looked up or allocated per event.

use metrics::{Counter, Gauge, counter, gauge};
use ploy_chassis::metrics::name;
use ploy_domain::{FeedState, MarketEvent, Timestamp, VenueId};

/// What one feed counts.
pub(crate) struct FeedMetrics {
    trades: Counter,
    quotes: Counter,
    books: Counter,
    bars: Counter,
    gaps: Counter,
    stale: Counter,
    lag: Gauge,
}

impl std::fmt::Debug for FeedMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FeedMetrics")
    }
}

impl FeedMetrics {
    pub(crate) fn new(venue: VenueId) -> Self {
        let venue = venue.to_string();
        let events = |kind: &'static str| counter!(name::MD_EVENTS, "venue" => venue.clone(), "kind" => kind);
        Self {
            trades: events("trade"),
            quotes: events("quote"),
            books: events("book"),
            bars: events("bar"),
            gaps: counter!(name::MD_GAP, "venue" => venue.clone()),
            stale: counter!(name::MD_STALE, "venue" => venue.clone()),
            lag: gauge!(name::FEED_LAG_SECONDS, "venue" => venue),
        }
    }

    /// An event goes out.
    pub(crate) fn published(&self, event: &MarketEvent, now: Timestamp) {
        match event {
            MarketEvent::Trade(trade) => {
                self.trades.increment(1);
                // Display only: what is decided by age is decided on the nanoseconds.
                let age = std::time::Duration::from_nanos(
                    (now - trade.ts_event).get().max(0).unsigned_abs(),
                );
                self.lag.set(age.as_secs_f64());
            }
            MarketEvent::Quote(_) => self.quotes.increment(1),
            MarketEvent::Book(_) => self.books.increment(1),
            MarketEvent::Bar(_) => self.bars.increment(1),
            MarketEvent::Status(status) if status.state == FeedState::Gapped => {
                self.gaps.increment(1);
            }
            MarketEvent::Status(_) => {}
        }
    }

    /// An instrument fell silent.
    pub(crate) fn fell_silent(&self) {
        self.stale.increment(1);
    }
}
