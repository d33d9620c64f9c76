//! What one commit writes besides the events themselves: the rows that follow from them, computed
//! before the transaction begins.

use ploy_domain::{
    Amount, Asset, Execution, InstrumentId, LedgerAccount, Order, OrderEvent, OrderEventPayload,
    Position, Posting, StrategyId,
};
use ploy_orders_core::AccountBook;
use ploy_store::event_log::NewEvent;
use std::collections::BTreeSet;

/// Everything that one transaction of an account writes.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) account: String,
    pub(crate) expected_head: i64,
    pub(crate) epoch: i64,
    pub(crate) shard: String,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) orders: Vec<Order>,
    pub(crate) fills: Vec<(i64, Execution)>,
    pub(crate) positions: Vec<(InstrumentId, StrategyId, Position)>,
    pub(crate) ledger: Vec<LedgerRow>,
}

/// One line of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct LedgerRow {
    pub(crate) seq: i64,
    pub(crate) line: i64,
    pub(crate) account: LedgerAccount,
    pub(crate) asset: Asset,
    pub(crate) amount: Amount,
}

impl Commit {
    /// The rows of `events`, which the books in `book` have applied already.
    pub(crate) fn of(events: &[OrderEvent], book: &AccountBook, shard: &str) -> Option<Self> {
        let first = events.first()?;
        let mut commit = Self {
            account: first.account.to_string(),
            expected_head: signed(first.seq) - 1,
            epoch: signed(first.epoch),
            shard: shard.to_owned(),
            events: events.iter().map(new_event).collect(),
            orders: Vec::new(),
            fills: Vec::new(),
            positions: Vec::new(),
            ledger: Vec::new(),
        };
        let (mut orders, mut positions) = (BTreeSet::new(), BTreeSet::new());
        for event in events {
            orders.extend(event.payload.order_id());
            commit.add_money(event, book);
            if let OrderEventPayload::Filled(execution) = &event.payload {
                positions.insert((execution.instrument, execution.strategy));
                commit
                    .fills
                    .push((signed(event.seq), (**execution).clone()));
            }
        }
        commit.orders = orders
            .iter()
            .filter_map(|id| book.order(id))
            .cloned()
            .collect();
        let touched = book.positions().filter(|(key, _)| positions.contains(*key));
        commit.positions = touched
            .map(|((i, s), position)| (*i, *s, *position))
            .collect();
        Some(commit)
    }

    fn add_money(&mut self, event: &OrderEvent, book: &AccountBook) {
        let posting = match &event.payload {
            OrderEventPayload::Filled(execution) => book
                .instrument(&execution.instrument)
                .and_then(|instrument| Posting::of_execution(execution, instrument).ok()),
            OrderEventPayload::Deposited { asset, amount } => {
                Posting::of_deposit(event.account, *asset, *amount).ok()
            }
            _ => None,
        };
        let entries = posting.iter().flat_map(Posting::entries);
        for (line, entry) in (0..).zip(entries) {
            self.ledger.push(LedgerRow {
                seq: signed(event.seq),
                line,
                account: entry.account,
                asset: entry.asset,
                amount: entry.amount,
            });
        }
    }
}

/// Sequences and epochs fit the signed integers of SQL for the next 292 billion years of traffic.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn new_event(event: &OrderEvent) -> NewEvent {
    NewEvent {
        event_id: event.event_id.to_string(),
        order_id: event.payload.order_id().map(|id| id.to_string()),
        kind: event.payload.kind().to_owned(),
        ts_event_ns: event.ts_event.as_nanos(),
        ts_write_ns: event.ts_write.as_nanos(),
        payload: ploy_wire::facts::encode_order_event(event).to_vec(),
    }
}
