//! The platform as separate processes: the exchange and five services over a private NATS,
//! PostgreSQL and Redis, each of which can be killed and started again.

use crate::{api::Api, oracle::Oracle, programs::program, quick::QUICK_STRATEGIES};
use anyhow::{Context, Result, bail};
use ploy_testkit::{
    NatsServer, PostgresServer, Program, RedisServer, RunningProgram, TempDir, eventually,
    free_port,
};
use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

const TOKEN: &str = "the-token-of-this-run-of-the-tests";
const SECRET: &str = "the-secret-of-this-run-of-the-tests";
/// How long everything may take to start on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// How long an ordered end may take.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// A process of the platform, in the order in which they are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The built-in exchange.
    Exchange,
    /// Market data in.
    Ingestion,
    /// Orders out.
    Execution,
    /// The judge.
    Risk,
    /// Decisions.
    Strategy,
    /// The door.
    Gateway,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Exchange,
        Self::Ingestion,
        Self::Execution,
        Self::Risk,
        Self::Strategy,
        Self::Gateway,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Ingestion => "ingestion",
            Self::Execution => "execution",
            Self::Risk => "risk",
            Self::Strategy => "strategy",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a crash can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// A process of ours.
    Service(Service),
    /// The NATS server.
    Bus,
    /// The PostgreSQL server.
    Database,
    /// The Redis server.
    Cache,
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => service.fmt(f),
            Self::Bus => f.pad("nats-server"),
            Self::Database => f.pad("postgres"),
            Self::Cache => f.pad("redis-server"),
        }
    }
}

#[derive(Debug)]
struct Ports {
    grpc: BTreeMap<Service, u16>,
    ops: BTreeMap<Service, u16>,
}

/// Everything, running.
#[derive(Debug)]
pub struct Distributed {
    // Processes before servers, servers before the directory: each is gone when what it uses goes.
    processes: BTreeMap<Service, RunningProgram>,
    bus: NatsServer,
    postgres: PostgresServer,
    cache: RedisServer,
    dir: TempDir,
    ports: Ports,
    database: String,
    more: String,
}

impl Distributed {
    /// Starts everything and waits until it trades. `more` is added to the configuration.
    ///
    /// # Errors
    /// When something does not start, with what it said.
    pub async fn start(more: &str) -> Result<(Self, Api)> {
        let (mut platform, api) = tokio::task::block_in_place(|| Self::prepare(more))?;
        for service in Service::ALL {
            platform.begin(service)?;
        }
        platform.until_ready().await?;
        match api.until_trading(START_DEADLINE).await {
            Ok(()) => Ok((platform, api)),
            Err(error) => bail!("{error:#}\n{}", platform.last_words()),
        }
    }

    fn prepare(more: &str) -> Result<(Self, Api)> {
        let postgres = PostgresServer::start()?;
        let database = postgres.fresh_database()?;
        let mut ports = Ports {
            grpc: BTreeMap::new(),
            ops: BTreeMap::new(),
        };
        for service in Service::ALL {
            ports.grpc.insert(service, free_port()?);
            ports.ops.insert(service, free_port()?);
        }
        let platform = Self {
            processes: BTreeMap::new(),
            bus: NatsServer::start()?,
            postgres,
            cache: RedisServer::start()?,
            dir: TempDir::new()?,
            ports,
            database,
            more: more.to_owned(),
        };
        platform.write_configuration()?;
        let url = format!("http://127.0.0.1:{}", platform.grpc(Service::Gateway));
        let api = Api::new(url, TOKEN.to_owned())?;
        Ok((platform, api))
    }

    fn grpc(&self, service: Service) -> u16 {
        self.ports.grpc.get(&service).copied().unwrap_or_default()
    }

    fn write_configuration(&self) -> Result<()> {
        let exchange = serde_json::json!({
            "listen": format!("127.0.0.1:{}", self.grpc(Service::Exchange)),
            "data_dir": self.dir.join("exchange"),
            "seed": 1,
            "fault_injection": true,
            "accounts": [{
                "name": "main",
                "api_key": "key",
                "secret": SECRET,
                "balances": { "USDT": "100000", "BTC": "1", "ETH": "10", "SOL": "100" },
            }],
        });
        std::fs::write(self.dir.join("exchange.json"), exchange.to_string())?;
        std::fs::write(self.dir.join("ploy.toml"), self.services())?;
        Ok(())
    }

