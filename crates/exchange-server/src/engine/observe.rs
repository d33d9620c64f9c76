//! What follows from an event of the matching engine: the account's records, the ledger, the
//! owner's stream and the public streams. Nothing is decided here.

use super::{
    order::{OrderName, OrderRecord, OwnTrade, Status, side_word, stp_word, tif_word},
    report::{Happening, account_position, execution_report},
    requests::generated_id,
    venue::{Turn, Venue},
};
use crate::ledger::{Accepted, Entry, Filled, OrderKey};
use ploy_domain::Side;
use ploy_exchange_core::{Event, ExpiryReason, TradeParty, TradeReport, VenueOrder};

impl Venue {
    pub(super) fn observe(&mut self, event: &Event, turn: &mut Turn) {
        match event {
            Event::Accepted(order) => self.accepted(order, turn),
            Event::Rejected(rejection) => turn.refused = Some(rejection.reason),
            Event::Trade(report) => self.traded(report, turn),
            Event::Cancelled(order) => self.cancelled(order, turn),
            Event::Expired { order, reason } => self.expired(order, *reason, turn),
            Event::Triggered(order) => self.triggered(order, turn),
            Event::BookChanged(change) => {
                if let Some(symbol) = self.symbols.get(&change.instrument) {
                    self.listed[*symbol].book_changed(change);
                }
            }
            Event::BalanceChanged(change) => {
                if let Some(owner) = self.owners.get(&change.account) {
                    turn.balances.push((*owner, *change));
                }
            }
            // The prevented quantity arrives with the expiry that follows; amendments and changes
            // of status are not offered here.
            Event::Prevented(_) | Event::Amended { .. } | Event::StatusChanged { .. } => {}
        }
    }

    /// The owner and name of an account's order; nothing for an order of the house.
    fn name_of(&self, order: &VenueOrder) -> Option<(usize, OrderName)> {
        let symbol = *self.symbols.get(&order.instrument)?;
        self.by_core.get(&(symbol, order.id)).copied()
    }

    fn accepted(&mut self, order: &VenueOrder, turn: &mut Turn) {
        let Some(terms) = turn.terms else { return };
        let Some(owner) = self.owners.get(&order.account).copied() else {
            return;
        };
        let id = self.listed[terms.symbol].numbering.order_base + order.id.get();
        let record = OrderRecord {
            id,
            account: owner,
            terms,
            core_id: Some(order.id),
            quantity: order.quantity,
            executed: order.executed,
            value: order.executed_value,
            prevented: order.prevented,
            status: Status::New,
            created_at: turn.now,
            updated_at: turn.now,
            working_at: order.working_at,
            expiry: None,
            cancel_id: None,
        };
        let name = record.name();
        self.by_core.insert((terms.symbol, order.id), (owner, name));
        let entry = Entry::Accepted(self.acceptance(turn.request, &record));
        let execution = self.ledger.append(turn.now, entry);
        turn.placed = Some(name);
        self.tell(&record, &Happening::accepted(execution, turn.now));
        self.accounts[owner].insert(record);
    }

    fn acceptance(&self, request: u64, record: &OrderRecord) -> Accepted {
        let terms = &record.terms;
        Accepted {
            request,
            order: self.key(record),
            side: side_word(terms.side).to_owned(),
            order_type: terms.order_type.word().to_owned(),
            time_in_force: tif_word(terms.time_in_force).to_owned(),
            quantity: record.quantity.to_string(),
            quote_quantity: terms.quote_quantity().to_string(),
            price: terms.price.to_string(),
            stop_price: terms.stop_price.to_string(),
            self_trade_prevention: stp_word(terms.stp).to_owned(),
            working: record.is_working(),
            strategy_id: terms.strategy_id,
            strategy_type: terms.strategy_type,
        }
    }

    fn key(&self, record: &OrderRecord) -> OrderKey {
        OrderKey {
            account: self.accounts[record.account].id.as_str().to_owned(),
            symbol: self.listed[record.terms.symbol].symbol.clone(),
            order_id: record.id,
            client_order_id: record.terms.client_id.as_str().to_owned(),
        }
    }

    fn traded(&mut self, report: &TradeReport, turn: &mut Turn) {
        let Some(symbol) = self.symbols.get(&report.instrument).copied() else {
            return;
        };
        self.listed[symbol].traded(report, turn.now, &mut self.outbox);
        let maker_side = report.aggressor.opposite();
        self.filled((symbol, report), (&report.maker, maker_side), turn);
        self.filled((symbol, report), (&report.taker, report.aggressor), turn);
    }

    /// Books one party's part of a trade, if it is an account's.
    fn filled(
        &mut self,
        (symbol, report): (usize, &TradeReport),
        (party, side): (&TradeParty, Side),
        turn: &mut Turn,
    ) {
        let Some((owner, name)) = self.by_core.get(&(symbol, party.order_id)).copied() else {
            return;
        };
        let maker = party.order_id == report.maker.order_id;
        let trade = OwnTrade {
            trade_id: self.listed[symbol].trade_id(report.trade_id),
            order: name,
            side,
            price: report.price,
            quantity: report.quantity,
            value: report.value,
            commission: party.fee,
            commission_asset: party.fee_asset,
            maker,
            at: turn.now,
        };
        let complete = party.remaining.is_zero();
        let account = &mut self.accounts[owner];
        let first = account
            .order(name)
            .is_some_and(|order| order.executed.is_zero());
        if first {
            account.unfilled.filled(maker, turn.now);
        }
        let record = account.update(name, |order| fill(order, &trade, complete));
        let Some(record) = record.cloned() else {
            return;
        };
        if complete {
            self.by_core.remove(&(symbol, party.order_id));
        }
        let entry = Entry::Filled(self.execution(&record, &trade, complete));
        let execution = self.ledger.append(turn.now, entry);
        self.tell(
            &record,
            &Happening::traded(execution, turn.now, trade.clone()),
        );
        if turn.placed == Some(name) {
            turn.fills.push(trade.clone());
        }
        self.accounts[owner].book(trade);
    }

