//! All SQL of execution: the commit of a turn, and the queries of the API.

use crate::{
    rows::{Commit, LedgerRow, signed},
    stored::{fill_view, order_view, parsed, reasons_text},
};
use ploy_domain::{
    AccountId, ClientOrderId, Execution, ExecutionId, InstrumentId, Liquidity, Order, OrderEvent,
    Position, Price, StrategyId, Timestamp, VenueOrderId,
};
use ploy_store::{
    Migration, Row, Store, StoreError, Tx,
    event_log::{self, EventRow, Writer},
    lease, sql,
};
use ploy_wire::api::{FillQuery, FillView, OrderQuery, OrderView, PAGE_LIMIT_MAX, Page};
use std::collections::BTreeSet;

/// The schema of this service's own tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "books",
    up_sql: include_str!("../migrations/001_books.up.sql"),
    down_sql: include_str!("../migrations/001_books.down.sql"),
}];

/// How many events one reading of the log brings.
const LOG_PAGE: u32 = 1_000;

/// The database of the execution service.
#[derive(Debug, Clone)]
pub struct ExecutionStore {
    store: Store,
}

/// Why something stored cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored value is not what was written.
    #[error("stored {what} '{value}' is damaged: {detail}")]
    Damaged {
        /// Which column or event.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl ExecutionStore {
    /// Migrates the tables that execution needs.
    ///
    /// # Errors
    /// [`StoreError`] when the schema is unknown or cannot be changed.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        store.migrate(lease::COMPONENT, lease::MIGRATIONS).await?;
        store
            .migrate(event_log::COMPONENT, event_log::MIGRATIONS)
            .await?;
        store.migrate("execution", MIGRATIONS).await?;
        Ok(Self { store })
    }

    /// The database itself, for the relay and the lease.
    #[must_use]
    pub const fn database(&self) -> &Store {
        &self.store
    }

    /// Writes one turn of an account: events and every row that follows from them, under the
    /// fencing epoch (ORD-25).
    pub(crate) async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let key = format!("{}@{}", commit.account, commit.expected_head + 1);
        self.store
            .transact(key, move |tx| {
                let commit = commit.clone();
                Box::pin(async move { write(tx, &commit).await })
            })
            .await
    }

    /// The account's events from `from_seq` on, at most `limit`.
    pub(crate) async fn events(
        &self,
        account: &AccountId,
        from_seq: u64,
        limit: u32,
    ) -> Result<Vec<OrderEvent>, ReadError> {
        let rows = event_log::read(&self.store, account.as_str(), signed(from_seq), limit).await?;
        rows.iter().map(decoded).collect()
    }

    /// Every event of one order.
    pub(crate) async fn order_events(
        &self,
        account: &AccountId,
        order_id: &ClientOrderId,
    ) -> Result<Vec<OrderEvent>, ReadError> {
        let rows = event_log::of_order(&self.store, account.as_str(), order_id.as_str()).await?;
        rows.iter().map(decoded).collect()
    }

    /// Calls `each` for every event of the account, in order.
    pub(crate) async fn for_each_event<E: From<ReadError>>(
        &self,
        account: &AccountId,
        mut each: impl FnMut(OrderEvent) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let mut next = 1;
        loop {
            let page = self.events(account, next, LOG_PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            next = last.seq + 1;
            for event in page {
                each(event)?;
            }
        }
    }

    /// The keys of every fill booked since `since`.
    pub(crate) async fn fill_keys(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<BTreeSet<(InstrumentId, VenueOrderId, ExecutionId)>, ReadError> {
        let text = "SELECT instrument, venue_order_id, execution_id FROM fills \
                    WHERE account = $1 AND ts_event_ns >= $2";
        let query = sql(text).bind(account.as_str()).bind(since.as_nanos());
        let rows = self.store.fetch_all(query).await?;
        let key = |row: &Row| {
            Ok((
                parsed("instrument", row.get("instrument")?)?,
                parsed("venue_order_id", row.get("venue_order_id")?)?,
                parsed("execution_id", row.get("execution_id")?)?,
            ))
        };
        rows.iter().map(key).collect()
    }

    /// The time of the newest fill of the account.
    pub(crate) async fn newest_fill(
        &self,
        account: &AccountId,
    ) -> Result<Option<Timestamp>, ReadError> {
        let text = "SELECT ts_event_ns FROM fills WHERE account = $1 \
                    ORDER BY ts_event_ns DESC LIMIT 1";
        let row = self
            .store
            .fetch_optional(sql(text).bind(account.as_str()))
            .await?;
        let at = row.map(|row| row.get("ts_event_ns")).transpose()?;
        Ok(at.map(Timestamp::from_nanos))
    }

    pub(crate) async fn order(
        &self,
        account: &AccountId,
        order_id: &ClientOrderId,
    ) -> Result<Option<OrderView>, ReadError> {
        let text = "SELECT * FROM orders WHERE account = $1 AND order_id = $2";
        let query = sql(text).bind(account.as_str()).bind(order_id.as_str());
        self.store
            .fetch_optional(query)
            .await?
            .map(|row| order_view(&row))
            .transpose()
    }

    /// Orders, newest first.
    pub(crate) async fn orders(&self, query: &OrderQuery) -> Result<Page<OrderView>, ReadError> {
        let (before, id) = match &query.after {
            Some(cursor) => cursor_parts(cursor)?,
            None => (i64::MAX, String::new()),
        };
        let text = "SELECT * FROM orders WHERE \
             (created_at_ns < $1 OR (created_at_ns = $1 AND order_id < $2)) \
             AND ($3 = '' OR account = $3) AND ($4 = 0 OR is_open = 1) \
             AND ($5 = '' OR strategy = $5) AND ($6 = '' OR instrument = $6) \
             ORDER BY created_at_ns DESC, order_id DESC LIMIT $7";
        let limit = page_limit(query.limit);
        let statement = sql(text)
            .bind(before)
            .bind(id)
            .bind(text_of(query.account))
            .bind(i64::from(query.open_only))
            .bind(text_of(query.strategy))
            .bind(text_of(query.instrument))
            .bind(limit + 1);
        let rows = self.store.fetch_all(statement).await?;
        let items = rows.iter().map(order_view).collect::<Result<Vec<_>, _>>()?;
        Ok(paged(items, limit, |order| {
            format!("{}:{}", order.created_at.as_nanos(), order.order_id)
        }))
    }

    /// Fills, newest first.
    pub(crate) async fn fills(&self, query: &FillQuery) -> Result<Page<FillView>, ReadError> {
        let (before, seq) = match &query.after {
            Some(cursor) => cursor_parts(cursor)?,
            None => (i64::MAX, i64::MAX.to_string()),
        };
        let seq: i64 = parsed("cursor", seq)?;
        let text = "SELECT * FROM fills WHERE \
             (ts_event_ns < $1 OR (ts_event_ns = $1 AND seq < $2)) \
             AND ($3 = '' OR account = $3) \
             ORDER BY ts_event_ns DESC, seq DESC LIMIT $4";
        let limit = page_limit(query.limit);
        let statement = sql(text)
            .bind(before)
            .bind(seq)
            .bind(text_of(query.account))
            .bind(limit + 1);
        let rows = self.store.fetch_all(statement).await?;
        let items = rows.iter().map(fill_view).collect::<Result<Vec<_>, _>>()?;
        Ok(paged(items, limit, |fill| {
            format!("{}:{}", fill.execution.ts_event.as_nanos(), fill.seq)
        }))
    }
}

fn text_of(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn page_limit(asked: u32) -> i64 {
    i64::from(if asked == 0 {
        100
    } else {
        asked.min(PAGE_LIMIT_MAX)
    })
}

/// One more than a page was read: its presence says that there is a next page.
fn paged<T>(mut items: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more).map(cursor);
    Page { items, next }
}

fn cursor_parts(cursor: &str) -> Result<(i64, String), ReadError> {
    let damaged = || ReadError::Damaged {
        what: "cursor",
        value: cursor.to_owned(),
        detail: "use the 'next' of the previous page".to_owned(),
    };
    let (time, rest) = cursor.split_once(':').ok_or_else(damaged)?;
    Ok((time.parse().map_err(|_| damaged())?, rest.to_owned()))
}

fn decoded(row: &EventRow) -> Result<OrderEvent, ReadError> {
    ploy_wire::facts::decode_order_event(&row.payload).map_err(|error| ReadError::Damaged {
        what: "event",
        value: row.event_id.clone(),
        detail: error.to_string(),
    })
}

async fn write(tx: &mut Tx, commit: &Commit) -> Result<(), StoreError> {
    lease::check(tx, &commit.shard, commit.epoch).await?;
    let writer = Writer {
        account: &commit.account,
        expected_head: commit.expected_head,
        epoch: commit.epoch,
    };
    event_log::append(tx, writer, &commit.events).await?;
    for order in &commit.orders {
        write_order(tx, order).await?;
    }
    for (seq, execution) in &commit.fills {
        write_fill(tx, *seq, execution).await?;
    }
    for (instrument, strategy, position) in &commit.positions {
        write_position(tx, &commit.account, (instrument, strategy), position).await?;
    }
    for row in &commit.ledger {
        write_ledger_row(tx, &commit.account, row).await?;
    }
    Ok(())
}

async fn write_order(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    let text = "INSERT INTO orders (account, order_id, strategy, instrument, side, kind, \
         quantity_e8, price_e8, stop_price_e8, time_in_force, reduce_only, state, is_open, \
         filled_e8, average_price_e8, venue_order_id, reasons, late_fill, version, created_at_ns, \
         updated_at_ns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
         $16, $17, $18, $19, $20, $21) ON CONFLICT (account, order_id) DO UPDATE SET \
         state = excluded.state, is_open = excluded.is_open, filled_e8 = excluded.filled_e8, \
         average_price_e8 = excluded.average_price_e8, \
         venue_order_id = excluded.venue_order_id, reasons = excluded.reasons, \
         late_fill = excluded.late_fill, version = excluded.version, \
         updated_at_ns = excluded.updated_at_ns";
    let intent = &order.intent;
    let statement = sql(text)
        .bind(intent.account.as_str())
        .bind(intent.order_id.as_str())
        .bind(intent.strategy.as_str())
        .bind(intent.instrument.to_string())
        .bind(intent.side.word())
        .bind(intent.kind.word())
        .bind(intent.quantity.raw())
        .bind(intent.kind.limit_price().map(Price::raw))
        .bind(intent.kind.stop_price().map(Price::raw))
        .bind(intent.time_in_force.word())
        .bind(i64::from(intent.reduce_only))
        .bind(order.state().word())
        .bind(i64::from(!order.state().is_terminal()))
        .bind(order.filled().raw())
        .bind(order.average_price().map(Price::raw))
        .bind(order.venue_order_id().map(|id| id.to_string()))
        .bind(reasons_text(order.reasons()))
        .bind(i64::from(order.has_late_fill()))
        .bind(signed(order.version()))
        .bind(intent.created_at.as_nanos())
        .bind(order.updated_at().as_nanos());
    tx.execute(statement).await.map(|_| ())
}

