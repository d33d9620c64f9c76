//! What a transaction promises, also when its caller goes away.

use crate::fixture::{Fixture, SOON, add, notes, options};
use ploy_store::{Backend, BoxFuture, Retry, Store, StoreError, Tx, sql};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

crate::on_every_store!(
    values_of_every_type_come_back,
    an_error_of_the_closure_writes_nothing,
    a_transaction_marked_for_rollback_writes_nothing,
    an_ignored_failure_is_never_committed,
    a_violated_key_is_recognised,
    row_locks_are_portable,
    a_snapshot_does_not_move_and_does_not_write,
    readers_cannot_write,
    a_panicking_closure_writes_nothing,
    a_transaction_given_up_in_time_never_happens,
    cancelled_callers_poison_nothing,
    concurrent_increments_are_all_counted,
    closing_waits_for_running_transactions,
);

fn insert_values(tx: &mut Tx) -> BoxFuture<'_, Result<u64, StoreError>> {
    let statement = sql("INSERT INTO notes (id, n, d, b, t) VALUES ($1, $2, $3, $4, $5)");
    let full = statement
        .bind("full")
        .bind(i64::MIN)
        .bind(0.1_f64)
        .bind(vec![0_u8, 255])
        .bind(Some("\u{20ac}"));
    let statement = sql("INSERT INTO notes (id, n, d, b, t) VALUES ($1, $2, $3, $4, $5)");
    let empty = statement
        .bind("null")
        .bind(None::<i64>)
        .bind(None::<f64>)
        .bind(None::<Vec<u8>>)
        .bind(None::<String>);
    Box::pin(async move { Ok(tx.execute(full).await? + tx.execute(empty).await?) })
}

async fn values_of_every_type_come_back(f: Fixture) {
    let f = f.with_notes().await;
    assert_eq!(f.store.transact("values", insert_values).await.unwrap(), 2);
    let rows = f
        .store
        .fetch_all(sql("SELECT * FROM notes ORDER BY id"))
        .await
        .unwrap();
    assert_eq!(rows[0].get::<i64>("n").unwrap(), i64::MIN);
    assert!((rows[0].get::<f64>("d").unwrap() - 0.1).abs() < f64::EPSILON);
    assert_eq!(rows[0].get::<Vec<u8>>("b").unwrap(), [0, 255]);
    assert_eq!(
        rows[0].get::<Option<String>>("t").unwrap().as_deref(),
        Some("\u{20ac}")
    );
    assert_eq!(rows[1].get::<Option<i64>>("n").unwrap(), None);
    assert_eq!(rows[1].get::<Option<Vec<u8>>>("b").unwrap(), None);
    rows[1].get::<i64>("nothing").unwrap_err();
}

async fn an_error_of_the_closure_writes_nothing(f: Fixture) {
    let f = f.with_notes().await;
    let outcome = f
        .store
        .transact("fails", |tx| {
            Box::pin(async move {
                tx.execute(sql("INSERT INTO notes (id) VALUES ('a')"))
                    .await?;
                Err::<(), _>(StoreError::abandoned("limit reached"))
            })
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Abandoned(_))));
    assert!(notes(&f.store).await.is_empty());
}

async fn a_transaction_marked_for_rollback_writes_nothing(f: Fixture) {
    let f = f.with_notes().await;
    let refused = f
        .store
        .transact("refused", |tx| {
            Box::pin(async move {
                tx.execute(sql("INSERT INTO notes (id) VALUES ('a')"))
                    .await?;
                tx.rollback_only();
                Ok("refused")
            })
        })
        .await;
    assert_eq!(refused.unwrap(), "refused");
    assert!(notes(&f.store).await.is_empty());
}

