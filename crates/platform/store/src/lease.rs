//! Who leads a shard: a row with an epoch, judged by the database's clock alone.
//!
//! Decides who holds a shard and until when; taking it over raises the epoch, by which every write
//! of the old holder is refused. How long a holder may still act is counted on its own monotonic
//! clock from before the request that renewed the lease, so that no delay makes it longer.

use crate::{Migration, Store, StoreError, Tx, sql};
use std::time::{Duration, Instant};

/// The name of this component's migrations: `store.migrate(COMPONENT, MIGRATIONS)`.
pub const COMPONENT: &str = "lease";

/// The table `leases`.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "leases by shard",
    up_sql: include_str!("../migrations/lease_0001.up.sql"),
    down_sql: include_str!("../migrations/lease_0001.down.sql"),
}];

/// With less time left than this, a holder starts nothing that leaves the house.
pub const SEND_MARGIN: Duration = Duration::from_secs(2);
/// With less time left than this, a holder only reads.
pub const WRITE_MARGIN: Duration = Duration::from_secs(1);

/// A shard and the process that wants or has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is led: `execution-0`.
    pub shard: String,
    /// Who wants it: a name that no other start of any process has.
    pub holder: String,
}

/// A lease that this process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLease {
    /// What is led, and the name it is led under.
    pub claim: Claim,
    /// The fencing epoch: every write carries it.
    pub epoch: i64,
    valid_until: Instant,
}

impl HeldLease {
    /// Leadership that nobody can contest, for a process without a database to share.
    #[must_use]
    pub fn uncontested(claim: Claim) -> Self {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
        Self {
            claim,
            epoch: 1,
            valid_until: Instant::now() + CENTURY,
        }
    }

    /// How long it surely lasts.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.valid_until.saturating_duration_since(Instant::now())
    }

    /// Whether there is time to start something at a venue.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.remaining() >= SEND_MARGIN
    }

    /// Whether there is time to write.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.remaining() >= WRITE_MARGIN
    }
}

/// A lease as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Who holds or held it; empty after a release.
    pub holder: String,
    /// Its epoch.
    pub epoch: i64,
    /// When it ends or ended, by the database's clock.
    pub expires_at_ns: i64,
    /// The database's clock when it was read.
    pub now_ns: i64,
}

impl LeaseRow {
    /// Whether somebody holds it.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.expires_at_ns > self.now_ns
    }
}

/// The answer to [`acquire`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// It is ours, under a new epoch.
    Taken(HeldLease),
    /// Somebody holds it.
    HeldBy(LeaseRow),
}

/// Takes the lease if nobody holds it. The epoch rises with every taking, also by the same holder.
///
/// # Errors
/// As [`Store::transact`]; after an unknown commit it is simply tried again.
pub async fn acquire(store: &Store, claim: &Claim, ttl: Duration) -> Result<Acquired, StoreError> {
    let asked = Instant::now();
    let wanted = claim.clone();
    let outcome = store
        .transact(format!("lease:{}:acquire", claim.shard), move |tx| {
            let wanted = wanted.clone();
            Box::pin(async move { take(tx, &wanted, ttl).await })
        })
        .await?;
    Ok(match outcome {
        Ok(epoch) => Acquired::Taken(HeldLease {
            claim: claim.clone(),
            epoch,
            valid_until: asked + ttl,
        }),
        Err(row) => Acquired::HeldBy(row),
    })
}

async fn take(
    tx: &mut Tx,
    claim: &Claim,
    ttl: Duration,
) -> Result<Result<i64, LeaseRow>, StoreError> {
    let shard = claim.shard.as_str();
    // Looked at without a lock first: those who wait must not hold up the leader's writes.
    if let Some(row) = lease_of(tx, SELECT, shard).await?
        && row.is_held()
    {
        return Ok(Err(row));
    }
    let insert = "INSERT INTO leases (shard, holder, epoch, expires_at_ns) VALUES ($1, '', 0, 0) \
                  ON CONFLICT (shard) DO NOTHING";
    tx.execute(sql(insert).bind(shard)).await?;
    let Some(row) = lease_of(tx, SELECT_LOCKED, shard).await? else {
        return Err(StoreError::Database(sqlx::Error::RowNotFound));
    };
    if row.is_held() {
        return Ok(Err(row));
    }
    let epoch = row.epoch + 1;
    let update = "UPDATE leases SET holder = $1, epoch = $2, expires_at_ns = $3 WHERE shard = $4";
    let update = sql(update)
        .bind(claim.holder.as_str())
        .bind(epoch)
        .bind(row.now_ns.saturating_add(nanos(ttl)))
        .bind(shard);
    tx.execute(update).await?;
    Ok(Ok(epoch))
}

