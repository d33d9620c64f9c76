//! A small day on which everything went well, told by both sides, for tests to spoil: one deposit,
//! one order that is filled in two parts, one that is cancelled.

use super::{
    Evidence, FillFacts, FillRow, LedgerRow, LogRow, OrderRow, PloyBooks, PositionRow, VenueBooks,
};
use ploy_domain::{
    AccountId, Approval, Cause, ClientOrderId, EventId, Execution, Instrument, Intent, Liquidity,
    OrderEvent, OrderEventPayload as P, OrderKind, Posting, Reason, ReasonCode, Side, Source,
    TimeInForce, Timestamp, TraceContext,
};
use ploy_exchange_server::{
    InstrumentConfig,
    ledger::{Accepted, Entry, Filled, OrderKey, Received, Record},
};
use ploy_orders_core::AccountBook;

pub(super) const FILLED: &str = "pd00000000000000001";
pub(super) const CANCELLED: &str = "pd00000000000000002";
const SYMBOL: &str = "BTCUSDT";

fn account() -> AccountId {
    "main".parse().unwrap()
}

fn instrument() -> Instrument {
    InstrumentConfig::defaults()[0].instrument().unwrap()
}

/// Both sides of the day.
pub(super) fn evidence() -> Evidence {
    let instruments = vec![instrument()];
    Evidence {
        venue: VenueBooks::of(&records(), "main").unwrap(),
        ploy: ploy(&instruments),
        instruments,
    }
}

/// The exchange's records, each a second after the one before.
pub(super) fn records() -> Vec<Record> {
    let mut entries = vec![Entry::Deposited {
        account: "main".into(),
        asset: "USDT".into(),
        amount: "1000".into(),
    }];
    entries.extend(placed(1, FILLED, "0.01"));
    entries.push(filled(501, "0.004", false));
    entries.push(filled(502, "0.006", true));
    entries.extend(placed(2, CANCELLED, "0.002"));
    entries.push(Entry::Cancelled {
        request: 3,
        order: key(2, CANCELLED),
        cancel_client_order_id: "c".into(),
        executed: "0".into(),
    });
    let numbered = (1..).zip(entries);
    numbered
        .map(|(seq, entry)| Record {
            seq,
            at: i64::try_from(seq).unwrap() * 1_000_000_000,
            entry,
        })
        .collect()
}

fn key(order_id: u64, client_id: &str) -> OrderKey {
    OrderKey {
        account: "main".into(),
        symbol: SYMBOL.into(),
        order_id,
        client_order_id: client_id.into(),
    }
}

fn placed(number: u64, client_id: &str, quantity: &str) -> [Entry; 2] {
    let received = Received {
        request: number,
        method: "order.place".into(),
        account: "main".into(),
        api_key: "k".into(),
        client_order_id: Some(client_id.into()),
        parameters: Vec::new(),
    };
    let accepted = Accepted {
        request: number,
        order: key(number, client_id),
        side: "BUY".into(),
        order_type: "LIMIT".into(),
        time_in_force: "GTC".into(),
        quantity: quantity.into(),
        quote_quantity: "0".into(),
        price: "50000".into(),
        stop_price: "0".into(),
        self_trade_prevention: "NONE".into(),
        working: true,
        strategy_id: None,
        strategy_type: None,
    };
    [Entry::Received(received), Entry::Accepted(accepted)]
}

fn filled(trade_id: u64, quantity: &str, complete: bool) -> Entry {
    let value = if complete { "300" } else { "200" };
    Entry::Filled(Filled {
        order: key(1, FILLED),
        trade_id,
        side: "BUY".into(),
        price: "50000".into(),
        quantity: quantity.into(),
        value: value.into(),
        commission: "0.00001".into(),
        commission_asset: "BTC".into(),
        maker: false,
        complete,
    })
}

fn intent(order_id: ClientOrderId, quantity: &str) -> Intent {
    Intent {
        order_id,
        account: account(),
        strategy: "api".parse().unwrap(),
        instrument: instrument().id,
        side: Side::Buy,
        kind: OrderKind::Limit {
            price: "50000".parse().unwrap(),
            post_only: false,
        },
        quantity: quantity.parse().unwrap(),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        decision_price: None,
        created_at: Timestamp::EPOCH,
        valid_until: Timestamp::EPOCH,
    }
}

