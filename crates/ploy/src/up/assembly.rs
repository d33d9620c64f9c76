//! The services of one process, each given what it needs: the same bus, the same database, and each
//! other through the traits that gRPC serves elsewhere.

use super::{
    args::Config,
    clock,
    stack::{Replayed, Watch},
    summary::Api,
};
use anyhow::Context as _;
use ploy_bus::{Bus, BusOptions, StreamSpec};
use ploy_chassis::{health::HealthRegistry, relay::Relay};
use ploy_domain::Instrument;
use ploy_execution::{ExecutionStore, Journal};
use ploy_risk::RiskStore;
use ploy_store::{Store, StoreOptions, lease};
use ploy_strategy::{Decisions, InstanceSetup};
use ploy_venue_binance::BinanceFeed;
use ploy_venue_port::Feed as _;
use ploy_wire::api::{ExecutionApi, RiskApi};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Streams of the memory bus are small: the database keeps everything.
const STREAM_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How long the exchange may take to answer at the start.
const EXCHANGE_DEADLINE: Duration = Duration::from_secs(10);

/// What all services stand on.
pub(crate) struct Ground {
    config: Config,
    bus: Arc<dyn Bus>,
    store: Store,
    feed: Arc<BinanceFeed>,
    instruments: Vec<Instrument>,
    holder: String,
}

impl Ground {
    /// Opens bus and database and asks the exchange what it lists.
    pub(crate) async fn open(config: Config) -> anyhow::Result<Self> {
        let common = &config.common;
        let bus = ploy_bus::open(&common.bus_url, BusOptions::new("ploy")).await?;
        bus.declare(&streams())
            .await
            .context("the bus does not take the streams")?;
        let store = Store::open(&common.store_url, StoreOptions::new("ploy")).await?;
        store.migrate(lease::COMPONENT, lease::MIGRATIONS).await?;
        // The data directory is locked: whoever held these leases is gone.
        lease::end_all(&store).await?;
        let feed = Arc::new(config.execution.feed()?);
        let instruments = tokio::time::timeout(EXCHANGE_DEADLINE, feed.instruments()).await;
        let instruments = instruments
            .context("the exchange does not answer")?
            .context("the exchange does not say what it lists")?;
        let holder = format!("ploy-{}-{}", std::process::id(), clock().now().as_nanos());
        Ok(Self {
            config,
            bus,
            store,
            feed,
            instruments,
            holder,
        })
    }

    pub(crate) fn mode(&self) -> &'static str {
        self.config.common.mode.word()
    }

    pub(crate) fn ingestion(&self) -> ploy_ingestion::App {
        let deps = ploy_ingestion::Deps {
            feed: Arc::clone(&self.feed) as _,
            bus: Arc::clone(&self.bus),
            instruments: self.instruments.clone(),
            stale_after: self.config.ingestion.stale_after,
        };
        ploy_ingestion::App::build(deps, &clock())
    }

    pub(crate) async fn risk(&self) -> anyhow::Result<ploy_risk::App> {
        let deps = ploy_risk::Deps {
            store: RiskStore::open(self.store.clone()).await?,
            bus: Arc::clone(&self.bus),
            instruments: self.instruments.clone(),
            accounts: vec![self.config.execution.account],
            resets: self.config.risk.resets(self.config.common.mode),
            limits: self.config.risk.limits.clone(),
            armed: self.config.risk.is_armed(self.config.common.mode),
            holder: self.holder.clone(),
        };
        Ok(ploy_risk::App::build(deps, &clock()))
    }

    pub(crate) async fn execution(
        &self,
        risk: Arc<dyn RiskApi>,
    ) -> anyhow::Result<ploy_execution::App> {
        let deps = ploy_execution::Deps {
            journal: Journal::Durable(ExecutionStore::open(self.store.clone()).await?),
            bus: Arc::clone(&self.bus),
            risk,
            accounts: vec![
                self.config
                    .execution
                    .account(self.config.common.mode, &self.instruments)?,
            ],
            holder: self.holder.clone(),
        };
        Ok(ploy_execution::App::build(deps, &clock()))
    }

    pub(crate) async fn strategy(
        &self,
        execution: Arc<dyn ExecutionApi>,
        replayed: Option<&Replayed>,
    ) -> anyhow::Result<ploy_strategy::App> {
        let deps = ploy_strategy::Deps {
            decisions: Decisions::open(self.store.clone()).await?,
            bus: Arc::clone(&self.bus),
            execution,
            instances: self.instances(replayed)?,
            holder: self.holder.clone(),
        };
        Ok(ploy_strategy::App::build(deps, &clock())?)
    }

    pub(crate) fn gateway(&self, api: &Api, watch: Watch) -> anyhow::Result<ploy_gateway::App> {
        let deps = ploy_gateway::Deps {
            execution: Arc::clone(&api.execution),
            risk: Arc::clone(&api.risk),
            strategy: Arc::clone(&api.strategy),
            ingestion: Arc::clone(&api.ingestion),
            bus: Arc::clone(&self.bus),
            health: HealthRegistry::new("ploy", clock()),
            liveness: watch.liveness,
            metrics: watch.metrics,
        };
        Ok(ploy_gateway::App::build(
            self.config.gateway.clone(),
            deps,
            &clock(),
        )?)
    }

    /// The way of committed events to the bus.
    pub(crate) fn relay(&self, committed: Arc<Notify>) -> Relay {
        Relay {
            store: self.store.clone(),
            bus: Arc::clone(&self.bus),
            clock: clock(),
            committed,
            accounts: vec![self.config.execution.account],
            streams: streams(),
        }
    }

    /// The configured instances; a replay runs one on what is replayed instead.
    fn instances(&self, replayed: Option<&Replayed>) -> anyhow::Result<Vec<InstanceSetup>> {
        let mut config = self.config.strategy.clone();
        if let Some(replayed) = replayed {
            config.instances = vec![self.replay_instance(replayed)?];
        }
        Ok(config.instances(self.config.common.mode, &self.instruments)?)
    }

    fn replay_instance(
        &self,
        replayed: &Replayed,
    ) -> anyhow::Result<ploy_strategy::config::InstanceSettings> {
        let params = [("fast", "3"), ("slow", "8"), ("notional", "1000")];
        let mut params: BTreeMap<String, String> = params
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        params.insert("interval".to_owned(), replayed.bar.to_string());
        let venue = self.config.execution.venue.id;
        Ok(ploy_strategy::config::InstanceSettings {
            id: "ma-cross-replay".parse()?,
            kind: "ma-cross".to_owned(),
            instrument: format!("{}.{venue}", replayed.symbol).parse()?,
            account: self.config.execution.account,
            params,
        })
    }
}

fn streams() -> Vec<StreamSpec> {
    let small = |stream: &StreamSpec| {
        let bytes_max = stream.bytes_max.min(STREAM_BYTES_MAX);
        // The newest matter here; whoever missed an old one asks for a replay.
        StreamSpec {
            bytes_max,
            discard: ploy_bus::Discard::Old,
            ..stream.clone()
        }
    };
    ploy_bus::PLOY_STREAMS.iter().map(small).collect()
}
