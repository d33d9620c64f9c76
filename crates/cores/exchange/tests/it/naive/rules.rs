//! What the model knows of its state: who holds what, who is next, what is allowed.

use super::*;

impl Naive {
    pub(super) fn rules(&self, instrument: InstrumentId) -> &Instrument {
        &self.markets[&instrument].listing.instrument
    }

    pub(super) fn pays_with(&self, order: &VenueOrder) -> Asset {
        let rules = self.rules(order.instrument);
        if order.side == Side::Buy {
            rules.quote
        } else {
            rules.base
        }
    }

    pub(crate) fn locked(&self, account: AccountId, asset: Asset) -> i128 {
        let of = self.open.iter().map(|open| &open.order);
        of.filter(|order| order.account == account && self.pays_with(order) == asset)
            .map(held)
            .sum()
    }

    pub(super) fn free(&self, account: AccountId, asset: Asset) -> i128 {
        let total = self
            .totals
            .get(&(account, asset))
            .copied()
            .unwrap_or_default();
        total - self.locked(account, asset)
    }

    pub(crate) fn level(&self, instrument: InstrumentId, side: Side, price: Price) -> Quantity {
        let there = self.open.iter().filter(|open| {
            let order = &open.order;
            open.in_book
                && (order.instrument, order.side) == (instrument, side)
                && order.kind.limit_price() == Some(price)
        });
        qty(there
            .map(|open| i128::from(open.order.remaining().raw()))
            .sum())
    }

    /// The orders of `side` in the book in the order in which they trade.
    pub(super) fn queue(&self, instrument: InstrumentId, side: Side) -> Vec<Open> {
        let mut queue: Vec<Open> = self
            .open
            .iter()
            .copied()
            .filter(|open| open.in_book)
            .collect();
        queue.retain(|open| (open.order.instrument, open.order.side) == (instrument, side));
        queue.sort_by_key(|open| {
            let price = open.order.kind.limit_price().unwrap().raw();
            (if side == Side::Buy { -price } else { price }, open.arrival)
        });
        queue
    }

    pub(super) fn check_size(
        &self,
        instrument: InstrumentId,
        kind: &OrderKind,
        quantity: Quantity,
    ) -> Refused {
        let market = &self.markets[&instrument];
        let rules = &market.listing.instrument;
        if quantity < rules.quantity_min.max(Quantity::EPSILON)
            || quantity > rules.quantity_max
            || quantity.raw() % rules.lot.raw() != 0
        {
            return Err(RejectReason::LotSize);
        }
        let last = market.last.map(|trade| trade.price);
        if let Some(price) = kind.limit_price().or(kind.stop_price()).or(last) {
            let value = price.times(quantity, Rounding::HalfEven);
            let fits =
                value.is_ok_and(|value| (rules.notional_min..=rules.notional_max).contains(&value));
            return if fits {
                Ok(())
            } else {
                Err(RejectReason::Notional)
            };
        }
        Ok(())
    }

    pub(super) fn check_prices(&self, instrument: InstrumentId, kind: &OrderKind) -> Refused {
        let rules = self.rules(instrument);
        for price in [kind.limit_price(), kind.stop_price()]
            .into_iter()
            .flatten()
        {
            let whole = price.raw() % rules.tick.raw() == 0;
            if !whole || price < rules.price_min || price > rules.price_max || !price.is_positive()
            {
                return Err(RejectReason::PriceFilter);
            }
        }
        Ok(())
    }

    pub(super) fn would_match(
        &self,
        instrument: InstrumentId,
        side: Side,
        kind: &OrderKind,
    ) -> bool {
        let OrderKind::Limit {
            price,
            post_only: true,
        } = kind
        else {
            return false;
        };
        let best = self.queue(instrument, side.opposite());
        let best = best.first().and_then(|open| open.order.kind.limit_price());
        best.is_some_and(|best| accepts(side, Some(*price), best))
    }

    /// The makers that an order would trade with, in turn.
    pub(super) fn partners(&self, order: &VenueOrder) -> Vec<Open> {
        let mut partners = Vec::new();
        for maker in self.queue(order.instrument, order.side.opposite()) {
            if !accepts(
                order.side,
                order.kind.limit_price(),
                maker.order.kind.limit_price().unwrap(),
            ) {
                break;
            }
            let own = maker.order.account == order.account;
            match order.stp {
                StpMode::ExpireMaker if own => {}
                StpMode::ExpireTaker | StpMode::ExpireBoth if own => break,
                _ => partners.push(maker),
            }
        }
        partners
    }

    /// How much of `order` would trade now, and for what.
    pub(super) fn outcome(&self, order: &VenueOrder) -> (i128, i128) {
        let (mut quantity, mut cost) = (0, 0);
        for maker in self.partners(order) {
            let left = i128::from(order.remaining().raw()) - quantity;
            let part = left.min(i128::from(maker.order.remaining().raw()));
            quantity += part;
            cost += floor_value(maker.order.kind.limit_price().unwrap(), qty(part));
        }
        (quantity, cost)
    }

    pub(super) fn lots_for(&self, order: &VenueOrder, budget: i128) -> i128 {
        let lot = i128::from(self.rules(order.instrument).lot.raw());
        let (mut lots, mut left) = (0, budget);
        for maker in self.partners(order) {
            let price = maker.order.kind.limit_price().unwrap();
            let offered = i128::from(maker.order.remaining().raw());
            let part = (left * SCALE / i128::from(price.raw()) / lot * lot).min(offered);
            lots += part;
            left -= floor_value(price, qty(part));
            if part < offered {
                break;
            }
        }
        lots
    }

    pub(super) fn check_not_halted(&self, instrument: InstrumentId) -> Refused {
        match self.rules(instrument).status {
            InstrumentStatus::Halted => Err(RejectReason::MarketClosed),
            _ => Ok(()),
        }
    }

    pub(super) fn at(&self, instrument: InstrumentId, id: OrderId) -> Option<usize> {
        let is = |open: &Open| (open.order.instrument, open.order.id) == (instrument, id);
        self.open.iter().position(is)
    }

    pub(super) fn find(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        order: &OrderRef,
    ) -> Result<usize, RejectReason> {
        let is = |open: &Open| {
            let named = match order {
                OrderRef::Id(id) => open.order.id == *id,
                OrderRef::Client(name) => open.order.client_id == *name,
            };
            named && open.order.account == account && open.order.instrument == instrument
        };
        self.open
            .iter()
            .position(is)
            .ok_or(RejectReason::UnknownOrder)
    }
}
