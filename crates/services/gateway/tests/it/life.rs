//! How the gateway begins and ends.

use crate::{
    harness::{Gateway, config, deps, read},
    platform::Platform,
};
use ploy_chassis::Clock;
use ploy_gateway::App;
use reqwest::Method;
use serde_json::json;
use std::net::TcpListener;

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config();
    config.listen = taken.local_addr().unwrap();
    let deps = deps(&Platform::new()).await;
    let error = App::build(config.clone(), deps, &Clock::system()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&config.listen.port().to_string()), "{text}");
    assert!(text.contains("--port or gateway.listen"), "{text}");
}

#[tokio::test]
async fn open_reads_on_an_outside_address_are_refused() {
    let mut config = config();
    config.listen = "0.0.0.0:0".parse().unwrap();
    let deps = deps(&Platform::new()).await;
    let error = App::build(config, deps, &Clock::system()).unwrap_err();
    assert!(error.to_string().contains("gateway.reads_open"), "{error}");
}

#[tokio::test]
async fn a_command_under_way_is_finished_before_the_end() {
    let gateway = Gateway::start().await;
    gateway.platform.tell(|told| told.hangs = true);
    let order = json!({"instrument": "BTCUSDT", "side": "buy", "type": "market", "quantity": "1"});
    let request = gateway
        .command(Method::POST, "/api/v1/orders", "k")
        .header("content-type", "application/json")
        .header("x-request-timeout-ms", "300")
        .body(order.to_string());
    let request = tokio::spawn(read(request));
    while !gateway
        .platform
        .tell(|told| told.calls.iter().any(|(what, _)| *what == "submit"))
    {
        tokio::task::yield_now().await;
    }
    gateway.stop.cancel();
    let answer = request.await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.body["state"]),
        (202, &json!("unknown"))
    );
    gateway.end().await;
}
