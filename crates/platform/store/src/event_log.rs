//! The append-only, gap-free sequence of events of each account, and what of it was published.
//!
//! Decides that a sequence is given under the account's row lock, so that the order of commits is
//! the order of sequences, and that a deposed leader cannot append. What an event means is in its
//! payload, which is opaque here.

use crate::{Migration, Row, Store, StoreError, Tx, sql};
use std::sync::LazyLock;

/// The name of this component's migrations: `store.migrate(COMPONENT, MIGRATIONS)`.
pub const COMPONENT: &str = "event_log";

/// The tables `account_heads` and `order_events`.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "events by account",
        up_sql: include_str!("../migrations/event_log_0001.up.sql"),
        down_sql: include_str!("../migrations/event_log_0001.down.sql"),
    },
    Migration {
        version: 2,
        name: "events by order",
        up_sql: include_str!("../migrations/event_log_0002.up.sql"),
        down_sql: include_str!("../migrations/event_log_0002.down.sql"),
    },
];

/// Where an account's log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The sequence of the last event; 0 before the first.
    pub seq: i64,
    /// The epoch of the last writer.
    pub epoch: i64,
}

/// Who appends to which account, and where the writer believes its log to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer<'a> {
    /// The account.
    pub account: &'a str,
    /// The sequence of the last event, as the writer knows it.
    pub expected_head: i64,
    /// The writer's fencing epoch.
    pub epoch: i64,
}

/// An event to append. Its sequence follows the account's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique for ever, also the message id on the bus.
    pub event_id: String,
    /// The order it concerns, if it concerns one.
    pub order_id: Option<String>,
    /// Its type, for people and indexes.
    pub kind: String,
    /// When it happened.
    pub ts_event_ns: i64,
    /// When the writer made it.
    pub ts_write_ns: i64,
    /// Its encoded content.
    pub payload: Vec<u8>,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The account.
    pub account: String,
    /// Its place in the account's log, from 1 without gap.
    pub seq: i64,
    /// Unique for ever, also the message id on the bus.
    pub event_id: String,
    /// The order it concerns, if it concerns one.
    pub order_id: Option<String>,
    /// Its type.
    pub kind: String,
    /// When it happened.
    pub ts_event_ns: i64,
    /// When the writer made it.
    pub ts_write_ns: i64,
    /// The writer's epoch.
    pub producer_epoch: i64,
    /// Its encoded content.
    pub payload: Vec<u8>,
    /// When the bus acknowledged it.
    pub published_at_ns: Option<i64>,
}

/// What waits to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many events.
    pub events: i64,
    /// When the oldest of them was written.
    pub oldest_ts_write_ns: Option<i64>,
}

/// Rows inserted by one statement, largest first. Powers of four keep the number of prepared
/// statements small and their number for a batch, too.
const BATCHES: [usize; 4] = [64, 16, 4, 1];

static INSERTS: LazyLock<[String; 4]> = LazyLock::new(|| BATCHES.map(insert_of));

fn insert_of(rows: usize) -> String {
    let values = |row: usize| {
        let columns: Vec<String> = (1..=9)
            .map(|column| format!("${}", row * 9 + column))
            .collect();
        format!("({})", columns.join(", "))
    };
    let values: Vec<String> = (0..rows).map(values).collect();
    format!(
        "INSERT INTO order_events (account, seq, event_id, order_id, kind, ts_event_ns, \
         ts_write_ns, producer_epoch, payload) VALUES {}",
        values.join(", ")
    )
}

