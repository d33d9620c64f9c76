//! Who may come in.

use crate::harness::{Gateway, TOKEN, config, read};
use reqwest::Method;
use serde_json::json;

const READS: [&str; 9] = [
    "/api/markets",
    "/api/v1/account",
    "/api/v1/accounts",
    "/api/v1/orders",
    "/api/v1/fills",
    "/api/v1/positions",
    "/api/v1/strategies",
    "/api/v1/risk",
    "/api/v1/orders/pd00000000000000000",
];

#[tokio::test]
async fn mutations_need_the_token() {
    let gateway = Gateway::start().await;
    let mutations = [
        (Method::POST, "/api/v1/orders"),
        (Method::DELETE, "/api/v1/orders/pd00000000000000000"),
        (Method::POST, "/api/v1/orders/cancel-all"),
        (Method::POST, "/api/v1/risk/kill"),
        (Method::POST, "/api/v1/risk/reset"),
    ];
    for (method, path) in mutations {
        let bare = gateway
            .request(method.clone(), path)
            .header("idempotency-key", "k");
        let wrong = bare
            .try_clone()
            .unwrap()
            .bearer_auth("a-token-of-the-first-starX");
        let basic = bare
            .try_clone()
            .unwrap()
            .basic_auth("operator", Some(TOKEN));
        for request in [bare, wrong, basic] {
            let answer = read(request).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.body["type"], "urn:ploy:problem:unauthenticated");
            assert_eq!(answer.body["instance"], path);
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer realm=\"ploy\"")
            );
        }
    }
    assert!(gateway.platform.tell(|told| told.killed.is_empty()));
    gateway.end().await;
}

#[tokio::test]
async fn reads_are_closed_unless_they_are_opened() {
    let mut closed = config();
    closed.reads_open = false;
    let gateway = Gateway::start_with(closed).await;
    for path in READS {
        assert_eq!(gateway.get(path).await.status, 401, "{path}");
        let shown = read(gateway.request(Method::GET, path).bearer_auth(TOKEN)).await;
        assert_ne!(shown.status, 401, "{path}");
    }
    gateway.end().await;
}

#[tokio::test]
async fn open_reads_are_for_this_machine_and_its_own_pages() {
    let gateway = Gateway::start().await;
    let read_as = |name: &'static str, value: &'static str| {
        read(
            gateway
                .request(Method::GET, "/api/v1/risk")
                .header(name, value),
        )
    };
    assert_eq!(read_as("host", "evil.example").await.status, 401);
    assert_eq!(read_as("origin", "http://evil.example").await.status, 403);
    assert_eq!(read_as("authorization", "Bearer wrong").await.status, 401);
    assert_eq!(read_as("accept", "application/json").await.status, 200);
    gateway.end().await;
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_when_to_come_again() {
    let mut slow = config();
    slow.bounds.mutations_per_second = 1;
    let gateway = Gateway::start_with(slow).await;
    let mut answers = Vec::new();
    for n in 0..4 {
        answers.push(gateway.order(&n.to_string(), json!({})).await);
    }
    let statuses: Vec<_> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    assert_eq!(statuses, [400, 400, 429, 429]);
    assert_eq!(answers[3].header("retry-after"), Some("1"));
    assert_eq!(gateway.get("/api/v1/risk").await.status, 200);
    gateway.end().await;
}