async fn an_ignored_failure_is_never_committed(f: Fixture) {
    let f = f.with_notes().await;
    let outcome = f
        .store
        .transact("careless", |tx| {
            Box::pin(async move {
                tx.execute(sql("INSERT INTO notes (id) VALUES ('a')"))
                    .await?;
                tx.execute(sql("INSERT INTO nowhere (id) VALUES ('a')"))
                    .await
                    .unwrap_err();
                Ok(())
            })
        })
        .await;
    assert!(
        matches!(outcome, Err(StoreError::FailedStatementIgnored { .. })),
        "{outcome:?}"
    );
    assert!(notes(&f.store).await.is_empty());
}

async fn a_violated_key_is_recognised(f: Fixture) {
    let f = f.with_notes().await;
    add(&f.store, "a").await.unwrap();
    let refused = add(&f.store, "a").await.unwrap_err();
    assert!(
        refused.is_unique_violation() && refused.retry() == Retry::Never,
        "{refused:?}"
    );
    add(&f.store, "b").await.unwrap();
}

async fn row_locks_are_portable(f: Fixture) {
    let f = f.with_notes().await;
    add(&f.store, "a").await.unwrap();
    let found = f
        .store
        .transact("lock", |tx| {
            Box::pin(async move {
                let row = tx
                    .fetch_one(sql("SELECT id FROM notes WHERE id = 'a' FOR UPDATE"))
                    .await?;
                row.get::<String>("id")
            })
        })
        .await;
    assert_eq!(found.unwrap(), "a");
}

async fn a_snapshot_does_not_move_and_does_not_write(f: Fixture) {
    let f = f.with_notes().await;
    let writer = f.store.clone();
    let counts = f
        .store
        .snapshot("counts", move |tx| {
            let writer = writer.clone();
            Box::pin(async move {
                let count = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM notes";
                let before: i64 = tx.fetch_one(sql(count)).await?.get("n")?;
                add(&writer, "a").await?;
                let after: i64 = tx.fetch_one(sql(count)).await?.get("n")?;
                Ok((before, after))
            })
        })
        .await;
    assert_eq!(counts.unwrap(), (0, 0));
    assert_eq!(notes(&f.store).await, ["a"]);
}

async fn readers_cannot_write(f: Fixture) {
    let f = f.with_notes().await;
    f.store
        .fetch_all(sql("INSERT INTO notes (id) VALUES ('a') RETURNING id"))
        .await
        .unwrap_err();
    assert!(notes(&f.store).await.is_empty());
}

async fn a_panicking_closure_writes_nothing(f: Fixture) {
    let f = f.with_notes().await;
    let outcome = f
        .store
        .transact("panics", |tx| {
            Box::pin(async move {
                tx.execute(sql("INSERT INTO notes (id) VALUES ('a')"))
                    .await?;
                if tx.backend() == Backend::Sqlite || tx.backend() == Backend::Postgres {
                    panic!("on purpose");
                }
                Ok(())
            })
        })
        .await;
    assert!(
        matches!(outcome, Err(StoreError::Panicked { .. })),
        "{outcome:?}"
    );
    add(&f.store, "b").await.unwrap();
    assert_eq!(notes(&f.store).await, ["b"]);
}

async fn a_transaction_given_up_in_time_never_happens(f: Fixture) {
    let f = f.with_notes().await;
    let mut options = options();
    options.transaction_timeout = Duration::from_millis(300);
    let hasty = Store::open(&f.url, options).await.unwrap();
    let (go_on, gate) = tokio::sync::watch::channel(false);
    let outcome = hasty
        .transact("slow", move |tx| {
            let mut gate = gate.clone();
            Box::pin(async move {
                tx.execute(sql("INSERT INTO notes (id) VALUES ('late')"))
                    .await?;
                gate.wait_for(|open| *open)
                    .await
                    .map_err(StoreError::abandoned)?;
                Ok(())
            })
        })
        .await;
    assert!(
        matches!(outcome, Err(StoreError::Timeout { .. })),
        "{outcome:?}"
    );
    go_on.send(true).unwrap();
    hasty.close().await;
    assert!(notes(&f.store).await.is_empty());
}

