//! What Ploy wrote down about one account: the rows of its tables, read in one snapshot.

use super::{FillFacts, FillKey};
use anyhow::{Context, Result};
use ploy_domain::{Amount, OrderEvent, OrderState, Price, Quantity};
use ploy_store::{Row, Store, StoreError, sql};
use std::{
    collections::BTreeMap,
    fmt::{Debug, Display},
    str::FromStr,
};

/// One row of `order_events`.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// Its place in the account's log.
    pub seq: i64,
    /// The fencing epoch of its writer.
    pub epoch: i64,
    /// The event's name.
    pub kind: String,
    /// The event in the payload.
    pub event: OrderEvent,
}

/// One row of `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// Where the order stands.
    pub state: OrderState,
    /// Whether it counts as open.
    pub is_open: bool,
    /// How much was filled.
    pub filled: Quantity,
    /// Why it was refused or ended.
    pub reasons: String,
}

/// One row of `fills`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillRow {
    /// Which execution.
    pub key: FillKey,
    /// What it says.
    pub facts: FillFacts,
    /// Whose decision the order was.
    pub strategy: String,
    /// The event it came with.
    pub seq: i64,
}

/// One row of `positions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionRow {
    /// What is held.
    pub symbol: String,
    /// Through which strategy.
    pub strategy: String,
    /// How much, signed.
    pub quantity: Quantity,
}

/// One row of `ledger_entries`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The event it came with.
    pub seq: i64,
    /// Where the value sits: `holdings`, `market`, `charges` or `equity`.
    pub place: String,
    /// Of which asset.
    pub asset: String,
    /// How much, signed.
    pub amount: Amount,
}

/// The rows of one account.
#[derive(Debug, Clone, Default)]
pub struct PloyBooks {
    /// The log, in order.
    pub log: Vec<LogRow>,
    /// The last sequence and the epoch that the head of the log names.
    pub head: (i64, i64),
    /// Orders, by id.
    pub orders: BTreeMap<String, OrderRow>,
    /// Executions.
    pub fills: Vec<FillRow>,
    /// Positions.
    pub positions: Vec<PositionRow>,
    /// Postings.
    pub ledger: Vec<LedgerRow>,
}

const LOG: &str = "SELECT seq, producer_epoch, kind, payload FROM order_events \
                   WHERE account = $1 ORDER BY seq";
const HEAD: &str = "SELECT head_seq, epoch FROM account_heads WHERE account = $1";
const ORDERS: &str = "SELECT order_id, state, is_open, filled_e8, reasons FROM orders \
                      WHERE account = $1";
const FILLS: &str = "SELECT seq, order_id, strategy, instrument, side, price_e8, quantity_e8, \
                     fee_e8, fee_asset, venue_order_id, execution_id FROM fills \
                     WHERE account = $1 ORDER BY seq";
const POSITIONS: &str =
    "SELECT instrument, strategy, quantity_e8 FROM positions WHERE account = $1";
const LEDGER: &str = "SELECT seq, ledger_account, asset, amount_e8 FROM ledger_entries \
                      WHERE account = $1 ORDER BY seq, line";

impl PloyBooks {
    /// Reads the rows of `account` as they are at one moment.
    ///
    /// # Errors
    /// When a table cannot be read or a row is damaged.
    pub async fn read(store: &Store, account: &str) -> Result<Self> {
        let account = account.to_owned();
        // One moment for all tables.
        let tables = store
            .snapshot("oracle", move |tx| read_all(tx, account.clone()))
            .await?;
        Self::of(&tables).context("Ploy's database")
    }

    fn of([log, head, orders, fills, positions, ledger]: &[Vec<Row>; 6]) -> Result<Self> {
        let head = head
            .first()
            .map(|row| -> Result<_> { Ok((row.get("head_seq")?, row.get("epoch")?)) });
        Ok(Self {
            log: log.iter().map(log_row).collect::<Result<_>>()?,
            head: head.transpose()?.unwrap_or_default(),
            orders: orders.iter().map(order_row).collect::<Result<_>>()?,
            fills: fills.iter().map(fill_row).collect::<Result<_>>()?,
            positions: positions.iter().map(position_row).collect::<Result<_>>()?,
            ledger: ledger.iter().map(ledger_row).collect::<Result<_>>()?,
        })
    }
}

fn read_all(
    tx: &mut ploy_store::Tx,
    account: String,
) -> ploy_store::BoxFuture<'_, Result<[Vec<Row>; 6], StoreError>> {
    Box::pin(async move {
        let mut tables = [const { Vec::new() }; 6];
        let texts = [LOG, HEAD, ORDERS, FILLS, POSITIONS, LEDGER];
        for (table, text) in tables.iter_mut().zip(texts) {
            *table = tx.fetch_all(sql(text).bind(account.clone())).await?;
        }
        Ok(tables)
    })
}

fn log_row(row: &Row) -> Result<LogRow> {
    let (seq, payload): (i64, Vec<u8>) = (row.get("seq")?, row.get("payload")?);
    let event = ploy_wire::facts::decode_order_event(&payload)
        .with_context(|| format!("event {seq} of the log"))?;
    Ok(LogRow {
        seq,
        epoch: row.get("producer_epoch")?,
        kind: row.get("kind")?,
        event,
    })
}

fn order_row(row: &Row) -> Result<(String, OrderRow)> {
    let found = OrderRow {
        state: parsed(row, "state")?,
        is_open: row.get::<i64>("is_open")? != 0,
        filled: Quantity::from_raw(row.get("filled_e8")?),
        reasons: row.get("reasons")?,
    };
    Ok((row.get("order_id")?, found))
}

fn fill_row(row: &Row) -> Result<FillRow> {
    let symbol = symbol(row)?;
    // The exchange numbers orders and trades per symbol, and Ploy's ids of them say which.
    let number = |column| -> Result<String> {
        let id: String = row.get(column)?;
        let number = id.strip_prefix(&format!("{symbol}-"));
        Ok(number.unwrap_or(&id).to_owned())
    };
    let (order, trade) = (number("venue_order_id")?, number("execution_id")?);
    Ok(FillRow {
        key: (symbol, order, trade),
        facts: FillFacts {
            client_id: row.get("order_id")?,
            side: parsed(row, "side")?,
            price: Price::from_raw(row.get("price_e8")?),
            quantity: Quantity::from_raw(row.get("quantity_e8")?),
            fee: Amount::from_raw(row.get("fee_e8")?),
            fee_asset: row.get("fee_asset")?,
        },
        strategy: row.get("strategy")?,
        seq: row.get("seq")?,
    })
}

fn position_row(row: &Row) -> Result<PositionRow> {
    Ok(PositionRow {
        symbol: symbol(row)?,
        strategy: row.get("strategy")?,
        quantity: Quantity::from_raw(row.get("quantity_e8")?),
    })
}

fn ledger_row(row: &Row) -> Result<LedgerRow> {
    Ok(LedgerRow {
        seq: row.get("seq")?,
        place: row.get("ledger_account")?,
        asset: row.get("asset")?,
        amount: Amount::from_raw(row.get("amount_e8")?),
    })
}

/// The venue's name of a row's instrument.
fn symbol(row: &Row) -> Result<String> {
    let instrument: ploy_domain::InstrumentId = parsed(row, "instrument")?;
    Ok(instrument.symbol().to_string())
}

fn parsed<T>(row: &Row, column: &'static str) -> Result<T>
where
    T: FromStr<Err: Display + Debug>,
{
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|error| anyhow::anyhow!("{column} '{text}': {error}"))
}
