//! The frame of a service's own process: command line, configuration, logs, probes, the way to what
//! it depends on, and an orderly end.
//!
//! Decides what every process of Ploy has in common, so that a service's `main.rs` names itself and
//! its `standalone.rs` only connects. A dependency that is away is waited for, whichever it is, so
//! the order in which processes start does not matter; a mistake ends the process.

mod backends;
mod command_line;
mod port;
mod waiting;

pub use backends::{instruments, streams};
pub use port::{Port, PortError};

use crate::{
    BoxError, Clock, Process, chain,
    config::{COMMON_DEFAULTS, Common, ConfigError, Mode, Settings},
    grpc::GrpcServer,
    health::{self, Check, Dependency, Group, HealthRegistry, Liveness, Probing, Watchdog},
    metrics::{self, Metrics},
    telemetry::Plan,
};
use command_line::Request;
use std::{
    fmt::Display,
    io::Write,
    net::SocketAddr,
    process::{ExitCode, id},
    time::Duration,
};
use tokio_util::task::TaskTracker;

/// The exit code for a mistake on the command line or in the configuration.
const EXIT_MISTAKE: u8 = 2;
/// How backends are asked: one failure in a row may be chance.
const PROBING: Probing = Probing {
    every: Duration::from_secs(2),
    deadline: Duration::from_secs(2),
    failures_to_down: 3,
};
/// How everything else is asked: what it answers is how it is.
const WATCHING: Probing = Probing {
    every: Duration::from_secs(1),
    deadline: Duration::from_secs(2),
    failures_to_down: 1,
};

/// Which service a process is.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name, also of its section in the configuration.
    pub name: &'static str,
    /// What it does, in one line of help.
    pub about: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Every key of its section with its default.
    pub defaults: &'static str,
}

/// What a service stands on. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Base {
    /// The settings of every process.
    pub common: Common,
    /// The life of this one.
    pub process: Process,
    /// Its source of time.
    pub clock: Clock,
    /// What it knows about what it depends on.
    pub health: HealthRegistry,
    /// Whether its runtime ticks.
    pub liveness: Liveness,
    /// What it counts.
    pub metrics: Metrics,
    /// A name that no other start of any process has, for leases.
    pub holder: String,
}

impl Service {
    /// Runs the process: reads the command line and the configuration, then starts the service and
    /// stays until it has ended. 0 is a clean end, 1 a failure, 2 a mistake of whoever started it.
    pub fn run<C, F, Fut>(self, read: impl FnOnce(&mut Settings) -> Option<C>, start: F) -> ExitCode
    where
        C: Send + 'static,
        F: FnOnce(C, Base) -> Fut,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let options = match command_line::read(self, std::env::args_os()) {
            Request::Run(options) => options,
            Request::Show(text) => return say(&text, ExitCode::SUCCESS),
            Request::Refuse(text) => return complain(&text, ExitCode::from(EXIT_MISTAKE)),
        };
        let mut settings = Settings::load(&[COMMON_DEFAULTS, self.defaults], &options.sources());
        let resolved = self.resolve(&mut settings, read);
        if options.print_config && resolved.is_ok() {
            return say(&settings.print(), ExitCode::SUCCESS);
        }
        let (common, config) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => {
                let text = format!("ploy-{}: {error}\n", self.name);
                return complain(&text, ExitCode::from(EXIT_MISTAKE));
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let ended = match runtime {
            Ok(runtime) => runtime.block_on(self.live(common, |base| start(config, base))),
            Err(error) => Err(error.into()),
        };
        ended.unwrap_or_else(|error| {
            let text = format!("ploy-{}: {}\n", self.name, chain(error.as_ref()));
            complain(&text, ExitCode::FAILURE)
        })
    }

    fn resolve<C>(
        self,
        settings: &mut Settings,
        read: impl FnOnce(&mut Settings) -> Option<C>,
    ) -> Result<(Common, C), ConfigError> {
        settings.resolve(|s| {
            let (common, config) = (Common::read(s), read(s));
            if common
                .as_ref()
                .is_some_and(|common| common.bus_url.starts_with("memory:"))
            {
                let problem = "reaches nobody outside this process; expected nats://HOST:PORT";
                s.reject("bus.url", problem);
            }
            Some((common?, config?))
        })
    }

    async fn live<Fut>(
        self,
        common: Common,
        start: impl FnOnce(Base) -> Fut,
    ) -> Result<ExitCode, BoxError>
    where
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let telemetry = Plan::of(self.name, &common).install()?;
        let (process, clock, metrics) = (
            Process::new(self.name),
            Clock::system(),
            metrics::install()?,
        );
        process.stop_on_signals()?;
        metrics.keep_up(&process);
        let base = Base {
            holder: holder(self.name, &clock),
            liveness: Watchdog::default().start(&process)?,
            health: HealthRegistry::new(self.name, clock.clone()),
            common,
            process: process.clone(),
            clock,
            metrics,
        };
        tracing::info!(version = self.version, holder = base.holder, "starting");
        let dependency = Dependency::required("start", Group::Internal);
        let (started, stop) = (base.health.register(dependency), process.stopping());
        let starting = start(base);
        process.spawn_brief("start", async move {
            if let Some(outcome) = stop.run_until_cancelled(starting).await {
                outcome?;
                started.up(Duration::ZERO);
                tracing::info!("started");
            }
            Ok::<(), BoxError>(())
        });
        let summary = process.run_until_ended().await;
        telemetry.shutdown().await;
        Ok(summary.exit_code())
    }
}

impl Base {
    /// Serves probes and metrics at `address`, which the configuration calls `key`.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn serve_probes(&self, key: &'static str, address: SocketAddr) -> Result<(), PortError> {
        let listener = Port::take(key, address)?.listen()?;
        let routes = health::router(
            self.health.clone(),
            self.liveness.clone(),
            self.metrics.clone(),
        );
        let serving = health::serve(listener, routes, self.process.settling());
        self.process.spawn_support("probes", serving);
        Ok(())
    }

    /// Serves gRPC at `port` until the process stops, then waits for the `calls` in flight.
    ///
    /// # Errors
    /// [`PortError`].
    pub fn serve_grpc(
        &self,
        port: Port,
        server: GrpcServer,
        calls: TaskTracker,
    ) -> Result<(), PortError> {
        let (listener, stop) = (port.listen()?, self.process.stopping());
        let server = match self.common.mode {
            Mode::Live => server.without_reflection(),
            Mode::Dev | Mode::Paper => server,
        };
        self.process.spawn_named("grpc", async move {
            server.serve(listener, stop).await?;
            calls.close();
            calls.wait().await;
            Ok::<(), BoxError>(())
        });
        Ok(())
    }

    /// Registers a dependency and asks about it with `ask` as long as the process lives.
    pub fn watch<F, Fut, E>(&self, dependency: Dependency, ask: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        self.probe(self.health.register(dependency), WATCHING, ask);
    }

    fn probe<F, Fut, E>(&self, check: Check, how: Probing, ask: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        let probing = check.probe(how, self.process.settling(), ask);
        self.process.spawn_support("probe", probing);
    }
}

/// The host, the process and the moment of its start.
fn holder(service: &str, clock: &Clock) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{service}@{host}/{}/{}", id(), clock.now().as_nanos())
}

/// Prints what was asked for.
fn say(text: &str, code: ExitCode) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => code,
        // Whoever asked does not read any more.
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(text: &str, code: ExitCode) -> ExitCode {
    // Without a standard error the exit code has to be enough.
    let _ = std::io::stderr().write_all(text.as_bytes());
    code
}

#[cfg(test)]
mod tests;
