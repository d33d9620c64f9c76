//! What only a server can do: die, forget its promises, lose the answer to a commit.

use crate::{
    fixture::{Fixture, NOTES, SOON, add, notes, options},
    proxy::Proxy,
};
use ploy_store::{Retry, Store, StoreError, sql};
use ploy_testkit::{PostgresServer, eventually, free_port};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_answer_is_unknown_and_can_be_read_back() {
    let f = Fixture::postgres().await.with_notes().await;
    let port: u16 = f.url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let proxy = Proxy::to(port).await;
    let url = f.url.replace(&port.to_string(), &proxy.port.to_string());
    let store = Store::open(&url, options()).await.unwrap();
    add(&store, "before").await.unwrap();
    proxy.swallow_the_next_commits_answer();
    let outcome = add(&store, "doubt").await.unwrap_err();
    assert!(proxy.has_swallowed());
    assert!(matches!(&outcome, StoreError::CommitUnknown { key } if key == "note:doubt"));
    assert_eq!(outcome.retry(), Retry::ReadBack);
    // The server may still be at it when the client has given up.
    eventually(SOON, async || {
        notes(&f.store)
            .await
            .contains(&"doubt".to_owned())
            .then_some(())
    })
    .await
    .unwrap();
    add(&store, "after").await.unwrap();
    assert_eq!(notes(&store).await, ["after", "before", "doubt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_restarted_server_are_replaced() {
    let mut server = PostgresServer::start().unwrap();
    let store = Store::open(&server.fresh_database().unwrap(), options())
        .await
        .unwrap();
    store.migrate("notes", NOTES).await.unwrap();
    add(&store, "before").await.unwrap();
    server.kill();
    let started = Instant::now();
    let mut hasty = options();
    hasty.acquire_timeout = Duration::from_secs(1);
    let error = Store::open(&store.url(), hasty).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    server.restart().unwrap();
    add(&store, "after").await.unwrap();
    assert_eq!(notes(&store).await, ["after", "before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_commits_is_refused() {
    let mut server = PostgresServer::start().unwrap();
    let url = server.fresh_database().unwrap();
    server
        .execute("postgres", "ALTER SYSTEM SET synchronous_commit = off")
        .unwrap();
    server.restart().unwrap();
    let error = Store::open(&url, options()).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Durability { setting: "synchronous_commit", found, .. } if found == "off"),
        "{error:?}"
    );
    let mut relaxed = options();
    relaxed.relaxed_durability = true;
    Store::open(&url, relaxed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_has_its_deadlines() {
    let f = Fixture::postgres().await;
    for (setting, expected) in [
        ("SELECT current_setting('statement_timeout') AS v", "2s"),
        ("SELECT current_setting('lock_timeout') AS v", "500ms"),
        (
            "SELECT current_setting('idle_in_transaction_session_timeout') AS v",
            "5s",
        ),
        (
            "SELECT current_setting('client_connection_check_interval') AS v",
            "5s",
        ),
        ("SELECT current_setting('application_name') AS v", "test"),
    ] {
        let row = f.store.fetch_optional(sql(setting)).await.unwrap().unwrap();
        assert_eq!(row.get::<String>("v").unwrap(), expected, "{setting}");
    }
    let started = Instant::now();
    f.store
        .fetch_all(sql("SELECT CAST(pg_sleep(30) AS TEXT)"))
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_runs_again() {
    let f = Fixture::postgres().await.with_notes().await;
    let mut patient = options();
    // Longer than the server takes to find a deadlock.
    patient.lock_timeout = Duration::from_secs(8);
    patient.statement_timeout = Duration::from_secs(8);
    let store = Store::open(&f.url, patient).await.unwrap();
    add(&store, "a").await.unwrap();
    add(&store, "b").await.unwrap();
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let crossing = |first: &'static str, second: &'static str| {
        let (store, barrier) = (store.clone(), barrier.clone());
        async move {
            let mut attempt = 0;
            store
                .transact("crossing", move |tx| {
                    attempt += 1;
                    let (barrier, meet) = (barrier.clone(), attempt == 1);
                    Box::pin(async move {
                        let touch =
                            |id| sql("UPDATE notes SET n = 1 WHERE id = $1").bind::<&str>(id);
                        tx.execute(touch(first)).await?;
                        if meet {
                            barrier.wait().await;
                        }
                        tx.execute(touch(second)).await
                    })
                })
                .await
        }
    };
    let (one, two) = tokio::join!(crossing("a", "b"), crossing("b", "a"));
    assert_eq!((one.unwrap(), two.unwrap()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_server_is_named_without_its_password() {
    let url = format!(
        "postgres://ploy:geheim@127.0.0.1:{}/ploy",
        free_port().unwrap()
    );
    let error = Store::open(&url, options()).await.unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("postgres://ploy:***@127.0.0.1"), "{shown}");
    assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
}
