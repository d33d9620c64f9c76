//! Stops that wait for the last trade to reach their trigger. It decides which are reached and in
//! which order they run; running them is the exchange's business.

use crate::command::OrderId;
use ploy_domain::{Price, Side};
use std::collections::{BTreeSet, VecDeque};

/// The waiting stops of one instrument.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stops {
    buys: BTreeSet<(Price, OrderId)>,
    sells: BTreeSet<(Price, OrderId)>,
    /// Lowest and highest trade price since the stops were last looked at.
    traded: Option<(Price, Price)>,
    reached: VecDeque<OrderId>,
}

/// Whether a trade at `last` triggers a stop.
pub(crate) fn is_reached(side: Side, stop: Price, last: Price) -> bool {
    match side {
        Side::Buy => last >= stop,
        Side::Sell => last <= stop,
    }
}

impl Stops {
    const fn waiting(&mut self, side: Side) -> &mut BTreeSet<(Price, OrderId)> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    pub(crate) fn insert(&mut self, side: Side, stop: Price, id: OrderId) {
        self.waiting(side).insert((stop, id));
    }

    pub(crate) fn remove(&mut self, side: Side, stop: Price, id: OrderId) {
        self.waiting(side).remove(&(stop, id));
    }

    /// Notes a trade.
    pub(crate) fn watch(&mut self, price: Price) {
        self.traded = Some(match self.traded {
            Some((low, high)) => (low.min(price), high.max(price)),
            None => (price, price),
        });
    }

    /// The next stop to run. Stops reached by the same order run oldest first, and before those
    /// that they themselves set off.
    pub(crate) fn next(&mut self) -> Option<OrderId> {
        if let Some((low, high)) = self.traded.take() {
            let before = self.reached.len();
            while let Some((stop, id)) = self.buys.first().copied()
                && is_reached(Side::Buy, stop, high)
            {
                self.buys.pop_first();
                self.reached.push_back(id);
            }
            while let Some((stop, id)) = self.sells.last().copied()
                && is_reached(Side::Sell, stop, low)
            {
                self.sells.pop_last();
                self.reached.push_back(id);
            }
            self.reached.make_contiguous()[before..].sort_unstable();
        }
        self.reached.pop_front()
    }
}
