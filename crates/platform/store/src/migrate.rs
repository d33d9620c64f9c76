//! Brings a component's tables to the version this program knows, or refuses to start.

use crate::{Backend, Store, StoreError, Tx, sql};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// One step of a component's schema. Texts are embedded with `include_str!`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Ascending from 1.
    pub version: i64,
    /// What it does, in a few words.
    pub name: &'static str,
    /// The statements that apply it.
    pub up_sql: &'static str,
    /// The statements that take it back.
    pub down_sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> String {
        let digest = Sha256::digest(self.up_sql.replace("\r\n", "\n").as_bytes());
        digest
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

/// Serialises runners of all components on a PostgreSQL server.
const ADVISORY_LOCK: i64 = 0x706c_6f79_6d69_6772;

impl Store {
    /// Applies the migrations of `component` that are missing, all in one transaction and under a
    /// lock, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::MigrationUnknown`] on a database newer than this program,
    /// [`StoreError::MigrationChanged`] when an applied text differs: start-up errors both.
    pub async fn migrate(
        &self,
        component: &'static str,
        migrations: &'static [Migration],
    ) -> Result<usize, StoreError> {
        check_order(component, migrations)?;
        let limit = self.options().migration_timeout;
        self.transact_within(limit, format!("migrate:{component}"), move |tx| {
            Box::pin(async move {
                prepare(tx).await?;
                let applied = applied(tx, component).await?;
                check_applied(component, migrations, &applied)?;
                let mut count = 0;
                for migration in &migrations[applied.len()..] {
                    apply(tx, component, migration).await?;
                    count += 1;
                }
                Ok(count)
            })
        })
        .await
    }

    /// Takes back the migrations of `component` above `version`, newest first, and returns how
    /// many there were.
    ///
    /// # Errors
    /// As [`Self::migrate`].
    pub async fn revert(
        &self,
        component: &'static str,
        migrations: &'static [Migration],
        version: i64,
    ) -> Result<usize, StoreError> {
        check_order(component, migrations)?;
        let limit = self.options().migration_timeout;
        self.transact_within(limit, format!("revert:{component}"), move |tx| {
            Box::pin(async move {
                prepare(tx).await?;
                let applied = applied(tx, component).await?;
                check_applied(component, migrations, &applied)?;
                let mut count = 0;
                for migration in migrations[..applied.len()].iter().rev() {
                    if migration.version > version {
                        tx.script(migration.down_sql).await?;
                        let row =
                            "DELETE FROM schema_migrations WHERE component = $1 AND version = $2";
                        tx.execute(sql(row).bind(component).bind(migration.version))
                            .await?;
                        count += 1;
                    }
                }
                Ok(count)
            })
        })
        .await
    }
}

/// Takes the lock and makes the table of migrations.
async fn prepare(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.backend() == Backend::Postgres {
        tx.script("SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '60s'")
            .await?;
        tx.execute(sql("SELECT pg_advisory_xact_lock($1)").bind(ADVISORY_LOCK))
            .await?;
    }
    tx.script(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            component     TEXT   NOT NULL,
            version       BIGINT NOT NULL,
            name          TEXT   NOT NULL,
            checksum      TEXT   NOT NULL,
            applied_at_ns BIGINT NOT NULL,
            PRIMARY KEY (component, version)
        )",
    )
    .await
}

async fn apply(tx: &mut Tx, component: &str, migration: &Migration) -> Result<(), StoreError> {
    tx.script(migration.up_sql).await?;
    let now = tx.now_ns().await?;
    let row = "INSERT INTO schema_migrations (component, version, name, checksum, applied_at_ns) \
               VALUES ($1, $2, $3, $4, $5)";
    let row = sql(row)
        .bind(component)
        .bind(migration.version)
        .bind(migration.name)
        .bind(migration.checksum())
        .bind(now);
    tx.execute(row).await?;
    tracing::info!(
        component,
        version = migration.version,
        name = migration.name,
        "migrated"
    );
    Ok(())
}

/// The applied versions and checksums, ascending.
async fn applied(tx: &mut Tx, component: &str) -> Result<Vec<(i64, String)>, StoreError> {
    let rows =
        "SELECT version, checksum FROM schema_migrations WHERE component = $1 ORDER BY version";
    let rows = tx.fetch_all(sql(rows).bind(component)).await?;
    rows.iter()
        .map(|row| Ok((row.get("version")?, row.get("checksum")?)))
        .collect()
}

fn check_order(component: &str, migrations: &[Migration]) -> Result<(), StoreError> {
    for pair in migrations.windows(2) {
        if pair[1].version <= pair[0].version {
            let (component, version) = (component.to_owned(), pair[1].version);
            return Err(StoreError::MigrationOrder { component, version });
        }
    }
    Ok(())
}

/// What is applied has to be the beginning of what is known, text by text.
fn check_applied(
    component: &str,
    migrations: &[Migration],
    applied: &[(i64, String)],
) -> Result<(), StoreError> {
    let component = || component.to_owned();
    for (at, (version, checksum)) in applied.iter().enumerate() {
        let Some(known) = migrations.iter().find(|known| known.version == *version) else {
            return Err(StoreError::MigrationUnknown {
                component: component(),
                version: *version,
            });
        };
        if known.checksum() != *checksum {
            return Err(StoreError::MigrationChanged {
                component: component(),
                version: *version,
            });
        }
        if migrations[at].version != *version {
            let version = migrations[at].version;
            return Err(StoreError::MigrationOrder {
                component: component(),
                version,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(version: i64, up_sql: &'static str) -> Migration {
        Migration {
            version,
            name: "step",
            up_sql,
            down_sql: "",
        }
    }

    fn done(migration: &Migration) -> (i64, String) {
        (migration.version, migration.checksum())
    }

    #[test]
    fn a_prefix_of_the_known_migrations_is_fine() {
        let known = [step(1, "a"), step(2, "b")];
        assert!(check_applied("c", &known, &[]).is_ok());
        assert!(check_applied("c", &known, &[done(&known[0])]).is_ok());
    }

    #[test]
    fn newer_changed_and_skipped_migrations_are_refused() {
        let known = [step(1, "a"), step(2, "b")];
        let newer = [done(&known[0]), done(&known[1]), done(&step(3, "c"))];
        let refused = check_applied("c", &known, &newer);
        assert!(matches!(
            refused,
            Err(StoreError::MigrationUnknown { version: 3, .. })
        ));
        let refused = check_applied("c", &known, &[done(&step(1, "other"))]);
        assert!(matches!(
            refused,
            Err(StoreError::MigrationChanged { version: 1, .. })
        ));
        let refused = check_applied("c", &known, &[done(&known[1])]);
        assert!(matches!(
            refused,
            Err(StoreError::MigrationOrder { version: 1, .. })
        ));
    }

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        assert_eq!(step(1, "a\r\nb").checksum(), step(1, "a\nb").checksum());
    }
}
