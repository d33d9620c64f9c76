//! The log: gap-free, legal, fenced, and the source of every other row (INV-17).

use super::{Evidence, Findings, LogRow};
use ploy_orders_core::AccountBook;
use std::collections::BTreeMap;

/// Sequences are 1..n, epochs never decrease, a fold accepts every event, and folding gives the
/// rows of `orders`.
pub(super) fn is_intact(evidence: &Evidence, found: &mut Findings) {
    sequences(evidence, found);
    epochs(&evidence.ploy.log, found);
    if let Some(book) = fold(evidence, found) {
        projection(evidence, &book, found);
    }
}

fn about(row: &LogRow) -> String {
    let order = row.event.payload.order_id();
    let order = order.map_or_else(
        || "the account".to_owned(),
        |order| format!("order {order}"),
    );
    format!("event {} ({} of {order})", row.seq, row.kind)
}

fn sequences(evidence: &Evidence, found: &mut Findings) {
    let mut last = 0;
    for row in &evidence.ploy.log {
        if row.seq != last + 1 {
            let what = about(row);
            found.add("INV-17", format!("{what} follows event {last}"));
        }
        last = row.seq;
        let inside = row.event.seq;
        if i64::try_from(inside) != Ok(row.seq) {
            let what = about(row);
            found.add(
                "INV-17",
                format!("{what} says in itself that it is {inside}"),
            );
        }
    }
    let (head, _) = evidence.ploy.head;
    if head != last {
        found.add(
            "INV-17",
            format!("the head of the log is {head} and its last event {last}"),
        );
    }
}

fn epochs(log: &[LogRow], found: &mut Findings) {
    for pair in log.windows(2) {
        if let [before, row] = pair
            && row.epoch < before.epoch
        {
            let (what, epoch, higher) = (about(row), row.epoch, before.epoch);
            found.add("INV-17", format!("{what} has epoch {epoch} after {higher}"));
        }
    }
}

fn fold(evidence: &Evidence, found: &mut Findings) -> Option<AccountBook> {
    let account = evidence.ploy.log.first()?.event.account;
    let instruments = evidence.instruments.iter().cloned();
    let mut book = AccountBook::new(account, instruments).keeping_terminal_orders(usize::MAX);
    for row in &evidence.ploy.log {
        if let Err(error) = book.apply(&row.event) {
            let what = about(row);
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            found.add("INV-17", format!("{what} is not legal: {error}{cause}"));
            return None;
        }
    }
    Some(book)
}

fn projection(evidence: &Evidence, book: &AccountBook, found: &mut Findings) {
    let mut folded = BTreeMap::new();
    for row in &evidence.ploy.log {
        if let Some(order) = row
            .event
            .payload
            .order_id()
            .and_then(|order_id| book.order(&order_id))
        {
            folded.insert(order.id().to_string(), (order.state(), order.filled()));
        }
    }
    for (order, row) in &evidence.ploy.orders {
        match folded.remove(order) {
            None => found.add(
                "INV-17",
                format!("order {order} is in orders and not in the log"),
            ),
            Some((state, filled)) if (state, filled) != (row.state, row.filled) => {
                let (told, told_filled) = (row.state, row.filled);
                found.add(
                    "INV-17",
                    format!(
                        "order {order} is {told} filled {told_filled} in orders and the log makes \
                         it {state} filled {filled}"
                    ),
                );
            }
            Some(_) => {}
        }
    }
    for (order, (state, _)) in folded {
        found.add(
            "INV-17",
            format!("order {order}, {state} by the log, is not in orders"),
        );
    }
}
