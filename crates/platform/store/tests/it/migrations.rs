//! Schemas come to the version of the program, once, whoever runs them.

use crate::fixture::{Fixture, NOTES, add};
use ploy_store::{Migration, StoreError, event_log, lease};

crate::on_every_store!(
    migrations_run_once,
    two_runners_do_not_meet,
    a_changed_migration_is_refused,
    a_newer_database_is_refused,
    a_failed_migration_leaves_nothing,
    a_migration_can_be_taken_back,
);

const MORE: &[Migration] = &[
    NOTES[0],
    Migration {
        version: 2,
        name: "tags",
        up_sql: "CREATE TABLE tags (id BIGINT); CREATE INDEX tags_by_id ON tags (id);",
        down_sql: "DROP TABLE tags;",
    },
];

async fn migrations_run_once(f: Fixture) {
    assert_eq!(f.store.migrate("notes", NOTES).await.unwrap(), 1);
    assert_eq!(f.store.migrate("notes", NOTES).await.unwrap(), 0);
    assert_eq!(f.store.migrate("notes", MORE).await.unwrap(), 1);
    for (component, migrations) in [
        (event_log::COMPONENT, event_log::MIGRATIONS),
        (lease::COMPONENT, lease::MIGRATIONS),
    ] {
        let applied = f.store.migrate(component, migrations).await.unwrap();
        assert_eq!(applied, migrations.len());
    }
    add(&f.store, "a").await.unwrap();
}

async fn two_runners_do_not_meet(f: Fixture) {
    let other = f.second_store().await;
    let (one, two) = tokio::join!(f.store.migrate("notes", MORE), other.migrate("notes", MORE));
    assert_eq!(one.unwrap() + two.unwrap(), 2);
}

async fn a_changed_migration_is_refused(f: Fixture) {
    const CHANGED: &[Migration] = &[Migration {
        up_sql: "CREATE TABLE other (id BIGINT)",
        ..NOTES[0]
    }];
    f.store.migrate("notes", NOTES).await.unwrap();
    let refused = f.store.migrate("notes", CHANGED).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::MigrationChanged { version: 1, .. }),
        "{refused:?}"
    );
}

async fn a_newer_database_is_refused(f: Fixture) {
    f.store.migrate("notes", MORE).await.unwrap();
    let refused = f.store.migrate("notes", NOTES).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::MigrationUnknown { version: 2, .. }),
        "{refused:?}"
    );
}

async fn a_failed_migration_leaves_nothing(f: Fixture) {
    const BROKEN: &[Migration] = &[
        NOTES[0],
        Migration {
            version: 2,
            name: "broken",
            up_sql: "CREATE TABEL",
            down_sql: "",
        },
    ];
    f.store.migrate("notes", BROKEN).await.unwrap_err();
    assert_eq!(f.store.migrate("notes", NOTES).await.unwrap(), 1);
}

async fn a_migration_can_be_taken_back(f: Fixture) {
    f.store.migrate("notes", MORE).await.unwrap();
    assert_eq!(f.store.revert("notes", MORE, 1).await.unwrap(), 1);
    assert_eq!(f.store.migrate("notes", MORE).await.unwrap(), 1);
    assert_eq!(f.store.revert("notes", MORE, 0).await.unwrap(), 2);
    assert_eq!(f.store.migrate("notes", MORE).await.unwrap(), 2);
}
