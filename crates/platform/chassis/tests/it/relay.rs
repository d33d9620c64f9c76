use crate::log_owner::{event, main_account};
use async_trait::async_trait;
use ploy_bus::{
    Appended, Bus, BusError, BusHealth, BusOptions, Consumer, ConsumerSpec, Message, PLOY_ORDERS,
    PLOY_STREAMS, Pattern, Probe, StreamSpec, StreamState, Subscription,
};
use ploy_chassis::{Clock, relay::Relay};
use ploy_store::{
    Store, StoreOptions,
    event_log::{self, NewEvent, Writer},
};
use ploy_testkit::{TempDir, eventually};
use ploy_wire::facts;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(20);

async fn memory_bus() -> Arc<dyn Bus> {
    let bus = ploy_bus::open("memory:", BusOptions::default())
        .await
        .unwrap();
    bus.declare(&PLOY_STREAMS).await.unwrap();
    bus
}

pub(crate) struct Scene {
    store: Store,
    pub(crate) bus: Arc<dyn Bus>,
    committed: Arc<Notify>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    _dir: TempDir,
}

impl Scene {
    pub(crate) async fn start(bus: Arc<dyn Bus>) -> Self {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite:{}", dir.path().join("log.db").display());
        let store = Store::open(&url, StoreOptions::new("relay")).await.unwrap();
        store
            .migrate(event_log::COMPONENT, event_log::MIGRATIONS)
            .await
            .unwrap();
        let committed = Arc::new(Notify::new());
        let relay = Relay {
            store: store.clone(),
            bus: Arc::clone(&bus),
            clock: Clock::system(),
            committed: Arc::clone(&committed),
            accounts: vec![main_account()],
            streams: PLOY_STREAMS.to_vec(),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(relay.run(stop.clone()));
        Self {
            store,
            bus,
            committed,
            stop,
            task,
            _dir: dir,
        }
    }

    pub(crate) async fn commit(&self, from: u64, to: u64) {
        let events: Vec<_> = (from..=to)
            .map(|seq| {
                let event = event(seq);
                NewEvent {
                    event_id: event.event_id.to_string(),
                    order_id: None,
                    kind: "AccountReady".into(),
                    ts_event_ns: event.ts_event.as_nanos(),
                    ts_write_ns: event.ts_write.as_nanos(),
                    payload: facts::encode_order_event(&event).to_vec(),
                }
            })
            .collect();
        let committed = self.store.transact(format!("to {to}"), move |tx| {
            let events = events.clone();
            Box::pin(async move {
                let writer = Writer {
                    account: "main",
                    expected_head: i64::try_from(from).unwrap() - 1,
                    epoch: 1,
                };
                event_log::append(tx, writer, &events).await
            })
        });
        committed.await.unwrap();
        self.committed.notify_one();
    }

    /// The sequences in the stream, once there are `count`.
    pub(crate) async fn stream(&self, count: usize) -> Vec<u64> {
        let filter = Pattern::new("ploy.orders.*").unwrap();
        let mut spec = ConsumerSpec::new("test", PLOY_ORDERS.name, filter);
        spec.ack_pending_max = 100_000;
        let mut consumer = self.bus.consumer(spec).await.unwrap();
        let mut found = Vec::new();
        while found.len() < count {
            let batch = consumer.next_batch(256, SOON).await.unwrap();
            assert!(!batch.is_empty(), "{} of {count}", found.len());
            for delivery in batch {
                let event = facts::decode_order_event(&delivery.message.payload).unwrap();
                found.push(event.seq);
                delivery.ack().await.unwrap();
            }
        }
        found
    }

    async fn drained(&self) {
        let store = self.store.clone();
        let empty = eventually(SOON, move || {
            let store = store.clone();
            async move {
                let backlog = event_log::backlog(&store).await.unwrap();
                (backlog.events == 0).then_some(())
            }
        });
        empty.await.unwrap();
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn every_event_is_published_in_order_and_marked() {
    let scene = Scene::start(memory_bus().await).await;
    scene.commit(1, 600).await;
    scene.commit(601, 700).await;
    assert!(scene.stream(700).await.into_iter().eq(1..=700));
    scene.drained().await;
    scene.end().await;
}

#[tokio::test]
async fn what_is_committed_is_published_before_the_relay_ends() {
    let scene = Scene::start(memory_bus().await).await;
    scene.commit(1, 3).await;
    let (bus, store) = (Arc::clone(&scene.bus), scene.store.clone());
    scene.stop.cancel();
    scene.task.await.unwrap();
    assert_eq!(
        bus.stream_state(PLOY_ORDERS.name).await.unwrap().messages,
        3
    );
    assert_eq!(event_log::backlog(&store).await.unwrap().events, 0);
}

#[tokio::test]
async fn the_head_of_the_log_is_announced() {
    let scene = Scene::start(memory_bus().await).await;
    let heads = Pattern::new("ploy.orders.*.head").unwrap();
    let mut heads = scene.bus.subscribe(heads, 16).await.unwrap();
    scene.commit(1, 5).await;
    let found = tokio::time::timeout(SOON, async {
        loop {
            let message = heads.next().await.unwrap();
            let head = facts::decode_head(&message.payload).unwrap();
            if head.seq == 5 {
                return head.epoch;
            }
        }
    });
    assert_eq!(found.await.unwrap(), 1);
    scene.end().await;
}

/// A bus that does not acknowledge some of what it stores, and can be replaced by an empty one.
#[derive(Debug)]
struct Unreliable {
    inner: Mutex<Arc<dyn Bus>>,
    unanswered_left: AtomicU32,
}

impl Unreliable {
    fn bus(&self) -> Arc<dyn Bus> {
        Arc::clone(&self.inner.lock().unwrap())
    }
}

#[async_trait]
impl Bus for Unreliable {
    fn publish(&self, message: Message) -> Result<(), BusError> {
        self.bus().publish(message)
    }

    async fn subscribe(&self, pattern: Pattern, capacity: usize) -> Result<Subscription, BusError> {
        self.bus().subscribe(pattern, capacity).await
    }

    async fn flush(&self) -> Result<(), BusError> {
        self.bus().flush().await
    }

    async fn declare(&self, streams: &[StreamSpec]) -> Result<(), BusError> {
        self.bus().declare(streams).await
    }

    async fn append(&self, msg_id: &str, message: Message) -> Result<Appended, BusError> {
        let appended = self.bus().append(msg_id, message).await?;
        let left = self.unanswered_left.load(Ordering::SeqCst);
        // Every third answer is lost, as long as there are some to lose.
        if left > 0 && appended.sequence % 3 == 0 && !appended.duplicate {
            self.unanswered_left.store(left - 1, Ordering::SeqCst);
            return Err(BusError::Timeout {
                operation: "append",
                after: Duration::ZERO,
            });
        }
        Ok(appended)
    }

    async fn consumer(&self, spec: ConsumerSpec) -> Result<Box<dyn Consumer>, BusError> {
        self.bus().consumer(spec).await
    }

    async fn stream_state(&self, stream: &str) -> Result<StreamState, BusError> {
        self.bus().stream_state(stream).await
    }

    async fn probe(&self) -> Result<Probe, BusError> {
        self.bus().probe().await
    }

    fn health(&self) -> BusHealth {
        self.bus().health()
    }
}

#[tokio::test]
async fn a_lost_answer_leads_to_a_repetition_that_the_stream_drops() {
    let bus = Arc::new(Unreliable {
        inner: Mutex::new(memory_bus().await),
        unanswered_left: AtomicU32::new(5),
    });
    let scene = Scene::start(Arc::clone(&bus) as _).await;
    scene.commit(1, 50).await;
    scene.drained().await;
    assert_eq!(
        bus.unanswered_left.load(Ordering::SeqCst),
        0,
        "answers were lost"
    );
    assert!(scene.stream(50).await.into_iter().eq(1..=50));
    scene.end().await;
}

#[tokio::test]
async fn a_bus_that_lost_everything_is_filled_again() {
    let bus = Arc::new(Unreliable {
        inner: Mutex::new(memory_bus().await),
        unanswered_left: AtomicU32::new(0),
    });
    let scene = Scene::start(Arc::clone(&bus) as _).await;
    scene.commit(1, 40).await;
    scene.drained().await;
    let empty = ploy_bus::open("memory:", BusOptions::default())
        .await
        .unwrap();
    *bus.inner.lock().unwrap() = Arc::clone(&empty);
    let filled = eventually(SOON, move || {
        let bus = Arc::clone(&empty);
        async move {
            let state = bus.stream_state(PLOY_ORDERS.name).await.ok()?;
            (state.messages == 40).then_some(())
        }
    });
    filled.await.unwrap();
    scene.commit(41, 42).await;
    assert!(scene.stream(42).await.into_iter().eq(1..=42));
    scene.end().await;
}