fn begun(order: &str, number: &str, quantity: &str) -> [P; 5] {
    let order_id = order.parse().unwrap();
    let intent = intent(order_id, quantity);
    let approval = Approval {
        decision_id: "d".parse().unwrap(),
        content_hash: intent.content_hash(),
        limits_version: 1,
        state_epoch: 1,
        risk_epoch: 1,
        expires_at: Timestamp::EPOCH,
    };
    let venue_order_id = number.parse().unwrap();
    [
        P::Created(Box::new(intent)),
        P::Checked { order_id, approval },
        P::Journaled { order_id },
        P::Submitted { order_id },
        P::Accepted {
            order_id,
            venue_order_id,
        },
    ]
}

fn execution(trade: &str, quantity: &str) -> Execution {
    Execution {
        account: account(),
        order_id: FILLED.parse().unwrap(),
        strategy: "api".parse().unwrap(),
        instrument: instrument().id,
        side: Side::Buy,
        price: "50000".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        fee: "0.00001".parse().unwrap(),
        fee_asset: "BTC".parse().unwrap(),
        liquidity: Liquidity::Taker,
        venue_order_id: "1".parse().unwrap(),
        execution_id: trade.parse().unwrap(),
        ts_event: Timestamp::from_nanos(4_000_000_000),
    }
}

fn payloads() -> Vec<P> {
    let mut all = vec![
        P::Deposited {
            asset: "USDT".parse().unwrap(),
            amount: "1000".parse().unwrap(),
        },
        P::AccountReady,
    ];
    all.extend(begun(FILLED, "1", "0.01"));
    all.push(P::Filled(Box::new(execution("BTCUSDT-501", "0.004"))));
    all.push(P::Filled(Box::new(execution("BTCUSDT-502", "0.006"))));
    all.extend(begun(CANCELLED, "2", "0.002"));
    let order_id = CANCELLED.parse().unwrap();
    let reason = Reason::bare(ReasonCode::VenueEnded);
    all.push(P::CancelRequested {
        order_id,
        reason: reason.clone(),
    });
    all.push(P::Cancelled { order_id, reason });
    all
}

fn event(seq: u64, payload: P) -> OrderEvent {
    let at = Timestamp::from_nanos(i64::try_from(seq).unwrap() * 1_000);
    OrderEvent {
        account: account(),
        seq,
        event_id: EventId::derive(&account(), seq, at),
        epoch: 1,
        ts_event: at,
        ts_write: at,
        cause: Cause {
            source: Source::Platform,
            event: None,
        },
        trace: TraceContext::NONE,
        payload,
    }
}

/// Ploy's rows, as its services would have written them.
fn ploy(instruments: &[Instrument]) -> PloyBooks {
    let mut books = PloyBooks::default();
    let mut fold = AccountBook::new(account(), instruments.iter().cloned());
    for (seq, payload) in (1..).zip(payloads()) {
        let event = event(seq, payload);
        fold.apply(&event).unwrap();
        let seq = i64::try_from(seq).unwrap();
        let posting = match &event.payload {
            P::Filled(execution) => {
                books.fills.push(fill_row(seq, execution));
                Some(Posting::of_execution(execution, &instruments[0]).unwrap())
            }
            P::Deposited { asset, amount } => {
                Some(Posting::of_deposit(account(), *asset, *amount).unwrap())
            }
            _ => None,
        };
        let entries = posting.iter().flat_map(Posting::entries);
        books.ledger.extend(entries.map(|entry| LedgerRow {
            seq,
            place: entry.account.word().to_owned(),
            asset: entry.asset.to_string(),
            amount: entry.amount,
        }));
        books.log.push(LogRow {
            seq,
            epoch: 1,
            kind: event.payload.kind().to_owned(),
            event,
        });
        books.head = (seq, 1);
    }
    for order in [FILLED, CANCELLED] {
        let known = fold.order(&order.parse().unwrap()).unwrap();
        let row = OrderRow {
            state: known.state(),
            is_open: !known.state().is_terminal(),
            filled: known.filled(),
            reasons: String::new(),
        };
        books.orders.insert(order.to_owned(), row);
    }
    books.positions = fold
        .positions()
        .map(|((id, strategy), position)| PositionRow {
            symbol: id.symbol().to_string(),
            strategy: strategy.to_string(),
            quantity: position.quantity(),
        })
        .collect();
    books
}

fn fill_row(seq: i64, execution: &Execution) -> FillRow {
    let trade = execution.execution_id.as_str();
    FillRow {
        key: (
            SYMBOL.to_owned(),
            execution.venue_order_id.to_string(),
            trade.trim_start_matches("BTCUSDT-").to_owned(),
        ),
        facts: FillFacts {
            client_id: execution.order_id.to_string(),
            side: execution.side,
            price: execution.price,
            quantity: execution.quantity,
            fee: execution.fee,
            fee_asset: execution.fee_asset.to_string(),
        },
        strategy: execution.strategy.to_string(),
        seq,
    }
}
