//! How a store is opened. Every bound of the crate is here.

use std::time::Duration;

/// Options of [`crate::Store::open`]; the defaults are those of the failure model.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Who connects: a service's name, seen in the database's activity views.
    pub application: String,
    /// Connections for transactions. SQLite always has one.
    pub writers_max: u32,
    /// Connections for reads.
    pub readers_max: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL works on one statement.
    pub statement_timeout: Duration,
    /// How long PostgreSQL waits for a row lock.
    pub lock_timeout: Duration,
    /// How long PostgreSQL lets a transaction idle.
    pub idle_in_transaction_timeout: Duration,
    /// How long SQLite waits for another process's write.
    pub busy_timeout: Duration,
    /// How long a caller waits for a whole transaction.
    pub transaction_timeout: Duration,
    /// How long a migration may take.
    pub migration_timeout: Duration,
    /// Accepts a PostgreSQL server that may lose confirmed commits. Never in live.
    pub relaxed_durability: bool,
}

impl StoreOptions {
    /// The defaults, for the service `application`.
    #[must_use]
    pub fn new(application: impl Into<String>) -> Self {
        Self {
            application: application.into(),
            writers_max: 8,
            readers_max: 4,
            acquire_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(2),
            lock_timeout: Duration::from_millis(500),
            idle_in_transaction_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
            transaction_timeout: Duration::from_secs(3),
            migration_timeout: Duration::from_secs(60),
            relaxed_durability: false,
        }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::new("ploy")
    }
}
