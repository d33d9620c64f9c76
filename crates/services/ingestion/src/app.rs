//! The wiring of ingestion and nothing else.

use crate::{
    metrics::FeedMetrics,
    pump::{Newest, Pump},
    watchdog::Watchdog,
};
use async_trait::async_trait;
use ploy_bus::Bus;
use ploy_chassis::{Clock, Process};
use ploy_domain::Instrument;
use ploy_venue_port::{Feed, Subscription};
use ploy_wire::api::{ApiError, Call, IngestionApi, MarketView};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How many facts may wait between a feed and the bus; a feed that finds it full reconnects.
const WAITING_MAX: usize = 8_192;

/// What ingestion is given.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where market data comes from.
    pub feed: Arc<dyn Feed>,
    /// Where it goes.
    pub bus: Arc<dyn Bus>,
    /// The instruments to follow, as the venue states them.
    pub instruments: Vec<Instrument>,
    /// How long an instrument may be silent before it is stale.
    pub stale_after: Duration,
}

/// The ingestion service, built and not yet running.
#[derive(Debug)]
pub struct App {
    deps: Deps,
    newest: Newest,
    clock: Clock,
}

/// The newest of every market, for those who ask.
#[derive(Debug, Clone)]
pub struct IngestionService {
    newest: Newest,
}

impl App {
    /// Builds the service; nothing runs yet.
    #[must_use]
    pub fn build(deps: Deps, clock: &Clock) -> Self {
        let newest = Newest::of(&deps.instruments);
        Self {
            deps,
            newest,
            clock: clock.clone(),
        }
    }

    /// The service, for callers in this process and for gRPC.
    #[must_use]
    pub fn service(&self) -> IngestionService {
        IngestionService {
            newest: self.newest.clone(),
        }
    }

    /// Starts every task in `process`.
    pub fn start(self, process: &Process) {
        let process = process.for_service("ingestion");
        let (sink, facts) = mpsc::channel(WAITING_MAX);
        let ids = self.deps.instruments.iter().map(|instrument| instrument.id);
        let pump = Pump {
            venue: self.deps.feed.venue(),
            bus: Arc::clone(&self.deps.bus),
            newest: self.newest,
            watchdog: Watchdog::new(self.deps.stale_after, ids.clone(), self.clock.instant()),
            clock: self.clock,
            epoch: 0,
            metrics: FeedMetrics::new(self.deps.feed.venue()),
        };
        let subscriptions = ids.map(Subscription::full).collect();
        let (feed, stop) = (Arc::clone(&self.deps.feed), process.stopping());
        let name = format!("feed {}", feed.venue());
        process.spawn_named(
            name,
            async move { feed.run(subscriptions, sink, stop).await },
        );
        process.spawn_named("pump", pump.run(facts, process.stopping()));
    }
}

#[async_trait]
impl IngestionApi for IngestionService {
    async fn markets(&self, _call: Call) -> Result<Vec<MarketView>, ApiError> {
        Ok(self.newest.all())
    }
}
