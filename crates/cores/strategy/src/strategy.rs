//! The interface every strategy implements and the view of the world it decides from.

use crate::action::Actions;
use ploy_domain::{
    Bar, BarInterval, FeedState, Instrument, MoneyError, OrderEvent, Position, Price, Quantity,
    Quote, Rounding, Timestamp, Trade,
};
use std::fmt;

/// Why orders of an instance are withheld at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocked {
    /// One of its orders has not been answered yet.
    OrderInFlight,
    /// Nobody knows whether one of its orders exists (trading-semantics §1.1).
    UnknownOrder,
    /// The market data it decides from cannot be trusted.
    FeedNotGood,
    /// A person paused it.
    Paused,
}

impl Blocked {
    /// The word for it, as in logs and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OrderInFlight => "order_in_flight",
            Self::UnknownOrder => "unknown_order",
            Self::FeedNotGood => "feed_not_good",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a strategy knows when it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// What it trades.
    pub instrument: &'a Instrument,
    /// What it holds: the sum of its own executions.
    pub position: &'a Position,
    /// The newest price of a trade or a closed bar.
    pub last_price: Option<Price>,
    /// Its orders that are not terminal.
    pub open_orders: usize,
    /// Why a new order would be withheld now; `None` when it would be sent.
    pub blocked: Option<Blocked>,
}

impl Context<'_> {
    /// The largest order that sells what is held: the long quantity rounded down to whole lots.
    #[must_use]
    pub fn sellable(&self) -> Quantity {
        let held = self.position.quantity();
        if held.is_positive() {
            held.round_to(self.instrument.lot, Rounding::Floor)
                .unwrap_or(Quantity::ZERO)
        } else {
            Quantity::ZERO
        }
    }

    /// How many whole lots `notional` of the quote asset buys at `price`.
    ///
    /// # Errors
    /// [`MoneyError`] for a price of zero or a quantity beyond the range.
    pub fn affordable(
        &self,
        notional: ploy_domain::Amount,
        price: Price,
    ) -> Result<Quantity, MoneyError> {
        let units = notional.per(Quantity::from_raw(price.raw()), Rounding::Floor)?;
        Quantity::from_raw(units.raw()).round_to(self.instrument.lot, Rounding::Floor)
    }
}

/// A trading strategy on one instrument.
///
/// Every method is a pure step: the same calls in the same order lead to the same actions. None
/// may look at a clock or draw a random number; time comes with the context.
pub trait Strategy: fmt::Debug + Send {
    /// The bars it wants; `None` for a strategy that works on ticks alone.
    fn interval(&self) -> Option<BarInterval>;

    /// How many bars it must have seen before its first decision.
    fn warm_up_bars(&self) -> usize;

    /// Takes a bar of history. No decision is made on history.
    fn warm_up(&mut self, bar: &Bar);

    /// A bar has closed.
    fn on_bar(&mut self, bar: &Bar, context: &Context<'_>, actions: &mut Actions);

    /// A trade happened at the venue.
    fn on_trade(&mut self, _trade: &Trade, _context: &Context<'_>, _actions: &mut Actions) {}

    /// The best prices changed.
    fn on_quote(&mut self, _quote: &Quote, _context: &Context<'_>, _actions: &mut Actions) {}

    /// One of its own orders changed; the context already includes the change.
    fn on_order(&mut self, _event: &OrderEvent, _context: &Context<'_>, _actions: &mut Actions) {}

    /// The feed stopped being trustworthy. Orders are withheld, cancels are not.
    fn on_stale(&mut self, _feed: FeedState, _context: &Context<'_>, _actions: &mut Actions) {}
}
