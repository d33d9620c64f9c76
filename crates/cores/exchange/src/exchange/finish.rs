//! How orders come to rest and how they end, and the book and reservation changes that go with it.

use super::Turn;
use crate::{
    accounts::AccountKey,
    book::Resting,
    command::OrderRef,
    event::{BookChange, Event, ExpiryReason},
    order::{OrderStatus, VenueOrder},
    reject::RejectReason,
};
use ploy_domain::{Amount, InstrumentStatus, Price, Quantity, Side};

impl Turn<'_> {
    pub(super) fn cancel(
        &mut self,
        owner: AccountKey,
        order: &OrderRef,
    ) -> Result<(), RejectReason> {
        self.check_not_halted()?;
        let place = self.find(owner, order)?;
        self.take_away(place);
        Ok(())
    }

    pub(super) fn cancel_all(&mut self, owner: AccountKey) -> Result<(), RejectReason> {
        self.check_not_halted()?;
        let mut next = self.market.orders.oldest(owner);
        if next.is_none() {
            return Err(RejectReason::UnknownOrder);
        }
        while let Some(place) = next {
            self.take_away(place);
            next = self.market.orders.oldest(owner);
        }
        Ok(())
    }

    pub(super) fn check_not_halted(&self) -> Result<(), RejectReason> {
        match self.market.instrument.status {
            InstrumentStatus::Trading | InstrumentStatus::CancelOnly => Ok(()),
            InstrumentStatus::Halted => Err(RejectReason::MarketClosed),
        }
    }

    /// Cancels the order at `place`, waiting or working.
    fn take_away(&mut self, place: u32) {
        self.leave_book(place);
        let order = self.close(place, OrderStatus::Cancelled);
        self.out.push(Event::Cancelled(order));
    }

    /// Rests the order at `place` at the end of the queue at its limit.
    pub(super) fn rest(&mut self, place: u32) {
        let record = self.market.orders.get(place);
        let order = &record.order;
        let Some(price) = order.kind.limit_price() else {
            return;
        };
        let resting = Resting {
            id: order.id,
            owner: record.owner.0,
            side: order.side,
            price,
            quantity: order.remaining(),
        };
        // The listing is refused when the largest orders could overflow a level, order numbers
        // never repeat, and an order without remainder does not come here.
        if let Ok(level) = self.market.book.add(resting) {
            self.book_changed(resting.side, price, level);
        }
    }

    /// Takes the order at `place` out of the book or from among the waiting stops.
    pub(super) fn leave_book(&mut self, place: u32) {
        let order = &self.market.orders.get(place).order;
        let (id, side) = (order.id, order.side);
        match order.kind.stop_price() {
            Some(stop) if !order.is_working() => self.market.stops.remove(side, stop, id),
            _ => {
                if let Some((resting, level)) = self.market.book.cancel(id) {
                    self.book_changed(side, resting.price, level);
                }
            }
        }
    }

    /// Ends the order at `place`, which has left the book, for `reason`.
    pub(super) fn expire(&mut self, place: u32, reason: ExpiryReason) {
        let status = if reason == ExpiryReason::SelfTrade {
            let order = &mut self.market.orders.get_mut(place).order;
            order.prevented = order.remaining();
            OrderStatus::ExpiredInMatch
        } else {
            OrderStatus::Expired
        };
        let order = self.close(place, status);
        self.out.push(Event::Expired { order, reason });
    }

    /// Forgets the order at `place` and sets free what it still reserves.
    pub(super) fn close(&mut self, place: u32, status: OrderStatus) -> VenueOrder {
        let record = self.market.orders.remove(place);
        let mut order = record.order;
        let asset = self.market.pays_with(order.side);
        self.accounts.unlock(record.owner, asset, order.reserved);
        self.clients.remove(record.owner, &order.client_id);
        order.reserved = Amount::ZERO;
        order.status = status;
        order.updated_at = self.now;
        order
    }

    /// Makes the reservation of the order at `place` exactly `amount`.
    pub(super) fn reserve(&mut self, place: u32, amount: Amount) -> Result<(), RejectReason> {
        let record = self.market.orders.get(place);
        let asset = self.market.pays_with(record.order.side);
        let (owner, before) = (record.owner, record.order.reserved);
        if amount > before {
            let more = Amount::from_raw(amount.raw() - before.raw());
            self.accounts.lock(owner, asset, more)?;
        } else {
            let less = Amount::from_raw(before.raw() - amount.raw());
            self.accounts.unlock(owner, asset, less);
        }
        self.market.orders.get_mut(place).order.reserved = amount;
        Ok(())
    }

    pub(super) fn book_changed(&mut self, side: Side, price: Price, quantity: Quantity) {
        self.market.last_update += 1;
        self.out.push(Event::BookChanged(BookChange {
            instrument: self.market.instrument.id,
            side,
            price,
            quantity,
            update_id: self.market.last_update,
        }));
    }
}
