//! Orders placed and cancelled.

use crate::harness::{Gateway, read};
use ploy_domain::{OrderKind, OrderState, Reason, ReasonCode, TimeInForce};
use ploy_wire::api::ApiError;
use reqwest::Method;
use serde_json::{Value, json};

fn limit() -> Value {
    json!({
        "instrument": "BTCUSDT.SIM", "side": "buy", "type": "limit",
        "quantity": "0.5", "price": "50000.01",
    })
}

#[tokio::test]
async fn an_accepted_order_is_created_and_can_be_looked_at() {
    let gateway = Gateway::start().await;
    let placed = gateway.order("key-1", limit()).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    assert_eq!(placed.body["state"], "accepted");
    assert_eq!(placed.body["price"], "50000.01");
    assert_eq!(placed.body["time_in_force"], "gtc");
    assert_eq!(placed.body["strategy"], "api");
    assert_eq!(placed.header("idempotency-replayed"), None);
    let location = placed.header("location").unwrap().to_owned();
    assert_eq!(gateway.get(&location).await.body, placed.body);
    gateway.end().await;
}

#[tokio::test]
async fn the_same_key_is_the_same_order() {
    let gateway = Gateway::start().await;
    let first = gateway.order("key-1", limit()).await;
    let again = gateway.order("key-1", limit()).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other_key = gateway.order("key-2", limit()).await;
    assert_ne!(other_key.body["order_id"], first.body["order_id"]);
    let mut changed = limit();
    changed["quantity"] = json!("0.6");
    let mismatch = gateway.order("key-1", changed).await;
    assert_eq!(mismatch.status, 409);
    assert_eq!(
        mismatch.body["type"],
        "urn:ploy:problem:idempotency-mismatch"
    );
    assert_eq!(mismatch.body["order_id"], first.body["order_id"]);
    gateway.end().await;
}

#[tokio::test]
async fn an_order_knows_the_price_that_it_was_decided_at() {
    let gateway = Gateway::start().await;
    for (key, side) in [("key-1", "buy"), ("key-2", "sell")] {
        let order =
            json!({"instrument": "BTCUSDT", "side": side, "type": "market", "quantity": "1"});
        assert_eq!(gateway.order(key, order).await.status, 201);
    }
    let (ask, last) = ("50001".parse().unwrap(), "50000.5".parse().unwrap());
    let decided_at = gateway.platform.tell(|told| told.decided_at.clone());
    assert_eq!(decided_at, [Some(ask), Some(last)]);
    gateway.end().await;
}

#[tokio::test]
async fn every_type_becomes_the_kind_it_says() {
    let gateway = Gateway::start().await;
    let price = || "50000".parse().unwrap();
    let stop = || "49000".parse().unwrap();
    let kinds = [
        (
            json!({"type": "market"}),
            OrderKind::Market,
            TimeInForce::Ioc,
        ),
        (
            json!({"type": "post_only", "price": "50000"}),
            OrderKind::Limit {
                price: price(),
                post_only: true,
            },
            TimeInForce::Gtc,
        ),
        (
            json!({"type": "stop", "stop_price": "49000"}),
            OrderKind::Stop { stop: stop() },
            TimeInForce::Gtc,
        ),
        (
            json!({"type": "stop_limit", "stop_price": "49000", "price": "50000", "time_in_force": "fok"}),
            OrderKind::StopLimit {
                stop: stop(),
                price: price(),
            },
            TimeInForce::Fok,
        ),
    ];
    for (n, (extra, kind, time_in_force)) in kinds.into_iter().enumerate() {
        let mut body =
            json!({"instrument": "BTCUSDT", "side": "SELL", "quantity": "1", "reduce_only": true});
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let placed = gateway.order(&format!("key-{n}"), body).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        let order_id = placed.body["order_id"].as_str().unwrap().parse().unwrap();
        let order = gateway.platform.tell(|told| told.orders[&order_id].clone());
        assert_eq!((order.kind, order.time_in_force), (kind, time_in_force));
        assert!(order.reduce_only);
    }
    gateway.end().await;
}

#[tokio::test]
async fn a_refused_order_is_a_problem_with_order_and_reasons() {
    let gateway = Gateway::start().await;
    let reason = Reason::above(ReasonCode::NotionalExceedsMax, 50_000, 125_000);
    gateway
        .platform
        .tell(|told| told.outcome = Some((OrderState::Denied, vec![reason])));
    let refused = gateway.order("key-1", limit()).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    let body = refused.body;
    assert_eq!(body["type"], "urn:ploy:problem:order-refused");
    assert_eq!(body["order"]["state"], "denied");
    assert_eq!(
        body["reasons"],
        json!([{"code": "NOTIONAL_EXCEEDS_MAX_PER_ORDER", "context": "max=50000 was=125000"}])
    );
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .contains("max=50000 was=125000")
    );
    gateway.end().await;
}

