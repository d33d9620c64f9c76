//! One account from lease to lease: waits for leadership, rebuilds the books from the log, leads,
//! and starts over when leadership or a commit is lost.

use crate::{
    inputs::Instruments,
    leader::{Ended, Leader},
    marks::Marks,
    store::{ExecutionStore, ReadError},
    volatile::VolatileLog,
};
use ploy_chassis::{Clock, chain};
use ploy_domain::{AccountId, ClientOrderId, Intent, Reason, Scope, TraceContext};
use ploy_orders_core::{AccountBook, BookError, Input, OrderCore, Settings, VenueSnapshot};
use ploy_store::{LeaseState, lease::HeldLease};
use ploy_venue_port::Broker;
use ploy_wire::api::{AccountView, ApiError, OrderView, PositionView, RiskApi};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How many requests and answers may wait for an account.
pub(crate) const INBOX_MAX: usize = 4_096;
/// The pause before books that could not be rebuilt are tried again.
const REBUILD_PAUSE: Duration = Duration::from_secs(1);

/// Where the log of an account is kept.
#[derive(Debug, Clone)]
pub enum Journal {
    /// In the database: every order is durable before it is sent.
    Durable(ExecutionStore),
    /// In memory: for measuring the path without the durable write. Never for trading.
    Volatile(VolatileLog),
}

impl Journal {
    pub(crate) const fn store(&self) -> Option<&ExecutionStore> {
        match self {
            Self::Durable(store) => Some(store),
            Self::Volatile(_) => None,
        }
    }
}

/// An account, its venue and its bounds.
#[derive(Debug, Clone)]
pub struct AccountSetup {
    /// Its name.
    pub account: AccountId,
    /// The way to its venue.
    pub broker: Arc<dyn Broker>,
    /// What it may trade.
    pub instruments: Instruments,
    /// The core's settings; the epoch is replaced by the lease's.
    pub settings: Settings,
}

/// What can be asked of an account's owner.
#[derive(Debug)]
pub(crate) enum Message {
    Submit {
        intent: Box<Intent>,
        trace: TraceContext,
        reply: oneshot::Sender<Result<OrderView, ApiError>>,
    },
    Cancel {
        order_id: ClientOrderId,
        reason: Reason,
        reply: oneshot::Sender<Result<OrderView, ApiError>>,
    },
    CancelAll {
        scope: Scope,
        reason: Reason,
        reply: oneshot::Sender<Result<u32, ApiError>>,
    },
    Order {
        order_id: ClientOrderId,
        reply: oneshot::Sender<Option<OrderView>>,
    },
    Positions(oneshot::Sender<Result<Vec<PositionView>, ApiError>>),
    Account(oneshot::Sender<AccountView>),
    /// Something happened that the core wants to know.
    Happened(Box<Input>),
    /// The private stream that leadership `of` follows stands: the account is to be reconciled.
    StreamUp {
        of: u64,
    },
    /// The private stream that leadership `of` follows is gone.
    StreamLost {
        of: u64,
        reason: Reason,
    },
    /// A reading of the venue's books for leadership `of` is done.
    Read {
        of: u64,
        reading: Result<VenueSnapshot, String>,
    },
}

/// How others see an account.
#[derive(Debug, Clone)]
pub(crate) struct AccountHandle {
    pub(crate) inbox: mpsc::Sender<Message>,
    pub(crate) leading: watch::Receiver<bool>,
}

/// Everything an account's owner works with.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) setup: AccountSetup,
    pub(crate) journal: Journal,
    pub(crate) risk: Arc<dyn RiskApi>,
    pub(crate) marks: Marks,
    pub(crate) clock: Clock,
    pub(crate) committed: Arc<tokio::sync::Notify>,
    pub(crate) inbox: mpsc::Sender<Message>,
}

/// Why an account cannot be led now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeOverError {
    #[error("the log of account {account} cannot be read")]
    Log {
        account: AccountId,
        #[source]
        source: ReadError,
    },
    #[error("the log of account {account} contradicts itself")]
    Book {
        account: AccountId,
        #[source]
        source: BookError,
    },
    #[error("the lease of account {account} was lost while its log was read")]
    Lease { account: AccountId },
}

impl Desk {
    fn account(&self) -> AccountId {
        self.setup.account
    }

    /// The name of the account's lease.
    pub(crate) fn shard(account: &AccountId) -> String {
        format!("execution/{account}")
    }

    /// Owns the account until `stop`.
    pub(crate) async fn run(
        self,
        mut inbox: mpsc::Receiver<Message>,
        mut lease: watch::Receiver<LeaseState>,
        leading: watch::Sender<bool>,
        stop: CancellationToken,
    ) {
        let account = self.account();
        while let Some(held) = next_lease(&mut lease, &stop).await {
            let leader = match self.take_over(&held).await {
                Ok(leader) => leader,
                Err(error) => {
                    tracing::error!(%account, error = %chain(&error), "account cannot be led");
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = tokio::time::sleep(REBUILD_PAUSE) => continue,
                    }
                }
            };
            tracing::info!(%account, epoch = held.epoch, "leads the account");
            leading.send_replace(true);
            let ended = leader.lead(&mut inbox, &mut lease, &stop).await;
            leading.send_replace(false);
            match ended {
                Ended::Stopped => break,
                Ended::LeaseLost => tracing::warn!(%account, "lease lost; another leads"),
                Ended::Rebuild => tracing::warn!(%account, "the books are rebuilt from the log"),
            }
        }
    }

    async fn take_over(&self, lease: &HeldLease) -> Result<Leader, TakeOverError> {
        let account = self.account();
        let mut book = AccountBook::new(account, self.setup.instruments.values().cloned());
        match &self.journal {
            Journal::Durable(store) => store
                .for_each_event(&account, |event| {
                    book.apply(&event).map_err(LoadError::Book)
                })
                .await
                .map_err(|error| match error {
                    LoadError::Read(source) => TakeOverError::Log { account, source },
                    LoadError::Book(source) => TakeOverError::Book { account, source },
                })?,
            Journal::Volatile(log) => {
                for event in log.read(&account, 1, usize::MAX) {
                    book.apply(&event)
                        .map_err(|source| TakeOverError::Book { account, source })?;
                }
            }
        }
        if lease.remaining().is_zero() {
            return Err(TakeOverError::Lease { account });
        }
        let settings = Settings {
            epoch: lease.epoch.unsigned_abs(),
            ..self.setup.settings
        };
        let (core, output) = OrderCore::take_over(settings, book, self.clock.now())
            .map_err(|source| TakeOverError::Book { account, source })?;
        Ok(Leader::new(self.clone(), core, output))
    }
}

enum LoadError {
    Read(ReadError),
    Book(BookError),
}

impl From<ReadError> for LoadError {
    fn from(source: ReadError) -> Self {
        Self::Read(source)
    }
}

/// Waits for the lease; `None` when it is time to stop.
async fn next_lease(
    lease: &mut watch::Receiver<LeaseState>,
    stop: &CancellationToken,
) -> Option<HeldLease> {
    loop {
        if stop.is_cancelled() {
            return None;
        }
        if let Some(held) = lease.borrow_and_update().lease().cloned() {
            return Some(held);
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            changed = lease.changed() => changed.ok()?,
        }
    }
}
