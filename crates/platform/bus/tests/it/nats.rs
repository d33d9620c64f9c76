//! What only a server can do: die, lose everything, be away.

use crate::fixture::{Fixture, ORDERS, SOON, STREAMS, drain, message, next, spec, text};
use ploy_bus::{BusError, BusOptions, Regression, RegressionWatch, Retry};
use ploy_testkit::eventually;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);

/// Appends as the relay does: the same id until it is acknowledged.
async fn append_until_acknowledged(f: &Fixture, id: &str) -> ploy_bus::Appended {
    eventually(LONG, async || {
        f.bus.append(id, message("ploy.orders.main", id)).await.ok()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_and_everything_heals() {
    let mut f = Fixture::nats().await.declared().await;
    let mut listener = f.subscribe("tick", 1_000).await;
    let mut consumer = f.consumer(spec("c")).await;
    f.append("before", "ploy.orders.main", "before").await;
    f.server.as_mut().unwrap().restart().unwrap();
    append_until_acknowledged(&f, "after").await;
    let mut seen = Vec::new();
    while !seen.contains(&"after".to_owned()) {
        // Acknowledgements may be lost with the server: deliveries may repeat, never miss.
        for delivery in consumer.next_batch(9, SOON).await.unwrap_or_default() {
            seen.push(text(&delivery.message));
            delivery.ack().await.unwrap();
        }
    }
    assert_eq!(seen[0], "before");
    let tick = async || {
        f.bus.publish(message("tick", "t")).unwrap();
        tokio::time::timeout(Duration::from_millis(100), listener.next())
            .await
            .ok()
            .flatten()
    };
    eventually_mut(tick).await;
    assert!(f.bus.health().reconnects >= 1);
}

/// As `eventually`, for a check that changes what it looks at.
async fn eventually_mut<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < LONG, "it did not happen");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_noticed_and_rebuilt() {
    let mut f = Fixture::nats().await.declared().await;
    let mut watch = RegressionWatch::default();
    let mut consumer = f.consumer(spec("c")).await;
    watch.acknowledged(&f.append("1", "ploy.orders.main", "1").await);
    watch
        .check(&f.bus.stream_state(ORDERS.name).await.unwrap())
        .unwrap();
    assert_eq!(drain(&mut consumer, 1).await, ["1"]);
    f.server.as_mut().unwrap().restart_empty().unwrap();
    eventually(LONG, async || f.bus.declare(&STREAMS).await.ok())
        .await
        .unwrap();
    let state = f.bus.stream_state(ORDERS.name).await.unwrap();
    assert_eq!(
        watch.check(&state),
        Err(Regression::Recreated {
            stream: ORDERS.name.into()
        })
    );
    append_until_acknowledged(&f, "2").await;
    // The consumer vanished with the store; it recreates itself after its missed heartbeats.
    let found = eventually_mut(async || {
        let batch = consumer.next_batch(9, SOON).await.unwrap_or_default();
        batch.first().map(|delivery| text(&delivery.message))
    });
    assert_eq!(found.await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_nothing_waits_for_ever() {
    let mut f = Fixture::nats().await.declared().await;
    let mut consumer = f.consumer(spec("c")).await;
    f.server.as_mut().unwrap().kill();
    let started = Instant::now();
    for n in 0..20_000 {
        f.bus.publish(message("tick", &n.to_string())).unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "publishing was held up"
    );
    let unknown = f
        .bus
        .append("id", message("ploy.orders.main", "x"))
        .await
        .unwrap_err();
    assert_eq!(unknown.retry(), Retry::SameId, "{unknown:?}");
    assert!(f.bus.probe().await.is_err());
    assert!(f.bus.flush().await.is_err());
    assert!(f.subscribe_error().await);
    // Either answer is fine, as long as there is one.
    drop(consumer.next_batch(1, Duration::from_millis(200)).await);
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
    let health = f.bus.health();
    assert!(
        !health.connected && health.publish_dropped > 0 && health.unanswered > 0,
        "{health:?}"
    );
}

impl Fixture {
    async fn subscribe_error(&self) -> bool {
        let pattern = ploy_bus::Pattern::new("a").unwrap();
        matches!(
            self.bus.subscribe(pattern, 1).await,
            Err(BusError::Timeout { .. })
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_of_an_outage_are_not_delivered_as_news() {
    let mut f = Fixture::nats().await;
    let mut listener = f.subscribe("tick", 100_000).await;
    f.server.as_mut().unwrap().kill();
    eventually(LONG, async || (!f.bus.health().connected).then_some(()))
        .await
        .unwrap();
    for n in 0..20_000 {
        f.bus.publish(message("tick", &n.to_string())).unwrap();
    }
    f.server.as_mut().unwrap().restart().unwrap();
    let first: u32 = text(&next(&mut listener).await).parse().unwrap();
    assert!(first >= 20_000 - 8_192 - 1, "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_unanswered_requests_get_a_fresh_client() {
    let mut server = ploy_testkit::NatsServer::start().unwrap();
    let mut options = BusOptions::new("test");
    options.request_timeout = Duration::from_millis(200);
    options.unanswered_max = 2;
    let bus = ploy_bus::open(&server.url(), options).await.unwrap();
    bus.declare(&STREAMS).await.unwrap();
    server.kill();
    bus.append("1", message("ploy.orders.main", "1"))
        .await
        .unwrap_err();
    server.restart().unwrap();
    let appended = eventually(LONG, async || {
        bus.append("2", message("ploy.orders.main", "2")).await.ok()
    });
    appended.await.unwrap();
    assert!(bus.health().unanswered >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_server_is_an_error_that_names_it() {
    let url = format!(
        "nats://ploy:geheim@127.0.0.1:{}",
        ploy_testkit::free_port().unwrap()
    );
    let error = ploy_bus::open(&url, BusOptions::new("test"))
        .await
        .unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("nats://ploy:***@127.0.0.1"), "{shown}");
    let error = ploy_bus::open("kafka://x", BusOptions::new("test"))
        .await
        .unwrap_err();
    assert!(matches!(error, BusError::Url { .. }));
}
