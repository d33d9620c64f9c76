//! What must hold once the load has ended, everything has healed and nothing is under way: the
//! venue, the database and every follower tell the same story.

use super::{disk::FillKey, platform::Platform, terms::STRATEGIES, venue::Truth};
use ploy_domain::{
    Amount, Asset, ClientOrderId, LedgerAccount, Order, OrderEventPayload, OrderState, Position,
    Quantity, Reason, ReasonCode,
};
use ploy_orders_core::{AccountBook, VenueFill, VenueStatus};
use std::collections::{BTreeMap, BTreeSet};

impl Platform {
    /// Looks at everything; the first thing that is wrong is remembered by the auditor.
    pub(crate) fn look_at_rest(&mut self) {
        let book = self.auditor.book.clone();
        self.orders_agree(&book);
        self.fills_agree();
        self.money_agrees(&book);
        self.followers_agree(&book);
        self.trades_again(&book);
    }

    /// INV-07, INV-10, INV-11, INV-12.
    fn orders_agree(&mut self, book: &AccountBook) {
        let mut at_venue: BTreeMap<ClientOrderId, Truth> = BTreeMap::new();
        for truth in self.venue.orders.values() {
            if let Ok(id) = ClientOrderId::parse(truth.order.client_id.as_str()) {
                at_venue.insert(id, truth.clone());
            }
        }
        for (id, truth) in &at_venue {
            let Some(order) = book.order(id) else {
                let detail = format!(
                    "order {id} is {:?} at the venue and unknown here",
                    truth.status
                );
                self.auditor.broken("INV-10", detail);
                continue;
            };
            let (state, filled) = (order.state(), order.filled());
            if matches!(state, OrderState::Rejected | OrderState::Denied) {
                let reasons = order.reasons();
                let detail =
                    format!("order {id} is {state} here ({reasons:?}) and the venue took it");
                self.auditor.broken("INV-12", detail);
            } else if !agree(&truth.status, state) || filled != truth.order.executed {
                let (status, executed) = (&truth.status, truth.order.executed);
                let detail = format!(
                    "order {id} is {state}, filled {filled}; the venue says {status:?}, {executed}"
                );
                self.auditor.broken("INV-07", detail);
            }
        }
        for order in book.working_orders() {
            let (id, state) = (order.id(), order.state());
            if state == OrderState::Unknown {
                self.auditor
                    .broken("INV-11", format!("order {id} is still unknown"));
            }
            if !at_venue.contains_key(&id) {
                let detail = format!("order {id} is {state} here and unknown at the venue");
                self.auditor.broken("INV-10", detail);
            }
        }
    }

    /// INV-05, INV-06.
    fn fills_agree(&mut self) {
        let mut theirs: BTreeMap<FillKey, &VenueFill> = BTreeMap::new();
        for fill in &self.venue.fills {
            theirs.insert(key(fill), fill);
        }
        let mut ours: BTreeSet<FillKey> = BTreeSet::new();
        let mut found = Vec::new();
        for event in self.disk.log() {
            let OrderEventPayload::Filled(booked) = &event.payload else {
                continue;
            };
            let key = (
                booked.instrument,
                booked.venue_order_id,
                booked.execution_id,
            );
            if !ours.insert(key) {
                found.push(("INV-05", format!("fill {key:?} is booked twice")));
            }
            let same = |fill: &&VenueFill| {
                (fill.price, fill.quantity, fill.fee, fill.side)
                    == (booked.price, booked.quantity, booked.fee, booked.side)
            };
            if theirs.get(&key).is_none_or(|fill| !same(fill)) {
                found.push(("INV-06", format!("fill {key:?} is not the venue's")));
            }
        }
        let lost = theirs.keys().filter(|key| !ours.contains(*key));
        found.extend(lost.map(|key| ("INV-05", format!("fill {key:?} was never booked"))));
        for (invariant, detail) in found {
            self.auditor.broken(invariant, detail);
        }
    }

    /// INV-08, INV-09.
    fn money_agrees(&mut self, book: &AccountBook) {
        for instrument in self.terms.instruments.clone() {
            let (ours, theirs) = (
                book.net_position(&instrument.id).raw(),
                self.venue.net(&instrument),
            );
            if ours != theirs {
                let detail = format!("position in {}: {ours}, the venue {theirs}", instrument.id);
                self.auditor.broken("INV-08", detail);
            }
        }
        let holdings = LedgerAccount::Holdings(self.terms.account);
        for (asset, theirs) in self.venue.balances() {
            let ours = book.ledger().balance(holdings, asset);
            if ours != theirs {
                let detail = format!("{asset}: {ours}, the venue {theirs}");
                self.auditor.broken("INV-09", detail);
            }
        }
        let mut sums: BTreeMap<Asset, i128> = BTreeMap::new();
        for (_, asset, amount) in book.ledger().balances() {
            *sums.entry(asset).or_default() += i128::from(Amount::raw(amount));
        }
        for (asset, sum) in sums {
            if sum != 0 {
                self.auditor
                    .broken("INV-09", format!("the ledger of {asset} sums to {sum}"));
            }
        }
    }

