//! `ploy bench`: what this machine does, measured on the real services.

mod desk;
mod latency;
mod market;
mod report;
mod steps;
mod stopwatch;
mod venue;

use std::process::ExitCode;

/// What to measure.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// How long a tick takes to become an order at the venue's door, in one process
    Latency(latency::Args),
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Latency(args) => latency::run(&args).await,
    }
}
