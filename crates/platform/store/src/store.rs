//! A database as its users see it: opened by URL, written by transactions, read by statements.

use crate::{
    Backend, BoxFuture, Row, Statement, StoreError, StoreOptions, Tx,
    error::is_damage,
    pool::{self, Pools},
    target::Target,
    transact::{Purpose, Run, Stage},
};
use sqlx::{Any, Pool};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// A database. Cheap to clone; all clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) options: StoreOptions,
    pools: Pools,
    tasks: TaskTracker,
}

impl Store {
    /// Opens `sqlite:PATH`, `sqlite::memory:` (one connection, for tests) or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Open`], [`StoreError::Damaged`] and
    /// [`StoreError::Durability`], each naming the URL without its password.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        let pools = pool::open(&target, &options).await?;
        let tasks = TaskTracker::new();
        Ok(Self {
            shared: Arc::new(Shared {
                target,
                options,
                pools,
                tasks,
            }),
        })
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.shared.target.backend()
    }

    /// The URL for people, without its password.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.target.shown()
    }

    /// The options it was opened with.
    #[must_use]
    pub fn options(&self) -> &StoreOptions {
        &self.shared.options
    }

    /// Runs `work` in one transaction and commits it. `key` names the effect, so that an
    /// unconfirmed commit can be looked up by it. The closure may run up to three times when the
    /// database reports a conflict: it clones what it captured.
    ///
    /// # Errors
    /// Every error but [`StoreError::CommitUnknown`] means that nothing was written.
    pub async fn transact<T, F>(&self, key: impl Into<String>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let limit = self.shared.options.transaction_timeout;
        self.run(Purpose::Write, limit, key.into(), work).await
    }

    /// Runs `work` on one consistent snapshot and writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Busy`], [`StoreError::Timeout`].
    pub async fn snapshot<T, F>(&self, key: impl Into<String>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let limit = self.shared.options.transaction_timeout;
        self.run(Purpose::Read, limit, key.into(), work).await
    }

    /// Runs one reading statement.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub async fn fetch_all(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let (shared, after) = (
            Arc::clone(&self.shared),
            self.shared.options.transaction_timeout,
        );
        let key = statement.text();
        let query = statement.query(self.backend())?;
        let task = self.shared.tasks.spawn(async move {
            let answer = match shared.pools.readers.acquire().await {
                Ok(mut connection) => query.fetch_all(&mut *connection).await,
                Err(error) => Err(error),
            };
            answer
                .map(|rows| rows.into_iter().map(Row).collect())
                .map_err(|error| shared.named(StoreError::Database(error)))
        });
        match tokio::time::timeout(after, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::Panicked {
                key: key.to_owned(),
            }),
            Err(_) => Err(StoreError::Timeout {
                key: key.to_owned(),
                after,
            }),
        }
    }

    /// Runs one reading statement and returns its first row, if any.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub async fn fetch_optional(&self, statement: Statement) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(statement).await?.into_iter().next())
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.fetch_all(crate::sql("SELECT 1 AS one"))
            .await
            .map(|_| ())
    }

    /// Waits for running transactions and closes all connections.
    pub async fn close(&self) {
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.pools.readers.close().await;
        self.shared.pools.writers.close().await;
    }

    /// A transaction with its own deadline: for migrations.
    pub(crate) async fn transact_within<T, F>(
        &self,
        limit: Duration,
        key: String,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        self.run(Purpose::Write, limit, key, work).await
    }

    async fn run<T, F>(
        &self,
        purpose: Purpose,
        limit: Duration,
        key: String,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let stage = Arc::new(Stage::default());
        let run = Run {
            shared: Arc::clone(&self.shared),
            stage: Arc::clone(&stage),
            purpose,
            limit,
        };
        let task = self.shared.tasks.spawn(run.attempts(key.clone(), work));
        match tokio::time::timeout(limit, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) if stage.is_committing() => Err(StoreError::CommitUnknown { key }),
            Ok(Err(_)) => Err(StoreError::Panicked { key }),
            Err(_) if stage.abandon() => Err(StoreError::Timeout { key, after: limit }),
            Err(_) => Err(StoreError::CommitUnknown { key }),
        }
    }
}

impl Shared {
    pub(crate) fn pool(&self, purpose: Purpose) -> &Pool<Any> {
        match purpose {
            Purpose::Write => &self.pools.writers,
            Purpose::Read => &self.pools.readers,
        }
    }

    pub(crate) const fn begin(&self, purpose: Purpose) -> &'static str {
        match (self.target.backend(), purpose) {
            // Takes the write lock at once: a later upgrade could fail in the middle.
            (Backend::Sqlite, Purpose::Write) => "BEGIN IMMEDIATE",
            (Backend::Sqlite, Purpose::Read) => "BEGIN",
            (Backend::Postgres, Purpose::Write) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            (Backend::Postgres, Purpose::Read) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Gives errors their final names.
    pub(crate) fn named(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Database(sqlx::Error::PoolTimedOut) => StoreError::Busy {
                after: self.options.acquire_timeout,
            },
            StoreError::Database(source) if is_damage(&source) => StoreError::Damaged {
                url: self.target.shown(),
                source,
            },
            other => other,
        }
    }
}
