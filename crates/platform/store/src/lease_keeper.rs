//! Holds a shard for as long as it can: takes the lease when it is free, renews it, says what is.
//!
//! Decides nothing about the work of the shard; whoever does that work looks at the state and, for
//! every effect, at the time the lease has left.

use crate::{
    Store, StoreError,
    lease::{self, Acquired, Claim, HeldLease},
};
use std::time::Duration;
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How long a lease lasts and how often it is renewed or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// How long a lease lasts.
    pub ttl: Duration,
    /// How often the holder renews it and others try to take it.
    pub renew_every: Duration,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(5),
            renew_every: Duration::from_secs(1),
        }
    }
}

/// What a keeper knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// Not the leader. Names the leader, if one is known.
    Standby {
        /// Who leads.
        leader: Option<String>,
    },
    /// The leader, for as long as [`HeldLease::remaining`] says.
    Leading(HeldLease),
}

impl LeaseState {
    /// The lease, if it is held and not over.
    #[must_use]
    pub fn lease(&self) -> Option<&HeldLease> {
        match self {
            Self::Leading(lease) if !lease.remaining().is_zero() => Some(lease),
            Self::Leading(_) | Self::Standby { .. } => None,
        }
    }
}

/// The task that keeps a lease.
#[derive(Debug)]
pub struct LeaseKeeper {
    state: watch::Receiver<LeaseState>,
    task: JoinHandle<()>,
}

impl LeaseKeeper {
    /// Starts to keep `claim` until `stop` is cancelled, which gives the lease back.
    #[must_use]
    pub fn start(store: Store, claim: Claim, terms: LeaseTerms, stop: CancellationToken) -> Self {
        let (sender, state) = watch::channel(LeaseState::Standby { leader: None });
        let keeping = Keeping {
            store,
            claim,
            terms,
            state: sender,
        };
        Self {
            state,
            task: tokio::spawn(keeping.run(stop)),
        }
    }

    /// Follows the state. A state of `Leading` outlives its lease when the database is away: look
    /// at [`LeaseState::lease`].
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LeaseState> {
        self.state.clone()
    }

    /// Waits until the keeper has stopped and released its lease.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the lease keeper did not end in order");
        }
    }
}

struct Keeping {
    store: Store,
    claim: Claim,
    terms: LeaseTerms,
    state: watch::Sender<LeaseState>,
}

impl Keeping {
    async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.terms.renew_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let before = self.state.borrow().clone();
            let after = match before.lease() {
                Some(lease) => self.renew(lease).await,
                None => self.acquire(&before).await,
            };
            self.state.send_if_modified(|state| {
                let modified = *state != after;
                *state = after;
                modified
            });
        }
        self.release().await;
    }

    async fn renew(&self, held: &HeldLease) -> LeaseState {
        match lease::renew(&self.store, held, self.terms.ttl).await {
            Ok(renewed) => LeaseState::Leading(renewed),
            Err(StoreError::Fenced { current, .. }) => {
                tracing::warn!(
                    shard = held.claim.shard,
                    epoch = held.epoch,
                    current,
                    "lost the lease"
                );
                LeaseState::Standby { leader: None }
            }
            Err(error) => {
                let left_ms = u64::try_from(held.remaining().as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(shard = held.claim.shard, left_ms, %error, "lease not renewed");
                LeaseState::Leading(held.clone())
            }
        }
    }

    async fn acquire(&self, before: &LeaseState) -> LeaseState {
        match lease::acquire(&self.store, &self.claim, self.terms.ttl).await {
            Ok(Acquired::Taken(lease)) => {
                tracing::info!(
                    shard = lease.claim.shard,
                    epoch = lease.epoch,
                    "took the lease"
                );
                LeaseState::Leading(lease)
            }
            Ok(Acquired::HeldBy(row)) => LeaseState::Standby {
                leader: Some(row.holder),
            },
            Err(error) => {
                tracing::warn!(shard = self.claim.shard, %error, "lease not acquired");
                match before {
                    LeaseState::Standby { .. } => before.clone(),
                    LeaseState::Leading(_) => LeaseState::Standby { leader: None },
                }
            }
        }
    }

    async fn release(&self) {
        let last = self
            .state
            .send_replace(LeaseState::Standby { leader: None });
        if let Some(held) = last.lease()
            && let Err(error) = lease::release(&self.store, held).await
        {
            tracing::warn!(shard = self.claim.shard, %error, "lease not released; it runs out");
        }
    }
}
