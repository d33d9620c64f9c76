//! Running an order: it takes what it may, and its kind decides what becomes of the rest; then the
//! stops that its trades reached run in turn.

use super::{LastTrade, Turn};
use crate::{
    accounts::Settlement,
    book::{Resting, Taker},
    command::StpMode,
    event::{Event, ExpiryReason, Prevention, TradeParty, TradeReport},
    market::{Identity, value},
    order::{OrderStatus, VenueOrder},
};
use ploy_domain::{Amount, OrderKind, Price, Quantity, Side, TimeInForce};

/// What a trade is for both of its parties.
#[derive(Clone, Copy)]
struct Deal {
    price: Price,
    quantity: Quantity,
    value: Amount,
}

/// How a sweep ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swept {
    /// Filled, or nothing acceptable is left in the book.
    Done,
    /// Self-trade prevention ends the taker.
    Prevented,
}

impl Turn<'_> {
    /// Runs the order at `place`, which is not in the book.
    pub(super) fn run(&mut self, place: u32) {
        let record = self.market.orders.get(place);
        let (order, owner) = (&record.order, record.owner);
        let taker = Taker {
            side: order.side,
            limit: order.kind.limit_price(),
            quantity: order.remaining(),
        };
        let who = Identity {
            owner,
            stp: order.stp,
        };
        let (kind, time_in_force) = (order.kind, order.time_in_force);
        let limited = taker.limit.is_some();
        if limited
            && time_in_force == TimeInForce::Fok
            && self.market.reach(who, &taker).quantity < taker.quantity
        {
            return self.expire(place, ExpiryReason::UnfilledFok);
        }
        let swept = self.sweep(place, who, taker);
        let left = self.market.orders.get(place).order.remaining();
        match (swept, kind, time_in_force) {
            (Swept::Prevented, ..) => self.expire(place, ExpiryReason::SelfTrade),
            (Swept::Done, ..) if left.is_zero() => {
                self.close(place, OrderStatus::Filled);
            }
            (Swept::Done, OrderKind::Market | OrderKind::Stop { .. }, _) => {
                self.expire(place, ExpiryReason::InsufficientLiquidity);
            }
            (Swept::Done, _, TimeInForce::Ioc) => self.expire(place, ExpiryReason::UnfilledIoc),
            (Swept::Done, _, TimeInForce::Fok) => self.expire(place, ExpiryReason::UnfilledFok),
            (Swept::Done, _, TimeInForce::Gtc | TimeInForce::Day) => self.rest(place),
        }
    }

    fn sweep(&mut self, place: u32, who: Identity, mut taker: Taker) -> Swept {
        while taker.quantity.is_positive()
            && let Some(maker) = self.market.book.first(taker.side.opposite()).copied()
            && taker.accepts(maker.price)
        {
            if maker.owner == who.owner.0 && who.stp != StpMode::None {
                if self.prevent(place, who, (&taker, &maker)) == Swept::Prevented {
                    return Swept::Prevented;
                }
                continue;
            }
            let quantity = taker.quantity.min(maker.quantity);
            taker.quantity = Quantity::from_raw(taker.quantity.raw() - quantity.raw());
            self.trade(place, taker.side, (&maker, quantity));
        }
        Swept::Done
    }

    /// Two orders of one account met: ends the maker, the taker or both, as the taker wishes.
    fn prevent(&mut self, place: u32, who: Identity, (taker, maker): (&Taker, &Resting)) -> Swept {
        let order = &self.market.orders.get(place).order;
        self.out.push(Event::Prevented(Prevention {
            instrument: order.instrument,
            account: order.account,
            maker: maker.id,
            taker: order.id,
            mode: who.stp,
            price: maker.price,
            quantity: taker.quantity.min(maker.quantity),
        }));
        if who.stp != StpMode::ExpireTaker
            && let Some(place) = self.market.orders.place(maker.id)
        {
            self.leave_book(place);
            self.expire(place, ExpiryReason::SelfTrade);
        }
        match who.stp {
            StpMode::None | StpMode::ExpireMaker => Swept::Done,
            StpMode::ExpireTaker | StpMode::ExpireBoth => Swept::Prevented,
        }
    }

    fn trade(&mut self, place: u32, aggressor: Side, (maker, quantity): (&Resting, Quantity)) {
        let Some(fill) = self.market.book.fill_first(maker.side, quantity) else {
            return;
        };
        let Some(maker_place) = self.market.orders.place(maker.id) else {
            return;
        };
        let deal = Deal {
            price: maker.price,
            quantity,
            value: value(maker.price, quantity),
        };
        let trade_id = 1 + self.market.last_trade.map_or(0, |trade| trade.trade_id);
        self.market.last_trade = Some(LastTrade {
            trade_id,
            price: maker.price,
            quantity,
            aggressor,
            at: self.now,
        });
        self.market.stops.watch(maker.price);
        let maker_party = self.settle(maker_place, &deal, true);
        let taker_party = self.settle(place, &deal, false);
        self.out.push(Event::Trade(TradeReport {
            instrument: self.market.instrument.id,
            trade_id,
            price: deal.price,
            quantity,
            value: deal.value,
            aggressor,
            maker: maker_party,
            taker: taker_party,
        }));
        self.book_changed(maker.side, maker.price, fill.level);
        if fill.maker.quantity.is_zero() {
            self.close(maker_place, OrderStatus::Filled);
        }
    }

    /// Books one party's part: the order moves on, and its owner pays and receives.
    fn settle(&mut self, place: u32, deal: &Deal, is_maker: bool) -> TradeParty {
        let (base, quote) = (self.market.base, self.market.quote);
        let record = self.market.orders.get_mut(place);
        let (order, account) = (&mut record.order, record.owner);
        order.executed = Quantity::from_raw(order.executed.raw() + deal.quantity.raw());
        // A total for information; only an order amended upwards for ever could fill it.
        let total = order.executed_value.raw().saturating_add(deal.value.raw());
        order.executed_value = Amount::from_raw(total);
        order.status = OrderStatus::PartiallyFilled;
        order.updated_at = self.now;
        let kept = still_reserved(order, deal);
        let released = Amount::from_raw(order.reserved.raw() - kept.raw());
        order.reserved = kept;
        let terms = self.accounts.terms(account);
        let fee_rate = if is_maker {
            terms.maker_fee
        } else {
            terms.taker_fee
        };
        let (gives, paid, receives, received) = match order.side {
            Side::Buy => (quote, deal.value, base, deal.quantity.as_amount()),
            Side::Sell => (base, deal.quantity.as_amount(), quote, deal.value),
        };
        let fee = self.accounts.settle(&Settlement {
            account,
            gives,
            released,
            paid,
            receives,
            received,
            fee_rate,
        });
        TradeParty {
            account: order.account,
            order_id: order.id,
            client_id: order.client_id,
            executed: order.executed,
            executed_value: order.executed_value,
            remaining: order.remaining(),
            fee,
            fee_asset: self.accounts.asset(receives),
        }
    }

    /// Runs the stops that trades have reached, and those that these reach.
    pub(super) fn run_stops(&mut self) {
        while let Some(id) = self.market.stops.next() {
            if let Some(place) = self.market.orders.place(id) {
                self.trigger(place);
            }
        }
    }

    fn trigger(&mut self, place: u32) {
        let now = self.now;
        let record = self.market.orders.get_mut(place);
        record.order.working_at = Some(now);
        record.order.updated_at = now;
        let (order, owner) = (record.order, record.owner);
        self.out.push(Event::Triggered(order));
        if order.side == Side::Buy && order.kind.limit_price().is_none() {
            let who = Identity {
                owner,
                stp: order.stp,
            };
            let cost = self.market_cost(who, order.remaining());
            if cost.and_then(|cost| self.reserve(place, cost)).is_err() {
                return self.expire(place, ExpiryReason::Rejected);
            }
        }
        self.run(place);
    }
}

/// What an order keeps reserved after `deal`, its executed quantity already moved on.
fn still_reserved(order: &VenueOrder, deal: &Deal) -> Amount {
    match (order.side, order.kind.limit_price()) {
        (Side::Sell, _) => order.remaining().as_amount(),
        (Side::Buy, Some(price)) => crate::market::worth(price, order.remaining()),
        (Side::Buy, None) => Amount::from_raw(order.reserved.raw() - deal.value.raw()),
    }
}
