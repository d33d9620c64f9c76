//! What can be looked at.

use crate::harness::{Gateway, config};
use serde_json::{Value, json};

#[tokio::test]
async fn every_list_has_items_and_next() {
    let gateway = Gateway::start().await;
    for path in [
        "/api/markets",
        "/api/v1/markets",
        "/api/v1/accounts",
        "/api/v1/orders",
        "/api/v1/fills",
        "/api/v1/positions",
        "/api/v1/strategies",
    ] {
        let answer = gateway.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body["items"].is_array(), "{path}");
        assert_eq!(answer.body["next"], Value::Null, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
    gateway.end().await;
}

#[tokio::test]
async fn decimals_and_instants_are_texts() {
    let gateway = Gateway::start().await;
    let market = &gateway.get("/api/markets").await.body["items"][0];
    assert_eq!(market["instrument"], "BTCUSDT.SIM");
    assert_eq!(
        (&market["tick"], &market["feed"]),
        (&json!("0.01"), &json!("good"))
    );
    let fill = &gateway.get("/api/v1/fills").await.body["items"][0];
    assert_eq!(fill["price"], "50000.5");
    assert_eq!(fill["executed_at"], "2025-01-01T00:00:00.000000001Z");
    let position = &gateway.get("/api/v1/positions?account=main").await.body["items"][0];
    assert_eq!(position["quantity"], "-0.5");
    assert_eq!(position["unrealised"], Value::Null);
    let account = gateway.get("/api/v1/account").await.body;
    assert_eq!(
        account["balances"],
        json!([{"asset": "USDT", "amount": "100000.25"}])
    );
    let strategy = &gateway.get("/api/v1/strategies").await.body["items"][0];
    assert_eq!(strategy["params"], json!({"fast": "20"}));
    let risk = gateway.get("/api/v1/risk").await.body;
    assert_eq!(risk["limits"]["values"]["order_notional_max"], "50000");
    gateway.end().await;
}

#[tokio::test]
async fn filters_and_cursors_reach_execution() {
    let gateway = Gateway::start().await;
    let path = "/api/v1/orders?account=main&open=true&strategy=api&instrument=BTCUSDT.SIM&limit=7&after=c-1";
    assert_eq!(gateway.get(path).await.status, 200);
    let query = gateway.platform.tell(|told| told.queries.remove(0));
    assert_eq!(query.account.unwrap().as_str(), "main");
    assert!(query.open_only);
    assert_eq!(query.strategy.unwrap().as_str(), "api");
    assert_eq!(query.instrument.unwrap().to_string(), "BTCUSDT.SIM");
    assert_eq!((query.limit, query.after.as_deref()), (7, Some("c-1")));
    gateway.end().await;
}

#[tokio::test]
async fn a_long_list_says_where_it_goes_on() {
    let gateway = Gateway::start().await;
    for key in ["a", "b"] {
        let body =
            json!({"instrument": "BTCUSDT", "side": "buy", "type": "market", "quantity": "1"});
        assert_eq!(gateway.order(key, body).await.status, 201);
    }
    let page = gateway.get("/api/v1/orders?limit=1").await.body;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["next"], "more");
    gateway.end().await;
}

#[tokio::test]
async fn health_has_the_public_shape() {
    let gateway = Gateway::start().await;
    let health = loop {
        let answer = gateway.get("/health").await;
        // Until everything was asked once, nobody knows.
        if answer.status == 200 {
            break answer.body;
        }
        assert_eq!(answer.status, 503);
        tokio::task::yield_now().await;
    };
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["uptime_seconds"].is_u64());
    let checks = health["checks"].as_object().unwrap();
    let names: Vec<_> = checks.keys().map(String::as_str).collect();
    assert_eq!(names, ["api_connection", "database", "order_queue"]);
    for check in checks.values() {
        assert_eq!(check["status"], "up");
        assert!(check["latency_ms"].is_u64());
    }
    gateway.end().await;
}

#[tokio::test]
async fn probes_and_metrics_are_open_to_all() {
    let mut closed = config();
    closed.reads_open = false;
    let gateway = Gateway::start_with(closed).await;
    assert_eq!(
        gateway.get("/health/live").await.body,
        json!({"alive": true})
    );
    let ready = gateway.get("/health/ready").await;
    assert_eq!(ready.status, 200);
    assert!(ready.body["checks"].is_array());
    assert_eq!(gateway.get("/api/v1/nothing").await.status, 404);
    let metrics = gateway.get("/metrics").await;
    let text = metrics.body.as_str().unwrap();
    assert!(text.contains("ploy_api_latency_seconds_count{"), "{text}");
    assert!(text.contains("route=\"/health/live\""), "{text}");
    assert!(
        text.contains("ploy_api_errors_total{code=\"not-found\"}"),
        "{text}"
    );
    assert!(
        !text.contains("/api/v1/nothing"),
        "a path of a stranger became a label"
    );
    gateway.end().await;
}
