//! The store against real databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod event_log;
mod fixture;
mod lease;
mod migrations;
mod postgres;
mod proxy;
mod sqlite;
mod transactions;

/// Runs each case against a file and a server.
#[macro_export]
macro_rules! on_every_store {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case($crate::fixture::Fixture::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case($crate::fixture::Fixture::postgres().await).await;
            })*
        }
    };
}
