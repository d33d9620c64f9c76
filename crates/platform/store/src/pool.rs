//! Opens the connections of a store and sets what every one of them must have.
//!
//! Writers and readers are separate, so that a long read never holds up a write; readers cannot
//! write. A connection to a server that comes back is rolled back before it is given out again,
//! because the driver can return one with a transaction left open.

use crate::{Backend, StoreError, StoreOptions, error, target::Target};
use sqlx::{
    Any, AnyConnection, AssertSqlSafe, ConnectOptions, Connection, Executor, Pool, Row,
    any::AnyConnectOptions, pool::PoolOptions,
};
use std::{str::FromStr, time::Duration};

/// A connection unused for this long is tested before it is used again.
const UNTESTED_IDLE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct Pools {
    pub(crate) writers: Pool<Any>,
    pub(crate) readers: Pool<Any>,
}

/// Whether a connection may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    Read,
}

pub(crate) async fn open(target: &Target, options: &StoreOptions) -> Result<Pools, StoreError> {
    sqlx::any::install_default_drivers();
    if let Target::File(path) = target {
        prepare_directory(target, path)?;
    }
    let url = target.driver_url();
    let connect = AnyConnectOptions::from_str(&url)
        .map_err(|e| StoreError::Url {
            url: target.shown(),
            reason: e.to_string(),
        })?
        .disable_statement_logging();
    if *target != Target::Memory {
        try_out(target, &connect, options).await?;
    }
    let (writers_max, readers_max) = match target.backend() {
        Backend::Sqlite => (1, options.readers_max),
        Backend::Postgres => (options.writers_max, options.readers_max),
    };
    let writers = pool(target, options, Access::Write)
        .max_connections(writers_max)
        .connect_lazy_with(connect.clone());
    let readers = match target {
        // A second connection would be a second, empty database.
        Target::Memory => writers.clone(),
        Target::File(_) | Target::Postgres(_) => pool(target, options, Access::Read)
            .max_connections(readers_max)
            .connect_lazy_with(connect),
    };
    Ok(Pools { writers, readers })
}

fn prepare_directory(target: &Target, path: &std::path::Path) -> Result<(), StoreError> {
    let failed = |advice, source: std::io::Error| StoreError::Open {
        url: target.shown(),
        advice,
        source: source.into(),
    };
    if path.is_dir() {
        let source = std::io::Error::from(std::io::ErrorKind::IsADirectory);
        return Err(failed("the path is a directory; name a file in it", source));
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent)
            .map_err(|e| failed("its directory is missing and cannot be created", e)),
        _ => Ok(()),
    }
}

/// Opens one connection outside the pool, whose own errors hide their cause behind a timeout.
async fn try_out(
    target: &Target,
    connect: &AnyConnectOptions,
    options: &StoreOptions,
) -> Result<(), StoreError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
        url: target.shown(),
        advice: match target.backend() {
            Backend::Sqlite => "check that its directory exists and is writable",
            Backend::Postgres => {
                "check that the server runs, the database exists and the user may log in"
            }
        },
        source,
    };
    let named = |error: sqlx::Error| {
        if error::is_damage(&error) {
            StoreError::Damaged {
                url: target.shown(),
                source: error,
            }
        } else {
            failed(error.into())
        }
    };
    let trial = async {
        let mut connection = AnyConnection::connect_with(connect).await.map_err(named)?;
        prepare(&mut connection, target, options, Access::Write)
            .await
            .map_err(named)?;
        match target.backend() {
            Backend::Sqlite => {
                // The first look into the file: it tells a damaged one.
                let schema = sqlx::query("SELECT CAST(COUNT(*) AS BIGINT) FROM sqlite_schema");
                schema.fetch_one(&mut connection).await.map_err(named)?;
            }
            Backend::Postgres => check_durability(target, options, &mut connection).await?,
        }
        connection.close().await.map_err(named)
    };
    let limit = options.acquire_timeout * 2;
    tokio::time::timeout(limit, trial)
        .await
        .unwrap_or_else(|elapsed| Err(failed(elapsed.into())))
}

