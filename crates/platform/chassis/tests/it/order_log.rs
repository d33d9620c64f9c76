use crate::log_owner::{Owner, event, head, main_account, message};
use async_trait::async_trait;
use ploy_bus::{Bus, BusOptions, ConsumerSpec, PLOY_DLQ, PLOY_STREAMS, Pattern};
use ploy_chassis::{
    BoxError,
    order_log::{LogConsumer, OrderLog, Poison, Standing},
};
use ploy_domain::{AccountId, OrderEvent};
use ploy_testkit::eventually;
use ploy_wire::api::Actor;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(20);

/// Everything that was applied, in order. Cloning shares it.
#[derive(Clone, Default)]
pub(crate) struct Fold {
    applied: Arc<Mutex<Vec<u64>>>,
    standings: Arc<Mutex<Vec<Standing>>>,
    failures_left: Arc<AtomicU32>,
    poison: Arc<AtomicU64>,
}

impl Fold {
    fn last(&self) -> u64 {
        self.applied.lock().unwrap().last().copied().unwrap_or(0)
    }

    pub(crate) async fn reaches(&self, seq: u64) {
        let fold = self.clone();
        let reached = eventually(SOON, move || {
            let last = fold.last();
            async move { (last == seq).then_some(()) }
        });
        reached
            .await
            .unwrap_or_else(|_| panic!("at {} and not {seq}", self.last()));
        let applied = self.applied.lock().unwrap();
        assert!(
            applied.iter().copied().eq(1..=seq),
            "each once, in order: {applied:?}"
        );
    }

    async fn stands(&self, standing: Standing) {
        let fold = self.clone();
        let wanted = standing.clone();
        let reached = eventually(SOON, move || {
            let stands = fold.standings.lock().unwrap().last() == Some(&wanted);
            async move { stands.then_some(()) }
        });
        reached
            .await
            .unwrap_or_else(|_| panic!("{standing:?} {:?}", self.standings));
    }
}

#[async_trait]
impl LogConsumer for Fold {
    async fn position(&mut self, _: AccountId) -> Result<u64, BoxError> {
        Ok(self.last())
    }

    async fn apply(&mut self, events: Vec<OrderEvent>) -> Result<(), BoxError> {
        let left = self.failures_left.load(Ordering::SeqCst);
        if left > 0 {
            self.failures_left.store(left - 1, Ordering::SeqCst);
            return Err("the database is away".into());
        }
        let poison = self.poison.load(Ordering::SeqCst);
        if let Some(event) = events.iter().find(|event| event.seq == poison) {
            let (seq, reason) = (event.seq, "no such order".to_owned());
            return Err(Poison { seq, reason }.into());
        }
        let mut applied = self.applied.lock().unwrap();
        applied.extend(events.iter().map(|event| event.seq));
        Ok(())
    }

    async fn standing(&mut self, _: AccountId, standing: Standing) {
        self.standings.lock().unwrap().push(standing);
    }
}

struct Scene {
    bus: Arc<dyn Bus>,
    owner: Owner,
    fold: Fold,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), BoxError>>,
}

impl Scene {
    async fn start(owner: Owner, fold: Fold) -> Self {
        let bus = ploy_bus::open("memory:", BusOptions::default())
            .await
            .unwrap();
        bus.declare(&PLOY_STREAMS).await.unwrap();
        let log = OrderLog {
            bus: Arc::clone(&bus),
            execution: Arc::new(owner.clone()),
            accounts: vec![main_account()],
            actor: Actor::RISK,
        };
        let stop = CancellationToken::new();
        let (mut consumer, end) = (fold.clone(), stop.clone());
        let task = tokio::spawn(async move { log.follow(&mut consumer, end).await });
        Self {
            bus,
            owner,
            fold,
            stop,
            task,
        }
    }

