//! The venue's own Python client against the exchange: a second witness for the wire format.
//!
//! Installs the client from PyPI into a virtual environment under the target directory, so it runs
//! only when asked for: `cargo test -p ploy-exchange-server --features official-client`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use ploy_exchange_server::{AccountConfig, Config, Server};
use std::path::{Path, PathBuf};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

const PACKAGE: &str = "binance-sdk-spot==13.2.0";

async fn run(program: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{} {arguments:?}\n{}\n{}",
        program.display(),
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// The Python of a virtual environment with the client in it.
async fn python() -> PathBuf {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("official-client");
    let python = environment.join("bin/python");
    if !python.exists() {
        let directory = environment.display().to_string();
        run(Path::new("python3"), &["-m", "venv", &directory]).await;
    }
    run(&python, &["-m", "pip", "install", "--quiet", PACKAGE]).await;
    python
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_understands_the_exchange() {
    let python = python().await;
    let data_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("official-client-exchange");
    drop(std::fs::remove_dir_all(&data_dir));
    let config = Config {
        data_dir,
        accounts: vec![AccountConfig::new("main", "a-key", "a-secret")],
        ..Config::default()
    };
    let exchange = Server::bind(config).await.unwrap();
    let address = exchange.local_addr();
    let stop = CancellationToken::new();
    let running = tokio::spawn(exchange.run_until(stop.clone()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/official_client.py");
    let (http, ws) = (format!("http://{address}"), format!("ws://{address}"));
    run(&python, &[script, &http, &ws, "a-key", "a-secret"]).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}
