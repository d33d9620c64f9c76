//! The wiring of risk and nothing else.

use crate::{
    api::RiskService,
    follower::LogFollower,
    judge::{INBOX_MAX, Judge, Message},
    store::RiskStore,
};
use ploy_bus::{Bus, BusError, Pattern};
use ploy_chassis::{BoxError, Clock, Process, chain, order_log::OrderLog};
use ploy_domain::{AccountId, Instrument, Nanos};
use ploy_risk_core::{Input, Limits, ResetRules, RiskCore, Settings};
use ploy_store::{LeaseKeeper, LeaseState, LeaseTerms, lease::Claim};
use ploy_wire::{
    api::{Actor, ExecutionApi},
    subjects::ALL_MARKET,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

/// How many facts of the market may wait; only the newest are worth anything.
const MARKET_MAX: usize = 8_192;
/// The pause before limits and states that could not be read are asked for again.
const TAKE_OVER_PAUSE: Duration = Duration::from_secs(1);
/// How long an approval is usable (RSK-2).
const APPROVAL_TTL: Nanos = Nanos::from_millis(500);
/// The name of the lease of the one who judges.
pub(crate) const SHARD: &str = "risk/0";

/// What risk is given.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where states and limits are kept.
    pub store: RiskStore,
    /// Where market facts and the order log come from.
    pub bus: Arc<dyn Bus>,
    /// What may be traded.
    pub instruments: Vec<Instrument>,
    /// The accounts whose logs are followed.
    pub accounts: Vec<AccountId>,
    /// The limits to judge by; their version is found in the database.
    pub limits: Limits,
    /// What it takes to loosen what somebody tightened.
    pub resets: ResetRules,
    /// Whether orders may leave: always in dev and paper, in live only once armed.
    pub armed: bool,
    /// The name of this process among others that could judge.
    pub holder: String,
}

/// The risk service, built and not yet running.
#[derive(Debug)]
pub struct App {
    deps: Deps,
    clock: Clock,
    service: RiskService,
    messages: mpsc::Receiver<Message>,
    leading: watch::Sender<bool>,
}

impl App {
    /// Builds the service; nothing runs yet.
    #[must_use]
    pub fn build(deps: Deps, clock: &Clock) -> Self {
        let (inbox, messages) = mpsc::channel(INBOX_MAX);
        let (leading, is_leading) = watch::channel(false);
        let service = RiskService {
            inbox,
            leading: is_leading,
        };
        Self {
            deps,
            clock: clock.clone(),
            service,
            messages,
            leading,
        }
    }

    /// The service, for callers in this process and for gRPC.
    #[must_use]
    pub fn service(&self) -> RiskService {
        self.service.clone()
    }

    /// Starts every task in `process`. Execution is asked for its log and told to cancel.
    pub fn start(self, process: &Process, execution: Arc<dyn ExecutionApi>) {
        let process = process.for_service("risk");
        let claim = Claim {
            shard: SHARD.to_owned(),
            holder: self.deps.holder.clone(),
        };
        let keeper = LeaseKeeper::start(
            self.deps.store.database().clone(),
            claim,
            LeaseTerms::default(),
            process.settling(),
        );
        let lease = keeper.state();
        process.spawn_support("lease of risk", keeper.stopped());
        let log = OrderLog {
            bus: Arc::clone(&self.deps.bus),
            execution: Arc::clone(&execution),
            accounts: self.deps.accounts.clone(),
            actor: Actor::RISK,
        };
        let follower = LogFollower {
            inbox: self.service.inbox.clone(),
        };
        process.spawn_named("order log", follower.follow(log, process.stopping()));
        process.spawn_named("judge", self.run(lease, execution, process.clone()));
    }

    async fn run(
        mut self,
        mut lease: watch::Receiver<LeaseState>,
        execution: Arc<dyn ExecutionApi>,
        process: Process,
    ) -> Result<(), BoxError> {
        let stop = process.stopping();
        loop {
            let held = match stop.run_until_cancelled(leadership(&mut lease)).await {
                Some(Some(held)) => held,
                Some(None) | None => return Ok(()),
            };
            // Subscribed before anything is judged: what is missed before that is stale anyway.
            let mut market = self.market().await?;
            let core = match self.core(held.epoch.unsigned_abs()).await {
                Ok(core) => core,
                // Nothing is judged until limits and states are known: orders are denied.
                Err(error) => {
                    tracing::error!(error = %chain(&*error), "limits and states cannot be read");
                    let pause = tokio::time::sleep(TAKE_OVER_PAUSE);
                    if stop.run_until_cancelled(pause).await.is_none() {
                        return Ok(());
                    }
                    continue;
                }
            };
            let tasks = TaskTracker::new();
            let judge = Judge {
                core,
                store: self.deps.store.clone(),
                bus: Arc::clone(&self.deps.bus),
                execution: Arc::clone(&execution),
                clock: self.clock.clone(),
                lease: held,
                inbox: self.service.inbox.clone(),
                tasks: tasks.clone(),
                stop: stop.clone(),
                since: Instant::now(),
                leading: stop.child_token(),
                unrecorded: BTreeMap::new(),
                cancelling: BTreeMap::new(),
            };
            tracing::info!(epoch = judge.lease.epoch, "judges orders");
            self.leading.send_replace(true);
            judge
                .judge(&mut self.messages, &mut market, &mut lease)
                .await;
            self.leading.send_replace(false);
            tasks.close();
            tasks.wait().await;
        }
    }

    async fn market(&self) -> Result<ploy_bus::Subscription, BusError> {
        // One subscription for quotes, trades and feed states alike keeps their order.
        let pattern = Pattern::new(ALL_MARKET).map_err(|_| BusError::Closed)?;
        self.deps.bus.subscribe(pattern, MARKET_MAX).await
    }

    async fn core(&self, epoch: u64) -> Result<RiskCore, BoxError> {
        let version = self
            .deps
            .store
            .version_of(&self.deps.limits, self.clock.now())
            .await?;
        let limits = Limits {
            version,
            ..self.deps.limits.clone()
        };
        let states = self.deps.store.states().await?;
        let settings = Settings {
            armed: self.deps.armed,
            risk_epoch: epoch,
            approval_ttl: APPROVAL_TTL,
            resets: self.deps.resets,
        };
        let mut core = RiskCore::new(settings, limits, states);
        let mut effects = Vec::new();
        for instrument in &self.deps.instruments {
            let known = Input::Instrument(instrument.clone());
            core.handle(known, self.clock.now(), &mut effects);
        }
        Ok(core)
    }
}

async fn leadership(
    lease: &mut watch::Receiver<LeaseState>,
) -> Option<ploy_store::lease::HeldLease> {
    loop {
        if let Some(held) = lease.borrow_and_update().lease().cloned() {
            return Some(held);
        }
        lease.changed().await.ok()?;
    }
}
