//! The services between a tick and its order, as `ploy up` wires them, with a venue that is none
//! and with limits that never bind.

use super::{market, steps, stopwatch::Stopwatch, venue::StubVenue};
use anyhow::Context as _;
use ploy_bus::{Bus, BusOptions, Message, PLOY_STREAMS, Subject};
use ploy_chassis::{
    BoxError, Clock, Process,
    config::{COMMON_DEFAULTS, Common, ConfigError, Settings, Sources},
    metrics::Metrics,
    process::StopReason,
    relay::Relay,
    telemetry::{Plan, Telemetry},
};
use ploy_domain::{AccountId, Instrument, Nanos};
use ploy_execution::{AccountSetup, ExecutionService, ExecutionStore, Journal, VolatileLog};
use ploy_risk::RiskStore;
use ploy_store::{Store, StoreOptions};
use ploy_strategy::{Decisions, config::InstanceSettings};
use ploy_wire::{
    api::{Actor, Call, ExecutionApi},
    facts, subjects,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const QUESTION_MAX: Duration = Duration::from_secs(1);
/// How long execution may take to reconcile with the stub.
const READY_MAX: Duration = Duration::from_secs(10);
/// How many events the relay of a volatile log takes at once.
const BATCH_MAX: usize = 256;

/// What of the configuration is not the default.
const OPTIONS: &[(&str, &str)] = &[
    ("execution.api_key", "none"),
    ("execution.api_secret", "none"),
    ("execution.guard.orders_per_second_max", "10000"),
    ("execution.guard.identical_window", "0s"),
    ("risk.limits.order_rate_max", "10000"),
    ("risk.limits.quote_age_max", "600s"),
    ("risk.limits.daily_loss_max", "1000000000"),
    ("risk.limits.drawdown_max", "1000000000"),
];

struct Config {
    common: Common,
    strategy: ploy_strategy::config::Config,
    risk: ploy_risk::config::Config,
    execution: ploy_execution::config::Config,
}

impl Config {
    fn read(dir: &Path) -> Result<Self, ConfigError> {
        let defaults = [
            COMMON_DEFAULTS,
            ploy_strategy::config::DEFAULTS,
            ploy_risk::config::DEFAULTS,
            ploy_execution::config::DEFAULTS,
        ];
        let database = format!("sqlite:{}", dir.join("ploy.db").display());
        let log = dir.join("ploy.log").display().to_string();
        let sources = Sources::none()
            .with_option("ploy bench", "store.url", database)
            .with_option("ploy bench", "log.file", log);
        let sources = OPTIONS.iter().fold(sources, |sources, (key, value)| {
            sources.with_option("ploy bench", key, *value)
        });
        Settings::load(&defaults, &sources).resolve(|s| {
            let common = Common::read(s);
            let strategy = ploy_strategy::config::Config::read(s);
            let risk = ploy_risk::config::Config::read(s);
            let execution = ploy_execution::config::Config::read(s);
            Some(Self {
                common: common?,
                strategy: strategy?,
                risk: risk?,
                execution: execution?,
            })
        })
    }

    /// One instance that decides at every tick.
    fn decides_at_every_tick(mut self, instrument: &Instrument) -> anyhow::Result<Self> {
        let params = [
            ("fast", "1"),
            ("slow", "2"),
            ("interval", "1s"),
            ("quantity", "0.001"),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.strategy.instances = vec![InstanceSettings {
            id: "bench".parse()?,
            kind: "ma-cross".to_owned(),
            instrument: instrument.id,
            account: self.execution.account,
            params: params.into(),
        }];
        Ok(self)
    }

    fn account(
        &self,
        instrument: &Instrument,
        stopwatch: Arc<Stopwatch>,
    ) -> anyhow::Result<AccountSetup> {
        let listed = std::slice::from_ref(instrument);
        let broker = StubVenue::new(instrument.clone(), Clock::system(), stopwatch);
        Ok(AccountSetup {
            broker: Arc::new(broker),
            ..self.execution.account(self.common.mode, listed)?
        })
    }
}

/// The running services.
pub(crate) struct Desk {
    pub(crate) bus: Arc<dyn Bus>,
    process: Process,
    execution: Arc<ExecutionService>,
    account: AccountId,
    telemetry: Telemetry,
    _metrics: Metrics,
}

/// Where decisions and events are kept.
struct Ground {
    bus: Arc<dyn Bus>,
    store: Store,
    journal: Journal,
    decisions: Decisions,
}

impl Ground {
    async fn open(config: &Config, durable: bool) -> anyhow::Result<Self> {
        let bus = ploy_bus::open(&config.common.bus_url, BusOptions::new("ploy")).await?;
        bus.declare(&PLOY_STREAMS).await?;
        let store = Store::open(&config.common.store_url, StoreOptions::new("ploy")).await?;
        let (journal, decisions) = if durable {
            let execution = ExecutionStore::open(store.clone()).await?;
            let decisions = Decisions::open(store.clone()).await?;
            (Journal::Durable(execution), decisions)
        } else {
            (
                Journal::Volatile(VolatileLog::default()),
                Decisions::Volatile,
            )
        };
        Ok(Self {
            bus,
            store,
            journal,
            decisions,
        })
    }

    /// Carries the log to the bus, from wherever it is kept.
    fn start_relay(&self, process: &Process, account: AccountId, committed: Arc<Notify>) {
        let stop = process.settling();
        match &self.journal {
            Journal::Durable(store) => {
                let relay = Relay {
                    store: store.database().clone(),
                    bus: Arc::clone(&self.bus),
                    clock: Clock::system(),
                    committed,
                    accounts: vec![account],
                    streams: PLOY_STREAMS.to_vec(),
                };
                process.spawn_support("relay", relay.run(stop));
            }
            Journal::Volatile(log) => {
                let relaying = relay(log.clone(), Arc::clone(&self.bus), account, committed);
                process.spawn_support("relay", until(stop, relaying));
            }
        }
    }
}

impl Desk {
    /// Opens the services in `dir` and waits until execution trades.
    pub(crate) async fn open(
        dir: &Path,
        durable: bool,
        instrument: &Instrument,
        stopwatch: Arc<Stopwatch>,
    ) -> anyhow::Result<Self> {
        let config = Config::read(dir)?.decides_at_every_tick(instrument)?;
        let telemetry = Plan::of("ploy", &config.common).install()?;
        let metrics = ploy_chassis::metrics::install().context("metrics cannot be kept")?;
        let process = Process::new("ploy");
        metrics.keep_up(&process);
        let account = config.execution.account;
        let ground = Ground::open(&config, durable).await?;
        let execution = start(
            &config,
            &ground,
            &process,
            config.account(instrument, stopwatch)?,
        )
        .await?;
        let desk = Self {
            bus: ground.bus,
            process,
            execution,
            account,
            telemetry,
            _metrics: metrics,
        };
        desk.ready().await?;
        Ok(desk)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let reconciles = async {
            let mut look = tokio::time::interval(Duration::from_millis(10));
            loop {
                look.tick().await;
                let call = Call::new(Actor::STRATEGY, QUESTION_MAX);
                let account = self.execution.account(self.account, call).await;
                if account.is_ok_and(|account| account.ready) {
                    return;
                }
            }
        };
        tokio::time::timeout(READY_MAX, reconciles)
            .await
            .context("execution does not reconcile")
    }

    /// Where the time of each order went.
    pub(crate) async fn steps(
        &self,
        stopwatch: &Stopwatch,
        first: usize,
    ) -> anyhow::Result<Vec<(&'static str, Vec<Nanos>)>> {
        steps::read(&*self.execution, self.account, (stopwatch, first)).await
    }

    /// Stops everything in order.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.process
            .stop(StopReason::Requested("the measurement is over".to_owned()));
        let ended = self.process.run_until_ended().await;
        self.telemetry.shutdown().await;
        anyhow::ensure!(ended.is_clean(), "the services ended badly: {ended:?}");
        Ok(())
    }
}

async fn start(
    config: &Config,
    ground: &Ground,
    process: &Process,
    account: AccountSetup,
) -> anyhow::Result<Arc<ExecutionService>> {
    let clock = Clock::system();
    let instrument = market::instrument()?;
    let holder = format!("bench-{}", std::process::id());
    let risk = ploy_risk::Deps {
        store: RiskStore::open(ground.store.clone()).await?,
        bus: Arc::clone(&ground.bus),
        instruments: vec![instrument.clone()],
        accounts: vec![account.account],
        resets: config.risk.resets(config.common.mode),
        limits: config.risk.limits.clone(),
        armed: true,
        holder: holder.clone(),
    };
    let risk = ploy_risk::App::build(risk, &clock);
    let name = account.account;
    let execution = ploy_execution::Deps {
        journal: ground.journal.clone(),
        bus: Arc::clone(&ground.bus),
        risk: Arc::new(risk.service()),
        accounts: vec![account],
        holder: holder.clone(),
    };
    let execution = ploy_execution::App::build(execution, &clock);
    let service = execution.service();
    let strategy = ploy_strategy::Deps {
        decisions: ground.decisions.clone(),
        bus: Arc::clone(&ground.bus),
        execution: Arc::clone(&service) as _,
        instances: config
            .strategy
            .instances(config.common.mode, &[instrument])?,
        holder,
    };
    let strategy = ploy_strategy::App::build(strategy, &clock)?;
    ground.start_relay(process, name, execution.committed());
    risk.start(process, Arc::clone(&service) as _);
    execution
        .start(process)
        .map_err(|error| anyhow::anyhow!("execution cannot start: {error}"))?;
    strategy.start(process);
    Ok(service)
}

async fn until(
    stop: CancellationToken,
    work: impl Future<Output = Result<(), BoxError>>,
) -> Result<(), BoxError> {
    stop.run_until_cancelled(work).await.unwrap_or(Ok(()))
}

/// Publishes a log that no database keeps.
async fn relay(
    log: VolatileLog,
    bus: Arc<dyn Bus>,
    account: AccountId,
    committed: Arc<Notify>,
) -> Result<(), BoxError> {
    let subject = Subject::new(&subjects::Subject::Orders { account }.to_string())?;
    let mut next = 1;
    loop {
        committed.notified().await;
        for event in log.read(&account, next, BATCH_MAX) {
            next = event.seq + 1;
            let message = Message::new(subject.clone(), facts::encode_order_event(&event));
            bus.append(&event.event_id.to_string(), message).await?;
        }
    }
}