    fn publish(&self, seq: u64) {
        self.bus.publish(message(&event(seq))).unwrap();
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_consumer_that_begins_late_fetches_what_it_missed() {
    let scene = Scene::start(Owner::with(30), Fold::default()).await;
    scene.fold.reaches(30).await;
    scene.fold.stands(Standing::CaughtUp).await;
    scene.end().await;
}

#[tokio::test]
async fn events_from_the_bus_are_applied_once_and_in_order() {
    let scene = Scene::start(Owner::default(), Fold::default()).await;
    scene.fold.stands(Standing::CaughtUp).await;
    let before = scene.owner.replays();
    for seq in [1, 2, 2, 1, 3, 3, 4, 5] {
        scene.publish(seq);
    }
    scene.fold.reaches(5).await;
    assert_eq!(scene.owner.replays(), before, "nothing was missing");
    scene.end().await;
}

#[tokio::test]
async fn loss_duplicates_and_reordering_change_nothing() {
    let count = 2_000;
    let scene = Scene::start(Owner::with(count), Fold::default()).await;
    let mut state = 42u64;
    let mut draw = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % bound
    };
    for seq in 1..=count {
        match draw(10) {
            0 => {}
            1 => (0..2).for_each(|_| scene.publish(seq)),
            2 => scene.publish(seq.saturating_sub(draw(20)).max(1)),
            3 => scene.publish((seq + draw(20)).min(count)),
            _ => scene.publish(seq),
        }
        if draw(50) == 0 {
            tokio::task::yield_now().await;
        }
    }
    scene.fold.reaches(count).await;
    scene.end().await;
}

#[tokio::test]
async fn a_lost_last_event_is_noticed_by_the_heartbeat() {
    let scene = Scene::start(Owner::default(), Fold::default()).await;
    scene.fold.stands(Standing::CaughtUp).await;
    scene.owner.events().extend((1..=3).map(event));
    scene.publish(1);
    scene.bus.publish(head(3)).unwrap();
    scene.fold.reaches(3).await;
    scene.end().await;
}

#[tokio::test]
async fn a_failing_consumer_gets_the_same_events_again() {
    let fold = Fold::default();
    fold.failures_left.store(2, Ordering::SeqCst);
    let scene = Scene::start(Owner::with(12), fold).await;
    scene.fold.reaches(12).await;
    scene.end().await;
}

#[tokio::test]
async fn a_silent_owner_makes_the_standing_unknown_until_it_speaks() {
    let owner = Owner::with(4);
    owner.silence(true);
    let scene = Scene::start(owner, Fold::default()).await;
    scene.fold.stands(Standing::Unreachable).await;
    assert_eq!(scene.fold.last(), 0);
    scene.owner.silence(false);
    scene.fold.reaches(4).await;
    scene.fold.stands(Standing::CaughtUp).await;
    scene.end().await;
}

#[tokio::test]
async fn poison_is_parked_and_suspends_the_account() {
    let fold = Fold::default();
    fold.poison.store(3, Ordering::SeqCst);
    let scene = Scene::start(Owner::default(), fold).await;
    scene.fold.stands(Standing::CaughtUp).await;
    scene.owner.events().extend((1..=5).map(event));
    for seq in 1..=5 {
        scene.publish(seq);
        tokio::task::yield_now().await;
    }
    scene.fold.stands(Standing::Suspended).await;
    let letters = dead_letters(&scene).await;
    assert_eq!(letters[0].headers.get("Ploy-Reason"), Some("no such order"));
    assert_eq!(letters[0].payload, message(&event(3)).payload);
    assert!(scene.fold.last() < 3);
    scene.end().await;
}

#[tokio::test]
async fn an_event_with_other_content_under_a_known_sequence_stops_the_account() {
    let scene = Scene::start(Owner::default(), Fold::default()).await;
    scene.fold.stands(Standing::CaughtUp).await;
    scene.publish(1);
    scene.fold.reaches(1).await;
    let forged = OrderEvent {
        epoch: 9,
        ..event(1)
    };
    scene.bus.publish(message(&forged)).unwrap();
    scene.fold.stands(Standing::Suspended).await;
    scene.publish(2);
    let letters = dead_letters(&scene).await;
    assert_eq!(letters[0].payload, message(&forged).payload);
    assert_eq!(scene.fold.last(), 1);
    scene.end().await;
}

#[tokio::test]
async fn an_unreadable_message_is_parked_and_healed_from_the_log() {
    let scene = Scene::start(Owner::default(), Fold::default()).await;
    scene.fold.stands(Standing::CaughtUp).await;
    scene.owner.events().extend((1..=2).map(event));
    let garbage = ploy_bus::Message {
        payload: bytes::Bytes::from_static(b"\xff\xff\xff"),
        ..message(&event(1))
    };
    scene.bus.publish(garbage).unwrap();
    scene.publish(2);
    scene.fold.reaches(2).await;
    assert_eq!(dead_letters(&scene).await.len(), 1);
    scene.end().await;
}

async fn dead_letters(scene: &Scene) -> Vec<ploy_bus::Message> {
    let filter = Pattern::new("ploy.dlq.>").unwrap();
    let spec = ConsumerSpec::new("test", PLOY_DLQ.name, filter);
    let mut consumer = scene.bus.consumer(spec).await.unwrap();
    let found = consumer.next_batch(10, SOON).await.unwrap();
    found.into_iter().map(|delivery| delivery.message).collect()
}
