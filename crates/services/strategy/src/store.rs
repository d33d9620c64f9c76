//! All SQL of the strategy service: the decision sequence of each instance.

use ploy_domain::{StrategyId, Timestamp};
use ploy_store::{Migration, Store, StoreError, lease, sql};

/// The schema of this service's own tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "strategy",
    up_sql: include_str!("../migrations/001_strategy.up.sql"),
    down_sql: include_str!("../migrations/001_strategy.down.sql"),
}];

/// Where the decisions of instances are remembered.
#[derive(Debug, Clone)]
pub enum Decisions {
    /// In the database.
    Durable(Store),
    /// Nowhere: for measuring the path without the durable write. Never for trading.
    Volatile,
}

impl Decisions {
    /// Migrates the tables that strategies need.
    ///
    /// # Errors
    /// [`StoreError`] when the schema is unknown or cannot be changed.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        store.migrate(lease::COMPONENT, lease::MIGRATIONS).await?;
        store.migrate("strategy", MIGRATIONS).await?;
        Ok(Self::Durable(store))
    }

    /// The last decision of an instance; 0 before the first.
    pub(crate) async fn last(&self, instance: &StrategyId) -> Result<u64, StoreError> {
        let Self::Durable(store) = self else {
            return Ok(0);
        };
        let text = "SELECT decision_sequence FROM strategy_decisions WHERE instance = $1";
        let row = store
            .fetch_optional(sql(text).bind(instance.as_str()))
            .await?;
        let last: Option<i64> = row.map(|row| row.get("decision_sequence")).transpose()?;
        Ok(last.unwrap_or(0).unsigned_abs())
    }

    /// Makes a decision durable, under the fencing epoch of the instance's lease.
    pub(crate) async fn record(
        &self,
        instance: StrategyId,
        sequence: u64,
        (shard, epoch): (String, i64),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Self::Durable(store) = self else {
            return Ok(());
        };
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        store
            .transact(format!("decision:{instance}:{sequence}"), move |tx| {
                let shard = shard.clone();
                Box::pin(async move {
                    lease::check(tx, &shard, epoch).await?;
                    let text = "INSERT INTO strategy_decisions (instance, decision_sequence, \
                         at_ns) VALUES ($1, $2, $3) ON CONFLICT (instance) DO UPDATE SET \
                         decision_sequence = excluded.decision_sequence, at_ns = excluded.at_ns";
                    let statement = sql(text)
                        .bind(instance.as_str())
                        .bind(sequence)
                        .bind(now.as_nanos());
                    tx.execute(statement).await.map(|_| ())
                })
            })
            .await
    }
}