async fn write_fill(tx: &mut Tx, seq: i64, fill: &Execution) -> Result<(), StoreError> {
    let text = "INSERT INTO fills (account, seq, order_id, strategy, instrument, side, price_e8, \
         quantity_e8, fee_e8, fee_asset, liquidity, venue_order_id, execution_id, ts_event_ns) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let statement = sql(text)
        .bind(fill.account.as_str())
        .bind(seq)
        .bind(fill.order_id.as_str())
        .bind(fill.strategy.as_str())
        .bind(fill.instrument.to_string())
        .bind(fill.side.word())
        .bind(fill.price.raw())
        .bind(fill.quantity.raw())
        .bind(fill.fee.raw())
        .bind(fill.fee_asset.as_str())
        .bind(match fill.liquidity {
            Liquidity::Maker => "maker",
            Liquidity::Taker => "taker",
        })
        .bind(fill.venue_order_id.as_str())
        .bind(fill.execution_id.as_str())
        .bind(fill.ts_event.as_nanos());
    tx.execute(statement).await.map(|_| ())
}

async fn write_position(
    tx: &mut Tx,
    account: &str,
    (instrument, strategy): (&InstrumentId, &StrategyId),
    position: &Position,
) -> Result<(), StoreError> {
    let text = "INSERT INTO positions (account, instrument, strategy, quantity_e8, \
         average_price_e8, realised_gross_e8, charges_e8, opened_at_ns) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (account, instrument, strategy) DO UPDATE SET \
         quantity_e8 = excluded.quantity_e8, average_price_e8 = excluded.average_price_e8, \
         realised_gross_e8 = excluded.realised_gross_e8, charges_e8 = excluded.charges_e8, \
         opened_at_ns = excluded.opened_at_ns";
    let statement = sql(text)
        .bind(account)
        .bind(instrument.to_string())
        .bind(strategy.as_str())
        .bind(position.quantity().raw())
        .bind(position.average_price().map(Price::raw))
        .bind(position.realised_gross().raw())
        .bind(position.charges().raw())
        .bind(position.opened_at().map(Timestamp::as_nanos));
    tx.execute(statement).await.map(|_| ())
}

async fn write_ledger_row(tx: &mut Tx, account: &str, row: &LedgerRow) -> Result<(), StoreError> {
    let text = "INSERT INTO ledger_entries (account, seq, line, ledger_account, asset, amount_e8) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let statement = sql(text)
        .bind(account)
        .bind(row.seq)
        .bind(row.line)
        .bind(row.account.word())
        .bind(row.asset.as_str())
        .bind(row.amount.raw());
    tx.execute(statement).await.map(|_| ())
}
