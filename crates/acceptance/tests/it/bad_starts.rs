//! Starts that cannot work end at once, with an error that says what to change.

use ploy_acceptance::{one_process::OneProcess, programs::program};
use ploy_testkit::{Program, TempDir, eventually};
use std::{net::TcpListener, time::Duration};

/// It ends with a failure and says all of `words`.
async fn fails(ploy: &mut OneProcess, words: &[&str]) {
    ploy.begin().unwrap();
    let status = ploy.until_ended().await.unwrap();
    let said = ploy.said();
    assert!(!status.success(), "{said}");
    for word in words {
        assert!(said.contains(word), "'{word}' is not in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_option() {
    let mut ploy = OneProcess::new("").unwrap();
    let port = ploy.port().to_string();
    let _taken = TcpListener::bind(("127.0.0.1", ploy.port())).unwrap();
    fails(&mut ploy, &[&port, "--port"]).await;
}

#[tokio::test]
async fn a_second_ploy_on_the_same_directory_is_refused() {
    let mut first = OneProcess::new("").unwrap();
    first.start().await.unwrap();
    let second = first.command().unwrap();
    let mut second = second.start().unwrap();
    let ended = eventually(Duration::from_secs(20), || {
        let ended = second.ended().unwrap();
        async move { ended }
    });
    assert!(!ended.await.unwrap().success());
    let said = first.said();
    assert!(said.contains("another ploy runs on"), "{said}");
    assert!(said.contains("--data-dir"), "{said}");
}

#[tokio::test]
async fn a_corrupt_database_is_named() {
    let mut ploy = OneProcess::new("").unwrap();
    let database = ploy.data().join("market/ploy.db");
    std::fs::create_dir_all(database.parent().unwrap()).unwrap();
    std::fs::write(
        &database,
        b"this is no database, whatever its name says".repeat(100),
    )
    .unwrap();
    fails(&mut ploy, &["market/ploy.db"]).await;
}

#[tokio::test]
async fn a_damaged_exchange_ledger_is_named() {
    let mut ploy = OneProcess::new("").unwrap();
    let ledger = ploy.data().join("exchange/ledger.jsonl");
    std::fs::create_dir_all(ledger.parent().unwrap()).unwrap();
    std::fs::write(&ledger, b"{}\n").unwrap();
    fails(&mut ploy, &["ledger.jsonl", "line 1"]).await;
}

#[tokio::test]
async fn an_unknown_key_is_named_with_the_nearest_known_one() {
    let mut ploy = OneProcess::new("[risk.limits]\nopen_order_max = 3\n").unwrap();
    fails(
        &mut ploy,
        &["risk.limits.open_order_max", "open_orders_max"],
    )
    .await;
}

#[tokio::test]
async fn a_service_without_its_secrets_names_them_all() {
    let dir = TempDir::new().unwrap();
    let execution = Program::new(program("ploy-execution").unwrap(), dir.join("output"))
        .variable("PLOY_BUS__URL", "nats://127.0.0.1:1")
        .variable("PLOY_STORE__URL", "postgres://ploy@127.0.0.1:1/ploy");
    let mut running = execution.start().unwrap();
    let ended = eventually(Duration::from_secs(20), || {
        let ended = running.ended().unwrap();
        async move { ended }
    });
    let status = ended.await.unwrap();
    let said = running.said();
    assert!(!status.success(), "{said}");
    for key in ["execution.api_key", "execution.api_secret"] {
        assert!(said.contains(key), "{key} is not in:\n{said}");
    }
}
