//! `ploy config check`: reads a configuration as every service would and lists all mistakes.

use crate::cli::say;
use anyhow::anyhow;
use ploy_chassis::config::{COMMON_DEFAULTS, Common, ConfigError, Settings, Sources};
use std::{path::PathBuf, process::ExitCode};

/// What to check.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to check; without one, the file that PLOY_CONFIG names, and the environment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print every value in force and the layer it comes from; secrets are masked
    #[arg(long)]
    print: bool,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

/// Every key that any service knows.
const DEFAULTS: [&str; 6] = [
    COMMON_DEFAULTS,
    ploy_ingestion::config::DEFAULTS,
    ploy_strategy::config::DEFAULTS,
    ploy_risk::config::DEFAULTS,
    ploy_execution::config::DEFAULTS,
    ploy_gateway::config::DEFAULTS,
];

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let sources = Sources::of_process(args.config.as_deref());
    let mut settings = Settings::load(&DEFAULTS, &sources);
    let checked = settings.resolve(|s| {
        let common = Common::read(s);
        let services = (
            ploy_ingestion::config::Config::read(s),
            ploy_strategy::config::Config::read(s),
            ploy_risk::config::Config::read(s),
            ploy_execution::config::Config::read(s),
            ploy_gateway::Config::read(s),
        );
        common?;
        Some((
            services.0?,
            services.1?,
            services.2?,
            services.3?,
            services.4?,
        ))
    });
    match checked {
        Ok(_) if args.json => say("{\"valid\":true,\"mistakes\":[]}\n"),
        Ok(_) => say("the configuration is valid\n"),
        Err(error) if args.json => {
            say(&as_json(&error)?);
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(anyhow!(error)),
    }
    if args.print {
        say(&settings.print());
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(error: &ConfigError) -> anyhow::Result<String> {
    let mistakes: Vec<String> = error.mistakes.iter().map(ToString::to_string).collect();
    let value = serde_json::json!({ "valid": false, "mistakes": mistakes });
    Ok(format!("{}\n", serde_json::to_string(&value)?))
}
