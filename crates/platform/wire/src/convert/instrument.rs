//! Instruments, their hours, and the markets that ingestion lists.

use super::{WireError, Word, list, part, part_if_given, parts, text};
use crate::{
    api::MarketView,
    proto::{self, session},
};
use ploy_domain::{Amount, Instrument, Nanos, Price, Quantity, Session, Timestamp};

impl From<&Session> for proto::Session {
    fn from(session: &Session) -> Self {
        let session = match session {
            Session::Always => session::Session::Always(session::Always {}),
            Session::Weekdays {
                utc_offset,
                open,
                close,
            } => session::Session::Weekdays(session::Weekdays {
                utc_offset_ns: utc_offset.get(),
                open_ns: open.get(),
                close_ns: close.get(),
            }),
        };
        Self {
            session: Some(session),
        }
    }
}

impl TryFrom<proto::Session> for Session {
    type Error = WireError;
    fn try_from(message: proto::Session) -> Result<Self, WireError> {
        match message.session {
            None => Err(WireError::missing("session")),
            Some(session::Session::Always(_)) => Ok(Self::Always),
            Some(session::Session::Weekdays(hours)) => Ok(Self::Weekdays {
                utc_offset: Nanos::new(hours.utc_offset_ns),
                open: Nanos::new(hours.open_ns),
                close: Nanos::new(hours.close_ns),
            }),
        }
    }
}

impl From<&Instrument> for proto::Instrument {
    fn from(instrument: &Instrument) -> Self {
        Self {
            id: Some((&instrument.id).into()),
            base: instrument.base.to_string(),
            quote: instrument.quote.to_string(),
            tick_e8: instrument.tick.raw(),
            lot_e8: instrument.lot.raw(),
            quantity_min_e8: instrument.quantity_min.raw(),
            quantity_max_e8: instrument.quantity_max.raw(),
            price_min_e8: instrument.price_min.raw(),
            price_max_e8: instrument.price_max.raw(),
            notional_min_e8: instrument.notional_min.raw(),
            notional_max_e8: instrument.notional_max.raw(),
            session: Some((&instrument.session).into()),
            status: instrument.status.number(),
        }
    }
}

impl TryFrom<proto::Instrument> for Instrument {
    type Error = WireError;
    fn try_from(instrument: proto::Instrument) -> Result<Self, WireError> {
        Ok(Self {
            id: part("id", instrument.id)?,
            base: text("base", &instrument.base)?,
            quote: text("quote", &instrument.quote)?,
            tick: Price::from_raw(instrument.tick_e8),
            lot: Quantity::from_raw(instrument.lot_e8),
            quantity_min: Quantity::from_raw(instrument.quantity_min_e8),
            quantity_max: Quantity::from_raw(instrument.quantity_max_e8),
            price_min: Price::from_raw(instrument.price_min_e8),
            price_max: Price::from_raw(instrument.price_max_e8),
            notional_min: Amount::from_raw(instrument.notional_min_e8),
            notional_max: Amount::from_raw(instrument.notional_max_e8),
            session: part("session", instrument.session)?,
            status: Word::of("status", instrument.status)?,
        })
    }
}

impl From<&MarketView> for proto::Market {
    fn from(market: &MarketView) -> Self {
        Self {
            instrument: Some((&market.instrument).into()),
            feed: market.feed.number(),
            last_price_e8: market.last_price.map(Price::raw),
            bid: market.bid.as_ref().map(Into::into),
            ask: market.ask.as_ref().map(Into::into),
            updated_at_ns: market.updated_at.map(Timestamp::as_nanos),
        }
    }
}

impl TryFrom<proto::Market> for MarketView {
    type Error = WireError;
    fn try_from(market: proto::Market) -> Result<Self, WireError> {
        Ok(Self {
            instrument: part("instrument", market.instrument)?,
            feed: Word::of("feed", market.feed)?,
            last_price: market.last_price_e8.map(Price::from_raw),
            bid: part_if_given("bid", market.bid)?,
            ask: part_if_given("ask", market.ask)?,
            updated_at: market.updated_at_ns.map(Timestamp::from_nanos),
        })
    }
}

impl From<&Vec<MarketView>> for proto::ListMarketsResponse {
    fn from(markets: &Vec<MarketView>) -> Self {
        Self {
            markets: list(markets),
        }
    }
}

impl TryFrom<proto::ListMarketsResponse> for Vec<MarketView> {
    type Error = WireError;
    fn try_from(answer: proto::ListMarketsResponse) -> Result<Self, WireError> {
        parts("markets", answer.markets)
    }
}
