//! What can go wrong with the store, and what its caller may believe and do then.

use std::time::Duration;

/// What a caller may do after a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Nothing was written; the same transaction may succeed later.
    Later,
    /// It may have been written: read it back by its key on a new connection, then decide.
    ReadBack,
    /// It will fail the same way again.
    Never,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no store.
    #[error("store url '{url}': {reason}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// The database cannot be opened.
    #[error("cannot open the store '{url}': {advice}")]
    Open {
        /// The URL without its password.
        url: String,
        /// What to look at.
        advice: &'static str,
        /// What the driver reported.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is damaged or is no database.
    #[error(
        "the store '{url}' is damaged or not a database; keep the file and restore it from a backup"
    )]
    Damaged {
        /// The URL.
        url: String,
        /// What the driver reported.
        #[source]
        source: sqlx::Error,
    },
    /// The server may lose confirmed commits.
    #[error("the store '{url}' runs with {setting} = {found}; it has to be {wanted}")]
    Durability {
        /// The URL without its password.
        url: String,
        /// The server's setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value it needs.
        wanted: &'static str,
    },
    /// No connection was free in time. Nothing was written.
    #[error("no connection to the store was free within {} ms", after.as_millis())]
    Busy {
        /// How long the caller waited.
        after: Duration,
    },
    /// The transaction did not get as far as its commit in time. It never will: nothing was
    /// written.
    #[error("transaction '{key}' was given up after {} ms, before its commit", after.as_millis())]
    Timeout {
        /// The transaction's key.
        key: String,
        /// How long the caller waited.
        after: Duration,
    },
    /// The commit was sent and not confirmed: it may have happened.
    #[error("the commit of transaction '{key}' was not confirmed; read it back before deciding")]
    CommitUnknown {
        /// The transaction's key, by which its effect can be found.
        key: String,
    },
    /// A statement failed. Nothing was written.
    #[error("a statement failed")]
    Database(#[source] sqlx::Error),
    /// A statement failed, and the closure went on all the same. Nothing was written.
    #[error("transaction '{key}' ignored a failed statement")]
    FailedStatementIgnored {
        /// The transaction's key.
        key: String,
    },
    /// The closure gave up for a reason of its own. Nothing was written.
    #[error("the transaction was given up by its caller")]
    Abandoned(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The closure panicked. Nothing was written.
    #[error("transaction '{key}' panicked")]
    Panicked {
        /// The transaction's key.
        key: String,
    },
    /// The account's log has moved on: somebody else appended.
    #[error("the log of account '{account}' is at {found}, not at {expected}")]
    HeadMoved {
        /// The account.
        account: String,
        /// Where the writer thought it was.
        expected: i64,
        /// Where it is.
        found: i64,
    },
    /// A newer leader exists: this one must stop writing.
    #[error("epoch {held} of '{scope}' is over; epoch {current} rules")]
    Fenced {
        /// The account or shard.
        scope: String,
        /// The writer's epoch.
        held: i64,
        /// The epoch in force.
        current: i64,
    },
    /// A migration in the database is not the one of this program.
    #[error("migration {version} of '{component}' was applied with another text")]
    MigrationChanged {
        /// Whose migration.
        component: String,
        /// Its version.
        version: i64,
    },
    /// The database is newer than this program.
    #[error(
        "the store has migration {version} of '{component}', which this program does not know; run a newer version"
    )]
    MigrationUnknown {
        /// Whose migration.
        component: String,
        /// Its version.
        version: i64,
    },
    /// The list of migrations of a component is not ascending.
    #[error("migration {version} of '{component}' is not in ascending order")]
    MigrationOrder {
        /// Whose migration.
        component: String,
        /// The offending version.
        version: i64,
    },
}

impl StoreError {
    /// Wraps a closure's own reason to give up.
    pub fn abandoned(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Abandoned(reason.into())
    }

    /// What the caller may do about it.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::CommitUnknown { .. } => Retry::ReadBack,
            Self::Open { .. } | Self::Busy { .. } | Self::Timeout { .. } => Retry::Later,
            Self::Database(error) if is_transient(error) => Retry::Later,
            Self::Database(_)
            | Self::Url { .. }
            | Self::Damaged { .. }
            | Self::Durability { .. }
            | Self::FailedStatementIgnored { .. }
            | Self::Abandoned(_)
            | Self::Panicked { .. }
            | Self::HeadMoved { .. }
            | Self::Fenced { .. }
            | Self::MigrationChanged { .. }
            | Self::MigrationUnknown { .. }
            | Self::MigrationOrder { .. } => Retry::Never,
        }
    }

    /// Whether a unique constraint was violated: the row exists already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        match self {
            Self::Database(error) => error
                .as_database_error()
                .is_some_and(|reason| reason.is_unique_violation()),
            _ => false,
        }
    }

    /// Whether the whole transaction may run again at once (40001, 40P01; SQLite's busy).
    pub(crate) fn is_serialization_failure(&self) -> bool {
        matches!(self, Self::Database(error) if is_conflict(error))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// The database's code of an error: five characters of PostgreSQL, a number of SQLite.
fn code(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()?
        .code()
        .map(std::borrow::Cow::into_owned)
}

/// SQLite's primary result code: the low byte of the extended one.
fn sqlite_code(code: &str) -> Option<i64> {
    // PostgreSQL's codes have five characters, SQLite's extended ones four digits at most.
    if code.len() >= 5 {
        None
    } else {
        code.parse::<i64>().ok().map(|code| code & 0xff)
    }
}

fn is_conflict(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: i64 = 5;
    code(error).is_some_and(|code| {
        matches!(code.as_str(), "40001" | "40P01") || sqlite_code(&code) == Some(SQLITE_BUSY)
    })
}

fn is_transient(error: &sqlx::Error) -> bool {
    // Lock and statement timeouts, and servers that start or stop.
    let temporary = |code: String| {
        matches!(code.as_str(), "55P03" | "57014")
            || code.starts_with("57P")
            || code.starts_with("53")
    };
    is_connection_lost(error) || is_conflict(error) || code(error).is_some_and(temporary)
}

/// Whether the connection, not the statement, failed.
pub(crate) fn is_connection_lost(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
    ) || code(error).is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
}

/// Whether a failed commit is known to have been rolled back: a conflict, a violated constraint, a
/// full disk that SQLite noticed in time. Everything else is unknown, 40003 by its very name.
pub(crate) fn is_refused_commit(error: &sqlx::Error) -> bool {
    const SQLITE_FULL: i64 = 13;
    const SQLITE_CONSTRAINT: i64 = 19;
    is_conflict(error)
        || code(error).is_some_and(|code| {
            (code.len() == 5
                && (code.starts_with("23") || code.starts_with("40"))
                && code != "40003")
                || matches!(sqlite_code(&code), Some(SQLITE_FULL | SQLITE_CONSTRAINT))
        })
}

/// Whether the file itself is bad.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    const SQLITE_CORRUPT: i64 = 11;
    const SQLITE_NOTADB: i64 = 26;
    code(error)
        .and_then(|code| sqlite_code(&code))
        .is_some_and(|code| matches!(code, SQLITE_CORRUPT | SQLITE_NOTADB))
}
