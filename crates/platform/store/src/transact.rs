//! The only way to write: begin, statements and commit in a task that nobody can cancel.
//!
//! The driver is not safe against cancellation: a dropped `begin` or `commit` leaves a connection
//! whose next user believes in writes that never happen. So the work runs in a task of its own and
//! the caller's deadline is on its handle. A stage shared by both says whether a caller that gave
//! up came before the commit (then it never happens) or after (then it is unknown).

use crate::{
    Backend, BoxFuture, StoreError, Tx,
    error::{is_connection_lost, is_refused_commit},
    pool,
    store::Shared,
    target::Target,
};
use sqlx::{Any, Executor};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// How often a transaction is tried when the database reports a conflict.
const ATTEMPTS_MAX: u32 = 3;
/// The pause before a second attempt; doubled for the third, with jitter.
const CONFLICT_PAUSE: Duration = Duration::from_millis(20);

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// How far a transaction has come, seen by its task and by the caller who may give up.
#[derive(Debug, Default)]
pub(crate) struct Stage(AtomicU8);

impl Stage {
    const WORKING: u8 = 0;
    const COMMITTING: u8 = 1;
    const ABANDONED: u8 = 2;

    fn leave_working_for(&self, next: u8) -> bool {
        let (success, failure) = (Ordering::SeqCst, Ordering::SeqCst);
        self.0
            .compare_exchange(Self::WORKING, next, success, failure)
            .is_ok()
    }

    /// The task is about to commit; false when its caller gave up before.
    fn enter_commit(&self) -> bool {
        self.leave_working_for(Self::COMMITTING)
    }

    /// The caller gives up; false when the commit was sent already.
    pub(crate) fn abandon(&self) -> bool {
        self.leave_working_for(Self::ABANDONED)
    }

    pub(crate) fn is_committing(&self) -> bool {
        self.0.load(Ordering::SeqCst) == Self::COMMITTING
    }

    fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::SeqCst) == Self::ABANDONED
    }
}

/// One call of `transact` or `snapshot`, inside its task.
pub(crate) struct Run {
    pub(crate) shared: Arc<Shared>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) purpose: Purpose,
    pub(crate) limit: Duration,
}

/// Why an attempt failed.
enum Failure {
    /// Nothing happened and the same work may be tried at once.
    Conflict(StoreError),
    Final(StoreError),
}

impl Run {
    pub(crate) async fn attempts<T, F>(self, key: String, mut work: F) -> Result<T, StoreError>
    where
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            match self.attempt(&key, &mut work).await {
                Ok(value) => return Ok(value),
                Err(Failure::Conflict(error))
                    if attempt < ATTEMPTS_MAX && !self.stage.is_abandoned() =>
                {
                    tracing::debug!(key, attempt, %error, "transaction runs again");
                    tokio::time::sleep(pause(attempt)).await;
                    attempt += 1;
                }
                Err(Failure::Conflict(error) | Failure::Final(error)) => {
                    return Err(self.shared.named(error));
                }
            }
        }
    }

    async fn attempt<T, F>(&self, key: &str, work: &mut F) -> Result<T, Failure>
    where
        F: for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send,
        T: Send,
    {
        let mut tx = self.begin().await?;
        let outcome = work(&mut tx).await;
        match outcome {
            Ok(value) if self.purpose == Purpose::Read || tx.rollback_only => {
                self.roll_back(tx).await;
                Ok(value)
            }
            Ok(_) if tx.statement_failed => {
                self.roll_back(tx).await;
                Err(Failure::Final(StoreError::FailedStatementIgnored {
                    key: key.to_owned(),
                }))
            }
            Ok(value) => self.commit(tx, key).await.map(|()| value),
            Err(error) => {
                self.roll_back(tx).await;
                Err(if error.is_serialization_failure() {
                    Failure::Conflict(error)
                } else {
                    Failure::Final(error)
                })
            }
        }
    }

    async fn begin(&self) -> Result<Tx, Failure> {
        let acquired = self.shared.pool(self.purpose).acquire().await;
        let mut connection = acquired.map_err(|e| Failure::Final(StoreError::Database(e)))?;
        if let Err(error) = connection.execute(self.shared.begin(self.purpose)).await {
            let lost = is_connection_lost(&error);
            self.discard(&mut connection);
            // A dead connection of the pool: nothing was done, the next one may live.
            let error = StoreError::Database(error);
            return Err(if lost || error.is_serialization_failure() {
                Failure::Conflict(error)
            } else {
                Failure::Final(error)
            });
        }
        let target = &self.shared.target;
        Ok(Tx::new(
            connection,
            target.backend(),
            *target != Target::Memory,
        ))
    }

    async fn commit(&self, mut tx: Tx, key: &str) -> Result<(), Failure> {
        // PostgreSQL answers a COMMIT of an aborted transaction with a successful ROLLBACK, so a
        // statement that fails in one is sent first. SQLite's COMMIT itself fails.
        if tx.backend == Backend::Postgres
            && let Err(error) = tx.fetch_all(crate::sql("SELECT 1 AS probe")).await
        {
            self.roll_back(tx).await;
            return Err(Failure::Final(error));
        }
        if !self.stage.enter_commit() {
            self.roll_back(tx).await;
            let (key, after) = (key.to_owned(), self.limit);
            return Err(Failure::Final(StoreError::Timeout { key, after }));
        }
        match tx.connection.execute("COMMIT").await {
            Ok(_) => {
                tx.ended = true;
                Ok(())
            }
            Err(error) if is_refused_commit(&error) => {
                self.stage.0.store(Stage::WORKING, Ordering::SeqCst);
                self.roll_back(tx).await;
                let error = StoreError::Database(error);
                Err(if error.is_serialization_failure() {
                    Failure::Conflict(error)
                } else {
                    Failure::Final(error)
                })
            }
            Err(error) => {
                tracing::error!(key, %error, "a commit was not confirmed");
                Err(Failure::Final(StoreError::CommitUnknown {
                    key: key.to_owned(),
                }))
            }
        }
    }

    /// Rolls back; a connection that fails it, or whose caller gave up, is not used again.
    async fn roll_back(&self, mut tx: Tx) {
        let rolled_back = pool::roll_back(&mut tx.connection, tx.backend).await;
        tx.ended = rolled_back.is_ok() && !self.stage.is_abandoned();
    }

    /// Closes a connection instead of returning it, unless it is the whole database.
    fn discard(&self, connection: &mut sqlx::pool::PoolConnection<Any>) {
        if self.shared.target != Target::Memory {
            connection.close_on_drop();
        }
    }
}

/// Full jitter, so that two transactions in conflict do not meet again.
fn pause(attempt: u32) -> Duration {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let noise = clock.map_or(0, |since| since.subsec_nanos());
    let cap = CONFLICT_PAUSE * 2u32.saturating_pow(attempt);
    cap.mul_f64(f64::from(noise % 1_000) / 1_000.0)
}