/// Clients disconnect while the database is busy; whoever was told Ok finds the row, and no
/// connection keeps a transaction that swallows the next writer's rows.
async fn cancelled_callers_poison_nothing(f: Fixture) {
    let f = f.with_notes().await;
    let confirmed = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    for round in 0..20 {
        let callers: Vec<_> = (0..10)
            .map(|n| {
                let (store, confirmed) = (f.store.clone(), Arc::clone(&confirmed));
                tokio::spawn(async move {
                    let id = format!("{round}-{n}");
                    if add(&store, id.clone()).await.is_ok() {
                        confirmed.lock().unwrap().insert(id);
                    }
                })
            })
            .collect();
        for (n, caller) in callers.iter().enumerate() {
            if n % 2 == 0 {
                for _ in 0..(round * 7 + n) % 40 {
                    tokio::task::yield_now().await;
                }
                caller.abort();
            }
        }
        for caller in callers {
            drop(caller.await);
        }
        let id = format!("{round}-after");
        clean_add(&f.store, id.clone()).await;
        confirmed.lock().unwrap().insert(id);
    }
    f.store.close().await;
    let other = f.second_store().await;
    let visible: BTreeSet<String> = notes(&other).await.into_iter().collect();
    let missing: Vec<_> = confirmed
        .lock()
        .unwrap()
        .difference(&visible)
        .cloned()
        .collect();
    assert!(missing.is_empty(), "told Ok and not there: {missing:?}");
}

/// Adds a note and shows that the connection brought no transaction along.
async fn clean_add(store: &Store, id: String) {
    store
        .transact("clean", move |tx| {
            let id = id.clone();
            Box::pin(async move {
                if tx.backend() == Backend::Postgres {
                    let question = "SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT) AS id";
                    let assigned: Option<String> = tx.fetch_one(sql(question)).await?.get("id")?;
                    assert_eq!(assigned, None, "the connection brought a transaction along");
                }
                tx.execute(sql("INSERT INTO notes (id) VALUES ($1)").bind(id))
                    .await
            })
        })
        .await
        .unwrap();
}

fn increment(tx: &mut Tx) -> BoxFuture<'_, Result<u64, StoreError>> {
    Box::pin(tx.execute(sql("UPDATE notes SET n = n + 1 WHERE id = 'c'")))
}

async fn concurrent_increments_are_all_counted(f: Fixture) {
    let f = f.with_notes().await;
    f.store
        .transact("start", |tx| {
            Box::pin(async {
                tx.execute(sql("INSERT INTO notes (id, n) VALUES ('c', 0)"))
                    .await
            })
        })
        .await
        .unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let store = f.store.clone();
            tokio::spawn(async move {
                store.transact("increment", increment).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let row = f
        .store
        .fetch_optional(sql("SELECT n FROM notes WHERE id = 'c'"))
        .await
        .unwrap();
    assert_eq!(row.unwrap().get::<i64>("n").unwrap(), 40);
}

async fn closing_waits_for_running_transactions(f: Fixture) {
    let f = f.with_notes().await;
    let begun = Arc::new(AtomicU32::new(0));
    let (store, seen) = (f.store.clone(), Arc::clone(&begun));
    let caller = tokio::spawn(async move {
        store
            .transact("long", move |tx| {
                seen.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move {
                    for n in 0..50 {
                        let insert = sql("INSERT INTO notes (id) VALUES ($1)");
                        tx.execute(insert.bind(format!("{n:02}"))).await?;
                    }
                    Ok(())
                })
            })
            .await
    });
    let begun = async || (begun.load(Ordering::SeqCst) == 1).then_some(());
    ploy_testkit::eventually(SOON, begun).await.unwrap();
    caller.abort();
    f.store.close().await;
    assert_eq!(notes(&f.second_store().await).await.len(), 50);
}