#[tokio::test]
async fn an_order_on_its_way_is_202() {
    let gateway = Gateway::start().await;
    for (n, state) in [OrderState::Submitted, OrderState::Unknown]
        .into_iter()
        .enumerate()
    {
        gateway
            .platform
            .tell(|told| told.outcome = Some((state, vec![])));
        let placed = gateway.order(&format!("key-{n}"), limit()).await;
        assert_eq!(
            (placed.status.as_u16(), &placed.body["state"]),
            (202, &json!(state.word()))
        );
    }
    gateway.end().await;
}

#[tokio::test]
async fn an_order_that_is_not_answered_is_unknown_and_has_an_id() {
    let gateway = Gateway::start().await;
    gateway.platform.tell(|told| {
        told.execution_fails = Some(ApiError::deadline_exceeded("no answer within 2000 ms"));
    });
    let doubtful = gateway.order("key-1", limit()).await;
    assert_eq!(doubtful.status, 202);
    assert_eq!(doubtful.body["state"], "unknown");
    assert_eq!(doubtful.body["reasons"][0]["code"], "OUTCOME_UNKNOWN");
    gateway.platform.tell(|told| told.execution_fails = None);
    let again = gateway.order("key-1", limit()).await;
    assert_eq!(again.body["order_id"], doubtful.body["order_id"]);
    gateway.end().await;
}

#[tokio::test]
async fn a_service_that_is_away_is_503_with_when_to_come_again() {
    let gateway = Gateway::start().await;
    let away = ApiError::unavailable("execution cannot be reached");
    gateway
        .platform
        .tell(|told| told.execution_fails = Some(away));
    let answer = gateway.order("key-1", limit()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.body["retry"], "later");
    assert!(answer.body["order_id"].is_string());
    gateway.end().await;
}

#[tokio::test]
async fn a_fully_named_instrument_needs_no_prices() {
    let gateway = Gateway::start().await;
    let away = ApiError::unavailable("ingestion cannot be reached");
    gateway
        .platform
        .tell(|told| told.ingestion_fails = Some(away));
    assert_eq!(gateway.order("key-1", limit()).await.status, 201);
    let mut bare = limit();
    bare["instrument"] = json!("BTCUSDT");
    assert_eq!(gateway.order("key-2", bare).await.status, 503);
    gateway.end().await;
}

#[tokio::test]
async fn a_cancel_is_accepted_and_one_of_an_ended_order_is_answered() {
    let gateway = Gateway::start().await;
    let placed = gateway.order("key-1", limit()).await.body;
    let path = format!("/api/v1/orders/{}", placed["order_id"].as_str().unwrap());
    let because = format!("{path}?reason=too%20early");
    let cancel = read(gateway.command(Method::DELETE, &because, "key-2")).await;
    assert_eq!(
        (cancel.status.as_u16(), &cancel.body["state"]),
        (202, &json!("pending_cancel"))
    );
    assert_eq!(
        gateway.platform.tell(|told| told.cancels.clone()),
        ["too early"]
    );
    gateway.platform.tell(|told| {
        told.orders
            .values_mut()
            .for_each(|order| order.state = OrderState::Filled);
    });
    let late = read(gateway.command(Method::DELETE, &path, "key-3")).await;
    assert_eq!(
        (late.status.as_u16(), &late.body["state"]),
        (200, &json!("filled"))
    );
    let unknown = "/api/v1/orders/pd00000000000000000";
    let unknown = read(gateway.command(Method::DELETE, unknown, "key-4")).await;
    assert_eq!(unknown.status, 404);
    gateway.end().await;
}

#[tokio::test]
async fn all_orders_of_a_scope_can_be_cancelled() {
    let gateway = Gateway::start().await;
    let body = json!({"scope": "instrument:BTCUSDT.SIM", "reason": "news"});
    let answer = gateway
        .post("/api/v1/orders/cancel-all", "key-1", body)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"scope": "instrument:BTCUSDT.SIM", "requested": 2})
    );
    gateway.end().await;
}

#[tokio::test]
async fn who_asks_and_until_when_is_passed_on() {
    let gateway = Gateway::start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = gateway
        .command(Method::POST, "/api/v1/orders", "key-1")
        .header("content-type", "application/json")
        .header("x-request-timeout-ms", "700")
        .header("x-request-id", "my-own-id")
        .header("traceparent", trace)
        .body(limit().to_string());
    let answer = read(request).await;
    assert_eq!(answer.header("x-request-id"), Some("my-own-id"));
    let calls = gateway.platform.tell(|told| told.calls.clone());
    let (_, call) = calls.iter().find(|(what, _)| *what == "submit").unwrap();
    assert_eq!(call.actor.as_str(), "operator:token");
    assert!(call.deadline.as_millis() <= 700, "{:?}", call.deadline);
    assert_eq!(
        format!("{:032x}", call.trace.trace_id),
        "0af7651916cd43dd8448eb211c80319c"
    );
    gateway.end().await;
}
