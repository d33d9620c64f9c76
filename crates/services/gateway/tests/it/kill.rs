//! The kill switch: two ways to stop, one is enough.

use crate::{
    harness::{Gateway, TOKEN, config, read},
    platform::kills,
};
use ploy_domain::Scope;
use ploy_wire::api::ApiError;
use reqwest::Method;
use serde_json::{Value, json};

const KILL: &str = "/api/v1/risk/kill";

fn away() -> Option<ApiError> {
    Some(ApiError::unavailable("it cannot be reached"))
}

#[tokio::test]
async fn a_kill_without_a_body_stops_everything() {
    let gateway = Gateway::start().await;
    let answer = read(gateway.request(Method::POST, KILL).bearer_auth(TOKEN)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.body;
    assert_eq!(
        (&body["scope"], &body["halted"]),
        (&json!("platform"), &json!(true))
    );
    assert_eq!(body["cancels_requested"], 2);
    assert_eq!(body["states"][0]["state"], "halted");
    let (killed, cancels) = gateway
        .platform
        .tell(|told| (kills(told), told.cancels.clone()));
    assert_eq!(killed[0].0, Scope::Platform);
    assert_eq!(cancels, ["platform: kill: kill by operator:token"]);
    gateway.end().await;
}

#[tokio::test]
async fn a_kill_is_named_by_its_key_and_a_bad_key_is_no_excuse() {
    let gateway = Gateway::start().await;
    let body = json!({"scope": "account:main", "reason": "drill"});
    let named = gateway.post(KILL, "trip-7", body.clone()).await.body;
    assert_eq!(
        (&named["trip_id"], &named["reason"]),
        (&json!("trip-7"), &json!("drill"))
    );
    let unnamed = gateway.post(KILL, "not a key", body).await;
    assert_eq!(unnamed.status, 200);
    assert_eq!(gateway.platform.tell(|told| kills(told)).len(), 2);
    gateway.end().await;
}

#[tokio::test]
async fn one_of_risk_and_execution_is_enough() {
    let gateway = Gateway::start().await;
    gateway.platform.tell(|told| told.risk_fails = away());
    let answer = gateway
        .post(KILL, "k", Value::Object(Default::default()))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&answer.body["halted"], &answer.body["cancels_requested"]),
        (&json!(false), &json!(2))
    );
    assert!(
        answer.body["halt_error"]
            .as_str()
            .unwrap()
            .contains("cannot be reached")
    );
    gateway.platform.tell(|told| {
        told.risk_fails = None;
        told.execution_fails = away();
    });
    let answer = gateway
        .post(KILL, "k", Value::Object(Default::default()))
        .await;
    assert_eq!(
        (&answer.body["halted"], &answer.body["cancels_requested"]),
        (&json!(true), &Value::Null)
    );
    gateway.platform.tell(|told| told.risk_fails = away());
    let neither = gateway
        .post(KILL, "k", Value::Object(Default::default()))
        .await;
    assert_eq!(neither.status, 503);
    assert!(
        neither.body["detail"]
            .as_str()
            .unwrap()
            .contains("trading may go on")
    );
    gateway.end().await;
}

#[tokio::test]
async fn a_scope_that_is_none_is_refused() {
    let gateway = Gateway::start().await;
    let answer = gateway.post(KILL, "k", json!({"scope": "the world"})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.errors()[0].0, "scope");
    gateway.end().await;
}

#[tokio::test]
async fn a_kill_is_never_too_often_and_never_too_many() {
    let mut tight = config();
    tight.bounds.mutations_per_second = 1;
    tight.bounds.requests_max = 1;
    let gateway = Gateway::start_with(tight).await;
    gateway.platform.tell(|told| told.hangs = true);
    let order = json!({"instrument": "BTCUSDT", "side": "buy", "type": "market", "quantity": "1"});
    let hanging = gateway
        .command(Method::POST, "/api/v1/orders", "k")
        .header("content-type", "application/json")
        .header("x-request-timeout-ms", "600")
        .body(order.to_string());
    let hanging = tokio::spawn(hanging.send());
    while !gateway
        .platform
        .tell(|told| told.calls.iter().any(|(what, _)| *what == "submit"))
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.get("/api/v1/risk").await.status, 503);
    for _ in 0..5 {
        assert_eq!(gateway.post(KILL, "k", json!({})).await.status, 200);
    }
    assert_eq!(hanging.await.unwrap().unwrap().status(), 202);
    gateway.end().await;
}

#[tokio::test]
async fn a_reset_is_noted_first_and_confirmed_by_a_second_request() {
    const RESET: &str = "/api/v1/risk/reset";
    let gateway = Gateway::start().await;
    let nameless = gateway.post(RESET, "r1", json!({})).await;
    assert_eq!(nameless.status, 400, "{}", nameless.body);
    gateway.post(KILL, "k", json!({})).await;
    let body = json!({"reason": "the feed is back"});
    let noted = gateway.post(RESET, "r2", body.clone()).await;
    assert_eq!(noted.status, 409, "{}", noted.body);
    assert!(noted.body["detail"].as_str().unwrap().contains("noted"));
    let lifted = gateway.post(RESET, "r3", body).await;
    assert_eq!(lifted.status, 200, "{}", lifted.body);
    assert_eq!(lifted.body["states"], json!([]));
    let asked = gateway.platform.tell(|told| told.resets.clone());
    assert_eq!(
        (asked.len(), asked[0].reason.as_str()),
        (2, "the feed is back")
    );
    gateway.end().await;
}
