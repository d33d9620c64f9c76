//! The exchange and the five services, built in one process and started in the order in which they
//! need each other.

use super::{
    API_KEY,
    args::{Args, Config, Known},
    assembly::Ground,
    data_dir::DataDir,
    market::Replay,
    summary::Api,
};
use anyhow::{Context as _, bail};
use ploy_chassis::{Process, health::Liveness, metrics::Metrics};
use ploy_exchange_server::{AccountConfig, Bound, InstrumentConfig, Server, ServerError};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What the first start made.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) api_secret: String,
    pub(crate) token: String,
}

/// What the process watches itself with.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) metrics: Metrics,
    pub(crate) liveness: Liveness,
}

/// The built-in exchange, listening and not yet running.
pub(crate) struct Exchange {
    bound: Bound,
    symbols: Vec<String>,
    market: String,
    replayed: Option<Replayed>,
    database: PathBuf,
}

/// What a replay changes for the strategies.
#[derive(Debug, Clone)]
pub(crate) struct Replayed {
    pub(crate) symbol: String,
    pub(crate) bar: ploy_domain::BarInterval,
}

impl Exchange {
    /// Opens the venue with what its ledger remembers, on a free port of the loopback.
    pub(crate) async fn bind(
        args: &Args,
        dir: &DataDir,
        keys: &Keys,
        replay: Option<Replay>,
    ) -> anyhow::Result<Self> {
        let mut account = AccountConfig::new("main", API_KEY, &keys.api_secret);
        let instruments = match &replay {
            None => InstrumentConfig::defaults(),
            Some(replay) => vec![replay.instrument.clone()],
        };
        for instrument in &instruments {
            account
                .balances
                .entry(instrument.base.clone())
                .or_insert_with(|| "0".to_owned());
        }
        // A replayed market is another world: its own exchange and its own books.
        let home = match &replay {
            None => dir.file("market"),
            Some(replay) => dir.file(&format!("replay-{}", replay.instrument.symbol)),
        };
        let config = ploy_exchange_server::Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: dir.file(if replay.is_some() {
                "replay"
            } else {
                "exchange"
            }),
            seed: args.market.seed,
            accounts: vec![account],
            instruments,
            market: ploy_exchange_server::MarketConfig {
                generate: replay.is_none(),
                ..ploy_exchange_server::MarketConfig::default()
            },
            ..ploy_exchange_server::Config::default()
        };
        let symbols = config
            .instruments
            .iter()
            .map(|one| one.symbol.clone())
            .collect();
        let market = replay.as_ref().map_or_else(
            || format!("generated, seed {}", args.market.seed),
            |replay| format!("recorded, {}", replay.described),
        );
        let mut bound = Server::bind(config)
            .await
            .context("the built-in exchange cannot open")?;
        let mut replayed = None;
        if let Some(replay) = replay {
            replayed = Some(Replayed {
                symbol: replay.instrument.symbol,
                bar: replay.bar,
            });
            bound = bound.with_script(replay.script, replay.speed);
        }
        Ok(Self {
            bound,
            symbols,
            market,
            replayed,
            database: home.join("ploy.db"),
        })
    }

    /// The configuration of the services around this exchange.
    pub(crate) fn configuration(&self, args: &Args, keys: &Keys) -> anyhow::Result<Config> {
        let address = self.bound.local_addr().to_string();
        let known = Known {
            exchange: &address,
            api_secret: &keys.api_secret,
            token: &keys.token,
            symbols: &self.symbols,
            database: &self.database,
        };
        Ok(args.configuration(&known)?)
    }

    /// Runs the exchange as long as anything in the process could still need it.
    fn start(self, process: &Process) -> (SocketAddr, String, Option<Replayed>) {
        let address = self.bound.local_addr();
        let process = process.for_service("exchange");
        let stop = CancellationToken::new();
        let settling = process.settling();
        let running = self.bound.run_until(stop.clone());
        process.spawn_support("exchange", async move {
            // Services settle with the venue first; it closes when they are done.
            let closing = async {
                settling.cancelled().await;
                stop.cancel();
                Ok::<(), ServerError>(())
            };
            tokio::try_join!(running, closing).map(|_| ())
        });
        (address, self.market, self.replayed)
    }
}

/// All services, built and not yet running.
pub(crate) struct Stack {
    exchange: SocketAddr,
    market: String,
    ground: Ground,
    ingestion: ploy_ingestion::App,
    strategy: ploy_strategy::App,
    risk: ploy_risk::App,
    execution: ploy_execution::App,
    gateway: ploy_gateway::App,
    api: Api,
}

impl Stack {
    /// Builds everything around the running exchange.
    pub(crate) async fn build(
        config: Config,
        exchange: Exchange,
        watch: Watch,
        process: &Process,
    ) -> anyhow::Result<Self> {
        let (address, market, replayed) = exchange.start(process);
        let ground = Ground::open(config).await?;
        let ingestion = ground.ingestion();
        let risk = ground.risk().await?;
        let execution = ground.execution(Arc::new(risk.service())).await?;
        let strategy = ground
            .strategy(execution.service(), replayed.as_ref())
            .await?;
        let api = Api {
            execution: execution.service(),
            strategy: Arc::new(strategy.service()),
            ingestion: Arc::new(ingestion.service()),
            risk: Arc::new(risk.service()),
        };
        let gateway = ground.gateway(&api, watch)?;
        Ok(Self {
            exchange: address,
            market,
            ground,
            ingestion,
            strategy,
            risk,
            execution,
            gateway,
            api,
        })
    }

    /// The services, for the summary.
    pub(crate) fn api(&self) -> Api {
        self.api.clone()
    }

    /// Where everything is.
    pub(crate) fn announcement(&self, args: &Args, dir: &DataDir) -> String {
        let url = format!("http://{}", self.gateway.local_addr());
        let line = |name: &str, value: String| format!("  {name:<10} {value}\n");
        let logs = if args.shows_logs() {
            "standard error".to_owned()
        } else {
            args.log_file().display().to_string()
        };
        [
            "Ploy is up.\n".to_owned(),
            line("mode", self.ground.mode().to_owned()),
            line("market", self.market.clone()),
            line("API", format!("{url}/api/v1")),
            line("health", format!("{url}/health")),
            line("metrics", format!("{url}/metrics")),
            line(
                "exchange",
                format!("http://{} (Binance-compatible)", self.exchange),
            ),
            line("data", args.data_dir.display().to_string()),
            line(
                "token",
                format!(
                    "{} (for orders, cancels and kill)",
                    dir.file("token").display()
                ),
            ),
            line("logs", logs),
            "Ctrl-C stops.\n\n".to_owned(),
        ]
        .concat()
    }

    /// Starts everything, what others need first.
    pub(crate) fn start(self, process: &Process) -> anyhow::Result<()> {
        let relay = self.ground.relay(self.execution.committed());
        let services = process.for_service("execution");
        services.spawn_support("relay", relay.run(process.settling()));
        let execution = self.execution.service();
        self.ingestion.start(process);
        self.risk.start(process, execution);
        if let Err(error) = self.execution.start(process) {
            bail!("execution cannot start: {error}");
        }
        self.strategy.start(process);
        self.gateway.start(process);
        Ok(())
    }
}
