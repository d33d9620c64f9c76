//! Prints how long a single event takes to be durable, beside what the disk itself takes.
//!
//! `cargo run --release -p ploy-store --example commit_latency [DIRECTORY]`; with `PLOY_PG_URL`
//! set, PostgreSQL as well.

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use anyhow::{Context, Result};
use ploy_store::{
    Store, StoreOptions,
    event_log::{self, NewEvent, Writer},
};
use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const ROUNDS: usize = 1_000;
const EVENT_BYTES: usize = 512;

#[tokio::main]
async fn main() -> Result<()> {
    let directory = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    report("fdatasync of a 512-byte append", bare_appends(&directory)?);
    let file = directory.join(format!("ploy-commit-latency-{}.db", std::process::id()));
    let store = Store::open(
        &format!("sqlite:{}", file.display()),
        StoreOptions::default(),
    )
    .await?;
    report("sqlite, one event per commit", commits(&store).await?);
    store.close().await;
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", file.display());
        if Path::new(&path).exists() {
            std::fs::remove_file(path)?;
        }
    }
    if let Some(url) = postgres_url() {
        let store = Store::open(&url, StoreOptions::default()).await?;
        report("postgres, one event per commit", commits(&store).await?);
        store.close().await;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, without configuration"
)]
fn postgres_url() -> Option<String> {
    std::env::var("PLOY_PG_URL").ok()
}

fn bare_appends(directory: &Path) -> Result<Vec<Duration>> {
    let path = directory.join(format!("ploy-fdatasync-{}", std::process::id()));
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut taken = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        file.write_all(&[7; EVENT_BYTES])?;
        file.sync_data()?;
        taken.push(started.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(taken)
}

async fn commits(store: &Store) -> Result<Vec<Duration>> {
    store
        .migrate(event_log::COMPONENT, event_log::MIGRATIONS)
        .await?;
    // An account of its own, since a server's database may hold those of earlier runs.
    let account = format!("latency-{}", std::process::id());
    let mut taken = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let expected_head = i64::try_from(round).context("few rounds")?;
        let event = NewEvent {
            event_id: format!("{account}-{round}"),
            order_id: Some("pd6v7vfi5nqfnqm2ixk".to_owned()),
            kind: "OrderJournaled".to_owned(),
            ts_event_ns: 0,
            ts_write_ns: 0,
            payload: vec![7; EVENT_BYTES],
        };
        let (account, started) = (account.clone(), Instant::now());
        store
            .transact("latency", move |tx| {
                let (account, event) = (account.clone(), event.clone());
                Box::pin(async move {
                    let writer = Writer {
                        account: &account,
                        expected_head,
                        epoch: 1,
                    };
                    event_log::append(tx, writer, &[event]).await
                })
            })
            .await?;
        taken.push(started.elapsed());
    }
    Ok(taken)
}

fn report(name: &str, mut taken: Vec<Duration>) {
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100].as_micros();
    println!("{name:<34} p50 {:>6} us   p99 {:>6} us", at(50), at(99));
}
