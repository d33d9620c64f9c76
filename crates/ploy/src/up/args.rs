//! The options of `ploy up` and the configuration that they and the file make.

use super::market::MarketArgs;
use ploy_chassis::config::{COMMON_DEFAULTS, Common, ConfigError, Settings, Sources};
use std::path::{Path, PathBuf};

/// Run the whole platform in this process.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The port of the API on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = ".ploy")]
    pub(crate) data_dir: PathBuf,
    /// A configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Forget everything and start afresh
    #[arg(long)]
    pub(crate) clean: bool,
    /// Show the logs, as json or pretty, instead of the live summary
    #[arg(long, value_name = "FORMAT", value_parser = ["json", "pretty"])]
    pub(crate) log: Option<String>,
    #[command(flatten)]
    pub(crate) market: MarketArgs,
}

/// The configuration of every service in this process.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) common: Common,
    pub(crate) ingestion: ploy_ingestion::config::Config,
    pub(crate) strategy: ploy_strategy::config::Config,
    pub(crate) risk: ploy_risk::config::Config,
    pub(crate) execution: ploy_execution::config::Config,
    pub(crate) gateway: ploy_gateway::Config,
}

/// What only this process knows: the exchange that it runs, the key that it made, and where the
/// database of this market is.
pub(crate) struct Known<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) api_secret: &'a str,
    pub(crate) token: &'a str,
    pub(crate) symbols: &'a [String],
    pub(crate) database: &'a Path,
}

impl Args {
    /// Whether logs go to the terminal and the summary does not.
    pub(crate) const fn shows_logs(&self) -> bool {
        self.log.is_some()
    }

    /// Defaults, file, environment, and then what only this process knows.
    pub(crate) fn configuration(&self, known: &Known<'_>) -> Result<Config, ConfigError> {
        let options = self.sources(known);
        let defaults = [
            COMMON_DEFAULTS,
            ploy_ingestion::config::DEFAULTS,
            ploy_strategy::config::DEFAULTS,
            ploy_risk::config::DEFAULTS,
            ploy_execution::config::DEFAULTS,
            ploy_gateway::config::DEFAULTS,
        ];
        Settings::load(&defaults, &options).resolve(|s| {
            let common = Common::read(s);
            let ingestion = ploy_ingestion::config::Config::read(s);
            let strategy = ploy_strategy::config::Config::read(s);
            let risk = ploy_risk::config::Config::read(s);
            let execution = ploy_execution::config::Config::read(s);
            let gateway = ploy_gateway::Config::read(s);
            Some(Config {
                common: common?,
                gateway: gateway?,
                ingestion: ingestion?,
                strategy: strategy?,
                risk: risk?,
                execution: execution?,
            })
        })
    }

    fn sources(&self, known: &Known<'_>) -> Sources {
        let (dir, database) = (self.data_dir.display(), known.database.display());
        let sources = Sources::of_process(self.config.as_deref())
            .with_option("--data-dir", "data_dir", dir.to_string())
            .with_option("--data-dir", "store.url", format!("sqlite:{database}"))
            .with_option("ploy up", "venue.url", format!("http://{}", known.exchange))
            .with_option("ploy up", "venue.symbols", known.symbols.join(","))
            .with_option(
                "--port",
                "gateway.listen",
                format!("127.0.0.1:{}", self.port),
            )
            .with_option("ploy up", "gateway.reads_open", "true")
            .with_option("ploy up", "gateway.token", known.token)
            .with_option("ploy up", "execution.api_key", super::API_KEY)
            .with_option("ploy up", "execution.api_secret", known.api_secret);
        match (&self.log, self.log_file()) {
            (Some(format), _) => sources.with_option("--log", "log.format", format.as_str()),
            (None, file) => sources.with_option("ploy up", "log.file", file.display().to_string()),
        }
    }

    /// Where logs go while the summary has the terminal.
    pub(crate) fn log_file(&self) -> PathBuf {
        Path::new(&self.data_dir).join("ploy.log")
    }
}
