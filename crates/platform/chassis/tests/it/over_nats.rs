//! The whole way of a fact over a real bus that dies: database, relay, NATS, consumer.

use crate::{
    log_owner::{Owner, event},
    order_log::Fold,
    relay::Scene,
};
use ploy_bus::{BusOptions, PLOY_ORDERS, PLOY_STREAMS};
use ploy_chassis::order_log::OrderLog;
use ploy_testkit::{NatsServer, eventually};
use ploy_wire::api::Actor;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_or_doubled_when_the_bus_dies_and_comes_back_empty() {
    let mut server = tokio::task::spawn_blocking(|| NatsServer::start().unwrap())
        .await
        .unwrap();
    let bus = ploy_bus::open(&server.url(), BusOptions::new("test"))
        .await
        .unwrap();
    bus.declare(&PLOY_STREAMS).await.unwrap();
    let scene = Scene::start(Arc::clone(&bus)).await;
    let owner = Owner::default();
    let log = OrderLog {
        bus,
        execution: Arc::new(owner.clone()),
        accounts: vec![crate::log_owner::main_account()],
        actor: Actor::RISK,
    };
    let (fold, stop) = (Fold::default(), CancellationToken::new());
    let (mut consumer, end) = (fold.clone(), stop.clone());
    let following = tokio::spawn(async move { log.follow(&mut consumer, end).await });
    let commit = async |from: u64, to: u64| {
        owner.events().extend((from..=to).map(event));
        scene.commit(from, to).await;
    };

    commit(1, 100).await;
    fold.reaches(100).await;
    server.kill();
    commit(101, 200).await;
    fold.reaches(200).await;
    server = tokio::task::spawn_blocking(move || {
        server.restart_empty().unwrap();
        server
    })
    .await
    .unwrap();
    commit(201, 300).await;
    fold.reaches(300).await;
    let whole = eventually(Duration::from_secs(20), || async {
        let state = scene.bus.stream_state(PLOY_ORDERS.name).await.ok()?;
        (state.messages == 300).then_some(())
    });
    whole.await.unwrap();
    // In any order: what waited in the client during the outage may arrive after what came later.
    let mut stored = scene.stream(300).await;
    stored.sort_unstable();
    assert!(stored.into_iter().eq(1..=300), "the stream is whole again");

    stop.cancel();
    following.await.unwrap().unwrap();
    scene.end().await;
    drop(server);
}
