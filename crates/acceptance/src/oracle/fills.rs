//! Executions and what follows from them: none lost, none invented, none booked twice, positions
//! equal (INV-05, INV-06, INV-08).

use super::{Evidence, FillFacts, FillKey, Findings, venue::assets};
use std::collections::BTreeMap;

type ByKey<'a> = BTreeMap<&'a FillKey, Vec<&'a FillFacts>>;

fn venue(evidence: &Evidence) -> ByKey<'_> {
    let mut all = ByKey::new();
    for (key, facts) in &evidence.venue.fills {
        all.entry(key).or_default().push(facts);
    }
    all
}

fn ours(evidence: &Evidence) -> ByKey<'_> {
    let mut all = ByKey::new();
    for row in &evidence.ploy.fills {
        all.entry(&row.key).or_default().push(&row.facts);
    }
    all
}

fn name((symbol, order, trade): &FillKey) -> String {
    format!("trade {trade} of {symbol} (venue order {order})")
}

/// INV-06: each row is an execution of the exchange, equal in everything, and booked once.
pub(super) fn none_invented(evidence: &Evidence, found: &mut Findings) {
    let theirs = venue(evidence);
    for (key, rows) in ours(evidence) {
        let (execution, count) = (name(key), rows.len());
        if count > 1 {
            found.add("INV-06", format!("{execution} is booked {count} times"));
        }
        let Some(row) = rows.first() else { continue };
        match theirs.get(key).and_then(|known| known.first()) {
            None => found.add(
                "INV-06",
                format!("{execution}, {row}, is in fills and never happened at the exchange"),
            ),
            Some(known) if known != row => found.add(
                "INV-06",
                format!("{execution} is booked as {row} and was {known}"),
            ),
            Some(_) => {}
        }
    }
}

/// INV-05: each execution of the exchange has its row.
pub(super) fn none_lost(evidence: &Evidence, found: &mut Findings) {
    let rows = ours(evidence);
    for (key, known) in venue(evidence) {
        let execution = name(key);
        if let (false, Some(known)) = (rows.contains_key(key), known.first()) {
            found.add("INV-05", format!("{execution}, {known}, is not in fills"));
        }
    }
}

/// What an execution adds to the position, after a fee in the asset itself.
fn signed(symbol: &str, facts: &FillFacts) -> i128 {
    let bought = i128::from(facts.side.sign()) * i128::from(facts.quantity.raw());
    let (base, _) = assets(symbol);
    let fee = if facts.fee_asset == base {
        i128::from(facts.fee.raw())
    } else {
        0
    };
    bought - fee
}

/// INV-08: the fills, the positions and the exchange's executions give the same quantities.
pub(super) fn make_positions(evidence: &Evidence, found: &mut Findings) {
    let mut from_fills: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    for row in &evidence.ploy.fills {
        let symbol = row.key.0.as_str();
        *from_fills.entry((symbol, &row.strategy)).or_default() += signed(symbol, &row.facts);
    }
    let mut by_symbol: BTreeMap<&str, i128> = BTreeMap::new();
    for row in &evidence.ploy.positions {
        let key = (row.symbol.as_str(), row.strategy.as_str());
        let held = i128::from(row.quantity.raw());
        *by_symbol.entry(key.0).or_default() += held;
        let sum = from_fills.remove(&key).unwrap_or_default();
        if sum != held {
            let (symbol, strategy) = key;
            found.add(
                "INV-08",
                format!(
                    "position of {strategy} in {symbol} is {held}e-8 and its fills make {sum}e-8"
                ),
            );
        }
    }
    for ((symbol, strategy), sum) in from_fills {
        found.add(
            "INV-08",
            format!("{strategy} has fills of {sum}e-8 in {symbol} and no position"),
        );
    }
    let mut at_venue: BTreeMap<&str, i128> = BTreeMap::new();
    for ((symbol, _, _), facts) in &evidence.venue.fills {
        *at_venue.entry(symbol).or_default() += signed(symbol, facts);
    }
    let symbols: std::collections::BTreeSet<_> = at_venue.keys().chain(by_symbol.keys()).collect();
    for symbol in symbols {
        let side = |of: &BTreeMap<&str, i128>| of.get(*symbol).copied().unwrap_or_default();
        let (held, theirs) = (side(&by_symbol), side(&at_venue));
        if held != theirs {
            found.add(
                "INV-08",
                format!("position in {symbol} is {held}e-8 here and {theirs}e-8 at the exchange"),
            );
        }
    }
}
