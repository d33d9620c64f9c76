//! What the model does with an order that takes, and how orders end.

use super::*;

impl Naive {
    /// Runs an order as a taker and answers the prices it traded at.
    pub(super) fn run(&mut self, instrument: InstrumentId, id: OrderId) -> Vec<Price> {
        let mut traded = Vec::new();
        let order = self.open[self.at(instrument, id).unwrap()].order;
        let fok = order.time_in_force == TimeInForce::Fok && order.kind.limit_price().is_some();
        if fok && self.outcome(&order).0 < i128::from(order.remaining().raw()) {
            self.expire(self.at(instrument, id).unwrap(), ExpiryReason::UnfilledFok);
            return traded;
        }
        loop {
            let at = self.at(instrument, id).unwrap();
            let taker = self.open[at].order;
            let queue = self.queue(instrument, taker.side.opposite());
            let maker = queue
                .first()
                .map(|maker| (maker.order, maker.order.kind.limit_price().unwrap()));
            let maker =
                maker.filter(|(_, price)| accepts(taker.side, taker.kind.limit_price(), *price));
            let Some((maker, price)) = maker.filter(|_| taker.remaining().is_positive()) else {
                self.finish(at);
                return traded;
            };
            let quantity = taker.remaining().min(maker.remaining());
            if maker.account != taker.account || taker.stp == StpMode::None {
                traded.push(price);
                self.trade(&maker, &taker, (price, quantity));
                continue;
            }
            let (account, mode) = (taker.account, taker.stp);
            self.events.push(Event::Prevented(Prevention {
                instrument,
                account,
                maker: maker.id,
                taker: taker.id,
                mode,
                price,
                quantity,
            }));
            if mode != StpMode::ExpireTaker {
                let at = self.at(instrument, maker.id).unwrap();
                self.leave_book(at);
                self.expire(at, ExpiryReason::SelfTrade);
            }
            if mode != StpMode::ExpireMaker {
                self.expire(self.at(instrument, id).unwrap(), ExpiryReason::SelfTrade);
                return traded;
            }
        }
    }

    /// What becomes of an order that found no more partners.
    pub(super) fn finish(&mut self, at: usize) {
        let order = self.open[at].order;
        match (order.kind.limit_price(), order.time_in_force) {
            _ if order.remaining().is_zero() => {
                self.end(at, OrderStatus::Filled);
            }
            (None, _) => self.expire(at, ExpiryReason::InsufficientLiquidity),
            (_, TimeInForce::Ioc) => self.expire(at, ExpiryReason::UnfilledIoc),
            (Some(price), _) => {
                self.arrivals += 1;
                self.open[at].arrival = self.arrivals;
                self.open[at].in_book = true;
                self.book_changed(order.instrument, order.side, price);
            }
        }
    }

    pub(super) fn trade(
        &mut self,
        maker: &VenueOrder,
        taker: &VenueOrder,
        (price, quantity): (Price, Quantity),
    ) {
        let instrument = taker.instrument;
        let market = self.markets.get_mut(&instrument).unwrap();
        let trade_id = market.last.map_or(1, |last| last.trade_id + 1);
        market.last = Some(LastTrade {
            trade_id,
            price,
            quantity,
            aggressor: taker.side,
            at: self.now,
        });
        let value = floor_value(price, quantity);
        let maker_rate = self.terms[&maker.account].maker_fee;
        let taker_rate = self.terms[&taker.account].taker_fee;
        let maker_party = self.party(maker, (quantity, value), i128::from(maker_rate.get()));
        let taker_party = self.party(taker, (quantity, value), i128::from(taker_rate.get()));
        self.events.push(Event::Trade(TradeReport {
            instrument,
            trade_id,
            price,
            quantity,
            value: amount(value),
            aggressor: taker.side,
            maker: maker_party,
            taker: taker_party,
        }));
        self.book_changed(instrument, maker.side, price);
        if maker_party.remaining.is_zero() {
            self.end(self.at(instrument, maker.id).unwrap(), OrderStatus::Filled);
        }
    }

