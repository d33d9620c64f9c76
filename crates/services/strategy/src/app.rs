//! The wiring of strategies and nothing else.

use crate::{runner::Runner, store::Decisions};
use async_trait::async_trait;
use ploy_bus::Bus;
use ploy_chassis::{Clock, Process};
use ploy_store::{
    LeaseKeeper, LeaseState, LeaseTerms,
    lease::{Claim, HeldLease},
};
use ploy_strategies::ParamError;
use ploy_strategy_core::InstanceConfig;
use ploy_wire::api::{ApiError, Call, ExecutionApi, StrategyApi, StrategyState, StrategyView};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

/// One instance to run.
#[derive(Debug, Clone)]
pub struct InstanceSetup {
    /// Who trades what.
    pub config: InstanceConfig,
    /// Which strategy.
    pub kind: String,
    /// With which parameters.
    pub params: BTreeMap<String, String>,
}

/// What the strategy service is given.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where decisions are remembered.
    pub decisions: Decisions,
    /// Where market facts and the order log come from.
    pub bus: Arc<dyn Bus>,
    /// Where orders go.
    pub execution: Arc<dyn ExecutionApi>,
    /// What runs.
    pub instances: Vec<InstanceSetup>,
    /// The name of this process among others that could run the same instances.
    pub holder: String,
}

/// The strategy service, built and not yet running.
#[derive(Debug)]
pub struct App {
    deps: Deps,
    clock: Clock,
    views: Vec<(watch::Sender<StrategyView>, watch::Receiver<StrategyView>)>,
}

/// What the instances are doing, for those who ask.
#[derive(Debug, Clone)]
pub struct StrategyService {
    views: Vec<watch::Receiver<StrategyView>>,
}

impl App {
    /// Builds the service; nothing runs yet.
    ///
    /// # Errors
    /// [`ParamError`] for an unknown strategy or a parameter out of bounds.
    pub fn build(deps: Deps, clock: &Clock) -> Result<Self, ParamError> {
        let mut views = Vec::new();
        for setup in &deps.instances {
            ploy_strategies::build(&setup.kind, &setup.params)?;
            let params = setup
                .params
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()));
            views.push(watch::channel(StrategyView {
                id: setup.config.id,
                kind: setup.kind.clone(),
                instrument: setup.config.instrument.id,
                account: setup.config.account,
                params: params.collect(),
                state: StrategyState::WarmingUp,
                detail: String::new(),
                decisions: 0,
                last_decision_at: None,
            }));
        }
        Ok(Self {
            deps,
            clock: clock.clone(),
            views,
        })
    }

    /// The service, for callers in this process and for gRPC.
    #[must_use]
    pub fn service(&self) -> StrategyService {
        StrategyService {
            views: self.views.iter().map(|(_, view)| view.clone()).collect(),
        }
    }

    /// Starts every task in `process`.
    pub fn start(self, process: &Process) {
        let process = process.for_service("strategy");
        for (setup, (view, _)) in self.deps.instances.iter().zip(self.views) {
            let lease = lease_of(&self.deps, setup, &process);
            let runner = Runner {
                setup: setup.clone(),
                decisions: self.deps.decisions.clone(),
                bus: Arc::clone(&self.deps.bus),
                execution: Arc::clone(&self.deps.execution),
                clock: self.clock.clone(),
                view,
            };
            let name = format!("instance {}", setup.config.id);
            process.spawn_named(name, runner.run(lease, process.stopping()));
        }
    }
}

fn lease_of(deps: &Deps, setup: &InstanceSetup, process: &Process) -> watch::Receiver<LeaseState> {
    let claim = Claim {
        shard: Runner::shard(setup),
        holder: deps.holder.clone(),
    };
    match &deps.decisions {
        Decisions::Durable(store) => {
            let terms = LeaseTerms::default();
            let keeper = LeaseKeeper::start(store.clone(), claim, terms, process.settling());
            let state = keeper.state();
            process.spawn_support(format!("lease of {}", setup.config.id), keeper.stopped());
            state
        }
        Decisions::Volatile => {
            let (sender, state) =
                watch::channel(LeaseState::Leading(HeldLease::uncontested(claim)));
            let settling = process.settling();
            process.spawn_support(format!("lease of {}", setup.config.id), async move {
                settling.cancelled().await;
                drop(sender);
            });
            state
        }
    }
}

#[async_trait]
impl StrategyApi for StrategyService {
    async fn strategies(&self, _call: Call) -> Result<Vec<StrategyView>, ApiError> {
        Ok(self
            .views
            .iter()
            .map(|view| view.borrow().clone())
            .collect())
    }
}
