//! The oracle of all fault tests: whether the exchange's ledger (L) and Ploy's database (D) tell the
//! same story, by the invariants of the failure model.
//!
//! Decides what a violation is. Leaves to the scenario when to ask: some invariants hold at every
//! instant ([`Evidence::always`]), the others once nothing is under way any more
//! ([`Evidence::at_rest`]).

mod books;
mod fills;
mod log;
mod money;
mod orders;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
mod venue;

pub use books::{FillRow, LedgerRow, LogRow, OrderRow, PloyBooks, PositionRow};
pub use venue::{VenueBooks, VenueEnd, VenueOrder};

use anyhow::{Context, Result};
use ploy_domain::{AccountId, Amount, Instrument, Price, Quantity, Side};
use ploy_exchange_server::{InstrumentConfig, ledger};
use ploy_store::{Store, StoreOptions};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// What an invariant is called, with what breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `INV-01` … of the failure model.
    pub invariant: &'static str,
    /// Which order, fill or row, and what is wrong with it.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.invariant, self.detail)
    }
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Violation>);

impl Findings {
    pub(crate) fn add(&mut self, invariant: &'static str, detail: impl Into<String>) {
        self.0.push(Violation {
            invariant,
            detail: detail.into(),
        });
    }
}

/// Which execution: symbol, the venue's order and the number of the trade.
pub type FillKey = (String, String, String);

/// What both sides must say about an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillFacts {
    /// The client's name of the order.
    pub client_id: String,
    /// Bought or sold.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What was charged.
    pub fee: Amount,
    /// In which asset.
    pub fee_asset: String,
}

impl fmt::Display for FillFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            client_id,
            side,
            price,
            quantity,
            fee,
            fee_asset,
        } = self;
        write!(
            f,
            "order {client_id} {side} {quantity} at {price} fee {fee} {fee_asset}"
        )
    }
}

/// Where the two witnesses are.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// The exchange's ledger.
    pub ledger: PathBuf,
    /// The URL of Ploy's database.
    pub database: String,
    /// Whose trading is looked at.
    pub account: AccountId,
}

/// Both stories, read.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What the exchange wrote down.
    pub venue: VenueBooks,
    /// What Ploy wrote down.
    pub ploy: PloyBooks,
    /// What is traded.
    pub instruments: Vec<Instrument>,
}

/// How much happened: a run in which nothing did proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// New-order requests that reached the exchange.
    pub orders_sent: usize,
    /// Executions.
    pub fills: usize,
    /// Events in Ploy's log.
    pub events: usize,
    /// Leaders that wrote to the log, one after the other.
    pub epochs: usize,
}

impl Oracle {
    /// Reads both stories.
    ///
    /// # Errors
    /// When one cannot be read at all.
    pub async fn look(&self) -> Result<Evidence> {
        let records = ledger::read(&self.ledger).context("the exchange's ledger")?;
        let venue = VenueBooks::of(&records, self.account.as_str())?;
        let store = Store::open(&self.database, StoreOptions::new("oracle")).await?;
        let ploy = PloyBooks::read(&store, self.account.as_str()).await;
        store.close().await;
        let instruments = InstrumentConfig::defaults()
            .iter()
            .map(InstrumentConfig::instrument)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Evidence {
            venue,
            ploy: ploy?,
            instruments,
        })
    }
}

impl Evidence {
    /// What must hold at every instant, also in the middle of a crash.
    #[must_use]
    pub fn always(&self) -> Vec<Violation> {
        let mut found = Findings::default();
        orders::sent_once(self, &mut found);
        orders::written_ahead(self, &mut found);
        fills::none_invented(self, &mut found);
        money::postings_balance(self, &mut found);
        log::is_intact(self, &mut found);
        found.0
    }

    /// What must hold when load has stopped and every doubt has been resolved, and all of
    /// [`Self::always`].
    #[must_use]
    pub fn at_rest(&self) -> Vec<Violation> {
        let mut found = Findings(self.always());
        orders::end_alike(self, &mut found);
        orders::no_orphans(self, &mut found);
        fills::none_lost(self, &mut found);
        fills::make_positions(self, &mut found);
        money::holdings_agree(self, &mut found);
        found.0
    }

    /// The order ids among `promised`, answered to a client as taken, that nobody knows any more
    /// (INV-23).
    #[must_use]
    pub fn broken_promises(&self, promised: &[String]) -> Vec<Violation> {
        let mut found = Findings::default();
        for order in promised {
            if !self.ploy.orders.contains_key(order) {
                found.add(
                    "INV-23",
                    format!("order {order} was answered to a client and is not in orders"),
                );
            }
        }
        found.0
    }

    /// How many orders ended how, by state and code of the reason.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for order in self.ploy.orders.values() {
            let code = order.reasons.split([' ', '\n']).next().unwrap_or_default();
            let outcome = format!("{} {code}", order.state);
            *all.entry(outcome.trim_end().to_owned()).or_default() += 1;
        }
        all
    }

    /// How much happened.
    #[must_use]
    pub fn witness(&self) -> Witness {
        let mut epochs: Vec<_> = self.ploy.log.iter().map(|row| row.epoch).collect();
        epochs.dedup();
        Witness {
            orders_sent: self.venue.requests.values().map(Vec::len).sum(),
            fills: self.venue.fills.len(),
            events: self.ploy.log.len(),
            epochs: epochs.len(),
        }
    }
}

/// One line for each violation, for the message of a failed test.
#[must_use]
pub fn told(violations: &[Violation]) -> String {
    let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
