//! The event log: gap-free, in order, closed to deposed writers.

use crate::fixture::Fixture;
use ploy_store::{
    Store, StoreError,
    event_log::{self, Backlog, Head, NewEvent, Writer},
};
use std::collections::BTreeMap;

crate::on_every_store!(
    events_get_the_next_sequences,
    a_writer_that_is_behind_is_refused,
    a_deposed_writer_is_refused,
    an_event_id_is_unique_for_ever,
    concurrent_writers_leave_no_gap,
    accounts_do_not_share_sequences,
    what_is_published_is_marked,
);

pub(crate) fn events(name: &str, count: usize) -> Vec<NewEvent> {
    let event = |n| NewEvent {
        event_id: format!("{name}-{n}"),
        order_id: (n % 2 == 0).then(|| format!("order-{n}")),
        kind: "OrderJournaled".to_owned(),
        ts_event_ns: 1,
        ts_write_ns: 2,
        payload: vec![7; 100],
    };
    (0..count).map(event).collect()
}

pub(crate) async fn append(
    store: &Store,
    account: &str,
    at: Head,
    events: Vec<NewEvent>,
) -> Result<i64, StoreError> {
    let account = account.to_owned();
    store
        .transact("append", move |tx| {
            let (account, events) = (account.clone(), events.clone());
            Box::pin(async move {
                let writer = Writer {
                    account: &account,
                    expected_head: at.seq,
                    epoch: at.epoch,
                };
                event_log::append(tx, writer, &events).await
            })
        })
        .await
}

const fn at(seq: i64, epoch: i64) -> Head {
    Head { seq, epoch }
}

async fn ready(f: &Fixture) -> &Store {
    f.store
        .migrate(event_log::COMPONENT, event_log::MIGRATIONS)
        .await
        .unwrap();
    &f.store
}

async fn events_get_the_next_sequences(f: Fixture) {
    let store = ready(&f).await;
    assert_eq!(event_log::head(store, "main").await.unwrap(), at(0, 0));
    assert_eq!(
        append(store, "main", at(0, 1), events("a", 1))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        append(store, "main", at(1, 1), events("b", 86))
            .await
            .unwrap(),
        87
    );
    assert_eq!(append(store, "main", at(87, 3), vec![]).await.unwrap(), 87);
    assert_eq!(event_log::head(store, "main").await.unwrap(), at(87, 3));
    let rows = event_log::read(store, "main", 1, 1_000).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.seq).collect::<Vec<_>>(),
        (1..=87).collect::<Vec<_>>()
    );
    assert_eq!(
        (rows[1].event_id.as_str(), rows[86].event_id.as_str()),
        ("b-0", "b-85")
    );
    assert_eq!(
        (rows[1].order_id.as_deref(), rows[2].order_id.as_deref()),
        (Some("order-0"), None)
    );
    assert_eq!((rows[0].producer_epoch, rows[0].payload.len()), (1, 100));
    let page = event_log::read(store, "main", 80, 3).await.unwrap();
    assert_eq!(
        page.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [80, 81, 82]
    );
}

async fn a_writer_that_is_behind_is_refused(f: Fixture) {
    let store = ready(&f).await;
    append(store, "main", at(0, 1), events("a", 2))
        .await
        .unwrap();
    let refused = append(store, "main", at(1, 1), events("b", 1))
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::HeadMoved {
                expected: 1,
                found: 2,
                ..
            }
        ),
        "{refused:?}"
    );
    let refused = append(store, "other", at(5, 1), events("c", 1))
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::HeadMoved {
                expected: 5,
                found: 0,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(
        event_log::read(store, "main", 1, 10).await.unwrap().len(),
        2
    );
}

async fn a_deposed_writer_is_refused(f: Fixture) {
    let store = ready(&f).await;
    append(store, "main", at(0, 1), events("a", 1))
        .await
        .unwrap();
    append(store, "main", at(1, 2), events("b", 1))
        .await
        .unwrap();
    let refused = append(store, "main", at(2, 1), events("c", 1))
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Fenced {
                held: 1,
                current: 2,
                ..
            }
        ),
        "{refused:?}"
    );
}

async fn an_event_id_is_unique_for_ever(f: Fixture) {
    let store = ready(&f).await;
    append(store, "main", at(0, 1), events("a", 1))
        .await
        .unwrap();
    let refused = append(store, "main", at(1, 1), events("a", 1))
        .await
        .unwrap_err();
    assert!(refused.is_unique_violation(), "{refused:?}");
    assert_eq!(event_log::head(store, "main").await.unwrap().seq, 1);
}

async fn concurrent_writers_leave_no_gap(f: Fixture) {
    let store = ready(&f).await;
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    let mut head = event_log::head(&store, "main").await.unwrap().seq;
                    let batch = events(&format!("w{writer}-{n}"), 1 + n % 3);
                    while let Err(error) = append(&store, "main", at(head, 1), batch.clone()).await
                    {
                        let StoreError::HeadMoved { found, .. } = error else {
                            panic!("{error:?}")
                        };
                        head = found;
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let rows = event_log::read(store, "main", 1, 10_000).await.unwrap();
    let expected: Vec<i64> = (1..=6 * (4 + 3 * 2 + 3 * 3)).collect();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), expected);
    // The events of a batch stay together and in order.
    let mut last = BTreeMap::new();
    for row in &rows {
        let (batch, n) = row.event_id.rsplit_once('-').unwrap();
        let n: i64 = n.parse().unwrap();
        let before = last.insert(batch.to_owned(), (row.seq, n));
        assert!(before.is_none_or(|(seq, m)| (seq + 1, m + 1) == (row.seq, n)));
    }
}

async fn accounts_do_not_share_sequences(f: Fixture) {
    let store = ready(&f).await;
    append(store, "a", at(0, 1), events("a", 2)).await.unwrap();
    append(store, "b", at(0, 1), events("b", 1)).await.unwrap();
    assert_eq!(event_log::accounts(store).await.unwrap(), ["a", "b"]);
    assert_eq!(event_log::head(store, "b").await.unwrap().seq, 1);
}

async fn what_is_published_is_marked(f: Fixture) {
    let store = ready(&f).await;
    append(store, "main", at(0, 1), events("a", 5))
        .await
        .unwrap();
    let waiting = event_log::unpublished(store, "main", 3).await.unwrap();
    assert_eq!(
        waiting.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(
        event_log::mark_published(store, "main", 3, 99)
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        event_log::mark_published(store, "main", 3, 99)
            .await
            .unwrap(),
        0
    );
    let waiting = event_log::unpublished(store, "main", 9).await.unwrap();
    assert_eq!(
        waiting.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [4, 5]
    );
    let backlog = event_log::backlog(store).await.unwrap();
    assert_eq!(
        backlog,
        Backlog {
            events: 2,
            oldest_ts_write_ns: Some(2)
        }
    );
    assert_eq!(event_log::publish_again(store, "main", 2).await.unwrap(), 2);
    assert_eq!(event_log::backlog(store).await.unwrap().events, 4);
    event_log::mark_published(store, "main", 5, 99)
        .await
        .unwrap();
    assert_eq!(event_log::backlog(store).await.unwrap(), Backlog::default());
}
