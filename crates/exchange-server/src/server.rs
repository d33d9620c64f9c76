//! The server's life: open the venue, take the port, run until told to stop, close the ledger.

use crate::{
    api::dispatch::Api,
    clock,
    config::{Config, ConfigError},
    engine::{Engine, EngineTask, OpenError, venue::Venue},
    http::{
        Shared,
        connection::{CuttableListener, Peer},
        router,
    },
    ledger::LedgerError,
    market::{self, Driver, MarketScript, Speed},
};
use std::{future::IntoFuture, io, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Why the exchange does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The venue cannot open.
    #[error("the exchange cannot open")]
    Open(#[from] OpenError),
    /// The configuration is not sound.
    #[error("the exchange's configuration is not sound")]
    Config(#[from] ConfigError),
    /// The address cannot be used.
    #[error("the exchange cannot listen on {address}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The listening socket failed.
    #[error("the exchange stopped serving")]
    Serve(#[source] io::Error),
    /// The ledger cannot be written, so nothing more may be answered.
    #[error("the exchange stopped because its ledger failed")]
    Ledger(#[from] LedgerError),
    /// A task of the exchange ended by a panic.
    #[error("a task of the exchange failed")]
    Task(#[from] tokio::task::JoinError),
}

/// Opens exchanges.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// An exchange that has its port and its ledger and does not run yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
    ledger: PathBuf,
    engine: Engine,
    task: EngineTask,
    api: Api,
    driver: Driver,
}

impl Server {
    /// Opens the venue with what its ledger remembers and takes the port.
    ///
    /// # Errors
    /// [`ServerError`]; a port that is taken is [`ServerError::Listen`].
    pub async fn bind(config: Config) -> Result<Bound, ServerError> {
        let address = config.listen;
        let listen = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let opening = config.clone();
        let opened =
            tokio::task::spawn_blocking(move || Venue::open(&opening, clock::now())).await?;
        let venue = opened?;
        let ledger = venue.ledger_path().to_owned();
        let driver = Driver::generated(&config, &venue);
        let (engine, task) = Engine::new(venue);
        let api = Api::new(engine.clone(), &config)?;
        Ok(Bound {
            listener,
            address,
            config,
            ledger,
            engine,
            task,
            api,
            driver,
        })
    }
}

impl Bound {
    /// The address that clients connect to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The file of the ledger.
    #[must_use]
    pub fn ledger_path(&self) -> &std::path::Path {
        &self.ledger
    }

    /// Lets a script drive the market instead of the generator.
    #[must_use]
    pub fn with_script(mut self, script: MarketScript, speed: Speed) -> Self {
        self.driver = Driver::scripted(&self.config, script, speed);
        self
    }

    /// Runs until `stop`. Requests under way are answered, sockets are told, and the ledger is
    /// synced before it returns.
    ///
    /// # Errors
    /// [`ServerError`] when it had to stop by itself.
    pub async fn run_until(self, stop: CancellationToken) -> Result<(), ServerError> {
        // Ends with `stop`, and also when the engine fails.
        let serving = stop.child_token();
        let engine_stop = CancellationToken::new();
        let failed = serving.clone();
        let engine_token = engine_stop.clone();
        let engine_task = tokio::spawn(async move {
            let outcome = self.task.run_until(engine_token).await;
            failed.cancel();
            outcome
        });
        let market_task = tokio::spawn(market::run(self.driver, self.engine, serving.clone()));
        let shared = Arc::new(Shared::new(self.api, serving.clone()));
        tracing::info!(address = %self.address, ledger = %self.ledger.display(), "exchange open");
        let service = router(shared.clone()).into_make_service_with_connect_info::<Peer>();
        let served = axum::serve(CuttableListener(self.listener), service)
            .with_graceful_shutdown(serving.clone().cancelled_owned())
            .into_future()
            .await;
        serving.cancel();
        shared.sockets.close();
        shared.sockets.wait().await;
        market_task.await?;
        engine_stop.cancel();
        engine_task.await??;
        tracing::info!(ledger = %self.ledger.display(), "exchange closed");
        served.map_err(ServerError::Serve)
    }
}
