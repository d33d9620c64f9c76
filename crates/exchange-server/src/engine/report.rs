//! The events that the owner of an account is sent: `executionReport` and
//! `outboundAccountPosition` (binance-spot §16).

use super::order::{OrderRecord, OwnTrade, side_word, stp_word, tif_word};
use crate::{clock::millis, decimal::fixed};
use ploy_domain::Timestamp;
use ploy_exchange_core::BalanceChange;
use serde_json::{Value, json};

/// What happened to an order, beside where it stands now.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    /// The word `x`.
    word: &'static str,
    /// The number `I`: the sequence of the ledger record that says the same.
    execution: u64,
    at: Timestamp,
    trade: Option<OwnTrade>,
    by_owner: bool,
}

impl Happening {
    const fn new(word: &'static str, execution: u64, at: Timestamp) -> Self {
        Self {
            word,
            execution,
            at,
            trade: None,
            by_owner: false,
        }
    }

    /// Taken in, or a waiting stop begins to work.
    pub(super) const fn accepted(execution: u64, at: Timestamp) -> Self {
        Self::new("NEW", execution, at)
    }

    pub(super) fn traded(execution: u64, at: Timestamp, trade: OwnTrade) -> Self {
        Self {
            trade: Some(trade),
            ..Self::new("TRADE", execution, at)
        }
    }

    pub(super) const fn cancelled(execution: u64, at: Timestamp) -> Self {
        Self {
            by_owner: true,
            ..Self::new("CANCELED", execution, at)
        }
    }

    pub(super) const fn expired(execution: u64, at: Timestamp, in_match: bool) -> Self {
        let word = if in_match {
            "TRADE_PREVENTION"
        } else {
            "EXPIRED"
        };
        Self::new(word, execution, at)
    }
}

/// The report of what happened to `order`.
pub(super) fn execution_report(order: &OrderRecord, symbol: &str, what: &Happening) -> Value {
    let terms = &order.terms;
    let own = terms.client_id.as_str();
    let (client_id, original) = if what.by_owner {
        (order.cancel_id.as_ref().map_or(own, |id| id.as_str()), own)
    } else {
        (own, "")
    };
    let on_book = order.is_working() && order.status.is_open();
    let mut report = json!({
        "e": "executionReport", "E": millis(what.at), "s": symbol, "c": client_id,
        "S": side_word(terms.side), "o": terms.order_type.word(),
        "f": tif_word(terms.time_in_force), "q": fixed(order.quantity.raw()),
        "p": fixed(terms.price.raw()), "P": fixed(terms.stop_price.raw()), "F": fixed(0),
        "g": -1, "C": original, "x": what.word, "X": order.status.word(), "r": "NONE",
        "i": order.id, "z": fixed(order.executed.raw()), "T": millis(what.at),
        "I": what.execution, "w": on_book, "M": false, "O": millis(order.created_at),
        "Z": fixed(order.value.raw()), "Q": fixed(terms.quote_quantity().raw()),
        "V": stp_word(terms.stp),
    });
    execution_fields(&mut report, what.trade.as_ref());
    if let Some(at) = order.working_at {
        report["W"] = millis(at).into();
    }
    if let Some(reason) = order.expiry {
        report["eR"] = reason.into();
    }
    if order.prevented.is_positive() {
        report["v"] = what.execution.into();
        report["A"] = fixed(order.prevented.raw()).into();
        report["B"] = fixed(order.prevented.raw()).into();
    }
    if let Some(id) = terms.strategy_id {
        report["j"] = id.into();
    }
    if let Some(kind) = terms.strategy_type {
        report["J"] = kind.into();
    }
    report
}

/// The fields of the execution, or what stands in their place without one.
fn execution_fields(report: &mut Value, trade: Option<&OwnTrade>) {
    let fields = match trade {
        Some(trade) => json!({
            "l": fixed(trade.quantity.raw()), "L": fixed(trade.price.raw()),
            "Y": fixed(trade.value.raw()), "n": fixed(trade.commission.raw()),
            "N": trade.commission_asset.as_str(), "t": trade.trade_id, "m": trade.maker,
        }),
        None => json!({
            "l": fixed(0), "L": fixed(0), "Y": fixed(0), "n": "0", "N": null, "t": -1,
            "m": false,
        }),
    };
    if let (Value::Object(report), Value::Object(fields)) = (report, fields) {
        report.extend(fields);
    }
}

/// The balances that changed, as they are now.
pub(super) fn account_position(changes: &[BalanceChange], now: Timestamp) -> Value {
    let balance = |change: &BalanceChange| {
        json!({
            "a": change.asset.as_str(), "f": fixed(change.free.raw()),
            "l": fixed(change.locked.raw()),
        })
    };
    json!({
        "e": "outboundAccountPosition", "E": millis(now), "u": millis(now),
        "B": changes.iter().map(balance).collect::<Vec<_>>(),
    })
}