    /// INV-19, INV-24.
    fn followers_agree(&mut self, book: &AccountBook) {
        let (head, account) = (self.disk.head_seq(), self.terms.account);
        let mut found = Vec::new();
        match self
            .risk
            .core
            .as_ref()
            .and_then(|core| core.account(&account))
        {
            Some(exposure) => {
                if exposure.last_seq() != head {
                    found.push((
                        "INV-19",
                        format!("risk saw {} of {head}", exposure.last_seq()),
                    ));
                }
                let theirs: Vec<_> = exposure.positions().filter(not_flat).collect();
                let ours: Vec<_> = book.positions().filter(not_flat).collect();
                if theirs != ours {
                    found.push(("INV-19", "risk has other positions than the log".to_owned()));
                }
                for (of, line) in exposure.lines() {
                    let held = line.reserved_buy.raw() + line.reserved_sell.raw();
                    if held != 0 {
                        found.push(("INV-24", format!("risk still reserves {held} in {of:?}")));
                    }
                }
                let open = book.working_orders().count();
                if exposure.open_orders() != open {
                    let counted = exposure.open_orders();
                    found.push((
                        "INV-24",
                        format!("risk counts {counted} open orders of {open}"),
                    ));
                }
            }
            None => found.push(("INV-19", "risk knows nothing of the account".to_owned())),
        }
        for n in 0..STRATEGIES {
            found.extend(self.strategy_agrees(n, head, book));
        }
        for (invariant, detail) in found {
            self.auditor.broken(invariant, detail);
        }
    }

    fn strategy_agrees(
        &self,
        n: u8,
        head: u64,
        book: &AccountBook,
    ) -> Option<(&'static str, String)> {
        let process = self.strategies.get(usize::from(n))?;
        let Some(instance) = &process.instance else {
            return Some(("INV-19", format!("strategy {n} does not run")));
        };
        let (seen, config) = (instance.account_seq(), instance.config());
        if seen != head {
            return Some(("INV-19", format!("strategy {n} saw {seen} of {head}")));
        }
        let of = (config.instrument.id, config.id);
        let booked = book.positions().find(|(key, _)| **key == of);
        let booked = booked.map_or(Quantity::ZERO, |(_, position)| position.quantity());
        let held = instance.position().quantity();
        (held != booked).then(|| {
            (
                "INV-19",
                format!("strategy {n} holds {held}, the log {booked}"),
            )
        })
    }

    /// INV-32: somebody leads, the account is ready, and a new order goes all the way.
    fn trades_again(&mut self, book: &AccountBook) {
        let ready = self.executions.iter().any(|execution| {
            let lead = execution.lead.as_ref();
            lead.is_some_and(|lead| lead.core.readiness().is_ok())
        });
        if !ready {
            self.auditor
                .broken("INV-32", "no leader has a reconciled account");
        }
        let last = self.people.last.and_then(|id| book.order(&id));
        let state = last.map(Order::state);
        let reached = matches!(state, Some(OrderState::Filled | OrderState::Expired));
        if !reached {
            let reasons = last.map(Order::reasons).unwrap_or_default();
            let is_limit = |reason: &Reason| {
                matches!(
                    reason.code,
                    ReasonCode::PositionExceedsMax
                        | ReasonCode::GrossExposureExceedsMax
                        | ReasonCode::NetExposureExceedsMax
                        | ReasonCode::OpenOrdersExceedMax
                        | ReasonCode::EgressGuard
                )
            };
            if reasons.is_empty() || !reasons.iter().all(is_limit) {
                let detail = format!("the last order is {state:?}: {reasons:?}");
                self.auditor.broken("INV-32", detail);
            }
        }
    }
}

fn not_flat<K>((_, position): &(K, &Position)) -> bool {
    !position.quantity().is_zero()
}

fn key(fill: &VenueFill) -> FillKey {
    (fill.instrument, fill.venue_order_id, fill.execution_id)
}

/// Whether our state of an order is what the venue's status means.
const fn agree(status: &VenueStatus, state: OrderState) -> bool {
    match status {
        VenueStatus::Working | VenueStatus::Triggered => matches!(
            state,
            OrderState::Accepted | OrderState::Triggered | OrderState::PartiallyFilled
        ),
        VenueStatus::Filled => matches!(state, OrderState::Filled),
        VenueStatus::Cancelled(_) => matches!(state, OrderState::Cancelled),
        VenueStatus::Expired(_) => matches!(state, OrderState::Expired),
        VenueStatus::Rejected(_) => matches!(state, OrderState::Rejected),
    }
}
