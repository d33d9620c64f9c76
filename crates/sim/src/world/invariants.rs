//! The invariants of the failure model (§13): what is looked for while the run goes on, by an
//! auditor who sees the venue, the database and the people, and trusts nobody's memory.

use super::{
    disk::Disk,
    people::People,
    terms::{GROSS_EXPOSURE_MAX, POSITION_NOTIONAL_MAX, PRICE_RANGE_PERCENT, Terms},
    venue::Venue,
};
use ploy_domain::{
    Approval, ClientOrderId, Instrument, InstrumentId, Intent, Nanos, OrderEvent,
    OrderEventPayload, SCALE, Side, Timestamp, TradingState,
};
use ploy_orders_core::{AccountBook, Alert};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A trip is in force everywhere after this (INV-13).
const KILL_BOUND: Nanos = Nanos::from_secs(1);
/// The price that all prices are within [`PRICE_RANGE_PERCENT`] of.
const PAR: i64 = 100;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// `INV-01` … of the failure model.
    pub invariant: &'static str,
    /// Which order, fill or row, and what is wrong with it.
    pub detail: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}

/// A new order at the venue's door.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) intent: &'a Intent,
    pub(crate) signed_at: Timestamp,
}

/// Looks at every commit, every byte that leaves and every order that arrives.
#[derive(Debug)]
pub(crate) struct Auditor {
    broken: Option<Broken>,
    /// The log, folded by a reader of its own.
    pub(crate) book: AccountBook,
    instruments: Vec<Instrument>,
    approvals: BTreeMap<ClientOrderId, Approval>,
    arrivals: BTreeMap<ClientOrderId, u32>,
    newest_epoch: u64,
    leads_since: BTreeMap<u64, Timestamp>,
    ready: BTreeSet<u64>,
    /// How often people were told, by kind.
    pub(crate) alerts: BTreeMap<&'static str, u64>,
}

impl Auditor {
    pub(crate) fn new(terms: &Terms) -> Self {
        Self {
            broken: None,
            book: AccountBook::new(terms.account, terms.instruments.clone())
                .keeping_terminal_orders(usize::MAX),
            instruments: terms.instruments.clone(),
            approvals: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            newest_epoch: 0,
            leads_since: BTreeMap::new(),
            ready: BTreeSet::new(),
            alerts: BTreeMap::new(),
        }
    }

    /// Remembers the first invariant that broke.
    pub(crate) fn broken(&mut self, invariant: &'static str, detail: impl Into<String>) {
        self.broken.get_or_insert_with(|| Broken {
            invariant,
            detail: detail.into(),
        });
    }

    pub(crate) const fn found(&mut self) -> Option<Broken> {
        self.broken.take()
    }

    pub(crate) fn alerted(&mut self, alert: &Alert) {
        *self.alerts.entry(alert.kind).or_default() += 1;
    }

    pub(crate) fn approved(&mut self, order_id: ClientOrderId, approval: &Approval) {
        self.approvals.insert(order_id, *approval);
    }

    /// How many new-order requests reached the venue.
    pub(crate) fn sent(&self) -> u64 {
        self.arrivals.values().map(|times| u64::from(*times)).sum()
    }

    /// A process begins to lead.
    pub(crate) fn leads(&mut self, epoch: u64, now: Timestamp) {
        self.leads_since.insert(epoch, now);
        self.ready.remove(&epoch);
    }

    /// How many leaders there were.
    pub(crate) fn leaders(&self) -> usize {
        self.leads_since.len()
    }

    /// Events are durable: INV-17, and what INV-26 needs.
    pub(crate) fn committed(&mut self, events: &[OrderEvent], lease_epoch: u64) {
        for event in events {
            let (seq, epoch) = (event.seq, event.epoch);
            if epoch < self.newest_epoch || epoch > lease_epoch {
                let (newest, lease) = (self.newest_epoch, lease_epoch);
                let detail =
                    format!("event {seq} has epoch {epoch}; newest {newest}, lease {lease}");
                self.broken("INV-17", detail);
            }
            self.newest_epoch = self.newest_epoch.max(epoch);
            if let Err(error) = self.book.apply(event) {
                self.broken("INV-17", format!("event {seq} does not fold: {error:?}"));
            }
            if matches!(event.payload, OrderEventPayload::AccountReady) {
                self.ready.insert(epoch);
            }
        }
    }

    /// The first byte of an order leaves, after a last look at `signed_at`: INV-18, INV-26.
    pub(crate) fn sends(&mut self, epoch: u64, signed_at: Timestamp, now: Timestamp) {
        let newer = self.leads_since.range(epoch + 1..).next();
        if let Some((newer, since)) = newer
            && *since <= signed_at
        {
            let detail = format!(
                "leader {epoch} looked at {signed_at} and sent at {now}, leader {newer} leads since {since}"
            );
            self.broken("INV-18", detail);
        }
        let since = self.leads_since.get(&epoch).copied();
        if since.is_some_and(|since| since <= signed_at) && !self.ready.contains(&epoch) {
            let detail = format!("leader {epoch} sends at {now} before the account is reconciled");
            self.broken("INV-26", detail);
        }
    }

