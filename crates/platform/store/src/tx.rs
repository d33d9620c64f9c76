//! One transaction in progress, as its closure sees it.

use crate::{Backend, Row, Statement, StoreError};
use sqlx::{Any, AssertSqlSafe, pool::PoolConnection};

/// A transaction. It ends when the closure ends; it is committed only if every statement succeeded.
pub struct Tx {
    pub(crate) connection: PoolConnection<Any>,
    pub(crate) backend: Backend,
    pub(crate) statement_failed: bool,
    pub(crate) rollback_only: bool,
    /// Whether it was committed or rolled back.
    pub(crate) ended: bool,
    /// Whether the connection can be replaced by another.
    pub(crate) replaceable: bool,
}

impl Drop for Tx {
    /// A transaction that did not end, because its closure panicked, ends with its connection.
    fn drop(&mut self) {
        if !self.ended && self.replaceable {
            self.connection.close_on_drop();
        }
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("backend", &self.backend)
            .field("statement_failed", &self.statement_failed)
            .field("rollback_only", &self.rollback_only)
            .finish_non_exhaustive()
    }
}

impl Tx {
    pub(crate) const fn new(
        connection: PoolConnection<Any>,
        backend: Backend,
        replaceable: bool,
    ) -> Self {
        Self {
            connection,
            backend,
            statement_failed: false,
            rollback_only: false,
            ended: false,
            replaceable,
        }
    }

    /// Which database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Ends this transaction with a rollback even if the closure returns a value: for a refusal
    /// that is found after something was written.
    pub const fn rollback_only(&mut self) {
        self.rollback_only = true;
    }

    /// Runs a statement and returns how many rows it changed. Every compare-and-set checks it.
    ///
    /// # Errors
    /// [`StoreError::Database`]; the transaction can then only be rolled back.
    pub async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let query = statement.query(self.backend)?;
        let answer = query.execute(&mut *self.connection).await;
        self.noted(answer).map(|done| done.rows_affected())
    }

    /// Runs a statement and returns all its rows. The statement bounds them by `LIMIT`.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_all(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let query = statement.query(self.backend)?;
        let answer = query.fetch_all(&mut *self.connection).await;
        self.noted(answer)
            .map(|rows| rows.into_iter().map(Row).collect())
    }

    /// Runs a statement and returns its first row, if any.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_optional(
        &mut self,
        statement: Statement,
    ) -> Result<Option<Row>, StoreError> {
        let query = statement.query(self.backend)?;
        let answer = query.fetch_optional(&mut *self.connection).await;
        self.noted(answer).map(|row| row.map(Row))
    }

    /// Runs a statement and returns its first row.
    ///
    /// # Errors
    /// As [`Self::execute`], and when there is no row.
    pub async fn fetch_one(&mut self, statement: Statement) -> Result<Row, StoreError> {
        let row = self.fetch_optional(statement).await?;
        row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    /// The database's own clock, in nanoseconds since 1970: the only clock of leases.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn now_ns(&mut self) -> Result<i64, StoreError> {
        let clock = match self.backend {
            Backend::Postgres => {
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) * 1000 AS now_ns"
            }
            Backend::Sqlite => {
                "SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) * 1000000 AS now_ns"
            }
        };
        self.fetch_one(crate::sql(clock)).await?.get("now_ns")
    }

    /// Runs a migration: several statements without parameters.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), StoreError> {
        let text = match self.backend {
            Backend::Postgres => text.to_owned(),
            Backend::Sqlite => text.replace("BYTEA", "BLOB"),
        };
        let answer = sqlx::raw_sql(AssertSqlSafe(text))
            .execute(&mut *self.connection)
            .await;
        self.noted(answer).map(|_| ())
    }

    fn noted<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        answer.map_err(|error| {
            self.statement_failed = true;
            StoreError::Database(error)
        })
    }
}