    pub(super) fn party(
        &mut self,
        order: &VenueOrder,
        (quantity, value): (Quantity, i128),
        bps: i128,
    ) -> TradeParty {
        let rules = self.rules(order.instrument);
        let (base, quote) = (rules.base, rules.quote);
        let units = i128::from(quantity.raw());
        let (gives, given, receives, received) = match order.side {
            Side::Buy => (quote, value, base, units),
            Side::Sell => (base, units, quote, value),
        };
        let fee = received * bps / 10_000;
        *self.totals.entry((order.account, gives)).or_default() -= given;
        *self.totals.entry((order.account, receives)).or_default() += received - fee;
        *self.fees.entry(receives).or_default() += fee;
        let at = self.at(order.instrument, order.id).unwrap();
        let now = self.now;
        let order = &mut self.open[at].order;
        order.executed = order.executed.plus(quantity).unwrap();
        order.executed_value = order.executed_value.plus(amount(value)).unwrap();
        order.status = OrderStatus::PartiallyFilled;
        order.updated_at = now;
        order.reserved = amount(held(order));
        TradeParty {
            account: order.account,
            order_id: order.id,
            client_id: order.client_id,
            executed: order.executed,
            executed_value: order.executed_value,
            remaining: order.remaining(),
            fee: amount(fee),
            fee_asset: receives,
        }
    }

    /// Runs the stops that `traded` reached, oldest first, and then those that they reached.
    pub(super) fn run_stops(&mut self, instrument: InstrumentId, traded: Vec<Price>) {
        let mut queue = self.newly_reached(instrument, &traded, &[]);
        let mut next = 0;
        while let Some(id) = queue.get(next).copied() {
            next += 1;
            let at = self.at(instrument, id).unwrap();
            let now = self.now;
            let order = &mut self.open[at].order;
            order.working_at = Some(now);
            order.updated_at = now;
            let order = *order;
            self.events.push(Event::Triggered(order));
            let at_market = order.side == Side::Buy && order.kind.limit_price().is_none();
            let available = held(&order) + self.free(order.account, self.pays_with(&order));
            if at_market && self.outcome(&order).1 > available {
                self.expire(at, ExpiryReason::Rejected);
                continue;
            }
            let traded = self.run(instrument, id);
            let reached = self.newly_reached(instrument, &traded, &queue[next..]);
            queue.extend(reached);
        }
    }

    pub(super) fn newly_reached(
        &self,
        instrument: InstrumentId,
        traded: &[Price],
        queued: &[OrderId],
    ) -> Vec<OrderId> {
        let waiting = self.open.iter().map(|open| &open.order).filter(|order| {
            order.instrument == instrument
                && order.working_at.is_none()
                && !queued.contains(&order.id)
        });
        let is_reached = |order: &&VenueOrder| {
            let stop = order.kind.stop_price().unwrap();
            traded.iter().any(|price| reached(order.side, stop, *price))
        };
        let mut ids: Vec<OrderId> = waiting.filter(is_reached).map(|order| order.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Forgets an order and answers it as it ended.
    pub(super) fn end(&mut self, at: usize, status: OrderStatus) -> VenueOrder {
        let mut order = self.open.remove(at).order;
        order.status = status;
        order.reserved = Amount::ZERO;
        order.updated_at = self.now;
        order
    }

    pub(super) fn expire(&mut self, at: usize, reason: ExpiryReason) {
        let mut status = OrderStatus::Expired;
        if reason == ExpiryReason::SelfTrade {
            status = OrderStatus::ExpiredInMatch;
            let order = &mut self.open[at].order;
            order.prevented = order.remaining();
        }
        let order = self.end(at, status);
        self.events.push(Event::Expired { order, reason });
    }

    pub(super) fn leave_book(&mut self, at: usize) {
        let open = &mut self.open[at];
        if std::mem::take(&mut open.in_book) {
            let order = open.order;
            self.book_changed(
                order.instrument,
                order.side,
                order.kind.limit_price().unwrap(),
            );
        }
    }

    pub(super) fn book_changed(&mut self, instrument: InstrumentId, side: Side, price: Price) {
        let quantity = self.level(instrument, side, price);
        let market = self.markets.get_mut(&instrument).unwrap();
        market.updates += 1;
        let update_id = market.updates;
        self.events.push(Event::BookChanged(BookChange {
            instrument,
            side,
            price,
            quantity,
            update_id,
        }));
    }
}