    /// The configuration of all services; each takes its own section.
    fn services(&self) -> String {
        let url = |service| format!("http://127.0.0.1:{}", self.grpc(service));
        let listens = |service: Service| {
            let ops = self.ports.ops.get(&service).copied().unwrap_or_default();
            let grpc = self.grpc(service);
            format!(
                "[{service}]\nlisten = \"127.0.0.1:{grpc}\"\nops_listen = \"127.0.0.1:{ops}\"\n"
            )
        };
        let (execution, risk) = (url(Service::Execution), url(Service::Risk));
        let (strategy, ingestion) = (url(Service::Strategy), url(Service::Ingestion));
        let own = [
            format!("data_dir = \"{}\"\n", self.dir.join("data").display()),
            format!("[bus]\nurl = \"{}\"\n", self.bus.url()),
            format!("[store]\nurl = \"{}\"\n", self.database),
            format!("[cache]\nurl = \"{}\"\n", self.cache.url()),
            format!("[venue]\nurl = \"{}\"\n", url(Service::Exchange)),
            listens(Service::Ingestion),
            listens(Service::Risk),
            format!("execution = \"{execution}\"\ningestion = \"{ingestion}\"\n"),
            listens(Service::Execution),
            format!("risk = \"{risk}\"\napi_key = \"key\"\napi_secret = \"{SECRET}\"\n"),
            format!(
                "[gateway]\nlisten = \"127.0.0.1:{}\"\ntoken = \"{TOKEN}\"\nreads_open = true\n",
                self.grpc(Service::Gateway)
            ),
            "reads_per_second = 1000\nmutations_per_second = 1000\n".to_owned(),
            format!("execution = \"{execution}\"\nrisk = \"{risk}\"\n"),
            format!("strategy = \"{strategy}\"\ningestion = \"{ingestion}\"\n"),
            listens(Service::Strategy),
            format!("execution = \"{execution}\"\ningestion = \"{ingestion}\"\n"),
            QUICK_STRATEGIES.to_owned(),
            self.more.clone(),
        ];
        own.concat()
    }

