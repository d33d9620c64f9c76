//! The exchange as a process of its own.

use anyhow::Context;
use clap::{Parser, ValueEnum};
use config::File;
use ploy_exchange_server::{Config, Server};
use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The built-in exchange: a Binance-compatible venue with a generated market.
#[derive(Debug, Parser)]
#[command(name = "ploy-exchange", version)]
struct Options {
    /// Configuration file, TOML or JSON; what is given on the command line wins over it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address of REST, streams and WebSocket API.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Directory of the ledger.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Seed of the generated market.
    #[arg(long)]
    seed: Option<u64>,
    /// Form of the log on standard error.
    #[arg(long, value_enum, default_value = "pretty")]
    log: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Json,
    Pretty,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let log = tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match options.log {
        LogFormat::Json => log.json().init(),
        LogFormat::Pretty => log.init(),
    }
    let stop = on_signals()?;
    let exchange = Server::bind(configuration(options)?).await?;
    // Whoever started it with port 0 learns the port from this line.
    writeln!(
        std::io::stdout(),
        "listening on http://{}",
        exchange.local_addr()
    )?;
    exchange.run_until(stop).await?;
    Ok(())
}

/// A token that SIGINT and SIGTERM cancel.
fn on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let (mut signals, stop) = (signal(kind)?, stop.clone());
        tokio::spawn(async move {
            signals.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

fn configuration(options: Options) -> anyhow::Result<Config> {
    let mut config = match options.config {
        Some(path) => config::Config::builder()
            .add_source(File::from(path.as_path()))
            .build()
            .and_then(config::Config::try_deserialize)
            .with_context(|| format!("cannot use the configuration {}", path.display()))?,
        None => Config::default(),
    };
    config.listen = options.listen.unwrap_or(config.listen);
    config.data_dir = options.data_dir.unwrap_or(config.data_dir);
    config.seed = options.seed.unwrap_or(config.seed);
    Ok(config)
}
