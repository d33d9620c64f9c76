//! A database of its own for each test, and short ways to say what the tests say often.

use ploy_store::{Migration, Store, StoreError, StoreOptions, sql};
use ploy_testkit::{PostgresServer, TempDir};
use std::time::Duration;

pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) const NOTES: &[Migration] = &[Migration {
    version: 1,
    name: "notes",
    up_sql: "CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, n BIGINT, d DOUBLE PRECISION, b BYTEA, t TEXT);",
    down_sql: "DROP TABLE notes;",
}];

pub(crate) struct Fixture {
    pub(crate) url: String,
    pub(crate) store: Store,
    // After the store, so that its file outlives it.
    _directory: Option<TempDir>,
}

pub(crate) fn options() -> StoreOptions {
    let mut options = StoreOptions::new("test");
    // Two cores under a full test run are slow; what is tested is the order of things.
    options.acquire_timeout = Duration::from_secs(10);
    options.transaction_timeout = Duration::from_secs(20);
    options
}

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite:{}", directory.join("test.db").display());
        Self::open(url, Some(directory)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::open(
            PostgresServer::shared().unwrap().fresh_database().unwrap(),
            None,
        )
        .await
    }

    async fn open(url: String, directory: Option<TempDir>) -> Self {
        let store = Store::open(&url, options()).await.unwrap();
        Self {
            url,
            store,
            _directory: directory,
        }
    }

    pub(crate) async fn with_notes(self) -> Self {
        self.store.migrate("notes", NOTES).await.unwrap();
        self
    }

    /// Another process's view of the same database.
    pub(crate) async fn second_store(&self) -> Store {
        Store::open(&self.url, options()).await.unwrap()
    }
}

/// Adds a note in a transaction of its own.
pub(crate) async fn add(store: &Store, id: impl Into<String>) -> Result<u64, StoreError> {
    let id = id.into();
    store
        .transact(format!("note:{id}"), move |tx| {
            let id = id.clone();
            Box::pin(async move {
                tx.execute(sql("INSERT INTO notes (id) VALUES ($1)").bind(id))
                    .await
            })
        })
        .await
}

/// The ids of all notes.
pub(crate) async fn notes(store: &Store) -> Vec<String> {
    let rows = store
        .fetch_all(sql("SELECT id FROM notes ORDER BY id"))
        .await
        .unwrap();
    rows.iter().map(|row| row.get("id").unwrap()).collect()
}
