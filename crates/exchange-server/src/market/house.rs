//! The hands of the house in one instrument: quoting, pulling quotes, taking.

use crate::engine::{HOUSE, venue::Venue};
use ploy_domain::{
    AccountId, Instrument, OrderKind, Price, Quantity, Rounding, Side, TimeInForce, Timestamp,
};
use ploy_exchange_core::{
    ClientId, Command, OrderRef, OrderSize, PlaceOrder, RejectReason, StpMode,
};

/// An order the house sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
}

/// What the house can do in one instrument.
#[derive(Debug)]
pub(super) struct House {
    pub(super) symbol: usize,
    pub(super) rules: Instrument,
    orders: u64,
}

impl House {
    pub(super) const fn new(symbol: usize, rules: Instrument) -> Self {
        Self {
            symbol,
            rules,
            orders: 0,
        }
    }

    /// A name for the house's next order; unique over all instruments of this run.
    pub(super) fn next_id(&mut self) -> Option<ClientId> {
        self.orders += 1;
        ClientId::parse(&format!("{}-{}", self.symbol, self.orders)).ok()
    }

    /// `price` as one that the instrument takes.
    pub(super) fn price(&self, price: f64, rounding: Rounding) -> Price {
        // Model prices are floats; they become money here, on the tick, and nowhere else.
        let raw = (price * ploy_domain::SCALE as f64) as i64;
        let on_tick = Price::from_raw(raw).round_to(self.rules.tick, rounding);
        on_tick
            .unwrap_or(self.rules.price_min)
            .clamp(self.rules.price_min, self.rules.price_max)
    }

    /// The quantity that `notional` buys at `price`, at least one lot.
    pub(super) fn quantity(&self, notional: f64, price: f64) -> Quantity {
        let raw = (notional / price * ploy_domain::SCALE as f64) as i64;
        self.on_lot(Quantity::from_raw(raw))
    }

    /// The largest quantity that an order at `price` may have for its value.
    pub(super) fn largest(&self, price: Price) -> Quantity {
        let value = i128::from(self.rules.notional_max.raw()) * i128::from(ploy_domain::SCALE);
        let raw = i64::try_from(value / i128::from(price.raw().max(1)));
        raw.map_or(Quantity::MAX, Quantity::from_raw)
    }

    /// `quantity` rounded down to the lot, at least one lot.
    pub(super) fn on_lot(&self, quantity: Quantity) -> Quantity {
        let on_lot = quantity.round_to(self.rules.lot, Rounding::Floor);
        on_lot
            .unwrap_or(self.rules.lot)
            .clamp(self.rules.lot, self.rules.quantity_max)
    }

    /// Rests an order; `post_only` ones are refused rather than take.
    pub(super) fn quote(
        &self,
        venue: &mut Venue,
        (offer, id): (Offer, ClientId),
        (post_only, now): (bool, Timestamp),
    ) -> Option<RejectReason> {
        let kind = OrderKind::Limit {
            price: offer.price,
            post_only,
        };
        let order = self.order((offer, id), kind, TimeInForce::Gtc);
        venue.house(&Command::Place(order?), now)
    }

    /// Takes what there is at the offer's price or better.
    pub(super) fn take(&mut self, venue: &mut Venue, offer: Offer, now: Timestamp) {
        let Some(id) = self.next_id() else { return };
        let kind = OrderKind::Limit {
            price: offer.price,
            post_only: false,
        };
        if let Some(mut order) = self.order((offer, id), kind, TimeInForce::Ioc)
            && let Ok(taker) = AccountId::parse(HOUSE[1])
        {
            order.account = taker;
            venue.house(&Command::Place(order), now);
        }
    }

    fn order(
        &self,
        (offer, client_id): (Offer, ClientId),
        kind: OrderKind,
        time_in_force: TimeInForce,
    ) -> Option<PlaceOrder> {
        Some(PlaceOrder {
            account: AccountId::parse(HOUSE[0]).ok()?,
            instrument: self.rules.id,
            client_id,
            side: offer.side,
            kind,
            size: OrderSize::Base(offer.quantity),
            time_in_force,
            stp: StpMode::None,
        })
    }

    /// Takes a quote out; one that is gone already is no matter.
    pub(super) fn pull(&self, venue: &mut Venue, id: ClientId, now: Timestamp) {
        if let Ok(account) = AccountId::parse(HOUSE[0]) {
            let cancel = Command::Cancel {
                account,
                instrument: self.rules.id,
                order: OrderRef::Client(id),
            };
            venue.house(&cancel, now);
        }
    }

    /// Takes all quotes out.
    pub(super) fn pull_all(&self, venue: &mut Venue, now: Timestamp) {
        if let Ok(account) = AccountId::parse(HOUSE[0]) {
            let cancel = Command::CancelAll {
                account,
                instrument: self.rules.id,
            };
            venue.house(&cancel, now);
        }
    }
}
