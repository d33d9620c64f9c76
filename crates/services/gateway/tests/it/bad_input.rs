//! What is refused, and how it is said.

use crate::harness::{Answer, Gateway, TOKEN, read};
use reqwest::Method;
use serde_json::{Value, json};

fn order(change: Value) -> Value {
    let mut order = json!({
        "instrument": "BTCUSDT.SIM", "side": "buy", "type": "limit",
        "quantity": "0.5", "price": "50000",
    });
    order
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    order
}

/// One mistake in an otherwise good order: field, value and bound are named.
async fn refused(gateway: &Gateway, change: Value, field: &str, bound: &str) {
    let answer = gateway.order("key", order(change.clone())).await;
    assert_problem(&answer, 400, "validation");
    let errors = answer.errors();
    assert_eq!(errors.len(), 1, "{change}: {errors:?}");
    assert_eq!(errors[0].0, field, "{change}");
    assert!(errors[0].1.contains(bound), "{change}: {}", errors[0].1);
}

fn assert_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let body = &answer.body;
    assert_eq!(body["type"], format!("urn:ploy:problem:{kind}"));
    assert_eq!(body["status"], status);
    for member in ["title", "detail", "instance", "request_id", "retry"] {
        assert!(body[member].is_string(), "{member} in {body}");
    }
    assert_eq!(answer.header("x-request-id"), body["request_id"].as_str());
}

/// Decimals that are none, and some that break a rule of the instrument.
const QUANTITIES: [(&str, &str); 11] = [
    ("0", "above 0"),
    ("-0", "above 0"),
    ("-1", "above 0"),
    ("NaN", "decimal"),
    ("inf", "decimal"),
    ("1e3", "decimal"),
    ("1,5", "decimal"),
    ("0.000000001", "at most 8 places"),
    ("99999999999999999999", "decimal"),
    ("0.0005", "a multiple of 0.001"),
    ("101", "0.001 to 100"),
];

#[tokio::test]
async fn every_bad_quantity_and_price_is_named_with_its_bound() {
    let gateway = Gateway::start().await;
    for (quantity, bound) in QUANTITIES {
        refused(&gateway, json!({"quantity": quantity}), "quantity", bound).await;
    }
    let bad = [
        (json!({"quantity": 0.5}), "quantity", "as a JSON string"),
        (
            json!({"quantity": {"is": "0.5"}}),
            "quantity",
            "as a JSON string",
        ),
        (json!({"price": null}), "price", "decimal"),
        (json!({"price": "0"}), "price", "above 0"),
        (json!({"price": "50000.005"}), "price", "a multiple of 0.01"),
        (json!({"price": "2000000"}), "price", "0.01 to 1000000"),
        (
            json!({"stop_price": "49000"}),
            "stop_price",
            "no such price",
        ),
        (json!({"type": "market"}), "price", "no such price"),
    ];
    for (change, field, bound) in bad {
        refused(&gateway, change, field, bound).await;
    }
    assert!(gateway.platform.tell(|told| told.orders.is_empty()));
    gateway.end().await;
}

#[tokio::test]
async fn every_bad_word_is_named_with_its_bound() {
    let gateway = Gateway::start().await;
    let words = [
        ("instrument", json!("NOPE.SIM"), "BTCUSDT.SIM, ETHUSDT.SIM"),
        ("instrument", json!("NOPE"), "one of BTCUSDT.SIM"),
        ("instrument", json!("ETHUSDT"), "several venues"),
        ("instrument", json!("BTC*USDT.>"), "SYMBOL.VENUE"),
        ("instrument", json!(7), "as a JSON string"),
        ("side", json!("hold"), "buy or sell"),
        ("type", json!("iceberg"), "market, limit"),
        ("time_in_force", json!("forever"), "gtc, ioc, fok or day"),
        ("reduce_only", json!("yes"), "true or false"),
        ("account", json!("ma in"), "such as main"),
        ("account", json!("a".repeat(33)), "such as main"),
        (
            "venue_order_id",
            json!("1"),
            "one of the fields account, instrument",
        ),
    ];
    for (field, value, bound) in words {
        refused(&gateway, json!({field: value}), field, bound).await;
    }
    assert!(gateway.platform.tell(|told| told.orders.is_empty()));
    gateway.end().await;
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let gateway = Gateway::start().await;
    let body = json!({"side": "up", "quantity": "x", "colour": "red"});
    let answer = gateway.order("key", body).await;
    let fields: Vec<_> = answer
        .errors()
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["instrument", "side", "type", "quantity", "colour"]);
    assert_eq!(answer.body["errors"][0]["value"], Value::Null);
    assert_eq!(answer.body["errors"][1]["value"], "up");
    gateway.end().await;
}

