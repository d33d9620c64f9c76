//! What every backend of the bus does.

use crate::fixture::{Fixture, ORDERS, SOON, STREAMS, drain, message, next, none, one, spec, text};
use ploy_bus::{BusError, Headers, Pattern, RegressionWatch, Retry, StartAt};
use std::time::{Duration, Instant};

macro_rules! on_every_bus {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case(crate::fixture::Fixture::memory().await).await;
            })*
        }
        mod nats {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case(crate::fixture::Fixture::nats().await).await;
            })*
        }
    };
}

on_every_bus!(
    wildcards_choose_what_is_delivered,
    a_subject_keeps_its_order,
    headers_and_bytes_arrive_unchanged,
    a_slow_subscriber_loses_its_oldest_visibly_and_blocks_nobody,
    an_ended_subscription_gets_nothing,
    the_same_message_id_is_stored_once,
    a_stored_message_reaches_listeners_too,
    a_subject_without_stream_is_refused,
    a_stream_that_differs_is_refused,
    a_message_that_is_too_large_is_refused,
    a_full_order_stream_refuses,
    a_delivery_answered_with_no_comes_again,
    an_unanswered_delivery_comes_again,
    a_terminated_delivery_never_comes_again,
    progress_postpones_the_redelivery,
    a_consumer_resumes_after_reopening,
    a_consumer_that_differs_is_refused,
    a_consumer_sees_only_its_filter,
    a_consumer_may_start_after_the_past,
    unanswered_deliveries_are_bounded,
    a_recreated_consumer_starts_anew,
    a_batch_waits_for_the_first_message,
    a_probe_shows_the_streams_in_use,
);

async fn wildcards_choose_what_is_delivered(f: Fixture) {
    let mut trades = f.subscribe("ploy.md.*.BTCUSDT.trade", 100).await;
    let mut all = f.subscribe("ploy.md.>", 100).await;
    for subject in [
        "ploy.md.sim.ETHUSDT.trade",
        "ploy.md.sim.BTCUSDT.trade",
        "ploy.md.sim.status",
    ] {
        f.bus.publish(message(subject, subject)).unwrap();
    }
    assert_eq!(text(&next(&mut trades).await), "ploy.md.sim.BTCUSDT.trade");
    assert_eq!(text(&next(&mut all).await), "ploy.md.sim.ETHUSDT.trade");
    assert_eq!(text(&next(&mut all).await), "ploy.md.sim.BTCUSDT.trade");
    assert_eq!(text(&next(&mut all).await), "ploy.md.sim.status");
    assert!(trades.try_next().is_none());
}

async fn a_subject_keeps_its_order(f: Fixture) {
    let mut listener = f.subscribe("a.b", 2_000).await;
    for n in 0..1_000 {
        f.bus.publish(message("a.b", &n.to_string())).unwrap();
    }
    for n in 0..1_000 {
        assert_eq!(text(&next(&mut listener).await), n.to_string());
    }
    assert_eq!(listener.dropped(), 0);
}

async fn headers_and_bytes_arrive_unchanged(f: Fixture) {
    let f = f.declared().await;
    let mut listener = f.subscribe("ploy.orders.main", 10).await;
    let mut sent = message("ploy.orders.main", "");
    sent.payload = vec![0, 255, 10, 13, 0].into();
    sent.headers = Headers::new()
        .with("traceparent", "00-a-b-01")
        .with("z", "1");
    f.bus.publish(sent.clone()).unwrap();
    assert_eq!(next(&mut listener).await, sent);
    f.bus.append("id", sent.clone()).await.unwrap();
    let delivery = one(&mut f.consumer(spec("c")).await).await;
    assert_eq!(delivery.message, sent);
}

async fn a_slow_subscriber_loses_its_oldest_visibly_and_blocks_nobody(f: Fixture) {
    let mut slow = f.subscribe("a", 10).await;
    let mut quick = f.subscribe("a", 1_000).await;
    let started = Instant::now();
    for n in 0..500 {
        f.bus.publish(message("a", &n.to_string())).unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "publishing was held up"
    );
    for n in 0..500 {
        assert_eq!(text(&next(&mut quick).await), n.to_string());
    }
    // The quick reader has seen all, but the slow one's copies may still be under way.
    ploy_testkit::eventually(SOON, async || (slow.dropped() == 490).then_some(()))
        .await
        .unwrap();
    assert_eq!(text(&next(&mut slow).await), "490");
}

async fn an_ended_subscription_gets_nothing(f: Fixture) {
    drop(f.subscribe("a", 10).await);
    let mut listener = f.subscribe("a", 10).await;
    f.bus.publish(message("a", "1")).unwrap();
    assert_eq!(text(&next(&mut listener).await), "1");
}

