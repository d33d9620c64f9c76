//! The filters that need the venue's state: order rate, price band, number of open orders. The
//! static ones are checked before a request reaches the venue.

use super::{
    accounts::{DAY, TEN_SECONDS},
    order::{OrderType, Terms},
    venue::Venue,
};
use crate::{api::error::ApiError, clock::millis};
use ploy_domain::{Nanos, Price, Timestamp};
use ploy_exchange_core::OrderSize;

/// `PERCENT_PRICE_BY_SIDE`: how many times the reference price an order may be priced at, and the
/// part of it, both as multiples.
pub(crate) const BAND_UP: i64 = 5;
/// One fifth of the reference price.
pub(crate) const BAND_DOWN_DIVISOR: i64 = 5;

impl Venue {
    pub(super) fn check_order_rate(
        &mut self,
        account: usize,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let counts = self.accounts[account].unfilled.counts(now);
        let windows = [
            (self.limits.orders_per_10s, TEN_SECONDS, "10 SECOND"),
            (self.limits.orders_per_day, DAY, "1 DAY"),
        ];
        for ((limit, length, per), count) in windows.into_iter().zip(counts) {
            if let Some(limit) = limit
                && count >= limit
            {
                let until = window_end(length, now);
                return Err(ApiError::too_many_orders(limit, per, millis(until)));
            }
        }
        Ok(())
    }

    pub(super) fn check_price_band(&self, terms: &Terms) -> Result<(), ApiError> {
        let listed = &self.listed[terms.symbol];
        let Some(reference) = listed.reference_price() else {
            return Ok(());
        };
        if terms.price == Price::ZERO {
            return Ok(());
        }
        let high = reference.raw().saturating_mul(BAND_UP);
        let low = reference.raw() / BAND_DOWN_DIVISOR;
        if (low..=high).contains(&terms.price.raw()) {
            Ok(())
        } else {
            Err(ApiError::filter("PERCENT_PRICE_BY_SIDE"))
        }
    }

    /// The value of a market order by quantity, at the average price.
    pub(super) fn check_market_value(&self, terms: &Terms) -> Result<(), ApiError> {
        let listed = &self.listed[terms.symbol];
        if let (OrderType::Market, OrderSize::Base(quantity)) = (terms.order_type, terms.size)
            && let Some(reference) = listed.reference_price()
        {
            let checked = listed.rules.check_notional(reference, quantity);
            checked.map_err(|_| ApiError::filter("NOTIONAL"))?;
        }
        Ok(())
    }

    pub(super) fn check_open_orders(&self, account: usize, symbol: usize) -> Result<(), ApiError> {
        let open = self.accounts[account]
            .open_orders()
            .filter(|order| order.terms.symbol == symbol);
        if open.count() >= self.limits.open_orders_max as usize {
            return Err(ApiError::account_filter("MAX_NUM_ORDERS"));
        }
        Ok(())
    }
}

/// The end of the fixed window of `length` that `now` is in.
fn window_end(length: Nanos, now: Timestamp) -> Timestamp {
    now.floor_to(length, Timestamp::EPOCH).plus(length)
}