/// Extends a lease that nobody has taken over meanwhile.
///
/// # Errors
/// [`StoreError::Fenced`] when somebody has: it is lost. Otherwise as [`Store::transact`], and the
/// lease keeps its old end.
pub async fn renew(
    store: &Store,
    lease: &HeldLease,
    ttl: Duration,
) -> Result<HeldLease, StoreError> {
    let asked = Instant::now();
    let held = lease.clone();
    store
        .transact(
            format!("lease:{}:renew:{}", lease.claim.shard, lease.epoch),
            move |tx| {
                let held = held.clone();
                Box::pin(async move {
                    // The clock before the row: an end computed too early is on the safe side.
                    let end = tx.now_ns().await?.saturating_add(nanos(ttl));
                    let update = "UPDATE leases SET expires_at_ns = $1 \
                              WHERE shard = $2 AND epoch = $3 AND holder = $4";
                    let update = sql(update)
                        .bind(end)
                        .bind(held.claim.shard.as_str())
                        .bind(held.epoch)
                        .bind(held.claim.holder.as_str());
                    match tx.execute(update).await? {
                        0 => Err(lost(tx, &held).await?),
                        _ => Ok(()),
                    }
                })
            },
        )
        .await?;
    Ok(HeldLease {
        valid_until: asked + ttl,
        ..lease.clone()
    })
}

/// Gives a lease back, so that a successor need not wait for its end. One that was taken over
/// meanwhile is left alone.
///
/// # Errors
/// As [`Store::transact`].
pub async fn release(store: &Store, lease: &HeldLease) -> Result<(), StoreError> {
    let held = lease.clone();
    store
        .transact(
            format!("lease:{}:release:{}", lease.claim.shard, lease.epoch),
            move |tx| {
                let held = held.clone();
                Box::pin(async move {
                    let update = "UPDATE leases SET holder = '', expires_at_ns = 0 \
                              WHERE shard = $1 AND epoch = $2 AND holder = $3";
                    let update = sql(update)
                        .bind(held.claim.shard)
                        .bind(held.epoch)
                        .bind(held.claim.holder);
                    tx.execute(update).await.map(|_| ())
                })
            },
        )
        .await
}

/// Ends every lease in the database: for a process that proved, by a lock of its own, that nobody
/// else can use it. What a killed predecessor held would otherwise have to run out first. Epochs
/// stay, so that the next leader is fenced off from it all the same.
///
/// # Errors
/// As [`Store::transact`].
pub async fn end_all(store: &Store) -> Result<(), StoreError> {
    store
        .transact("lease:end-all", |tx| {
            Box::pin(async move {
                let update = "UPDATE leases SET holder = '', expires_at_ns = 0";
                tx.execute(sql(update)).await.map(|_| ())
            })
        })
        .await
}

/// Who holds a shard; `None` when nobody ever did.
///
/// # Errors
/// As [`Store::snapshot`].
pub async fn current(store: &Store, shard: &str) -> Result<Option<LeaseRow>, StoreError> {
    let shard = shard.to_owned();
    store
        .snapshot(format!("lease:{shard}:current"), move |tx| {
            let shard = shard.clone();
            Box::pin(async move { lease_of(tx, SELECT, &shard).await })
        })
        .await
}

/// Makes the rest of `tx` depend on this epoch being in force: a take-over waits for its end, a
/// renewal does not (it changes no key, so it does not meet this lock).
///
/// # Errors
/// [`StoreError::Fenced`] when another epoch rules.
pub async fn check(tx: &mut Tx, shard: &str, epoch: i64) -> Result<(), StoreError> {
    let select = "SELECT epoch FROM leases WHERE shard = $1 FOR KEY SHARE";
    let row = tx.fetch_optional(sql(select).bind(shard)).await?;
    let current = row.map_or(Ok(0), |row| row.get("epoch"))?;
    if current == epoch {
        Ok(())
    } else {
        Err(StoreError::Fenced {
            scope: shard.to_owned(),
            held: epoch,
            current,
        })
    }
}

const SELECT: &str = "SELECT holder, epoch, expires_at_ns FROM leases WHERE shard = $1";
const SELECT_LOCKED: &str =
    "SELECT holder, epoch, expires_at_ns FROM leases WHERE shard = $1 FOR UPDATE";

/// Reads a lease, and the clock after it: waiting for the lock may have taken a while.
async fn lease_of(
    tx: &mut Tx,
    select: &'static str,
    shard: &str,
) -> Result<Option<LeaseRow>, StoreError> {
    let Some(row) = tx.fetch_optional(sql(select).bind(shard)).await? else {
        return Ok(None);
    };
    Ok(Some(LeaseRow {
        holder: row.get("holder")?,
        epoch: row.get("epoch")?,
        expires_at_ns: row.get("expires_at_ns")?,
        now_ns: tx.now_ns().await?,
    }))
}

async fn lost(tx: &mut Tx, held: &HeldLease) -> Result<StoreError, StoreError> {
    let row = tx
        .fetch_optional(sql(SELECT).bind(held.claim.shard.as_str()))
        .await?;
    let current = row.map_or(Ok(0), |row| row.get("epoch"))?;
    Ok(StoreError::Fenced {
        scope: held.claim.shard.clone(),
        held: held.epoch,
        current,
    })
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}