async fn the_same_message_id_is_stored_once(f: Fixture) {
    let f = f.declared().await;
    let first = f.append("id-1", "ploy.orders.main", "first").await;
    let again = f.append("id-1", "ploy.orders.main", "other content").await;
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!(first.sequence, again.sequence);
    assert!(
        !f.append("id-2", "ploy.orders.main", "second")
            .await
            .duplicate
    );
    let mut consumer = f.consumer(spec("c")).await;
    assert_eq!(drain(&mut consumer, 2).await, ["first", "second"]);
}

async fn a_stored_message_reaches_listeners_too(f: Fixture) {
    let f = f.declared().await;
    let mut listener = f.subscribe("ploy.orders.*", 10).await;
    f.append("id", "ploy.orders.main", "x").await;
    assert_eq!(text(&next(&mut listener).await), "x");
}

async fn a_subject_without_stream_is_refused(f: Fixture) {
    let f = f.declared().await;
    let refused = f
        .bus
        .append("id", message("nobody.keeps.this", "x"))
        .await
        .unwrap_err();
    assert!(matches!(refused, BusError::NoStream { .. }), "{refused:?}");
    let refused = f.bus.stream_state("NONE").await.unwrap_err();
    assert!(
        matches!(refused, BusError::UnknownStream { .. }),
        "{refused:?}"
    );
}

async fn a_stream_that_differs_is_refused(f: Fixture) {
    let f = f.declared().await;
    f.bus.declare(&STREAMS).await.unwrap();
    let other = ORDERS.with_bytes_max(2 << 20);
    let refused = f.bus.declare(&[other]).await.unwrap_err();
    assert!(matches!(&refused, BusError::Differs { name, .. } if name == "PLOY_ORDERS"));
    assert_eq!(refused.retry(), Retry::Never);
    assert!(refused.to_string().contains("max_bytes") || refused.to_string().contains("bytes_max"));
}

async fn a_message_that_is_too_large_is_refused(f: Fixture) {
    let f = f.declared().await;
    let large = "x".repeat(65 * 1024);
    let refused = f
        .bus
        .append("id", message("ploy.orders.main", &large))
        .await
        .unwrap_err();
    assert!(matches!(refused, BusError::TooLarge { .. }), "{refused:?}");
}

async fn a_full_order_stream_refuses(f: Fixture) {
    f.bus
        .declare(&[ORDERS.with_bytes_max(100 * 1024)])
        .await
        .unwrap();
    let large = "x".repeat(40 * 1024);
    let mut refused = None;
    for n in 0..5 {
        let sent = f
            .bus
            .append(&n.to_string(), message("ploy.orders.main", &large))
            .await;
        refused = refused.or(sent.err());
    }
    assert!(
        matches!(refused, Some(BusError::StreamFull { .. })),
        "{refused:?}"
    );
}

async fn a_delivery_answered_with_no_comes_again(f: Fixture) {
    let f = f.declared().await;
    f.append("1", "ploy.orders.main", "x").await;
    let mut consumer = f.consumer(spec("c")).await;
    let first = one(&mut consumer).await;
    assert_eq!(first.delivered_count, 1);
    let answered = Instant::now();
    first.nak(Duration::from_millis(400)).await.unwrap();
    let second = one(&mut consumer).await;
    assert_eq!(second.delivered_count, 2);
    assert!(
        answered.elapsed() >= Duration::from_millis(350),
        "{:?}",
        answered.elapsed()
    );
    second.ack().await.unwrap();
    none(&mut consumer).await;
}

async fn an_unanswered_delivery_comes_again(f: Fixture) {
    let f = f.declared().await;
    f.append("1", "ploy.orders.main", "x").await;
    let mut spec = spec("c");
    spec.ack_wait = Duration::from_millis(500);
    let mut consumer = f.consumer(spec).await;
    drop(one(&mut consumer).await);
    let second = one(&mut consumer).await;
    assert_eq!(
        (second.delivered_count, text(&second.message)),
        (2, "x".to_owned())
    );
    second.ack().await.unwrap();
}

async fn a_terminated_delivery_never_comes_again(f: Fixture) {
    let f = f.declared().await;
    f.append("1", "ploy.orders.main", "poison").await;
    f.append("2", "ploy.orders.main", "fine").await;
    let mut spec = spec("c");
    spec.ack_wait = Duration::from_secs(1);
    let mut consumer = f.consumer(spec).await;
    one(&mut consumer).await.term().await.unwrap();
    assert_eq!(drain(&mut consumer, 1).await, ["fine"]);
    for _ in 0..5 {
        none(&mut consumer).await;
    }
}

async fn progress_postpones_the_redelivery(f: Fixture) {
    let f = f.declared().await;
    f.append("1", "ploy.orders.main", "x").await;
    let mut spec = spec("c");
    spec.ack_wait = Duration::from_secs(2);
    let mut consumer = f.consumer(spec).await;
    let delivery = one(&mut consumer).await;
    for _ in 0..8 {
        none(&mut consumer).await;
        delivery.in_progress().await.unwrap();
    }
    delivery.ack().await.unwrap();
    none(&mut consumer).await;
}