#[tokio::test]
async fn a_body_has_to_be_one_flat_json_object_of_bounded_size() {
    let gateway = Gateway::start().await;
    let send = |media: &'static str, body: String| {
        let request = gateway.command(Method::POST, "/api/v1/orders", "key");
        read(request.header("content-type", media).body(body))
    };
    let json = "application/json";
    for broken in ["[]", "{", "null", "{\"a\":1}}", &"[".repeat(1_000)] {
        assert_problem(&send(json, broken.to_owned()).await, 400, "validation");
    }
    let twice = r#"{"side":"buy","side":"sell"}"#.to_owned();
    let twice = send(json, twice).await;
    assert!(
        twice
            .errors()
            .iter()
            .any(|(_, bound)| bound.contains("given twice"))
    );
    let huge = format!("{{\"reason\":\"{}\"}}", "x".repeat(65 << 10));
    assert_problem(&send(json, huge).await, 413, "body-too-large");
    let form = "side=buy".to_owned();
    let form = send("application/x-www-form-urlencoded", form).await;
    assert_problem(&form, 415, "unsupported-media-type");
    gateway.end().await;
}

#[tokio::test]
async fn commands_need_a_key() {
    let gateway = Gateway::start().await;
    let commands = [
        (Method::POST, "/api/v1/orders"),
        (Method::POST, "/api/v1/orders/cancel-all"),
        (Method::DELETE, "/api/v1/orders/pd00000000000000000"),
    ];
    for (method, path) in commands {
        let bare = gateway.request(method, path).bearer_auth(TOKEN);
        let bad = bare.try_clone().unwrap().header("idempotency-key", "a key");
        for request in [bare, bad] {
            let answer = read(request).await;
            assert_problem(&answer, 400, "validation");
            assert_eq!(answer.errors()[0].0, "Idempotency-Key");
        }
    }
    gateway.end().await;
}

#[tokio::test]
async fn queries_are_strict() {
    let gateway = Gateway::start().await;
    let bad = [
        ("/api/v1/orders?limit=0", "limit"),
        ("/api/v1/orders?limit=501", "limit"),
        ("/api/v1/orders?limit=ten", "limit"),
        ("/api/v1/orders?limit=1&limit=2", "limit"),
        ("/api/v1/orders?after=", "after"),
        ("/api/v1/orders?after=a%20b", "after"),
        ("/api/v1/orders?after=nonsense", "after"),
        ("/api/v1/orders?open=maybe", "open"),
        ("/api/v1/orders?instrument=BTCUSDT", "instrument"),
        ("/api/v1/orders?state=open", "state"),
        ("/api/v1/fills?account=%2e%2e%2f", "account"),
        ("/api/v1/positions?verbose=1", "verbose"),
        ("/api/markets?venue=SIM", "venue"),
        ("/api/v1/orders/short", "order_id"),
        ("/api/v1/orders/PD00000000000000000", "order_id"),
    ];
    for (path, field) in bad {
        let answer = gateway.get(path).await;
        assert_problem(&answer, 400, "validation");
        assert_eq!(answer.errors()[0].0, field, "{path}");
    }
    assert_problem(
        &gateway.get("/api/v1/account?account=other").await,
        404,
        "not-found",
    );
    gateway.end().await;
}

#[tokio::test]
async fn paths_methods_urls_and_time_limits_are_told_as_problems_too() {
    let gateway = Gateway::start().await;
    assert_problem(&gateway.get("/api/v2/orders").await, 404, "not-found");
    let wrong = read(gateway.request(Method::PUT, "/api/v1/orders")).await;
    assert_problem(&wrong, 405, "method-not-allowed");
    assert!(wrong.header("allow").unwrap().contains("POST"));
    let long = format!("/api/v1/orders?after={}", "a".repeat(5_000));
    assert_problem(&gateway.get(&long).await, 414, "url-too-long");
    for timeout in ["0", "-1", "soon", "60000"] {
        let request = gateway.request(Method::GET, "/api/v1/risk");
        let answer = read(request.header("x-request-timeout-ms", timeout)).await;
        assert_problem(&answer, 400, "validation");
        assert!(answer.errors()[0].1.contains("1 to 5000"));
    }
    assert_problem(&gateway.get("/api/v1/stream").await, 400, "validation");
    gateway.end().await;
}

#[tokio::test]
async fn a_fault_of_ours_says_nothing_of_the_inside() {
    let gateway = Gateway::start().await;
    gateway.platform.tell(|told| {
        let error = "SELECT * FROM orders at db-7.internal";
        told.execution_fails = Some(ploy_wire::api::ApiError::internal(error));
    });
    let answer = gateway.get("/api/v1/orders").await;
    assert_problem(&answer, 500, "internal");
    assert!(!answer.body.to_string().contains("SELECT"));
    gateway.end().await;
}

#[tokio::test]
async fn an_odd_request_id_is_replaced() {
    let gateway = Gateway::start().await;
    for odd in ["a b", &"x".repeat(65), "{}"] {
        let request = gateway.request(Method::GET, "/api/v1/nothing");
        let answer = read(request.header("x-request-id", odd)).await;
        assert_ne!(answer.header("x-request-id"), Some(odd));
    }
    gateway.end().await;
}
