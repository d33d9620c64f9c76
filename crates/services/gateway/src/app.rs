//! The wiring of the gateway and nothing else.

use crate::{
    config::Config, http::connection::Server, probes, routes, shared::Shared, stream::Feeder,
};
use ploy_bus::Bus;
use ploy_chassis::{
    BoxError, Clock, Process,
    health::{HealthRegistry, Liveness},
    metrics::Metrics,
    scope,
    service::{Port, PortError},
};
use ploy_wire::api::{ExecutionApi, IngestionApi, RiskApi, StrategyApi};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests and streams may take to end once the gateway has to.
const DRAIN: Duration = Duration::from_secs(8);
/// What chooses the port: an option of `ploy up`, a key everywhere.
const PORT_OPTION: &str = "--port or gateway.listen";

/// What the gateway is given.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Orders, fills, positions and accounts.
    pub execution: Arc<dyn ExecutionApi>,
    /// Trading states, limits and the kill switch.
    pub risk: Arc<dyn RiskApi>,
    /// Strategy instances.
    pub strategy: Arc<dyn StrategyApi>,
    /// Instruments and markets.
    pub ingestion: Arc<dyn IngestionApi>,
    /// Where live updates come from.
    pub bus: Arc<dyn Bus>,
    /// Where what it finds about the others is kept; `/health` shows all of it, also what others
    /// have registered.
    pub health: HealthRegistry,
    /// Whether the runtime ticks.
    pub liveness: Liveness,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its address is taken or not usable.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Reads without a token would be open to others.
    #[error("gateway.reads_open needs a loopback address, but gateway.listen is {address}")]
    ReadsOpen {
        /// Where it should listen.
        address: SocketAddr,
    },
    /// There is no account to show.
    #[error("gateway.accounts is empty; name at least one account")]
    NoAccount,
    /// The listener does not know its address.
    #[error("the gateway cannot tell where it listens")]
    Address(#[source] io::Error),
}

/// The gateway with its port, not yet running: callers that connect now wait.
#[derive(Debug)]
pub struct App {
    shared: Arc<Shared>,
    listener: TcpListener,
    address: SocketAddr,
}

impl App {
    /// Takes the port. Within a tokio runtime.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(config: Config, deps: Deps, clock: &Clock) -> Result<Self, BuildError> {
        let address = config.listen;
        if config.reads_open && !address.ip().is_loopback() {
            return Err(BuildError::ReadsOpen { address });
        }
        if config.accounts.is_empty() {
            return Err(BuildError::NoAccount);
        }
        let listener = Port::take(PORT_OPTION, address)?.listen()?;
        let address = listener.local_addr().map_err(BuildError::Address)?;
        let shared = Arc::new(Shared::new(config, deps, clock.clone()));
        Ok(Self {
            shared,
            listener,
            address,
        })
    }

    /// Where it listens; port 0 of the configuration has become a real one.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Runs it as a task of `process`.
    pub fn start(self, process: &Process) {
        let process = process.for_service("gateway");
        let stop = process.stopping();
        process.spawn_named("gateway", self.run_until(stop));
    }

    /// Serves until `stop`, then lets requests under way finish and tells streams to go.
    ///
    /// # Errors
    /// When live updates cannot be followed any more.
    pub async fn run_until(self, stop: CancellationToken) -> Result<(), BoxError> {
        let shared = self.shared;
        // What runs beside the connections ends with the connections, whatever ends them.
        let ending = shared.stop.clone();
        let _guard = ending.clone().drop_guard();
        probes::spawn(&shared);
        let feeder = Feeder::new(Arc::clone(&shared)).run(ending.clone());
        let feeder = shared.tasks.spawn(scope::within("gateway", feeder));
        let bounds = shared.config.bounds;
        let server = Server {
            listener: self.listener,
            routes: routes::router(&shared),
            connections_max: bounds.connections_max,
            per_address_max: bounds.connections_per_address_max,
            tasks: shared.tasks.clone(),
        };
        tracing::info!(address = %self.address, "the gateway listens");
        let feed = tokio::select! {
            () = server.serve(&stop) => Ok(()),
            fed = feeder => fed.map_err(BoxError::from),
        };
        ending.cancel();
        shared.tasks.close();
        if tokio::time::timeout(DRAIN, shared.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(left = shared.tasks.len(), "requests are left unfinished");
        }
        feed
    }
}
