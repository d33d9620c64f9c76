//! A strategy that does everything an order can be asked to do, at random.

use super::dice::Dice;
use ploy_domain::{
    Bar, BarInterval, ClientOrderId, OrderEvent, OrderEventPayload, OrderKind, Price, Quantity,
    Side, TimeInForce, Timestamp, Trade,
};
use ploy_strategy_core::{Actions, Context, OrderRequest, Strategy};

/// How many of its orders it remembers.
const REMEMBERED: usize = 16;

/// The strategy.
#[derive(Debug)]
pub(crate) struct Gambler {
    dice: Dice,
    until: Timestamp,
    mine: Vec<ClientOrderId>,
}

impl Gambler {
    /// One that stops at `until`.
    pub(crate) const fn new(dice: Dice, until: Timestamp) -> Self {
        Self {
            dice,
            until,
            mine: Vec::new(),
        }
    }
}

/// An order of any kind around `price`.
pub(crate) fn any_order(dice: &mut Dice, price: Price, lot: Quantity, tick: Price) -> OrderRequest {
    let side = if dice.below(2) == 0 {
        Side::Buy
    } else {
        Side::Sell
    };
    let mut ticks = |most: u64| i64::try_from(dice.below(most)).unwrap_or_default() * tick.raw();
    let (near, far) = (ticks(20), ticks(150));
    let at = |away: i64| Price::from_raw(price.raw() - side.sign() * away);
    let limit = |away, post_only| OrderKind::Limit {
        price: at(away),
        post_only,
    };
    let lots = 1 + i64::try_from(dice.below(80)).unwrap_or_default();
    let (kind, time_in_force) = match dice.below(10) {
        0 | 1 => (OrderKind::Market, TimeInForce::Ioc),
        2 | 3 => (limit(-near, false), TimeInForce::Gtc),
        4 | 5 => (limit(far, false), TimeInForce::Gtc),
        6 => (limit(-near, false), TimeInForce::Ioc),
        7 => (limit(near, false), TimeInForce::Fok),
        8 => (limit(far, true), TimeInForce::Gtc),
        _ => (OrderKind::Stop { stop: at(-far) }, TimeInForce::Gtc),
    };
    OrderRequest {
        side,
        kind,
        quantity: Quantity::from_raw(lots * lot.raw()),
        time_in_force,
        reduce_only: dice.below(8) == 0,
        decision_price: Some(price),
    }
}

impl Strategy for Gambler {
    fn interval(&self) -> Option<BarInterval> {
        None
    }

    fn warm_up_bars(&self) -> usize {
        0
    }

    fn warm_up(&mut self, _bar: &Bar) {}

    fn on_bar(&mut self, _bar: &Bar, _context: &Context<'_>, _actions: &mut Actions) {}

    fn on_trade(&mut self, trade: &Trade, context: &Context<'_>, actions: &mut Actions) {
        if context.now > self.until {
            return;
        }
        if self.dice.below(6) == 0 {
            let instrument = context.instrument;
            let request = any_order(&mut self.dice, trade.price, instrument.lot, instrument.tick);
            actions.submit(request);
        }
        if self.dice.below(12) == 0 {
            let at = usize::try_from(self.dice.below(REMEMBERED as u64)).unwrap_or_default();
            if let Some(order_id) = self.mine.get(at) {
                actions.cancel(*order_id);
            }
        }
    }

    fn on_order(&mut self, event: &OrderEvent, _context: &Context<'_>, _actions: &mut Actions) {
        if let OrderEventPayload::Accepted { order_id, .. } = &event.payload {
            if self.mine.len() == REMEMBERED {
                self.mine.remove(0);
            }
            self.mine.push(*order_id);
        }
    }
}
