//! Money: every posting balances, and what the ledger says is owned is what the exchange says
//! (INV-09).

use super::{Evidence, Findings};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of one event sum to zero per asset.
pub(super) fn postings_balance(evidence: &Evidence, found: &mut Findings) {
    let mut sums: BTreeMap<(i64, &str), i128> = BTreeMap::new();
    for row in &evidence.ploy.ledger {
        *sums.entry((row.seq, &row.asset)).or_default() += i128::from(row.amount.raw());
    }
    for ((seq, asset), sum) in sums {
        if sum != 0 {
            let of = of_event(evidence, seq);
            found.add(
                "INV-09",
                format!("entries of event {seq}{of} in {asset} sum to {sum}e-8"),
            );
        }
    }
}

/// The order that an event is about, for people.
fn of_event(evidence: &Evidence, seq: i64) -> String {
    let event = evidence.ploy.log.iter().find(|row| row.seq == seq);
    let order = event.and_then(|row| row.event.payload.order_id());
    order.map_or_else(String::new, |order| format!(" (order {order})"))
}

/// Holdings are the exchange's balances, to the last digit.
pub(super) fn holdings_agree(evidence: &Evidence, found: &mut Findings) {
    let mut held: BTreeMap<&str, i128> = BTreeMap::new();
    for row in &evidence.ploy.ledger {
        if row.place == "holdings" {
            *held.entry(&row.asset).or_default() += i128::from(row.amount.raw());
        }
    }
    let theirs = &evidence.venue.balances;
    let assets: BTreeSet<&str> = held
        .keys()
        .copied()
        .chain(theirs.keys().map(String::as_str))
        .collect();
    for asset in assets {
        let ours = held.get(asset).copied().unwrap_or_default();
        let theirs = theirs.get(asset).copied().unwrap_or_default();
        if ours != theirs {
            found.add(
                "INV-09",
                format!("{asset} held is {ours}e-8 here and {theirs}e-8 at the exchange"),
            );
        }
    }
}
