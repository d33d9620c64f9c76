//! `ploy up`: the built-in exchange and all five services in one process, on a memory bus and a
//! SQLite file, wired through the same traits that gRPC serves elsewhere.

mod args;
mod assembly;
mod data_dir;
mod market;
mod secrets;
mod stack;
mod summary;

pub(crate) use args::Args;

use crate::cli::say;
use anyhow::Context as _;
use data_dir::DataDir;
use ploy_chassis::{
    Clock, Process,
    config::Common,
    health::{Liveness, Watchdog},
    telemetry::{Plan, Telemetry},
};
use stack::{Keys, Stack, Watch};
use std::process::ExitCode;

/// The key of the account at the built-in exchange; its secret is made at the first start.
pub(crate) const API_KEY: &str = "ploy-built-in";

/// Runs the platform until it is told to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let dir = DataDir::take(&args.data_dir, args.clean)?;
    let keys = Keys {
        api_secret: secrets::read_or_make(&dir.file("exchange-secret"))?,
        token: secrets::read_or_make(&dir.file("token"))?,
    };
    let replay = args.market.replay()?;
    let process = Process::new("ploy");
    let exchange = stack::Exchange::bind(&args, &dir, &keys, replay).await?;
    let config = exchange.configuration(&args, &keys)?;
    let telemetry = telemetry(&config.common)?;
    let metrics = ploy_chassis::metrics::install().context("metrics cannot be kept")?;
    metrics.keep_up(&process);
    process
        .stop_on_signals()
        .context("signals cannot be heard")?;
    let liveness: Liveness = Watchdog::default().start(&process)?;
    let watch = Watch { metrics, liveness };
    let stack = Stack::build(config, exchange, watch, &process).await?;
    let api = stack.api();
    say(&stack.announcement(&args, &dir));
    stack.start(&process)?;
    let showing = (!args.shows_logs()).then(|| summary::show(api.clone(), &process));
    let ended = process.run_until_ended().await;
    if let Some(showing) = showing {
        showing.await.context("the summary ended badly")?;
    }
    say(&api.left().await);
    let code = ended.exit_code();
    for failure in &ended.failures {
        say(&format!("task {} failed: {}\n", failure.task, failure.end));
    }
    telemetry.shutdown().await;
    Ok(code)
}

fn telemetry(common: &Common) -> anyhow::Result<Telemetry> {
    Plan::of("ploy", common)
        .install()
        .context("logs cannot be written")
}

/// The time of every service in this process.
pub(crate) fn clock() -> Clock {
    Clock::system()
}
