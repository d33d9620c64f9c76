//! The moving-average cross: long while the fast average of closes is above the slow one, flat
//! otherwise.
//!
//! It buys once per cross upwards; a refused purchase waits for the next cross. It sells what it
//! holds, rounded down to whole lots, on the cross downwards and keeps trying at every bar until
//! it is flat, because leaving is not optional.

use crate::params::{ParamError, ParamSpec, Params};
use ploy_domain::{Amount, Bar, BarInterval, Quantity, Rounding, Side};
use ploy_strategy_core::{Actions, Context, OrderRequest, Sma, Strategy};
use std::cmp::Ordering;

/// How large an entry is.
#[derive(Debug, Clone, Copy)]
enum Size {
    /// So many units.
    Quantity(Quantity),
    /// As many whole lots as this much of the quote asset buys.
    Notional(Amount),
}

/// What the averages ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// Hold nothing.
    Flat,
    /// Buy, as soon as an order may be sent.
    Enter,
    /// The purchase of this cross was asked for.
    Entered,
}

/// The strategy `ma-cross`.
#[derive(Debug)]
pub struct MaCross {
    interval: BarInterval,
    fast: Sma,
    slow: Sma,
    warm_up_bars: usize,
    size: Size,
    above: bool,
    signal: Signal,
}

impl MaCross {
    /// The name it is found by.
    pub const NAME: &'static str = "ma-cross";

    /// What it can be told.
    pub const PARAMS: &'static [ParamSpec] = &[
        ParamSpec {
            name: "fast",
            default: Some("20"),
            meaning: "bars of the fast average, 1 to 9999",
        },
        ParamSpec {
            name: "slow",
            default: Some("50"),
            meaning: "bars of the slow average, above fast, at most 10000",
        },
        ParamSpec {
            name: "interval",
            default: Some("1m"),
            meaning: "length of a bar, such as 5s, 1m or 1h",
        },
        ParamSpec {
            name: "quantity",
            default: None,
            meaning: "units to buy; instead of notional",
        },
        ParamSpec {
            name: "notional",
            default: Some("1000"),
            meaning: "value to buy, in the quote asset",
        },
    ];

    pub(crate) fn from_params(params: &Params<'_>) -> Result<Self, ParamError> {
        let fast: usize = params.read("fast", "a whole number from 1 to 9999", |n| {
            (1..=9_999).contains(n)
        })?;
        let expected = format!("a whole number from {} to 10000 (above fast)", fast + 1);
        let slow: usize = params.read("slow", expected, |n| (fast + 1..=10_000).contains(n))?;
        let interval = params.read("interval", "a bar interval such as 5s, 1m or 1h", |_| true)?;
        if params.is_given("quantity") && params.is_given("notional") {
            return Err(ParamError::Exclusive {
                first: "quantity",
                second: "notional",
            });
        }
        const POSITIVE: &str = "above 0 with at most 8 decimal places";
        let size = if params.is_given("quantity") {
            Size::Quantity(params.read("quantity", POSITIVE, |q: &Quantity| q.is_positive())?)
        } else {
            Size::Notional(params.read("notional", POSITIVE, |n: &Amount| n.is_positive())?)
        };
        Ok(Self {
            interval,
            fast: Sma::new(fast),
            slow: Sma::new(slow),
            warm_up_bars: slow,
            size,
            above: false,
            signal: Signal::Flat,
        })
    }

    /// Adds a close; answers whether the fast average has just risen above the slow one.
    fn learn(&mut self, bar: &Bar) -> bool {
        self.fast.push(bar.close);
        self.slow.push(bar.close);
        let was_above = self.above;
        let Some(order) = self.fast.compare(&self.slow) else {
            return false;
        };
        // Equal averages are no cross: the side before stays.
        self.above = order == Ordering::Greater || (order == Ordering::Equal && was_above);
        self.above && !was_above
    }

    fn enter(&mut self, bar: &Bar, context: &Context<'_>, actions: &mut Actions) {
        if context.blocked.is_some() || context.open_orders > 0 {
            return;
        }
        self.signal = Signal::Entered;
        let lot = context.instrument.lot;
        let quantity = match self.size {
            Size::Quantity(quantity) => quantity.round_to(lot, Rounding::Floor),
            Size::Notional(notional) => context.affordable(notional, bar.close),
        };
        // What is held already, for instance after a sale that was too small to be taken, counts.
        match quantity.and_then(|quantity| quantity.minus(context.sellable())) {
            Ok(quantity) if quantity.is_positive() => {
                actions.submit(OrderRequest::market(Side::Buy, quantity).decided_at(bar.close));
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn leave(bar: &Bar, context: &Context<'_>, actions: &mut Actions) {
        let quantity = context.sellable();
        let tradable = context.instrument.check_quantity(quantity).is_ok()
            && context
                .instrument
                .check_notional(bar.close, quantity)
                .is_ok();
        if tradable && context.open_orders == 0 && context.blocked.is_none() {
            let sale = OrderRequest::market(Side::Sell, quantity).reducing();
            actions.submit(sale.decided_at(bar.close));
        }
    }
}

impl Strategy for MaCross {
    fn interval(&self) -> Option<BarInterval> {
        Some(self.interval)
    }

    fn warm_up_bars(&self) -> usize {
        self.warm_up_bars
    }

    fn warm_up(&mut self, bar: &Bar) {
        self.learn(bar);
    }

    fn on_bar(&mut self, bar: &Bar, context: &Context<'_>, actions: &mut Actions) {
        if self.learn(bar) {
            self.signal = Signal::Enter;
        } else if !self.above {
            self.signal = Signal::Flat;
        }
        match self.signal {
            Signal::Enter => self.enter(bar, context, actions),
            Signal::Flat => Self::leave(bar, context, actions),
            Signal::Entered => {}
        }
    }
}

#[cfg(test)]
mod tests;
