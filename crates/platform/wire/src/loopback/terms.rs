//! The terms of a call: who asks, for how long, and what happens when nobody listens any more.

use super::{call, double::Double, loopback};
use crate::{
    api::{Actor, ApiCode, Call, Retry, RiskApi as _, RiskState},
    client::{self, RiskClient},
    local::Local,
};
use ploy_domain::TraceContext;
use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, sync::Notify};
use tokio_util::task::TaskTracker;

const SOON: Duration = Duration::from_millis(200);

fn state() -> RiskState {
    RiskState {
        epoch: 1,
        states: vec![],
        limits: <_>::default(),
        exposures: vec![],
    }
}

fn slow() -> Double {
    let double = Double::gated();
    double.will_answer(Ok(state()));
    double
}

fn gate(double: &Double) -> &Notify {
    double.gate.as_ref().unwrap()
}

#[tokio::test]
async fn actor_trace_and_deadline_arrive() {
    let on = loopback(Double::default()).await;
    on.double.will_answer(Ok(state()));
    let trace = TraceContext {
        trace_id: 3,
        span_id: 4,
        sampled: true,
    };
    let actor: Actor = "operator:ann@desk".parse().unwrap();
    let sent = Call::new(actor, Duration::from_secs(1)).traced(trace);
    let client = RiskClient::new(on.channel.clone());
    client.state(sent.clone()).await.unwrap();
    let (_, arrived) = on.double.last.lock().unwrap().take().unwrap();
    assert_eq!((arrived.actor, arrived.trace), (sent.actor, sent.trace));
    assert_eq!(arrived.deadline, sent.deadline - Call::HOP);
}

#[tokio::test]
async fn a_deadline_ends_the_call_but_not_its_effect() {
    let on = loopback(slow()).await;
    let (client, gate) = (RiskClient::new(on.channel.clone()), gate(&on.double));
    // The connection is there before time is short.
    gate.notify_one();
    client.state(call()).await.unwrap();
    on.double.will_answer(Ok(state()));
    let error = client.state(call().within(SOON)).await.unwrap_err();
    assert_eq!(
        (error.code, error.retry),
        (ApiCode::DeadlineExceeded, Retry::SameKey)
    );
    assert_eq!(on.double.finished.load(SeqCst), 1);
    gate.notify_one();
    on.tasks.close();
    on.tasks.wait().await;
    assert_eq!(on.double.finished.load(SeqCst), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_effect_with_it() {
    let on = loopback(slow()).await;
    let client = RiskClient::new(on.channel.clone());
    let asking = tokio::spawn(async move { client.state(call()).await });
    on.double.began.notified().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    gate(&on.double).notify_one();
    on.tasks.close();
    on.tasks.wait().await;
    assert_eq!(on.double.finished.load(SeqCst), 1);
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = RiskClient::new(client::connect(&address).unwrap());
    let error = client.state(call()).await.unwrap_err();
    assert_eq!(
        (error.code, error.retry),
        (ApiCode::Unavailable, Retry::SameKey)
    );
}

#[tokio::test]
async fn a_connection_that_breaks_is_worth_another_try() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let breaking = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first_bytes = [0; 24];
        stream.read_exact(&mut first_bytes).await.unwrap();
    });
    let client = RiskClient::new(client::connect(&address).unwrap());
    let error = client.state(call()).await.unwrap_err();
    breaking.await.unwrap();
    assert_eq!(
        (error.code, error.retry),
        (ApiCode::Unavailable, Retry::SameKey),
        "{}",
        error.message
    );
}

#[test]
fn an_address_is_checked_when_it_is_configured() {
    let error = client::connect("not an address").unwrap_err();
    assert_eq!(error.address, "not an address");
}

#[tokio::test]
async fn a_service_in_this_process_keeps_the_same_terms() {
    let (double, tasks) = (Arc::new(slow()), TaskTracker::new());
    let local: Local<dyn crate::api::RiskApi> = Local::new(double.clone(), tasks.clone());
    let error = local.state(call().within(SOON)).await.unwrap_err();
    assert_eq!(error.code, ApiCode::DeadlineExceeded);
    gate(&double).notify_one();
    tasks.close();
    tasks.wait().await;
    assert_eq!(double.finished.load(SeqCst), 1);
    let late = local
        .state(call().within(Duration::ZERO))
        .await
        .unwrap_err();
    assert_eq!(late.code, ApiCode::DeadlineExceeded);
    assert_eq!(double.begun.load(SeqCst), 1);
}