    /// A new order arrives at the venue.
    pub(crate) fn arrives(
        &mut self,
        arrival: &Arrival<'_>,
        venue: &Venue,
        disk: &Disk,
        people: &People,
    ) {
        let Arrival {
            intent, signed_at, ..
        } = arrival;
        let id = intent.order_id;
        let times = self.arrivals.entry(id).or_default();
        *times += 1;
        if *times > 1 {
            let times = *times;
            self.broken("INV-01", format!("order {id} arrives {times} times"));
        }
        if !disk.is_journaled(&id) {
            self.broken(
                "INV-02",
                format!("order {id} arrives without a durable record"),
            );
        }
        match self.approvals.get(&id) {
            Some(approval) if approval.content_hash == intent.content_hash() => {}
            Some(_) => self.broken("INV-03", format!("order {id} is not what was approved")),
            None => self.broken("INV-03", format!("order {id} was never approved")),
        }
        if *signed_at > intent.valid_until {
            let until = intent.valid_until;
            self.broken(
                "INV-22",
                format!("order {id} leaves at {signed_at}, valid until {until}"),
            );
        }
        self.brakes_hold(arrival, venue, people);
        self.limits_hold(arrival, venue);
    }

    fn instrument(&self, id: &InstrumentId) -> Option<Instrument> {
        let mut known = self.instruments.iter();
        known.find(|instrument| instrument.id == *id).cloned()
    }

    /// INV-13, and the rule of REDUCING: nothing opens, nothing grows, no sign changes.
    fn brakes_hold(&mut self, arrival: &Arrival<'_>, venue: &Venue, people: &People) {
        let Some(brake) = people.brake() else {
            return;
        };
        let Some(since) = brake.in_force_since else {
            return;
        };
        if arrival.signed_at <= since.plus(KILL_BOUND) {
            return;
        }
        let id = arrival.intent.order_id;
        if brake.state > TradingState::Reducing {
            let state = brake.state;
            self.broken(
                "INV-13",
                format!("order {id} arrives while trading is {state} since {since}"),
            );
        } else if let Some(instrument) = self.instrument(&arrival.intent.instrument) {
            let net = venue.net(&instrument);
            let side = arrival.intent.side;
            let open = venue.open_quantity(&instrument.id, side);
            let wanted = open + arrival.intent.quantity.raw();
            let reduces = net.signum() == -side.sign() && wanted <= net.abs();
            if !reduces {
                let detail = format!(
                    "order {id} to {side} arrives while only reducing is allowed since {since}: \
                     position {net}, open with it {wanted}"
                );
                self.broken("INV-25", detail);
            }
        }
    }

    /// INV-16: what the venue would hold if everything on the order's side were filled, in the
    /// order's instrument and in all of them together.
    fn limits_hold(&mut self, arrival: &Arrival<'_>, venue: &Venue) {
        let Some(instrument) = self.instrument(&arrival.intent.instrument) else {
            return;
        };
        let (id, side) = (arrival.intent.order_id, arrival.intent.side);
        let net = venue.net(&instrument);
        let open = venue.open_quantity(&instrument.id, side) + arrival.intent.quantity.raw();
        let after = net + side.sign() * open;
        if after.abs() <= net.abs() {
            return;
        }
        let with_slack = |max: i64| max * SCALE / 100 * (100 + PRICE_RANGE_PERCENT);
        let was = after.abs() * PAR;
        if was > with_slack(POSITION_NOTIONAL_MAX) {
            let (was, max) = (was / SCALE, POSITION_NOTIONAL_MAX);
            let detail = format!("order {id} makes the worst position worth {was}, limit {max}");
            self.broken("INV-16", detail);
        }
        let others = self
            .instruments
            .iter()
            .filter(|other| other.id != instrument.id);
        let others: i64 = others.map(|other| worst(venue, other)).sum();
        let gross = (after.abs() + others) * PAR;
        if gross > with_slack(GROSS_EXPOSURE_MAX) {
            let (was, max) = (gross / SCALE, GROSS_EXPOSURE_MAX);
            let detail = format!("order {id} makes all positions worth {was}, limit {max}");
            self.broken("INV-16", detail);
        }
    }
}

/// The largest position that open orders of either side can lead to.
fn worst(venue: &Venue, instrument: &Instrument) -> i64 {
    let net = venue.net(instrument);
    let up = net + venue.open_quantity(&instrument.id, Side::Buy);
    let down = net - venue.open_quantity(&instrument.id, Side::Sell);
    up.abs().max(down.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_breach_is_kept() {
        let mut auditor = Auditor::new(&Terms::new().unwrap());
        auditor.broken("INV-01", "first");
        auditor.broken("INV-02", "second");
        assert_eq!(auditor.found().unwrap().invariant, "INV-01");
        assert_eq!(auditor.found(), None);
    }

    #[test]
    fn a_deposed_leader_that_sends_is_seen() {
        let mut auditor = Auditor::new(&Terms::new().unwrap());
        let at = Timestamp::from_nanos;
        auditor.leads(1, at(10));
        auditor.leads(2, at(20));
        auditor.sends(1, at(15), at(30));
        // It looked before the other led: only the bytes are late, and the venue refuses those.
        assert_eq!(auditor.found().map(|b| b.invariant), Some("INV-26"));
        auditor.sends(1, at(25), at(30));
        assert_eq!(auditor.found().map(|b| b.invariant), Some("INV-18"));
    }
}
