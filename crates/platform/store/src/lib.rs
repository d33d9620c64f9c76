//! The log of record: connections, transactions, migrations, the event log and leases, over SQLite
//! or PostgreSQL by URL.
//!
//! Decides how a write becomes durable and what its caller may believe afterwards. Leaves the
//! tables of a service to the service (its `store.rs`), which writes one SQL text for both
//! databases:
//! - parameters are `$1`, `$2` …; columns are `BIGINT`, `TEXT`, `BYTEA` or `DOUBLE PRECISION`
//!   (a truth value is a `BIGINT` 0 or 1; migrations say `BYTEA` and SQLite gets `BLOB`);
//! - a sum or count is wrapped in `CAST(… AS BIGINT)`;
//! - row locks (`FOR UPDATE`, `FOR SHARE` …) end the statement; SQLite, whose writers are alone,
//!   drops them.
//!
//! ```no_run
//! # async fn example() -> Result<(), ploy_store::StoreError> {
//! use ploy_store::{Store, StoreOptions, sql};
//!
//! let store = Store::open("sqlite:var/ploy.db", StoreOptions::new("execution")).await?;
//! let order_id = "pd6v7vfi5nqfnqm2ixk".to_owned();
//! let changed = store
//!     .transact(format!("cancel:{order_id}"), move |tx| {
//!         let order_id = order_id.clone();
//!         Box::pin(async move {
//!             tx.execute(sql("UPDATE orders SET state = $1 WHERE id = $2").bind("C").bind(order_id))
//!                 .await
//!         })
//!     })
//!     .await?;
//! assert_eq!(changed, 1);
//! # Ok(()) }
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod error;
pub mod event_log;
pub mod lease;
mod lease_keeper;
mod migrate;
mod options;
mod pool;
mod sql;
mod store;
mod target;
mod transact;
mod tx;

pub use error::{Retry, StoreError};
pub use lease_keeper::{LeaseKeeper, LeaseState, LeaseTerms};
pub use migrate::Migration;
pub use options::StoreOptions;
pub use sql::{Row, Statement, sql};
pub use store::Store;
pub use target::Backend;
pub use tx::Tx;

/// The future that a transaction's closure returns.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;
