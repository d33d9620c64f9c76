//! Changing an open order: less of it keeps its place in the queue, anything else enters anew.

use super::{Turn, place::reservation};
use crate::{
    accounts::AccountKey, command::AmendOrder, event::Event, order::VenueOrder,
    reject::RejectReason,
};
use ploy_domain::{OrderKind, Price, Quantity};

impl Turn<'_> {
    pub(super) fn amend(
        &mut self,
        owner: AccountKey,
        amend: &AmendOrder,
    ) -> Result<(), RejectReason> {
        self.check_not_halted()?;
        let place = self.find(owner, &amend.order)?;
        let order = self.market.orders.get(place).order;
        if amend.quantity <= order.executed {
            return Err(RejectReason::AmendBelowExecuted);
        }
        let price = amend.price.filter(|p| order.kind.limit_price() != Some(*p));
        match (price, amend.quantity.cmp(&order.quantity)) {
            (None, std::cmp::Ordering::Equal) => Err(RejectReason::NoChange),
            (None, std::cmp::Ordering::Less) => self.reduce(place, amend.quantity),
            _ => self.replace(place, amend.quantity, price),
        }
    }

    /// Takes quantity off; the place in the queue, and a waiting stop's trigger, stay.
    fn reduce(&mut self, place: u32, quantity: Quantity) -> Result<(), RejectReason> {
        let order = self.market.orders.get(place).order;
        self.check_size(&order.kind, quantity)?;
        let by = Quantity::from_raw(order.quantity.raw() - quantity.raw());
        let amended = self.change(place, order.kind, quantity);
        if let Some(price) = amended.kind.limit_price().or(amended.kind.stop_price()) {
            let reserved = reservation(amended.side, price, amended.remaining());
            self.reserve(place, reserved)?;
        }
        self.report_amended(place, true);
        if let Some((resting, level)) = self.market.book.reduce(amended.id, by) {
            self.book_changed(resting.side, resting.price, level);
        }
        Ok(())
    }

    /// Puts the order back in at the end of the queue, with another price or more quantity.
    fn replace(
        &mut self,
        place: u32,
        quantity: Quantity,
        price: Option<Price>,
    ) -> Result<(), RejectReason> {
        if !self.market.is_open(self.now) {
            return Err(RejectReason::MarketClosed);
        }
        let order = self.market.orders.get(place).order;
        let (kind, limit) = with_price(&order, price)?;
        self.check_prices(&kind)?;
        self.check_size(&kind, quantity)?;
        let post_only = matches!(
            kind,
            OrderKind::Limit {
                post_only: true,
                ..
            }
        );
        if post_only && self.market.crosses(order.side, limit) {
            return Err(RejectReason::WouldMatch);
        }
        let left = Quantity::from_raw(quantity.raw() - order.executed.raw());
        self.reserve(place, reservation(order.side, limit, left))?;
        self.change(place, kind, quantity);
        self.market.orders.get_mut(place).order.working_at = Some(self.now);
        self.report_amended(place, false);
        self.leave_book(place);
        self.run(place);
        self.run_stops();
        Ok(())
    }

    fn change(&mut self, place: u32, kind: OrderKind, quantity: Quantity) -> VenueOrder {
        let order = &mut self.market.orders.get_mut(place).order;
        order.kind = kind;
        order.quantity = quantity;
        order.updated_at = self.now;
        *order
    }

    fn report_amended(&mut self, place: u32, kept_priority: bool) {
        self.out.push(Event::Amended {
            order: self.market.orders.get(place).order,
            kept_priority,
        });
    }
}

/// The kind of a working limit order with another price, and that price. A waiting stop can only
/// be made smaller.
fn with_price(
    order: &VenueOrder,
    price: Option<Price>,
) -> Result<(OrderKind, Price), RejectReason> {
    let unsupported = Err(RejectReason::UnsupportedCombination);
    if !order.is_working() {
        return unsupported;
    }
    match order.kind {
        OrderKind::Limit {
            price: old,
            post_only,
        } => {
            let price = price.unwrap_or(old);
            Ok((OrderKind::Limit { price, post_only }, price))
        }
        OrderKind::StopLimit { stop, price: old } => {
            let price = price.unwrap_or(old);
            Ok((OrderKind::StopLimit { stop, price }, price))
        }
        OrderKind::Market | OrderKind::Stop { .. } => unsupported,
    }
}
