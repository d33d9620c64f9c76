//! Market facts.

use super::{WireError, Word, list, part, part_if_given, parts, text};
use crate::proto::{self, market_event::Event};
use ploy_domain::{
    Amount, Bar, BarFlags, BarInterval, BookDelta, BookLevel, FeedStatus, MarketEvent, Price,
    Quantity, Quote, Timestamp, Trade,
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl From<&BookLevel> for proto::BookLevel {
    fn from(level: &BookLevel) -> Self {
        Self {
            price_e8: level.price.raw(),
            quantity_e8: level.quantity.raw(),
        }
    }
}

impl TryFrom<proto::BookLevel> for BookLevel {
    type Error = WireError;
    fn try_from(level: proto::BookLevel) -> Result<Self, WireError> {
        Ok(Self {
            price: Price::from_raw(level.price_e8),
            quantity: Quantity::from_raw(level.quantity_e8),
        })
    }
}

impl From<&Trade> for proto::Trade {
    fn from(trade: &Trade) -> Self {
        Self {
            instrument: Some((&trade.instrument).into()),
            price_e8: trade.price.raw(),
            quantity_e8: trade.quantity.raw(),
            aggressor: trade.aggressor.number(),
            venue_trade_id: trade.venue_trade_id,
            ts_event_ns: trade.ts_event.as_nanos(),
            ts_receive_ns: trade.ts_receive.as_nanos(),
        }
    }
}

impl TryFrom<proto::Trade> for Trade {
    type Error = WireError;
    fn try_from(trade: proto::Trade) -> Result<Self, WireError> {
        Ok(Self {
            instrument: part("instrument", trade.instrument)?,
            price: Price::from_raw(trade.price_e8),
            quantity: Quantity::from_raw(trade.quantity_e8),
            aggressor: Word::of("aggressor", trade.aggressor)?,
            venue_trade_id: trade.venue_trade_id,
            ts_event: Timestamp::from_nanos(trade.ts_event_ns),
            ts_receive: Timestamp::from_nanos(trade.ts_receive_ns),
        })
    }
}

impl From<&Quote> for proto::Quote {
    fn from(quote: &Quote) -> Self {
        Self {
            instrument: Some((&quote.instrument).into()),
            bid: quote.bid.as_ref().map(Into::into),
            ask: quote.ask.as_ref().map(Into::into),
            update_id: quote.update_id,
            ts_event_ns: quote.ts_event.as_nanos(),
            ts_receive_ns: quote.ts_receive.as_nanos(),
        }
    }
}

impl TryFrom<proto::Quote> for Quote {
    type Error = WireError;
    fn try_from(quote: proto::Quote) -> Result<Self, WireError> {
        Ok(Self {
            instrument: part("instrument", quote.instrument)?,
            bid: part_if_given("bid", quote.bid)?,
            ask: part_if_given("ask", quote.ask)?,
            update_id: quote.update_id,
            ts_event: Timestamp::from_nanos(quote.ts_event_ns),
            ts_receive: Timestamp::from_nanos(quote.ts_receive_ns),
        })
    }
}

impl From<&BookDelta> for proto::BookDelta {
    fn from(delta: &BookDelta) -> Self {
        Self {
            instrument: Some((&delta.instrument).into()),
            first_update_id: delta.first_update_id,
            last_update_id: delta.last_update_id,
            bids: list(&delta.bids),
            asks: list(&delta.asks),
            is_snapshot: delta.is_snapshot,
            ts_event_ns: delta.ts_event.as_nanos(),
            ts_receive_ns: delta.ts_receive.as_nanos(),
        }
    }
}

impl TryFrom<proto::BookDelta> for BookDelta {
    type Error = WireError;
    fn try_from(delta: proto::BookDelta) -> Result<Self, WireError> {
        Ok(Self {
            instrument: part("instrument", delta.instrument)?,
            first_update_id: delta.first_update_id,
            last_update_id: delta.last_update_id,
            bids: parts("bids", delta.bids)?,
            asks: parts("asks", delta.asks)?,
            is_snapshot: delta.is_snapshot,
            ts_event: Timestamp::from_nanos(delta.ts_event_ns),
            ts_receive: Timestamp::from_nanos(delta.ts_receive_ns),
        })
    }
}

impl From<&Bar> for proto::Bar {
    fn from(bar: &Bar) -> Self {
        // An interval is whole seconds and at most a day, so nothing is cut off.
        let seconds = bar.interval.length().get() / NANOS_PER_SECOND;
        Self {
            instrument: Some((&bar.instrument).into()),
            interval_s: u32::try_from(seconds).unwrap_or_default(),
            start_ns: bar.start.as_nanos(),
            end_ns: bar.end.as_nanos(),
            open_e8: bar.open.raw(),
            high_e8: bar.high.raw(),
            low_e8: bar.low.raw(),
            close_e8: bar.close.raw(),
            volume_e8: bar.volume.raw(),
            turnover_e8: bar.turnover.raw(),
            count: bar.count,
            first_seq: bar.first_seq,
            last_seq: bar.last_seq,
            complete: bar.flags.complete,
            gap: bar.flags.gap,
            stale: bar.flags.stale,
            revision: bar.revision,
        }
    }
}

impl TryFrom<proto::Bar> for Bar {
    type Error = WireError;
    fn try_from(bar: proto::Bar) -> Result<Self, WireError> {
        let interval = BarInterval::from_secs(i64::from(bar.interval_s)).ok_or_else(|| {
            WireError::invalid("interval_s", bar.interval_s, "expected 1 to 86400")
        })?;
        Ok(Self {
            instrument: part("instrument", bar.instrument)?,
            interval,
            start: Timestamp::from_nanos(bar.start_ns),
            end: Timestamp::from_nanos(bar.end_ns),
            open: Price::from_raw(bar.open_e8),
            high: Price::from_raw(bar.high_e8),
            low: Price::from_raw(bar.low_e8),
            close: Price::from_raw(bar.close_e8),
            volume: Quantity::from_raw(bar.volume_e8),
            turnover: Amount::from_raw(bar.turnover_e8),
            count: bar.count,
            first_seq: bar.first_seq,
            last_seq: bar.last_seq,
            flags: BarFlags {
                complete: bar.complete,
                gap: bar.gap,
                stale: bar.stale,
            },
            revision: bar.revision,
        })
    }
}

impl From<&FeedStatus> for proto::FeedStatus {
    fn from(status: &FeedStatus) -> Self {
        Self {
            venue: status.venue.to_string(),
            instrument: status.instrument.as_ref().map(Into::into),
            state: status.state.number(),
            feed_epoch: status.feed_epoch,
            ts_event_ns: status.ts_event.as_nanos(),
        }
    }
}

impl TryFrom<proto::FeedStatus> for FeedStatus {
    type Error = WireError;
    fn try_from(status: proto::FeedStatus) -> Result<Self, WireError> {
        Ok(Self {
            venue: text("venue", &status.venue)?,
            instrument: part_if_given("instrument", status.instrument)?,
            state: Word::of("state", status.state)?,
            feed_epoch: status.feed_epoch,
            ts_event: Timestamp::from_nanos(status.ts_event_ns),
        })
    }
}

impl From<&MarketEvent> for proto::MarketEvent {
    fn from(event: &MarketEvent) -> Self {
        let event = match event {
            MarketEvent::Trade(trade) => Event::Trade(trade.into()),
            MarketEvent::Quote(quote) => Event::Quote(quote.into()),
            MarketEvent::Book(delta) => Event::Book(delta.into()),
            MarketEvent::Bar(bar) => Event::Bar(bar.into()),
            MarketEvent::Status(status) => Event::Status(status.into()),
        };
        Self { event: Some(event) }
    }
}

impl TryFrom<proto::MarketEvent> for MarketEvent {
    type Error = WireError;
    fn try_from(message: proto::MarketEvent) -> Result<Self, WireError> {
        Ok(match message.event {
            None => return Err(WireError::missing("event")),
            Some(Event::Trade(trade)) => Self::Trade(part("trade", Some(trade))?),
            Some(Event::Quote(quote)) => Self::Quote(part("quote", Some(quote))?),
            Some(Event::Book(delta)) => Self::Book(part("book", Some(delta))?),
            Some(Event::Bar(bar)) => Self::Bar(part("bar", Some(bar))?),
            Some(Event::Status(status)) => Self::Status(part("status", Some(status))?),
        })
    }
}
