//! Taking in a new order: may it be placed, how much is it for, and what must be reserved.

use super::Turn;
use crate::{
    accounts::AccountKey,
    book::Taker,
    command::{OrderId, OrderSize, PlaceOrder},
    event::Event,
    market::{Identity, Record, worth},
    order::{OrderStatus, VenueOrder},
    reject::RejectReason,
    stops::is_reached,
};
use ploy_domain::{Amount, OrderKind, Price, Quantity, Side, TimeInForce};

impl Turn<'_> {
    pub(super) fn place(
        &mut self,
        owner: AccountKey,
        new: &PlaceOrder,
    ) -> Result<(), RejectReason> {
        check_combination(new)?;
        if !self.market.is_open(self.now) {
            return Err(RejectReason::MarketClosed);
        }
        self.check_prices(&new.kind)?;
        if self.market.orders.count(owner) >= self.market.open_orders_max {
            return Err(RejectReason::MaxNumOrders);
        }
        if self.clients.find(owner, &new.client_id).is_some() {
            return Err(RejectReason::DuplicateClientId);
        }
        let quantity = self.size(owner, new)?;
        self.check_timing(new)?;
        let reserved = self.to_reserve(owner, new, quantity)?;
        let asset = self.market.pays_with(new.side);
        self.accounts.lock(owner, asset, reserved)?;
        let place = self.take_in(owner, new, (quantity, reserved));
        match new.kind.stop_price() {
            Some(stop) => {
                let id = self.market.orders.get(place).order.id;
                self.market.stops.insert(new.side, stop, id);
            }
            None => self.run(place),
        }
        self.run_stops();
        Ok(())
    }

    pub(super) fn check_prices(&self, kind: &OrderKind) -> Result<(), RejectReason> {
        let mut prices = [kind.limit_price(), kind.stop_price()]
            .into_iter()
            .flatten();
        prices.try_for_each(|price| self.market.check_price(price))
    }

    /// The quantity of the order, checked against lot and value.
    fn size(&self, owner: AccountKey, new: &PlaceOrder) -> Result<Quantity, RejectReason> {
        match new.size {
            OrderSize::Base(quantity) => {
                self.check_size(&new.kind, quantity)?;
                Ok(quantity)
            }
            OrderSize::Quote(budget) => {
                let rules = &self.market.instrument;
                if budget < rules.notional_min || budget > rules.notional_max {
                    return Err(RejectReason::Notional);
                }
                let who = Identity {
                    owner,
                    stp: new.stp,
                };
                let quantity = self.market.lots_for(who, new.side, budget);
                if !quantity.is_positive() || quantity < rules.quantity_min {
                    return Err(RejectReason::LiquidityBelowLot);
                }
                rules.check_quantity(quantity)?;
                Ok(quantity)
            }
        }
    }

    /// Checks quantity and value; a market order is valued at the last trade, if there is one.
    pub(super) fn check_size(
        &self,
        kind: &OrderKind,
        quantity: Quantity,
    ) -> Result<(), RejectReason> {
        let rules = &self.market.instrument;
        rules.check_quantity(quantity)?;
        let last = self.market.last_trade.map(|trade| trade.price);
        if let Some(price) = kind.limit_price().or(kind.stop_price()).or(last) {
            rules.check_notional(price, quantity)?;
        }
        Ok(())
    }

    fn check_timing(&self, new: &PlaceOrder) -> Result<(), RejectReason> {
        if let OrderKind::Limit {
            price,
            post_only: true,
        } = new.kind
            && self.market.crosses(new.side, price)
        {
            return Err(RejectReason::WouldMatch);
        }
        if let (Some(stop), Some(last)) = (new.kind.stop_price(), self.market.last_trade)
            && is_reached(new.side, stop, last.price)
        {
            return Err(RejectReason::WouldTrigger);
        }
        Ok(())
    }

    /// A seller reserves what is sold; a buyer what it costs at the limit, at the trigger, or, for
    /// a market order, at the prices there are.
    fn to_reserve(
        &self,
        owner: AccountKey,
        new: &PlaceOrder,
        quantity: Quantity,
    ) -> Result<Amount, RejectReason> {
        if new.side == Side::Sell {
            return Ok(quantity.as_amount());
        }
        match new.kind.limit_price().or(new.kind.stop_price()) {
            Some(price) => Ok(worth(price, quantity)),
            None => {
                let who = Identity {
                    owner,
                    stp: new.stp,
                };
                self.market_cost(who, quantity)
            }
        }
    }

    /// What buying `quantity` at market costs now.
    pub(super) fn market_cost(
        &self,
        who: Identity,
        quantity: Quantity,
    ) -> Result<Amount, RejectReason> {
        let taker = Taker {
            side: Side::Buy,
            limit: None,
            quantity,
        };
        let cost = i64::try_from(self.market.reach(who, &taker).cost);
        cost.map(Amount::from_raw)
            .map_err(|_| RejectReason::InsufficientBalance)
    }

    fn take_in(
        &mut self,
        owner: AccountKey,
        new: &PlaceOrder,
        (quantity, reserved): (Quantity, Amount),
    ) -> u32 {
        self.market.last_order += 1;
        let works = new.kind.stop_price().is_none();
        let order = VenueOrder {
            id: OrderId::new(self.market.last_order),
            client_id: new.client_id,
            account: new.account,
            instrument: new.instrument,
            side: new.side,
            kind: new.kind,
            time_in_force: new.time_in_force,
            stp: new.stp,
            quantity,
            quote_quantity: match new.size {
                OrderSize::Base(_) => None,
                OrderSize::Quote(budget) => Some(budget),
            },
            executed: Quantity::ZERO,
            executed_value: Amount::ZERO,
            prevented: Quantity::ZERO,
            reserved,
            status: OrderStatus::New,
            created_at: self.now,
            updated_at: self.now,
            working_at: works.then_some(self.now),
        };
        let named = (self.key, order.id);
        self.clients.insert(owner, new.client_id, named);
        self.out.push(Event::Accepted(order));
        self.market.orders.insert(Record { order, owner })
    }
}

/// What a limit order at `price` reserves for `quantity`.
pub(super) fn reservation(side: Side, price: Price, quantity: Quantity) -> Amount {
    match side {
        Side::Buy => worth(price, quantity),
        Side::Sell => quantity.as_amount(),
    }
}

/// Whether the fields of the order go together.
fn check_combination(new: &PlaceOrder) -> Result<(), RejectReason> {
    let by_quote = matches!(new.size, OrderSize::Quote(_));
    let sound = match (new.kind, new.time_in_force) {
        (_, TimeInForce::Day) => false,
        (OrderKind::Market, _) => true,
        (
            OrderKind::Limit {
                post_only: true, ..
            },
            TimeInForce::Ioc | TimeInForce::Fok,
        ) => false,
        (OrderKind::Limit { .. } | OrderKind::Stop { .. } | OrderKind::StopLimit { .. }, _) => {
            !by_quote
        }
    };
    if sound {
        Ok(())
    } else {
        Err(RejectReason::UnsupportedCombination)
    }
}