/// Appends `events` to an account's log within `tx` and returns its new head. The account stays
/// locked until the transaction ends.
///
/// # Errors
/// [`StoreError::Fenced`] when a newer epoch has written, [`StoreError::HeadMoved`] when the log
/// is not where the writer believes it; nothing is written then.
pub async fn append(
    tx: &mut Tx,
    writer: Writer<'_>,
    events: &[NewEvent],
) -> Result<i64, StoreError> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let head = writer.expected_head.saturating_add(count);
    if !move_head(tx, writer, head).await? {
        create_head(tx, writer).await?;
        if !move_head(tx, writer, head).await? {
            return Err(refusal(tx, writer).await?);
        }
    }
    let (mut rest, mut seq) = (events, writer.expected_head);
    for (size, text) in BATCHES.iter().zip(INSERTS.iter()) {
        while rest.len() >= *size {
            let (batch, after) = rest.split_at(*size);
            let mut insert = sql(text);
            for event in batch {
                seq += 1;
                insert = insert
                    .bind(writer.account)
                    .bind(seq)
                    .bind(event.event_id.as_str())
                    .bind(event.order_id.as_deref())
                    .bind(event.kind.as_str())
                    .bind(event.ts_event_ns)
                    .bind(event.ts_write_ns)
                    .bind(writer.epoch)
                    .bind(event.payload.as_slice());
            }
            tx.execute(insert).await?;
            rest = after;
        }
    }
    Ok(head)
}

/// Moves the head if it is where the writer believes it and no newer epoch has written.
async fn move_head(tx: &mut Tx, writer: Writer<'_>, head: i64) -> Result<bool, StoreError> {
    let update = "UPDATE account_heads SET head_seq = $1, epoch = $2 \
                  WHERE account = $3 AND head_seq = $4 AND epoch <= $5";
    let update = sql(update)
        .bind(head)
        .bind(writer.epoch)
        .bind(writer.account)
        .bind(writer.expected_head)
        .bind(writer.epoch);
    Ok(tx.execute(update).await? == 1)
}

async fn create_head(tx: &mut Tx, writer: Writer<'_>) -> Result<(), StoreError> {
    let insert = "INSERT INTO account_heads (account, head_seq, epoch) VALUES ($1, 0, $2) \
                  ON CONFLICT (account) DO NOTHING";
    tx.execute(sql(insert).bind(writer.account).bind(writer.epoch))
        .await
        .map(|_| ())
}

/// Why the head did not move.
async fn refusal(tx: &mut Tx, writer: Writer<'_>) -> Result<StoreError, StoreError> {
    let found = head_in(tx, writer.account).await?;
    Ok(if found.epoch > writer.epoch {
        StoreError::Fenced {
            scope: writer.account.to_owned(),
            held: writer.epoch,
            current: found.epoch,
        }
    } else {
        StoreError::HeadMoved {
            account: writer.account.to_owned(),
            expected: writer.expected_head,
            found: found.seq,
        }
    })
}

const SELECT_HEAD: &str = "SELECT head_seq, epoch FROM account_heads WHERE account = $1";

fn to_head(row: Option<&Row>) -> Result<Head, StoreError> {
    row.map_or(Ok(Head::default()), |row| {
        Ok(Head {
            seq: row.get("head_seq")?,
            epoch: row.get("epoch")?,
        })
    })
}

/// Where an account's log stands, within a transaction.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn head_in(tx: &mut Tx, account: &str) -> Result<Head, StoreError> {
    to_head(
        tx.fetch_optional(sql(SELECT_HEAD).bind(account))
            .await?
            .as_ref(),
    )
}

/// Where an account's log stands.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn head(store: &Store, account: &str) -> Result<Head, StoreError> {
    to_head(
        store
            .fetch_optional(sql(SELECT_HEAD).bind(account))
            .await?
            .as_ref(),
    )
}

/// Every account that has a log.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn accounts(store: &Store) -> Result<Vec<String>, StoreError> {
    let rows = store
        .fetch_all(sql("SELECT account FROM account_heads ORDER BY account"))
        .await?;
    rows.iter().map(|row| row.get("account")).collect()
}

/// At most `limit` events of an account from `from_seq` on, in order.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn read(
    store: &Store,
    account: &str,
    from_seq: i64,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let events = "SELECT account, seq, event_id, order_id, kind, ts_event_ns, ts_write_ns, \
                  producer_epoch, payload, published_at_ns FROM order_events \
                  WHERE account = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
    let events = sql(events)
        .bind(account)
        .bind(from_seq)
        .bind(i64::from(limit));
    store
        .fetch_all(events)
        .await?
        .iter()
        .map(to_event)
        .collect()
}