/// A confirmed commit must survive a crash of the server and its host.
async fn check_durability(
    target: &Target,
    options: &StoreOptions,
    connection: &mut AnyConnection,
) -> Result<(), StoreError> {
    let wanted: [(&'static str, &'static str, &'static str, &[&str]); 3] = [
        ("fsync", "SHOW fsync", "on", &["on"]),
        ("full_page_writes", "SHOW full_page_writes", "on", &["on"]),
        (
            "synchronous_commit",
            "SHOW synchronous_commit",
            "on",
            &["on", "remote_apply"],
        ),
    ];
    for (setting, question, wanted, accepted) in wanted {
        let row = sqlx::query(question).fetch_one(&mut *connection).await?;
        let found: String = row.try_get(0)?;
        if accepted.contains(&found.as_str()) {
            continue;
        }
        if !options.relaxed_durability {
            return Err(StoreError::Durability {
                url: target.shown(),
                setting,
                found,
                wanted,
            });
        }
        tracing::warn!(
            setting,
            found,
            wanted,
            "the database may lose confirmed commits"
        );
    }
    Ok(())
}

fn pool(target: &Target, options: &StoreOptions, access: Access) -> PoolOptions<Any> {
    let backend = target.backend();
    let (target_of_pool, target, of_connection) = (target, target.clone(), options.clone());
    let pool = PoolOptions::new()
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let (target, options) = (target.clone(), of_connection.clone());
            Box::pin(async move { prepare(connection, &target, &options, access).await })
        })
        .before_acquire(move |connection: &mut AnyConnection, usage| {
            Box::pin(async move {
                let stale = backend == Backend::Postgres && usage.idle_for > UNTESTED_IDLE_MAX;
                Ok(!stale || connection.ping().await.is_ok())
            })
        });
    let pool = match target_of_pool {
        // A transaction of ours ends, or its connection does; the local driver adds no surprise.
        Target::File(_) => pool,
        Target::Memory | Target::Postgres(_) => pool.after_release(move |connection, _| {
            Box::pin(async move { Ok(roll_back(connection, backend).await.is_ok()) })
        }),
    };
    match backend {
        // A file needs no rotation of connections, and memory would not survive one.
        Backend::Sqlite => pool.max_lifetime(None).idle_timeout(None),
        Backend::Postgres => pool,
    }
}

/// Ends whatever transaction is open.
pub(crate) async fn roll_back(
    connection: &mut AnyConnection,
    backend: Backend,
) -> Result<(), sqlx::Error> {
    match connection.execute("ROLLBACK").await {
        Ok(_) => Ok(()),
        // PostgreSQL only warns when there is nothing to roll back.
        Err(error)
            if backend == Backend::Sqlite
                && error.to_string().contains("no transaction is active") =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Sets what a new connection must have.
async fn prepare(
    connection: &mut AnyConnection,
    target: &Target,
    options: &StoreOptions,
    access: Access,
) -> Result<(), sqlx::Error> {
    match target.backend() {
        Backend::Sqlite => prepare_sqlite(connection, target, options, access).await,
        Backend::Postgres => prepare_postgres(connection, options, access).await,
    }
}

async fn prepare_sqlite(
    connection: &mut AnyConnection,
    target: &Target,
    options: &StoreOptions,
    access: Access,
) -> Result<(), sqlx::Error> {
    let busy = format!("PRAGMA busy_timeout = {}", options.busy_timeout.as_millis());
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(busy)))
        .await?;
    let journal = match target {
        Target::Memory => "PRAGMA journal_mode = MEMORY",
        Target::File(_) | Target::Postgres(_) => "PRAGMA journal_mode = WAL",
    };
    connection.execute(journal).await?;
    // NORMAL would lose the last commits on a power failure.
    connection.execute("PRAGMA synchronous = FULL").await?;
    connection.execute("PRAGMA foreign_keys = ON").await?;
    if access == Access::Read {
        connection.execute("PRAGMA query_only = ON").await?;
    }
    Ok(())
}

async fn prepare_postgres(
    connection: &mut AnyConnection,
    options: &StoreOptions,
    access: Access,
) -> Result<(), sqlx::Error> {
    let read_only = match access {
        Access::Write => "off",
        Access::Read => "on",
    };
    // Notices are off because a ROLLBACK without transaction, sent at each release, gives one.
    let settings = format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = {}; \
         SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; \
         SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000; \
         SET client_connection_check_interval = 5000; \
         SET client_min_messages = error; SET default_transaction_read_only = {read_only}",
        options.statement_timeout.as_millis(),
        options.lock_timeout.as_millis(),
        options.idle_in_transaction_timeout.as_millis(),
    );
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(settings)))
        .await?;
    let name = sqlx::query("SELECT set_config('application_name', $1, false)");
    name.bind(options.application.as_str())
        .execute(&mut *connection)
        .await?;
    Ok(())
}
