//! All SQL of risk: trading states with their history, and the versions of the limits.

use ploy_domain::{Scope, Timestamp};
use ploy_risk_core::{Limits, StateEntry, TradingStates};
use ploy_store::{Migration, Row, Store, StoreError, lease, sql};

/// The schema of this service's own tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "risk",
    up_sql: include_str!("../migrations/001_risk.up.sql"),
    down_sql: include_str!("../migrations/001_risk.down.sql"),
}];

/// The database of the risk service.
#[derive(Debug, Clone)]
pub struct RiskStore {
    store: Store,
}

/// One change of a trading state, for the record.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) epoch: u64,
    pub(crate) scope: Scope,
    pub(crate) entry: StateEntry,
    pub(crate) actor: String,
    pub(crate) trip_id: String,
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl RiskStore {
    /// Migrates the tables that risk needs.
    ///
    /// # Errors
    /// [`StoreError`] when the schema is unknown or cannot be changed.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        store.migrate(lease::COMPONENT, lease::MIGRATIONS).await?;
        store.migrate("risk", MIGRATIONS).await?;
        Ok(Self { store })
    }

    /// The database itself, for the lease.
    #[must_use]
    pub const fn database(&self) -> &Store {
        &self.store
    }

    /// The trading states as they were left.
    pub(crate) async fn states(&self) -> Result<TradingStates, StoreError> {
        let rows = self
            .store
            .fetch_all(sql("SELECT * FROM risk_states WHERE state <> 'active'"))
            .await?;
        let newest = "SELECT epoch FROM risk_state_changes ORDER BY epoch DESC LIMIT 1";
        let newest = self.store.fetch_optional(sql(newest)).await?;
        let epoch: i64 = newest.map(|row| row.get("epoch")).transpose()?.unwrap_or(0);
        let entries = rows.iter().map(state_row).collect::<Result<Vec<_>, _>>()?;
        Ok(TradingStates::restored(epoch.unsigned_abs(), entries))
    }

    /// Records a change under the service's fencing epoch; writing it twice changes nothing.
    pub(crate) async fn record(
        &self,
        change: Change,
        shard: (String, i64),
    ) -> Result<(), StoreError> {
        let key = format!("risk-state@{}", change.epoch);
        self.store
            .transact(key, move |tx| {
                let (change, shard) = (change.clone(), shard.clone());
                Box::pin(async move {
                    lease::check(tx, &shard.0, shard.1).await?;
                    let history = "INSERT INTO risk_state_changes (epoch, scope, state, killed, \
                         reason, actor, trip_id, at_ns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
                    let entry = &change.entry;
                    let history = sql(history)
                        .bind(signed(change.epoch))
                        .bind(change.scope.to_string())
                        .bind(entry.state.word())
                        .bind(i64::from(entry.killed))
                        .bind(entry.reason.as_str())
                        .bind(change.actor.as_str())
                        .bind(change.trip_id.as_str())
                        .bind(entry.since.as_nanos());
                    tx.execute(history).await?;
                    let state = "INSERT INTO risk_states (scope, state, killed, reason, since_ns, \
                         epoch) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (scope) DO UPDATE SET \
                         state = excluded.state, killed = excluded.killed, \
                         reason = excluded.reason, since_ns = excluded.since_ns, \
                         epoch = excluded.epoch";
                    let state = sql(state)
                        .bind(change.scope.to_string())
                        .bind(entry.state.word())
                        .bind(i64::from(entry.killed))
                        .bind(entry.reason.as_str())
                        .bind(entry.since.as_nanos())
                        .bind(signed(change.epoch));
                    tx.execute(state).await.map(|_| ())
                })
            })
            .await
    }

    /// The version of these limits: the newest stored one when nothing changed, else a new one.
    pub(crate) async fn version_of(
        &self,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let named = limits.named();
        self.store
            .transact("risk-limits", move |tx| {
                let named = named.clone();
                Box::pin(async move {
                    let newest = "SELECT version, name, value FROM risk_limits WHERE version = \
                         (SELECT COALESCE(MAX(version), 0) FROM risk_limits) ORDER BY name";
                    let rows = tx.fetch_all(sql(newest)).await?;
                    let version: i64 = rows
                        .first()
                        .map(|row| row.get("version"))
                        .transpose()?
                        .unwrap_or(0);
                    let stored = rows
                        .iter()
                        .map(|row| Ok((row.get::<String>("name")?, row.get::<String>("value")?)))
                        .collect::<Result<Vec<_>, StoreError>>()?;
                    let is_same = stored.len() == named.len()
                        && stored.iter().all(|(name, value)| {
                            named.iter().any(|(n, v)| n == name && v == value)
                        });
                    if is_same {
                        return Ok(version.unsigned_abs());
                    }
                    for (name, value) in &named {
                        let insert = "INSERT INTO risk_limits (version, name, value, since_ns) \
                             VALUES ($1, $2, $3, $4)";
                        let insert = sql(insert)
                            .bind(version + 1)
                            .bind(*name)
                            .bind(value.as_str())
                            .bind(now.as_nanos());
                        tx.execute(insert).await?;
                    }
                    Ok(version.unsigned_abs() + 1)
                })
            })
            .await
    }
}

fn state_row(row: &Row) -> Result<(Scope, StateEntry), StoreError> {
    let (scope, state): (String, String) = (row.get("scope")?, row.get("state")?);
    let damaged = |what: &str| StoreError::abandoned(format!("stored {what} is damaged"));
    let entry = StateEntry {
        state: state.parse().map_err(|_| damaged("trading state"))?,
        killed: row.get::<i64>("killed")? != 0,
        reason: row.get("reason")?,
        since: Timestamp::from_nanos(row.get("since_ns")?),
    };
    Ok((scope.parse().map_err(|_| damaged("scope"))?, entry))
}
