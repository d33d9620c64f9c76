//! What risk knows of the market: the last quote, the last trade and how far the feed is trusted.

use ploy_domain::{FeedState, InstrumentId, MarketEvent, Nanos, Price, Quantity, Quote, Timestamp};
use std::collections::BTreeMap;

/// The newest facts about one instrument.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    pub(crate) quote: Option<Quote>,
    pub(crate) last_trade: Option<(Price, Timestamp)>,
    pub(crate) feed: Option<FeedState>,
}

/// A price to judge by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) price: Price,
    pub(crate) age: Nanos,
}

impl Mark {
    /// The middle of the quote, else the last trade.
    pub(crate) fn reference(&self, now: Timestamp) -> Option<Reference> {
        let quoted = self
            .quote
            .and_then(|quote| Some((quote.mid()?, quote.ts_receive)));
        let (price, at) = quoted.or(self.last_trade)?;
        Some(Reference {
            price,
            age: now - at,
        })
    }

    /// The price at which a position of this sign could be closed: bid for long, ask for short,
    /// else the last trade.
    pub(crate) fn closing_price(&self, position: Quantity) -> Option<Price> {
        let level = self.quote.and_then(|quote| {
            if position.is_negative() {
                quote.ask
            } else {
                quote.bid
            }
        });
        level
            .map(|level| level.price)
            .or(self.last_trade.map(|(price, _)| price))
    }
}

/// The newest facts about every instrument.
#[derive(Debug, Clone, Default)]
pub(crate) struct Market {
    marks: BTreeMap<InstrumentId, Mark>,
}

impl Market {
    pub(crate) fn mark(&self, instrument: &InstrumentId) -> Mark {
        self.marks.get(instrument).copied().unwrap_or_default()
    }

    pub(crate) fn on_event(&mut self, event: &MarketEvent) {
        match event {
            MarketEvent::Quote(quote) => {
                let mark = self.marks.entry(quote.instrument).or_default();
                mark.quote = Some(*quote);
                mark.feed.get_or_insert(FeedState::Good);
            }
            MarketEvent::Trade(trade) => {
                let mark = self.marks.entry(trade.instrument).or_default();
                mark.last_trade = Some((trade.price, trade.ts_receive));
            }
            MarketEvent::Status(status) => match status.instrument {
                Some(instrument) => {
                    self.marks.entry(instrument).or_default().feed = Some(status.state);
                }
                None => self
                    .marks
                    .iter_mut()
                    .filter(|(instrument, _)| *instrument.venue() == status.venue)
                    .for_each(|(_, mark)| mark.feed = Some(status.state)),
            },
            MarketEvent::Book(_) | MarketEvent::Bar(_) => {}
        }
    }
}
