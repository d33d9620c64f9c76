//! The market of the bench: a trade a tick, whose price says which tick it was, and which makes
//! `ma-cross` decide at every one of them.

use super::stopwatch::Stopwatch;
use ploy_bus::{Bus, Message};
use ploy_chassis::Clock;
use ploy_domain::{
    Amount, BookLevel, FeedState, FeedStatus, Instrument, InstrumentStatus, MarketEvent, Nanos,
    Price, Quantity, Quote, Session, Side, Timestamp, Trade,
};
use ploy_wire::{facts, subjects};
use std::sync::Arc;

/// Where the price begins: 50 000.
const BASE: Price = Price::from_raw(5_000_000_000_000);
/// The step of prices: 0.01.
const STEP: Price = Price::from_raw(1_000_000);
/// The step of quantities, and the smallest order: 0.00001.
const LOT: Quantity = Quantity::from_raw(1_000);
/// By how many steps every second trade is dearer: the average crosses at every tick.
const SWING: i64 = 500_000;
/// How far event time moves with a tick: every trade closes the bar before.
const BAR: Nanos = Nanos::from_secs(1);

/// The most ticks that prices can tell apart.
pub(crate) const TICKS_MAX: usize = 400_000;

/// What is traded.
pub(crate) fn instrument() -> anyhow::Result<Instrument> {
    Ok(Instrument {
        id: "BTCUSDT.SIM".parse()?,
        base: "BTC".parse()?,
        quote: "USDT".parse()?,
        tick: STEP,
        lot: LOT,
        quantity_min: LOT,
        quantity_max: Quantity::MAX,
        price_min: STEP,
        price_max: Price::MAX,
        notional_min: Amount::EPSILON,
        notional_max: Amount::MAX,
        session: Session::Always,
        status: InstrumentStatus::Trading,
    })
}

/// At which price orders are filled.
pub(crate) const fn fill_price() -> Price {
    BASE
}

/// The price of a tick.
fn price_of(tick: usize) -> Price {
    let tick = i64::try_from(tick).unwrap_or(i64::MAX);
    let steps = tick + if tick % 2 == 0 { 0 } else { SWING };
    Price::from_raw(BASE.raw() + steps * STEP.raw())
}

/// The tick that an order follows from: the one after the bar that it was decided on.
pub(crate) fn tick_of(decision: Price) -> Option<usize> {
    let steps = (decision.raw() - BASE.raw()) / STEP.raw();
    usize::try_from(steps % SWING).ok().map(|tick| tick + 1)
}

/// Publishes the market as ingestion does.
#[derive(Debug)]
pub(crate) struct Market {
    bus: Arc<dyn Bus>,
    clock: Clock,
    instrument: Instrument,
    begins: Timestamp,
}

impl Market {
    pub(crate) fn new(bus: Arc<dyn Bus>, clock: Clock, instrument: Instrument) -> Self {
        // Beyond the wall clock, so that only trades close bars.
        let begins = clock.now().plus(Nanos::from_secs(3_600));
        Self {
            bus,
            clock,
            instrument,
            begins,
        }
    }

    /// The trade number `tick`.
    pub(crate) fn trade(&self, tick: usize, stopwatch: &Stopwatch) -> anyhow::Result<()> {
        let number = u64::try_from(tick)?;
        let since = Nanos::new(i64::try_from(tick)? * BAR.get());
        let message = message(&MarketEvent::Trade(Trade {
            instrument: self.instrument.id,
            price: price_of(tick),
            quantity: LOT,
            aggressor: Side::Buy,
            venue_trade_id: number + 1,
            ts_event: self.begins.plus(since),
            ts_receive: self.clock.now(),
        }))?;
        stopwatch.published(tick);
        Ok(self.bus.publish(message)?)
    }

    /// Best prices around the price of the fills.
    pub(crate) fn quote(&self) -> anyhow::Result<()> {
        let level = |steps: i64| BookLevel {
            price: Price::from_raw(BASE.raw() + steps * STEP.raw()),
            quantity: LOT,
        };
        let now = self.clock.now();
        self.publish(&MarketEvent::Quote(Quote {
            instrument: self.instrument.id,
            bid: Some(level(-1)),
            ask: Some(level(1)),
            update_id: 0,
            ts_event: now,
            ts_receive: now,
        }))
    }

    /// The feed is good.
    pub(crate) fn opens(&self) -> anyhow::Result<()> {
        self.publish(&MarketEvent::Status(FeedStatus {
            venue: *self.instrument.id.venue(),
            instrument: Some(self.instrument.id),
            state: FeedState::Good,
            feed_epoch: 1,
            ts_event: self.clock.now(),
        }))
    }

    fn publish(&self, event: &MarketEvent) -> anyhow::Result<()> {
        Ok(self.bus.publish(message(event)?)?)
    }
}

fn message(event: &MarketEvent) -> anyhow::Result<Message> {
    let subject = ploy_bus::Subject::new(&subjects::Subject::of(event).to_string())?;
    Ok(Message::new(subject, facts::encode_market(event)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_says_which_tick_follows_it() {
        for tick in [0, 1, 2, 3, 99_999, TICKS_MAX - 1] {
            assert_eq!(tick_of(price_of(tick)), Some(tick + 1));
        }
    }
}
