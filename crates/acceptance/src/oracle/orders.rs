//! Orders: each sent at most once, written down before it was sent, and ended alike on both sides
//! (INV-01, INV-02, INV-07, INV-10).

use super::{Evidence, Findings, VenueEnd};
use ploy_domain::{OrderEventPayload, OrderState, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// INV-01: no order is sent twice.
pub(super) fn sent_once(evidence: &Evidence, found: &mut Findings) {
    for (order, arrivals) in &evidence.venue.requests {
        if arrivals.len() > 1 {
            let times = arrivals.len();
            found.add("INV-01", format!("order {order} was sent {times} times"));
        }
    }
}

/// INV-02: each order that arrived had its record before.
pub(super) fn written_ahead(evidence: &Evidence, found: &mut Findings) {
    let journaled: BTreeMap<String, Timestamp> = evidence
        .ploy
        .log
        .iter()
        .filter_map(|row| match &row.event.payload {
            OrderEventPayload::Journaled { order_id } => {
                Some((order_id.to_string(), row.event.ts_write))
            }
            _ => None,
        })
        .collect();
    for (order, arrivals) in &evidence.venue.requests {
        let Some(first) = arrivals.iter().min() else {
            continue;
        };
        match journaled.get(order) {
            None => found.add(
                "INV-02",
                format!("order {order} reached the exchange and has no OrderJournaled"),
            ),
            Some(written) if written > first => found.add(
                "INV-02",
                format!("order {order} was journaled at {written}, after its arrival at {first}"),
            ),
            Some(_) => {}
        }
    }
}

/// INV-07: an order that has ended has ended alike on both sides, with the same quantity.
pub(super) fn end_alike(evidence: &Evidence, found: &mut Findings) {
    for (order, row) in &evidence.ploy.orders {
        let (ours, filled) = (row.state, row.filled);
        let Some(venue) = evidence.venue.order(order) else {
            if !matches!(ours, OrderState::Denied | OrderState::Rejected) {
                found.add(
                    "INV-07",
                    format!("order {order} is {ours} here and the exchange never took it in"),
                );
            }
            continue;
        };
        let alike = match venue.end {
            // Openness is INV-10's.
            VenueEnd::Open => true,
            VenueEnd::Filled => ours == OrderState::Filled || !ours.is_terminal(),
            VenueEnd::Cancelled => ours == OrderState::Cancelled || !ours.is_terminal(),
            VenueEnd::Expired => ours == OrderState::Expired || !ours.is_terminal(),
        };
        let end = venue.end;
        if !alike {
            found.add(
                "INV-07",
                format!("order {order} is {ours} here and {end:?} at the exchange"),
            );
        }
        let theirs = venue.filled;
        if filled != theirs {
            found.add(
                "INV-07",
                format!("order {order} is filled {filled} here and {theirs} at the exchange"),
            );
        }
    }
}

/// INV-10: what works at the exchange works here, and the reverse.
pub(super) fn no_orphans(evidence: &Evidence, found: &mut Findings) {
    let mut open = BTreeSet::new();
    for ((symbol, number), venue) in &evidence.venue.orders {
        let order = &venue.client_id;
        let row = evidence.ploy.orders.get(order);
        if row.is_none() {
            found.add(
                "INV-10",
                format!("order {order} ({symbol} {number}) of the exchange is unknown here"),
            );
        }
        if venue.end != VenueEnd::Open {
            continue;
        }
        open.insert(order.as_str());
        if let Some(ours) = row.map(|row| row.state).filter(|state| state.is_terminal()) {
            found.add(
                "INV-10",
                format!("order {order} works at the exchange and is {ours} here"),
            );
        }
    }
    for (order, row) in &evidence.ploy.orders {
        let state = row.state;
        if !state.is_terminal() && !open.contains(order.as_str()) {
            found.add(
                "INV-10",
                format!("order {order} is {state} here and does not work at the exchange"),
            );
        }
        if row.is_open == state.is_terminal() {
            let open = row.is_open;
            found.add(
                "INV-10",
                format!("order {order} is {state} and has is_open {open}"),
            );
        }
    }
}