    /// Starts a process and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn begin(&mut self, service: Service) -> Result<()> {
        let configuration = match service {
            Service::Exchange => "exchange.json",
            Service::Ingestion
            | Service::Execution
            | Service::Risk
            | Service::Strategy
            | Service::Gateway => "ploy.toml",
        };
        let path = program(&format!("ploy-{service}"))?;
        let program = Program::new(path, self.output(service))
            .argument("--config")
            .argument(self.dir.join(configuration));
        self.processes.insert(service, program.start()?);
        Ok(())
    }

    fn output(&self, service: Service) -> PathBuf {
        self.dir.join(&format!("{service}.log"))
    }

    /// Waits until every service calls itself ready.
    ///
    /// # Errors
    /// When one does not, with what it said.
    pub async fn until_ready(&mut self) -> Result<()> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()?;
        for service in Service::ALL {
            let (port, path) = match service {
                Service::Exchange => (self.grpc(service), "/api/v3/ping"),
                Service::Gateway => (self.grpc(service), "/health/ready"),
                Service::Ingestion | Service::Execution | Service::Risk | Service::Strategy => {
                    let ops = self.ports.ops.get(&service).copied();
                    (ops.unwrap_or_default(), "/health/ready")
                }
            };
            let url = format!("http://127.0.0.1:{port}{path}");
            let ready = eventually(START_DEADLINE, || async {
                let answer = client.get(&url).send().await.ok()?;
                (answer.status().as_u16() == 200).then_some(())
            });
            if ready.await.is_err() {
                let body = match client.get(&url).send().await {
                    Ok(answer) => answer.text().await.unwrap_or_default(),
                    Err(error) => error.to_string(),
                };
                bail!("{service} is not ready: {body}\n{}", self.last_words());
            }
        }
        Ok(())
    }

    /// Kills a process as a crash would.
    ///
    /// # Errors
    /// When it had ended by itself: then the kill was no fault.
    pub fn kill(&mut self, victim: Victim) -> Result<()> {
        let service = match victim {
            Victim::Bus => {
                self.bus.kill();
                return Ok(());
            }
            Victim::Database => {
                self.postgres.kill();
                return Ok(());
            }
            Victim::Cache => {
                self.cache.kill();
                return Ok(());
            }
            Victim::Service(service) => service,
        };
        let mut running = self
            .processes
            .remove(&service)
            .with_context(|| format!("{service} does not run"))?;
        if let Some(status) = running.ended()? {
            bail!(
                "{service} ended by itself with {status}\n{}",
                self.last_words()
            );
        }
        running.kill()
    }

    /// Starts it again with what it left behind and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn revive(&mut self, victim: Victim) -> Result<()> {
        match victim {
            Victim::Bus => tokio::task::block_in_place(|| self.bus.restart()),
            Victim::Database => tokio::task::block_in_place(|| self.postgres.restart()),
            Victim::Cache => tokio::task::block_in_place(|| self.cache.restart()),
            Victim::Service(service) => self.begin(service),
        }
    }

    /// Loses the whole bus: it comes back without anything it ever kept.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn empty_bus(&mut self) -> Result<()> {
        tokio::task::block_in_place(|| self.bus.restart_empty())
    }

    /// Stands a process still, or lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self, service: Service, frozen: bool) -> Result<()> {
        let running = self.processes.get(&service);
        let running = running.with_context(|| format!("{service} does not run"))?;
        if frozen {
            running.freeze()
        } else {
            running.thaw()
        }
    }

    /// What goes wrong between the exchange and its clients from now on.
    ///
    /// # Errors
    /// When the exchange does not take it.
    pub async fn venue_faults(&self, plan: &serde_json::Value) -> Result<()> {
        let port = self.grpc(Service::Exchange);
        let url = format!("http://127.0.0.1:{port}/ploy/faults");
        let answer = reqwest::Client::new().post(url).json(plan).send().await?;
        let status = answer.status();
        let said = answer.text().await?;
        anyhow::ensure!(status.is_success(), "the exchange says {status}: {said}");
        Ok(())
    }

    /// Ends every process in order, those first that need others, and says who did not end well.
    ///
    /// # Errors
    /// When one does not end, or with a failure.
    pub async fn stop(&mut self) -> Result<()> {
        for service in Service::ALL.into_iter().rev() {
            let Some(mut running) = self.processes.remove(&service) else {
                continue;
            };
            running.terminate()?;
            let ended = eventually(END_DEADLINE, || {
                let ended = running.ended().ok().flatten();
                async move { ended }
            });
            let status = ended
                .await
                .with_context(|| format!("{service} does not end\n{}", self.last_words()))?;
            if !status.success() {
                bail!("{service} ended with {status}\n{}", self.last_words());
            }
        }
        Ok(())
    }

    /// The last warnings and errors of every process.
    #[must_use]
    pub fn last_words(&self) -> String {
        let mut words = Vec::new();
        for service in Service::ALL {
            let said = std::fs::read_to_string(self.output(service)).unwrap_or_default();
            let worth = |line: &&str| !line.contains("\"level\":\"info\"");
            let lines: Vec<_> = said.lines().filter(worth).collect();
            let last = &lines[lines.len().saturating_sub(15)..];
            words.push(format!("--- {service}\n{}", last.join("\n")));
        }
        words.join("\n")
    }

    /// The oracle of its books.
    ///
    /// # Errors
    /// Never, as long as `main` is an account.
    pub fn oracle(&self) -> Result<Oracle> {
        Ok(Oracle {
            ledger: self.dir.join("exchange").join("ledger.jsonl"),
            database: self.database.clone(),
            account: "main".parse()?,
        })
    }

    /// Where the files of the run are.
    #[must_use]
    pub const fn directory(&self) -> &TempDir {
        &self.dir
    }

    /// Where the bus is.
    #[must_use]
    pub fn bus_url(&self) -> String {
        self.bus.url()
    }

    /// Where a process or server that a crash can hit listens, as host and port.
    ///
    /// # Errors
    /// When its URL has none.
    pub fn address(&self, victim: Victim) -> Result<String> {
        let url = match victim {
            Victim::Bus => self.bus.url(),
            Victim::Database => self.database.clone(),
            Victim::Cache => self.cache.url(),
            Victim::Service(service) => format!("http://127.0.0.1:{}", self.grpc(service)),
        };
        let url: reqwest::Url = url.parse()?;
        let host = url.host_str().context("no host")?;
        let port = url.port().context("no port")?;
        Ok(format!("{host}:{port}"))
    }

    /// The database server.
    #[must_use]
    pub const fn postgres(&self) -> &PostgresServer {
        &self.postgres
    }
}