async fn a_consumer_resumes_after_reopening(f: Fixture) {
    let f = f.declared().await;
    for n in 0..10 {
        f.append(&n.to_string(), "ploy.orders.main", &n.to_string())
            .await;
    }
    let mut consumer = f.consumer(spec("c")).await;
    let seen = drain(&mut consumer, 4).await;
    assert_eq!(seen, ["0", "1", "2", "3"]);
    drop(consumer);
    let mut spec = spec("d");
    spec.ack_wait = Duration::from_secs(1);
    let mut other = f.consumer(spec.clone()).await;
    assert_eq!(drain(&mut other, 5).await, ["0", "1", "2", "3", "4"]);
    drop(other);
    let mut reopened = f.consumer(spec).await;
    assert_eq!(drain(&mut reopened, 5).await, ["5", "6", "7", "8", "9"]);
}

async fn a_consumer_that_differs_is_refused(f: Fixture) {
    let f = f.declared().await;
    f.consumer(spec("c")).await;
    let mut other = spec("c");
    other.ack_wait = Duration::from_secs(99);
    let refused = f.bus.consumer(other).await.unwrap_err();
    assert!(
        matches!(
            refused,
            BusError::Differs {
                what: "consumer",
                ..
            }
        ),
        "{refused:?}"
    );
    let mut nowhere = spec("c");
    nowhere.stream = "NONE".to_owned();
    let refused = f.bus.consumer(nowhere).await.unwrap_err();
    assert!(
        matches!(refused, BusError::UnknownStream { .. }),
        "{refused:?}"
    );
}

async fn a_consumer_sees_only_its_filter(f: Fixture) {
    let f = f.declared().await;
    for (id, account) in [("1", "a"), ("2", "b"), ("3", "a")] {
        f.append(id, &format!("ploy.orders.{account}"), id).await;
    }
    let mut spec = spec("c");
    spec.filter = Pattern::new("ploy.orders.a").unwrap();
    let mut consumer = f.consumer(spec).await;
    assert_eq!(drain(&mut consumer, 2).await, ["1", "3"]);
    none(&mut consumer).await;
}

async fn a_consumer_may_start_after_the_past(f: Fixture) {
    let f = f.declared().await;
    f.append("1", "ploy.orders.a", "old").await;
    let mut spec = spec("c");
    spec.start = StartAt::Next;
    let mut consumer = f.consumer(spec).await;
    f.append("2", "ploy.orders.a", "new").await;
    assert_eq!(drain(&mut consumer, 1).await, ["new"]);
}

async fn unanswered_deliveries_are_bounded(f: Fixture) {
    let f = f.declared().await;
    for n in 0..5 {
        f.append(&n.to_string(), "ploy.orders.a", &n.to_string())
            .await;
    }
    let mut spec = spec("c");
    spec.ack_pending_max = 2;
    let mut consumer = f.consumer(spec).await;
    let mut held = vec![one(&mut consumer).await, one(&mut consumer).await];
    none(&mut consumer).await;
    held.remove(0).ack().await.unwrap();
    assert_eq!(text(&one(&mut consumer).await.message), "2");
}

async fn a_recreated_consumer_starts_anew(f: Fixture) {
    let f = f.declared().await;
    f.append("1", "ploy.orders.a", "1").await;
    let mut consumer = f.consumer(spec("c")).await;
    drain(&mut consumer, 1).await;
    none(&mut consumer).await;
    consumer.recreate().await.unwrap();
    assert_eq!(drain(&mut consumer, 1).await, ["1"]);
}

async fn a_batch_waits_for_the_first_message(f: Fixture) {
    let f = f.declared().await;
    let mut consumer = f.consumer(spec("c")).await;
    let waiting = tokio::spawn(async move { consumer.next_batch(64, SOON).await.unwrap().len() });
    f.append("1", "ploy.orders.a", "1").await;
    assert_eq!(waiting.await.unwrap(), 1);
}

async fn a_probe_shows_the_streams_in_use(f: Fixture) {
    let f = f.declared().await;
    let mut watch = RegressionWatch::default();
    watch.acknowledged(&f.append("1", "ploy.orders.a", "1").await);
    let probe = f.bus.probe().await.unwrap();
    let names: Vec<&str> = probe
        .streams
        .iter()
        .map(|state| state.stream.as_str())
        .collect();
    assert_eq!(names, ["PLOY_CANARY", "PLOY_CONTROL", "PLOY_ORDERS"]);
    assert_eq!(
        (probe.streams[0].messages, probe.streams[2].last_sequence),
        (1, 1)
    );
    for state in &probe.streams {
        watch.check(state).unwrap();
    }
    assert!(f.bus.health().connected);
}
