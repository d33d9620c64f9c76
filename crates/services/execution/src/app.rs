//! The wiring of execution and nothing else.

use crate::{
    account::{AccountHandle, AccountSetup, Desk, INBOX_MAX, Journal, Message},
    api::ExecutionService,
    marks::Marks,
};
use ploy_bus::{Bus, Pattern};
use ploy_chassis::{BoxError, Clock, Process};
use ploy_domain::AccountId;
use ploy_store::{
    LeaseKeeper, LeaseState, LeaseTerms,
    lease::{Claim, HeldLease},
};
use ploy_wire::{
    api::RiskApi,
    subjects::{Channel, all_of_channel},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Notify, mpsc, watch};

/// What execution is given.
#[derive(Debug)]
pub struct Deps {
    /// Where the log is kept.
    pub journal: Journal,
    /// Where prices come from.
    pub bus: Arc<dyn Bus>,
    /// Who judges orders.
    pub risk: Arc<dyn RiskApi>,
    /// The accounts to own.
    pub accounts: Vec<AccountSetup>,
    /// The name of this process among others that could own the same accounts.
    pub holder: String,
}

/// The execution service, built and not yet running.
#[derive(Debug)]
pub struct App {
    service: Arc<ExecutionService>,
    committed: Arc<Notify>,
    desks: Vec<(Desk, mpsc::Receiver<Message>, watch::Sender<bool>)>,
    marks: Marks,
    deps: Deps,
}

impl App {
    /// Builds the service; nothing runs yet.
    #[must_use]
    pub fn build(deps: Deps, clock: &Clock) -> Self {
        let (committed, marks) = (Arc::new(Notify::new()), Marks::default());
        let mut accounts = BTreeMap::new();
        let mut desks = Vec::new();
        for setup in &deps.accounts {
            let (inbox, messages) = mpsc::channel(INBOX_MAX);
            let (leading, is_leading) = watch::channel(false);
            let handle = AccountHandle {
                inbox: inbox.clone(),
                leading: is_leading,
            };
            accounts.insert(setup.account, handle);
            let desk = Desk {
                setup: setup.clone(),
                journal: deps.journal.clone(),
                risk: Arc::clone(&deps.risk),
                marks: marks.clone(),
                clock: clock.clone(),
                committed: Arc::clone(&committed),
                inbox,
            };
            desks.push((desk, messages, leading));
        }
        let journal = deps.journal.clone();
        let service = Arc::new(ExecutionService { accounts, journal });
        Self {
            service,
            committed,
            desks,
            marks,
            deps,
        }
    }

    /// The service, for callers in this process and for gRPC.
    #[must_use]
    pub fn service(&self) -> Arc<ExecutionService> {
        Arc::clone(&self.service)
    }

    /// Rings whenever something was committed: there is work for the relay.
    #[must_use]
    pub fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.committed)
    }

    /// Starts every task in `process`.
    ///
    /// # Errors
    /// When the subscription to prices has no valid pattern.
    pub fn start(self, process: &Process) -> Result<(), BoxError> {
        let process = process.for_service("execution");
        let pattern = Pattern::new(&all_of_channel(Channel::Trade))?;
        let following = self
            .marks
            .follow(Arc::clone(&self.deps.bus), pattern, process.stopping());
        process.spawn_named("marks", following);
        for (desk, inbox, leading) in self.desks {
            let account = desk.setup.account;
            let lease = lease_of(&self.deps.journal, account, &self.deps.holder, &process);
            let owning = desk.run(inbox, lease, leading, process.stopping());
            process.spawn_named(format!("account {account}"), owning);
        }
        Ok(())
    }
}

/// The lease of an account, kept until the account has settled; without a database there is nobody
/// to share it with.
fn lease_of(
    journal: &Journal,
    account: AccountId,
    holder: &str,
    process: &Process,
) -> watch::Receiver<LeaseState> {
    let claim = Claim {
        shard: Desk::shard(&account),
        holder: holder.to_owned(),
    };
    match journal {
        Journal::Durable(store) => {
            let keeper = LeaseKeeper::start(
                store.database().clone(),
                claim,
                LeaseTerms::default(),
                process.settling(),
            );
            let state = keeper.state();
            process.spawn_support(format!("lease of {account}"), keeper.stopped());
            state
        }
        Journal::Volatile(_) => {
            let (sender, state) =
                watch::channel(LeaseState::Leading(HeldLease::uncontested(claim)));
            process.spawn_support(format!("lease of {account}"), {
                let settling = process.settling();
                async move {
                    settling.cancelled().await;
                    drop(sender);
                }
            });
            state
        }
    }
}
