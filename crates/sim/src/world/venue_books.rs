//! What the venue shows of its books when it is asked.

use super::venue::{Truth, VISIBILITY_LAG, Venue};
use ploy_domain::{
    Amount, Asset, ClientOrderId, Instrument, InstrumentId, Price, Side, Timestamp, VenueOrderId,
};
use ploy_orders_core::{QueryOutcome, Standing, VenueFill, VenueOrder, VenueStatus};

impl Venue {
    fn shows(&self, truth: &Truth, hides: bool, now: Timestamp) -> bool {
        !hides || now - truth.accepted_at >= VISIBILITY_LAG
    }

    /// The order under a client's name, with all its fills.
    pub(crate) fn find(
        &self,
        order_id: &ClientOrderId,
        hides: bool,
        now: Timestamp,
    ) -> QueryOutcome {
        let mut named = self.orders.values().rev().filter(|truth| {
            truth.order.client_id.as_str() == order_id.as_str() && self.shows(truth, hides, now)
        });
        let Some(standing) = named.next().and_then(standing_of) else {
            return QueryOutcome::Absent;
        };
        let fills = self.fills.iter().filter(|fill| {
            fill.venue_order_id == standing.venue_order_id && fill.instrument == standing.instrument
        });
        QueryOutcome::Found {
            fills: fills.cloned().collect(),
            order: standing,
        }
    }

    /// Every order that works, as the venue's book shows it.
    pub(crate) fn open_orders(&self, hides: bool, now: Timestamp) -> Vec<VenueOrder> {
        let open = self
            .orders
            .values()
            .filter(|truth| is_open(&truth.status) && self.shows(truth, hides, now));
        open.filter_map(|truth| {
            Some(VenueOrder {
                standing: standing_of(truth)?,
                side: truth.order.side,
                kind: truth.order.kind,
                quantity: truth.order.quantity,
                time_in_force: truth.order.time_in_force,
            })
        })
        .collect()
    }

    /// Every fill since a time.
    pub(crate) fn fills_since(&self, since: Timestamp) -> Vec<VenueFill> {
        let news = self.fills.iter().filter(|fill| fill.ts_event >= since);
        news.cloned().collect()
    }

    /// What we own, free and locked together.
    pub(crate) fn balances(&self) -> Vec<(Asset, Amount)> {
        let balances = self.exchange.balances(&self.account);
        balances
            .map(|(asset, b)| {
                let total = b.free.raw().saturating_add(b.locked.raw());
                (asset, Amount::from_raw(total))
            })
            .collect()
    }

    /// What was bought minus what was sold since the beginning, and minus what the venue kept of it.
    pub(crate) fn net(&self, instrument: &Instrument) -> i64 {
        let of = self.fills.iter().filter(|f| f.instrument == instrument.id);
        of.map(|fill| {
            let kept = if fill.fee_asset == instrument.base {
                fill.fee.raw()
            } else {
                0
            };
            fill.side.sign() * fill.quantity.raw() - kept
        })
        .sum()
    }

    /// The price of the last trade.
    pub(crate) fn last_price(&self, instrument: &InstrumentId) -> Option<Price> {
        self.exchange
            .last_trade(instrument)
            .map(|trade| trade.price)
    }

    /// What open orders of a side can still add to or take from the position.
    pub(crate) fn open_quantity(&self, instrument: &InstrumentId, side: Side) -> i64 {
        let open = self.orders.values().filter(|truth| {
            truth.order.instrument == *instrument
                && truth.order.side == side
                && is_open(&truth.status)
        });
        open.map(|truth| truth.order.quantity.raw() - truth.order.executed.raw())
            .sum()
    }
}

pub(crate) const fn is_open(status: &VenueStatus) -> bool {
    matches!(status, VenueStatus::Working | VenueStatus::Triggered)
}

pub(crate) fn standing_of(truth: &Truth) -> Option<Standing> {
    Some(Standing {
        client_id: truth.order.client_id.as_str().to_owned(),
        venue_order_id: VenueOrderId::parse(&truth.order.id.to_string()).ok()?,
        instrument: truth.order.instrument,
        filled: truth.order.executed,
        status: truth.status.clone(),
        ts_event: truth.order.updated_at,
    })
}
