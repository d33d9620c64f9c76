//! The exchange and the five services, built in one process and started in the order in which they
//! need each other.

use super::{
    API_KEY,
    args::{Args, Config, Known},
    clock,
    data_dir::DataDir,
    market::Replay,
    summary::Api,
};
use anyhow::{Context as _, bail};
use ploy_bus::{Bus, BusOptions, StreamSpec};
use ploy_chassis::{
    Process,
    config::Secret,
    health::{HealthRegistry, Liveness},
    metrics::Metrics,
    relay::Relay,
};
use ploy_domain::Instrument;
use ploy_exchange_server::{AccountConfig, Bound, InstrumentConfig, Server, ServerError};
use ploy_execution::{AccountSetup, ExecutionStore, Journal};
use ploy_orders_core::Settings as OrderSettings;
use ploy_risk::RiskStore;
use ploy_store::{Store, StoreOptions};
use ploy_strategy::{Decisions, InstanceSetup};
use ploy_strategy_core::InstanceConfig;
use ploy_venue_binance::{ApiSecret, BinanceBroker, BinanceConfig, BinanceFeed, Credentials};
use ploy_venue_port::{Broker as _, Feed as _};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Streams of the memory bus are small: the database keeps everything.
const STREAM_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How long the exchange may take to answer at the start.
const EXCHANGE_DEADLINE: Duration = Duration::from_secs(10);

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
struct Replayed {
    symbol: String,
    bar: ploy_domain::BarInterval,
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
    mode: &'static str,
    bus: Arc<dyn Bus>,
    store: Store,
    ingestion: ploy_ingestion::App,
    strategy: ploy_strategy::App,
    risk: ploy_risk::App,
    execution: ploy_execution::App,
    gateway: ploy_gateway::App,
    accounts: Vec<ploy_domain::AccountId>,
    api: Api,
}

