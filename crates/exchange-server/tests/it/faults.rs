//! Injected faults: what a client sees and what really happened.

use crate::harness::{ALICE, Exchange, body, quiet, refusal};
use ploy_exchange_server::{FaultPlan, ledger::Entry};
use reqwest::{Method, StatusCode};

const ORDER: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=100";

async fn inject(exchange: &Exchange, plan: FaultPlan) {
    let url = format!("http://{}/ploy/faults", exchange.address);
    let body = serde_json::to_string(&plan).unwrap();
    let response = exchange.client.post(url).body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

fn accepted(exchange: &Exchange) -> usize {
    let entries = exchange.entries();
    entries
        .iter()
        .filter(|entry| matches!(entry, Entry::Accepted(_)))
        .count()
}

#[tokio::test]
async fn a_dropped_answer_was_executed_and_a_lost_request_was_not() {
    let exchange = Exchange::start(quiet()).await;
    let dropped = FaultPlan {
        drop_answer: 1.0,
        ..FaultPlan::default()
    };
    inject(&exchange, dropped).await;
    assert!(
        exchange
            .send(ALICE, (Method::POST, "order"), ORDER)
            .await
            .is_err()
    );
    assert_eq!(accepted(&exchange), 1);
    let lost = FaultPlan {
        lose_request: 1.0,
        ..FaultPlan::default()
    };
    inject(&exchange, lost).await;
    assert!(
        exchange
            .send(ALICE, (Method::POST, "order"), ORDER)
            .await
            .is_err()
    );
    assert_eq!(accepted(&exchange), 1);
    inject(&exchange, FaultPlan::default()).await;
    let open = exchange.call(ALICE, (Method::GET, "openOrders"), "").await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    exchange.stop().await;
}

#[tokio::test]
async fn a_failed_answer_says_that_the_outcome_is_unknown() {
    let exchange = Exchange::start(quiet()).await;
    inject(
        &exchange,
        FaultPlan {
            fail_answer: 1.0,
            ..FaultPlan::default()
        },
    )
    .await;
    let response = exchange
        .send(ALICE, (Method::POST, "order"), ORDER)
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(refusal(body(response).await).0, -1007);
    assert_eq!(accepted(&exchange), 1);
    exchange.stop().await;
}

#[tokio::test]
async fn faults_cannot_be_injected_unless_configured() {
    let mut config = quiet();
    config.fault_injection = false;
    let exchange = Exchange::start(config).await;
    let url = format!("http://{}/ploy/faults", exchange.address);
    let response = exchange.client.post(url).body("{}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    exchange.stop().await;
}

#[tokio::test]
async fn sockets_end_when_the_network_is_cut_and_can_be_opened_again() {
    let exchange = Exchange::start(quiet()).await;
    let mut stream = exchange.socket("/ws/btcusdt@trade").await;
    let mut user = exchange.user_stream(ALICE).await;
    stream
        .send(&serde_json::json!({"method": "LIST_SUBSCRIPTIONS", "id": 1}))
        .await;
    stream.next().await;
    let url = format!("http://{}/ploy/disconnect", exchange.address);
    let response = exchange.client.post(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(stream.ends().await && user.ends().await);
    exchange.user_stream(ALICE).await;
    exchange.stop().await;
}
