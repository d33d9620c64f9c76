//! What the exchange wrote down about one account: requests as they arrived, orders and how they
//! ended, executions, and the money that follows from them.

use super::{FillFacts, FillKey};
use anyhow::{Context, Result};
use ploy_domain::{Amount, Quantity, Timestamp};
use ploy_exchange_server::ledger::{Accepted, Entry, Filled, OrderKey, Record};
use std::{
    collections::BTreeMap,
    fmt::{Debug, Display},
    str::FromStr,
};

/// How an order stands at the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VenueEnd {
    /// It still works.
    Open,
    /// All of it was executed.
    Filled,
    /// Its owner took it out.
    Cancelled,
    /// It ended by itself.
    Expired,
}

/// An order that the exchange took in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueOrder {
    /// The owner's name for it.
    pub client_id: String,
    /// How it stands.
    pub end: VenueEnd,
    /// How much was executed.
    pub filled: Quantity,
}

/// The books of one account at the exchange.
#[derive(Debug, Clone, Default)]
pub struct VenueBooks {
    /// When new-order requests arrived, by the client's name of the order.
    pub requests: BTreeMap<String, Vec<Timestamp>>,
    /// Orders, by symbol and number.
    pub orders: BTreeMap<(String, u64), VenueOrder>,
    /// Executions.
    pub fills: Vec<(FillKey, FillFacts)>,
    /// What the account owns, by asset.
    pub balances: BTreeMap<String, i128>,
}

impl VenueBooks {
    /// The story of `account` in the exchange's records.
    ///
    /// # Errors
    /// When a record holds a number that is none.
    pub fn of(records: &[Record], account: &str) -> Result<Self> {
        let mut books = Self::default();
        for record in records {
            books
                .read(record, account)
                .with_context(|| format!("record {} of the exchange's ledger", record.seq))?;
        }
        Ok(books)
    }

    /// The order of a client, if the exchange ever took it in.
    #[must_use]
    pub fn order(&self, client_id: &str) -> Option<&VenueOrder> {
        self.orders
            .values()
            .find(|order| order.client_id == client_id)
    }

    fn read(&mut self, record: &Record, account: &str) -> Result<()> {
        match &record.entry {
            Entry::Received(received) if received.account == account => {
                if let ("order.place", Some(id)) =
                    (received.method.as_str(), &received.client_order_id)
                {
                    let arrivals = self.requests.entry(id.clone()).or_default();
                    arrivals.push(Timestamp::from_nanos(record.at));
                }
            }
            Entry::Deposited {
                account: owner,
                asset,
                amount,
            } if owner == account => {
                let amount: Amount = number("amount", amount)?;
                self.move_money(asset, i128::from(amount.raw()));
            }
            Entry::Accepted(accepted) if accepted.order.account == account => {
                self.accepted(accepted);
            }
            Entry::Filled(filled) if filled.order.account == account => self.filled(filled)?,
            Entry::Cancelled { order, .. } => self.ended(order, account, VenueEnd::Cancelled),
            Entry::Expired { order, .. } => self.ended(order, account, VenueEnd::Expired),
            Entry::Opened { .. }
            | Entry::Deposited { .. }
            | Entry::Received(_)
            | Entry::Rejected { .. }
            | Entry::Accepted(_)
            | Entry::Triggered { .. }
            | Entry::Filled(_)
            | Entry::Reserved { .. }
            | Entry::Marked { .. } => {}
        }
        Ok(())
    }

    fn accepted(&mut self, accepted: &Accepted) {
        let order = VenueOrder {
            client_id: accepted.order.client_order_id.clone(),
            end: VenueEnd::Open,
            filled: Quantity::ZERO,
        };
        self.orders.insert(place(&accepted.order), order);
    }

    fn filled(&mut self, filled: &Filled) -> Result<()> {
        let facts = FillFacts {
            client_id: filled.order.client_order_id.clone(),
            side: number("side", &filled.side)?,
            price: number("price", &filled.price)?,
            quantity: number("quantity", &filled.quantity)?,
            fee: number("commission", &filled.commission)?,
            fee_asset: filled.commission_asset.clone(),
        };
        let value: Amount = number("value", &filled.value)?;
        let sign = i128::from(facts.side.sign());
        let (base, quote) = assets(&filled.order.symbol);
        self.move_money(base, sign * i128::from(facts.quantity.raw()));
        self.move_money(quote, -sign * i128::from(value.raw()));
        self.move_money(&facts.fee_asset, -i128::from(facts.fee.raw()));
        if let Some(order) = self.orders.get_mut(&place(&filled.order)) {
            order.filled = order.filled.plus(facts.quantity)?;
            if filled.complete {
                order.end = VenueEnd::Filled;
            }
        }
        let OrderKey {
            symbol, order_id, ..
        } = &filled.order;
        let key = (
            symbol.clone(),
            order_id.to_string(),
            filled.trade_id.to_string(),
        );
        self.fills.push((key, facts));
        Ok(())
    }

    fn ended(&mut self, order: &OrderKey, account: &str, end: VenueEnd) {
        if order.account == account
            && let Some(known) = self.orders.get_mut(&place(order))
        {
            known.end = end;
        }
    }

    fn move_money(&mut self, asset: &str, raw: i128) {
        *self.balances.entry(asset.to_owned()).or_default() += raw;
    }
}

fn place(order: &OrderKey) -> (String, u64) {
    (order.symbol.clone(), order.order_id)
}

/// Base and quote of a symbol; everything on the built-in exchange is paid in USDT.
pub(crate) fn assets(symbol: &str) -> (&str, &str) {
    const QUOTE: &str = "USDT";
    (symbol.strip_suffix(QUOTE).unwrap_or(symbol), QUOTE)
}

fn number<T>(what: &'static str, text: &str) -> Result<T>
where
    T: FromStr<Err: Display + Debug>,
{
    text.parse()
        .map_err(|error| anyhow::anyhow!("{what} '{text}': {error}"))
}
