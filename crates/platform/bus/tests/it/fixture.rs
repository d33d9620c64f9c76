//! A bus to test, and short ways to say what the tests say often.

use ploy_bus::{
    Bus, BusOptions, Consumer, ConsumerSpec, Delivery, Message, PLOY_CANARY, PLOY_CONTROL,
    PLOY_ORDERS, Pattern, StreamSpec, Subject, Subscription,
};
use ploy_testkit::NatsServer;
use std::{sync::Arc, time::Duration};

pub(crate) const SOON: Duration = Duration::from_secs(5);
pub(crate) const ORDERS: StreamSpec = PLOY_ORDERS.with_bytes_max(1 << 20);
pub(crate) const STREAMS: [StreamSpec; 3] = [ORDERS, PLOY_CONTROL, PLOY_CANARY];

pub(crate) struct Fixture {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) server: Option<NatsServer>,
}

impl Fixture {
    pub(crate) async fn memory() -> Self {
        let bus = ploy_bus::open("memory:", BusOptions::new("test"))
            .await
            .unwrap();
        Self { bus, server: None }
    }

    pub(crate) async fn nats() -> Self {
        let server = NatsServer::start().unwrap();
        let bus = ploy_bus::open(&server.url(), BusOptions::new("test"))
            .await
            .unwrap();
        Self {
            bus,
            server: Some(server),
        }
    }

    pub(crate) async fn declared(self) -> Self {
        self.bus.declare(&STREAMS).await.unwrap();
        self
    }

    pub(crate) async fn subscribe(&self, pattern: &str, capacity: usize) -> Subscription {
        self.bus
            .subscribe(Pattern::new(pattern).unwrap(), capacity)
            .await
            .unwrap()
    }

    pub(crate) async fn append(&self, id: &str, subject: &str, text: &str) -> ploy_bus::Appended {
        self.bus.append(id, message(subject, text)).await.unwrap()
    }

    pub(crate) async fn consumer(&self, spec: ConsumerSpec) -> Box<dyn Consumer> {
        self.bus.consumer(spec).await.unwrap()
    }
}

pub(crate) fn message(subject: &str, text: &str) -> Message {
    Message::new(Subject::new(subject).unwrap(), text.to_owned())
}

pub(crate) fn spec(name: &str) -> ConsumerSpec {
    ConsumerSpec::new(name, ORDERS.name, Pattern::new("ploy.orders.*").unwrap())
}

pub(crate) fn text(message: &Message) -> String {
    String::from_utf8(message.payload.to_vec()).unwrap()
}

pub(crate) async fn next(subscription: &mut Subscription) -> Message {
    tokio::time::timeout(SOON, subscription.next())
        .await
        .unwrap()
        .unwrap()
}

/// Exactly one delivery.
pub(crate) async fn one(consumer: &mut Box<dyn Consumer>) -> Delivery {
    let mut batch = consumer.next_batch(1, SOON).await.unwrap();
    assert_eq!(batch.len(), 1, "nothing was delivered");
    batch.remove(0)
}

/// That nothing is delivered for a while.
pub(crate) async fn none(consumer: &mut Box<dyn Consumer>) {
    let batch = consumer
        .next_batch(9, Duration::from_millis(300))
        .await
        .unwrap();
    assert!(batch.is_empty(), "{batch:?}");
}

/// Texts of deliveries until `count` were acknowledged.
pub(crate) async fn drain(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let batch = consumer
            .next_batch(count - texts.len(), SOON)
            .await
            .unwrap();
        assert!(!batch.is_empty(), "only {texts:?} came");
        for delivery in batch {
            texts.push(text(&delivery.message));
            delivery.ack().await.unwrap();
        }
    }
    texts
}
