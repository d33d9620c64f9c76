//! The commands people type. It decides which command runs; each command is a module of its own.

use crate::{backtest, bench, client, config_check, up};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::{io::Write as _, process::ExitCode};

/// Market data in, risk-checked orders out, every fill accounted for.
#[derive(Debug, Parser)]
#[command(name = "ploy", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in this process: exchange, five services, gateway. Nothing to install.
    Up(Box<up::Args>),
    /// Run a strategy over a recorded market, deterministically.
    Backtest(Box<backtest::Args>),
    /// Measure what this machine does.
    #[command(subcommand)]
    Bench(bench::Command),
    /// Look at configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    Client(Box<client::Command>),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read a configuration as every service would and list all mistakes at once.
    Check(config_check::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// Whatever kept it from its work, for [`complain`].
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Backtest(args) => backtest::run(&args),
            Command::Config(ConfigCommand::Check(args)) => config_check::run(&args),
            Command::Bench(command) => runtime()?.block_on(bench::run(command)),
            Command::Up(args) => runtime()?.block_on(up::run(*args)),
            Command::Client(command) => runtime()?.block_on(client::run(*command)),
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")
}

/// Says what went wrong, the causes in order, on the standard error.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut out = std::io::stderr().lock();
    // Nobody reads the standard error any more when this fails.
    let _ = writeln!(out, "error: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(out, "  because: {cause}");
    }
}

/// Writes to the standard output; a reader that has gone away is no mistake of ours.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