/// Every event of one order, in order.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn of_order(
    store: &Store,
    account: &str,
    order_id: &str,
) -> Result<Vec<EventRow>, StoreError> {
    let events = "SELECT account, seq, event_id, order_id, kind, ts_event_ns, ts_write_ns, \
                  producer_epoch, payload, published_at_ns FROM order_events \
                  WHERE account = $1 AND order_id = $2 ORDER BY seq";
    let events = sql(events).bind(account).bind(order_id);
    store
        .fetch_all(events)
        .await?
        .iter()
        .map(to_event)
        .collect()
}

/// At most `limit` events of an account that the bus has not acknowledged, in order.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn unpublished(
    store: &Store,
    account: &str,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let events = "SELECT account, seq, event_id, order_id, kind, ts_event_ns, ts_write_ns, \
                  producer_epoch, payload, published_at_ns FROM order_events \
                  WHERE account = $1 AND published_at_ns IS NULL ORDER BY seq LIMIT $2";
    let events = sql(events).bind(account).bind(i64::from(limit));
    store
        .fetch_all(events)
        .await?
        .iter()
        .map(to_event)
        .collect()
}

/// How much waits to be published, over all accounts.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn backlog(store: &Store) -> Result<Backlog, StoreError> {
    let count = "SELECT CAST(COUNT(*) AS BIGINT) AS events, MIN(ts_write_ns) AS oldest \
                 FROM order_events WHERE published_at_ns IS NULL";
    match store.fetch_optional(sql(count)).await? {
        None => Ok(Backlog::default()),
        Some(row) => Ok(Backlog {
            events: row.get("events")?,
            oldest_ts_write_ns: row.get("oldest")?,
        }),
    }
}

/// Notes that the bus acknowledged the events of `account` up to and including `up_to_seq`, and
/// returns how many that were.
///
/// # Errors
/// As [`Store::transact`].
pub async fn mark_published(
    store: &Store,
    account: &str,
    up_to_seq: i64,
    at_ns: i64,
) -> Result<u64, StoreError> {
    let account = account.to_owned();
    store
        .transact(format!("published:{account}:{up_to_seq}"), move |tx| {
            let account = account.clone();
            Box::pin(async move {
                let update = "UPDATE order_events SET published_at_ns = $1 \
                              WHERE account = $2 AND seq <= $3 AND published_at_ns IS NULL";
                tx.execute(sql(update).bind(at_ns).bind(account).bind(up_to_seq))
                    .await
            })
        })
        .await
}

/// Marks events of `account` from `from_seq` on as unpublished, so that the relay sends them again
/// after the bus lost them, and returns how many that were.
///
/// # Errors
/// As [`Store::transact`].
pub async fn publish_again(store: &Store, account: &str, from_seq: i64) -> Result<u64, StoreError> {
    let account = account.to_owned();
    store
        .transact(format!("publish_again:{account}:{from_seq}"), move |tx| {
            let account = account.clone();
            Box::pin(async move {
                let update = "UPDATE order_events SET published_at_ns = NULL \
                              WHERE account = $1 AND seq >= $2 AND published_at_ns IS NOT NULL";
                tx.execute(sql(update).bind(account).bind(from_seq)).await
            })
        })
        .await
}

fn to_event(row: &Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        account: row.get("account")?,
        seq: row.get("seq")?,
        event_id: row.get("event_id")?,
        order_id: row.get("order_id")?,
        kind: row.get("kind")?,
        ts_event_ns: row.get("ts_event_ns")?,
        ts_write_ns: row.get("ts_write_ns")?,
        producer_epoch: row.get("producer_epoch")?,
        payload: row.get("payload")?,
        published_at_ns: row.get("published_at_ns")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_numbers_its_parameters_through() {
        assert!(insert_of(2).ends_with(
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9), ($10, $11, $12, $13, $14, $15, $16, $17, $18)"
        ));
    }
}
