//! What only a file can be: missing, damaged, a directory.

use crate::fixture::{NOTES, add, notes, options};
use ploy_store::{Store, StoreError, sql};
use ploy_testkit::TempDir;

#[tokio::test]
async fn memory_is_a_database_of_its_own() {
    let one = Store::open("sqlite::memory:", options()).await.unwrap();
    let two = Store::open("sqlite::memory:", options()).await.unwrap();
    one.migrate("notes", NOTES).await.unwrap();
    two.migrate("notes", NOTES).await.unwrap();
    add(&one, "a").await.unwrap();
    assert_eq!(notes(&one).await, ["a"]);
    assert!(notes(&two).await.is_empty());
}

#[tokio::test]
async fn a_file_is_created_with_its_directory_and_keeps_its_rows() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite:{}", directory.join("new/odd name%.db").display());
    let store = Store::open(&url, options()).await.unwrap();
    store.migrate("notes", NOTES).await.unwrap();
    add(&store, "a").await.unwrap();
    store.close().await;
    assert!(directory.join("new/odd name%.db").is_file());
    let store = Store::open(&url, options()).await.unwrap();
    assert_eq!(notes(&store).await, ["a"]);
}

#[tokio::test]
async fn every_commit_reaches_the_disk() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite:{}", directory.join("a.db").display());
    let store = Store::open(&url, options()).await.unwrap();
    let settings = store
        .transact("settings", |tx| {
            Box::pin(async {
                let mode = tx.fetch_one(sql("PRAGMA journal_mode")).await?;
                let synchronous = tx.fetch_one(sql("PRAGMA synchronous")).await?;
                let foreign_keys = tx.fetch_one(sql("PRAGMA foreign_keys")).await?;
                Ok((
                    mode.get::<String>("journal_mode")?,
                    synchronous.get::<i64>("synchronous")?,
                    foreign_keys.get::<i64>("foreign_keys")?,
                ))
            })
        })
        .await
        .unwrap();
    const FULL: i64 = 2;
    assert_eq!(settings, ("wal".to_owned(), FULL, 1));
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let directory = TempDir::new().unwrap();
    let path = directory.join("damaged.db");
    std::fs::write(&path, "this is no database, it is a letter".repeat(100)).unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()), options())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("damaged.db"), "{error}");
}

#[tokio::test]
async fn a_damaged_page_is_reported_as_damage() {
    let directory = TempDir::new().unwrap();
    let path = directory.join("page.db");
    let url = format!("sqlite:{}", path.display());
    let store = Store::open(&url, options()).await.unwrap();
    store.migrate("notes", NOTES).await.unwrap();
    for n in 0..200 {
        add(&store, format!("{n:0>200}")).await.unwrap();
    }
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8_192..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open(&url, options()).await.unwrap();
    let error = store
        .fetch_all(sql("SELECT id FROM notes"))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn a_directory_is_no_store() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite:{}", directory.path().display());
    let error = Store::open(&url, options()).await.unwrap_err();
    assert!(error.to_string().contains("directory"), "{error}");
}

#[tokio::test]
async fn a_wrong_scheme_says_what_is_right() {
    let error = Store::open("mysql://ploy:geheim@db/ploy", options())
        .await
        .unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.contains("sqlite:PATH") && !shown.contains("geheim"),
        "{shown}"
    );
}