    fn execution(&self, record: &OrderRecord, trade: &OwnTrade, complete: bool) -> Filled {
        Filled {
            order: self.key(record),
            trade_id: trade.trade_id,
            side: side_word(trade.side).to_owned(),
            price: trade.price.to_string(),
            quantity: trade.quantity.to_string(),
            value: trade.value.to_string(),
            commission: trade.commission.to_string(),
            commission_asset: trade.commission_asset.as_str().to_owned(),
            maker: trade.maker,
            complete,
        }
    }

    fn cancelled(&mut self, order: &VenueOrder, turn: &mut Turn) {
        let Some((owner, name)) = self.name_of(order) else {
            return;
        };
        let item = name.1.to_be_bytes();
        let request = turn.request.to_be_bytes();
        let cancel_id = turn
            .cancel_id
            .or_else(|| generated_id(&[b"cancel", &request, &item]).ok());
        let record = self.accounts[owner].update(name, |record| {
            record.status = Status::Cancelled;
            record.updated_at = turn.now;
            record.cancel_id = cancel_id;
        });
        let Some(record) = record.cloned() else {
            return;
        };
        self.by_core.remove(&(name.0, order.id));
        let entry = Entry::Cancelled {
            request: turn.request,
            order: self.key(&record),
            cancel_client_order_id: cancel_id.map_or_else(String::new, |id| id.as_str().to_owned()),
            executed: record.executed.to_string(),
        };
        let execution = self.ledger.append(turn.now, entry);
        turn.cancelled.push(name);
        self.tell(&record, &Happening::cancelled(execution, turn.now));
    }

    fn expired(&mut self, order: &VenueOrder, reason: ExpiryReason, turn: &Turn) {
        let Some((owner, name)) = self.name_of(order) else {
            return;
        };
        let in_match = reason == ExpiryReason::SelfTrade;
        let record = self.accounts[owner].update(name, |record| {
            expire(record, reason.word(), in_match);
            record.updated_at = turn.now;
        });
        let Some(record) = record.cloned() else {
            return;
        };
        self.by_core.remove(&(name.0, order.id));
        let entry = Entry::Expired {
            order: self.key(&record),
            reason: reason.word().to_owned(),
            in_match,
            executed: record.executed.to_string(),
        };
        let execution = self.ledger.append(turn.now, entry);
        self.tell(&record, &Happening::expired(execution, turn.now, in_match));
    }

    fn triggered(&mut self, order: &VenueOrder, turn: &Turn) {
        let Some((owner, name)) = self.name_of(order) else {
            return;
        };
        let record = self.accounts[owner].update(name, |record| {
            record.working_at = Some(turn.now);
            record.updated_at = turn.now;
        });
        let Some(record) = record.cloned() else {
            return;
        };
        let entry = Entry::Triggered {
            order: self.key(&record),
        };
        let execution = self.ledger.append(turn.now, entry);
        self.tell(&record, &Happening::accepted(execution, turn.now));
    }

    /// Sends an execution report to the order's owner.
    fn tell(&mut self, record: &OrderRecord, happening: &Happening) {
        let symbol = &self.listed[record.terms.symbol].symbol;
        let report = execution_report(record, symbol, happening);
        self.outbox.user(record.account, &report);
    }

    /// Sends the balances that a command changed, after its execution reports.
    pub(super) fn tell_balances(&mut self, turn: &Turn) {
        for owner in 0..self.accounts.len() {
            let own = turn
                .balances
                .iter()
                .filter(|(account, _)| *account == owner);
            let changes: Vec<_> = own.map(|(_, change)| *change).collect();
            if !changes.is_empty() {
                self.accounts[owner].updated_at = turn.now;
                self.outbox
                    .user(owner, &account_position(&changes, turn.now));
            }
        }
    }
}

/// Moves an order on by an execution.
pub(super) fn fill(order: &mut OrderRecord, trade: &OwnTrade, complete: bool) {
    let executed = order.executed.raw() + trade.quantity.raw();
    order.executed = ploy_domain::Quantity::from_raw(executed);
    let value = order.value.raw().saturating_add(trade.value.raw());
    order.value = ploy_domain::Amount::from_raw(value);
    order.updated_at = trade.at;
    order.status = if complete {
        Status::Filled
    } else {
        Status::PartiallyFilled
    };
}

/// Ends an order by the rules of its kind.
pub(super) fn expire(order: &mut OrderRecord, reason: &'static str, in_match: bool) {
    order.expiry = Some(reason);
    order.status = Status::Expired;
    if in_match {
        order.prevented = order.remaining();
        order.status = Status::ExpiredInMatch;
    }
}