impl Stack {
    pub(crate) async fn build(
        config: Config,
        exchange: Exchange,
        watch: Watch,
        process: &Process,
    ) -> anyhow::Result<Self> {
        let (address, market, replayed) = exchange.start(process);
        let common = &config.common;
        let bus = ploy_bus::open(&common.bus_url, BusOptions::new("ploy")).await?;
        bus.declare(&streams())
            .await
            .context("the bus does not take the streams")?;
        let store = Store::open(&common.store_url, StoreOptions::new("ploy")).await?;
        let feed = Arc::new(BinanceFeed::new(venue(&config, None))?);
        let instruments = tokio::time::timeout(EXCHANGE_DEADLINE, feed.instruments()).await;
        let instruments = instruments
            .context("the exchange does not answer")?
            .context("no instruments")?;
        let accounts = vec![config.execution.account];
        let holder = format!("ploy-{}-{}", std::process::id(), clock().now().as_nanos());

        let ingestion = ploy_ingestion::App::build(
            ploy_ingestion::Deps {
                feed,
                bus: Arc::clone(&bus),
                instruments: instruments.clone(),
                stale_after: config.ingestion.stale_after,
            },
            &clock(),
        );
        let risk = ploy_risk::App::build(
            ploy_risk::Deps {
                store: RiskStore::open(store.clone()).await?,
                bus: Arc::clone(&bus),
                instruments: instruments.clone(),
                accounts: accounts.clone(),
                limits: config.risk.limits.clone(),
                armed: config.risk.is_armed(common.mode),
                holder: holder.clone(),
            },
            &clock(),
        );
        let execution = ploy_execution::App::build(
            ploy_execution::Deps {
                journal: Journal::Durable(ExecutionStore::open(store.clone()).await?),
                bus: Arc::clone(&bus),
                risk: Arc::new(risk.service()),
                accounts: vec![account(&config, &instruments)?],
                holder: holder.clone(),
            },
            &clock(),
        );
        let strategy = ploy_strategy::App::build(
            ploy_strategy::Deps {
                decisions: Decisions::open(store.clone()).await?,
                bus: Arc::clone(&bus),
                execution: execution.service(),
                instances: instances(&config, &instruments, replayed.as_ref())?,
                holder,
            },
            &clock(),
        )?;
        let api = Api {
            execution: execution.service(),
            strategy: Arc::new(strategy.service()),
            ingestion: Arc::new(ingestion.service()),
            risk: Arc::new(risk.service()),
        };
        let gateway = ploy_gateway::App::build(
            config.gateway.clone(),
            ploy_gateway::Deps {
                execution: Arc::clone(&api.execution),
                risk: Arc::clone(&api.risk),
                strategy: Arc::clone(&api.strategy),
                ingestion: Arc::clone(&api.ingestion),
                bus: Arc::clone(&bus),
                health: HealthRegistry::new("ploy", clock()),
                liveness: watch.liveness,
                metrics: watch.metrics,
            },
            &clock(),
        )?;
        let mode = common.mode.word();
        Ok(Self {
            gateway,
            exchange: address,
            market,
            mode,
            bus,
            store,
            ingestion,
            strategy,
            risk,
            execution,
            accounts,
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
            line("mode", self.mode.to_owned()),
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
        let relay = Relay {
            store: self.store,
            bus: Arc::clone(&self.bus),
            clock: clock(),
            committed: self.execution.committed(),
            accounts: self.accounts,
            streams: streams(),
        };
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

fn streams() -> Vec<StreamSpec> {
    ploy_bus::PLOY_STREAMS
        .iter()
        .map(|stream| {
            let bytes_max = stream.bytes_max.min(STREAM_BYTES_MAX);
            // The newest matter here; whoever missed an old one asks for a replay.
            StreamSpec {
                bytes_max,
                discard: ploy_bus::Discard::Old,
                ..stream.clone()
            }
        })
        .collect()
}

fn venue(config: &Config, credentials: Option<Credentials>) -> BinanceConfig {
    let venue = &config.execution.venue;
    let symbols = venue.symbols.clone();
    BinanceConfig {
        credentials,
        ..BinanceConfig::of_url(venue.id, &venue.url, symbols)
    }
}

fn account(config: &Config, instruments: &[Instrument]) -> anyhow::Result<AccountSetup> {
    let execution = &config.execution;
    let credentials = Credentials {
        key: execution.api_key.clone(),
        secret: ApiSecret::new(Secret::expose(&execution.api_secret).to_owned()),
    };
    let broker = BinanceBroker::new(venue(config, Some(credentials)))?;
    let quarantine = broker.declaration().quarantine();
    Ok(AccountSetup {
        account: execution.account,
        instruments: instruments
            .iter()
            .map(|one| (one.id, one.clone()))
            .collect(),
        settings: OrderSettings {
            epoch: 0,
            prefix: ploy_execution::config::order_id_prefix(config.common.mode),
            quarantine: nanos(quarantine),
            guard: execution.guard,
        },
        broker: Arc::new(broker),
    })
}

/// The configured instances; a replay runs one on what is replayed instead.
fn instances(
    config: &Config,
    instruments: &[Instrument],
    replayed: Option<&Replayed>,
) -> anyhow::Result<Vec<InstanceSetup>> {
    let settings = match replayed {
        None => config.strategy.instances.clone(),
        Some(replayed) => {
            let params = [("fast", "3"), ("slow", "8"), ("notional", "1000")];
            let mut params: BTreeMap<String, String> = params
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
            params.insert("interval".to_owned(), replayed.bar.to_string());
            vec![ploy_strategy::config::InstanceSettings {
                id: "ma-cross-replay".parse()?,
                kind: "ma-cross".to_owned(),
                instrument: format!("{}.{}", replayed.symbol, config.execution.venue.id).parse()?,
                account: config.execution.account,
                params,
            }]
        }
    };
    let mut setups = Vec::new();
    for one in settings {
        let found = instruments
            .iter()
            .find(|instrument| instrument.id == one.instrument);
        let Some(instrument) = found else {
            bail!(
                "strategy {}: the venue does not list {}",
                one.id,
                one.instrument
            );
        };
        setups.push(InstanceSetup {
            config: InstanceConfig {
                id: one.id,
                account: one.account,
                instrument: instrument.clone(),
                order_id_prefix: ploy_execution::config::order_id_prefix(config.common.mode),
                order_validity: nanos(config.strategy.order_validity),
            },
            kind: one.kind,
            params: one.params,
        });
    }
    Ok(setups)
}

fn nanos(span: Duration) -> ploy_domain::Nanos {
    ploy_domain::Nanos::new(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
}
