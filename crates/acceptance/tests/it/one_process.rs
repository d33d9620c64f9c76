//! A day with `ploy up`: it trades, takes orders, ends in order, resumes, and stops trading when told.

use crate::agreement;
use ploy_acceptance::{
    api::{Answer, Api},
    one_process::OneProcess,
};
use ploy_domain::{Price, Rounding};
use ploy_testkit::eventually;
use reqwest::Method;
use serde_json::{Value, json};
use std::{cell::Cell, time::Duration};

const SOON: Duration = Duration::from_secs(20);

/// An order in `instrument` that waits 3 % below the market.
async fn resting(api: &Api, instrument: &str, quantity: &str) -> Value {
    let market = api.market(instrument).await.unwrap();
    let last: Price = market["last_price"].as_str().unwrap().parse().unwrap();
    let tick: Price = market["tick"].as_str().unwrap().parse().unwrap();
    let below = Price::from_raw(last.raw() / 100 * 97);
    let price = below.round_to(tick, Rounding::Floor).unwrap();
    json!({
        "instrument": instrument, "side": "buy", "type": "limit",
        "quantity": quantity, "price": price.to_string(),
    })
}

/// Waits until the order is in the state.
async fn until(api: &Api, order_id: &str, state: &str) -> Value {
    let path = format!("/api/v1/orders/{order_id}");
    let reached = eventually(SOON, || async {
        let order = api.get(&path).await.ok()?;
        (order.text("state") == state).then_some(order.body)
    });
    match reached.await {
        Ok(order) => order,
        Err(_) => panic!("{order_id} is not {state}: {:?}", api.get(&path).await),
    }
}

/// Sends an order as a person would: again, as a new one, when risk could not answer in time. The
/// answer, and the key that brought it.
async fn judged(api: &Api, name: &str, order: &Value) -> (String, Answer) {
    let attempt = Cell::new(0);
    let judged = eventually(SOON, || async {
        attempt.set(attempt.get() + 1);
        let key = format!("{name}-{}", attempt.get());
        let answer = api.order(&key, order).await.unwrap();
        let is_judged = answer.body["reasons"][0]["code"] != "RISK_UNAVAILABLE";
        is_judged.then_some((key, answer))
    });
    judged.await.expect("risk does not answer")
}

/// An order that was taken, and the key it was placed with.
struct Placed {
    key: String,
    order_id: String,
}

async fn placed(api: &Api, name: &str, order: &Value) -> Placed {
    let (key, answer) = judged(api, name, order).await;
    assert!(matches!(answer.status, 201 | 202), "{:?}", answer.body);
    let order_id = answer.text("order_id").to_owned();
    Placed { key, order_id }
}

/// Every order can say what became of it: from the decision to the last fill, in order.
async fn an_order_explains_itself(api: &Api, order_id: &str) {
    let why = api
        .get(&format!("/api/v1/orders/{order_id}/why"))
        .await
        .unwrap();
    assert_eq!(why.status, 200, "{:?}", why.body);
    let story = why.body["story"].as_array().unwrap();
    let events: Vec<_> = story
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events[..3],
        ["OrderCreated", "OrderChecked", "OrderJournaled"]
    );
    assert_eq!(events.last(), Some(&"OrderFilled"), "{events:?}");
    let of = |line: &Value, name: &str| line[name].as_i64().unwrap();
    let ordered = story.windows(2).all(|pair| {
        of(&pair[0], "sequence") < of(&pair[1], "sequence")
            && of(&pair[0], "since_decision_us") <= of(&pair[1], "since_decision_us")
    });
    assert!(ordered, "{story:?}");
    let checked = story[1]["facts"].as_array().unwrap();
    assert!(checked.iter().any(|fact| fact["name"] == "limits_version"));
    let nobody = api
        .get("/api/v1/orders/pd00000000000000000/why")
        .await
        .unwrap();
    assert_eq!(nobody.status, 404);
}

async fn until_a_strategy_has_traded(api: &Api) {
    let traded = eventually(Duration::from_secs(40), || async {
        let fills = api.get("/api/v1/fills").await.ok()?;
        let by_strategy = |fill: &Value| fill["strategy"].as_str() != Some("api");
        fills.items().iter().any(by_strategy).then_some(())
    });
    traded.await.expect("no strategy has traded");
}

async fn positions(api: &Api) -> Vec<(String, String, String)> {
    let positions = api.get("/api/v1/positions").await.unwrap();
    let text = |position: &Value, name: &str| position[name].as_str().unwrap().to_owned();
    let all = positions.items().iter();
    all.map(|p| {
        (
            text(p, "instrument"),
            text(p, "strategy"),
            text(p, "quantity"),
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_ploy_up() {
    let mut ploy = OneProcess::new("[risk.reset]\nhold = \"1s\"\n").unwrap();
    let api = ploy.start().await.unwrap();
    orders_are_taken_once_and_cancelled(&api).await;
    until_a_strategy_has_traded(&api).await;

    // An order is open when it ends.
    let order = resting(&api, "SOLUSDT.SIM", "1.5").await;
    let open = placed(&api, "overnight", &order).await;
    until(&api, &open.order_id, "accepted").await;
    let status = ploy.stop().await.unwrap();
    assert!(status.success(), "{status}\n{}", ploy.last_words());
    let oracle = ploy.oracle().unwrap();
    let evening = agreement::holds_always(&oracle).await;

    let api = ploy.start().await.unwrap();
    until(&api, &open.order_id, "accepted").await;
    let other = resting(&api, "SOLUSDT.SIM", "2").await;
    let mismatch = api.order(&open.key, &other).await.unwrap();
    assert_eq!(mismatch.status, 409, "{:?}", mismatch.body);
    let morning = agreement::holds_always(&oracle).await;
    let kept = morning.ploy.log.iter().zip(&evening.ploy.log);
    assert!(kept.fold(true, |same, (now, then)| same && now.event == then.event));
    assert!(morning.ploy.log.len() > evening.ploy.log.len());

    the_kill_switch_stops_everything(&api, &open.order_id).await;
    let evidence = agreement::reached(&api, &oracle, &[open.order_id]).await;
    let witness = evidence.witness();
    assert!(witness.fills > 0 && witness.epochs >= 2, "{witness:?}");

    let held = positions(&api).await;
    assert!(ploy.stop().await.unwrap().success());
    let api = ploy.start().await.unwrap();
    assert_eq!(positions(&api).await, held);
    let order = resting(&api, "BTCUSDT.SIM", "0.0007").await;
    refused_by_the_kill_switch(&api, "after-restart", &order).await;
    trading_goes_on_when_it_is_confirmed(&api).await;
}

/// The kill is lifted by asking twice, with the hold in between, and never by itself.
async fn trading_goes_on_when_it_is_confirmed(api: &Api) {
    let reason = json!({ "reason": "the test goes on" });
    let path = "/api/v1/risk/reset";
    let noted = api.send(Method::POST, path, None, Some(&reason)).await;
    let noted = noted.unwrap();
    assert_eq!(noted.status, 409, "{:?}", noted.body);
    api.reset("the test goes on").await.unwrap();
    let order = resting(api, "ETHUSDT.SIM", "0.02").await;
    let placed = placed(api, "after-reset", &order).await;
    until(api, &placed.order_id, "accepted").await;
}

async fn orders_are_taken_once_and_cancelled(api: &Api) {
    let order = resting(api, "BTCUSDT.SIM", "0.0005").await;
    let first = placed(api, "first", &order).await;
    until(api, &first.order_id, "accepted").await;
    let again = api.order(&first.key, &order).await.unwrap();
    assert_eq!(again.text("order_id"), first.order_id);
    assert!(again.is_replayed);
    let mut other = order.clone();
    other["quantity"] = "0.0006".into();
    let mismatch = api.order(&first.key, &other).await.unwrap();
    assert_eq!(mismatch.status, 409, "{:?}", mismatch.body);
    let cancelled = api.cancel("cancel-first", &first.order_id).await.unwrap();
    assert!(matches!(cancelled.status, 200 | 202), "{cancelled:?}");
    until(api, &first.order_id, "cancelled").await;

    let market = json!({
        "instrument": "ETHUSDT.SIM", "side": "buy", "type": "market", "quantity": "0.05",
    });
    let bought = placed(api, "market", &market).await;
    until(api, &bought.order_id, "filled").await;
    an_order_explains_itself(api, &bought.order_id).await;
}

async fn the_kill_switch_stops_everything(api: &Api, open: &str) {
    let order = resting(api, "BTCUSDT.SIM", "0.0008").await;
    let second = placed(api, "second", &order).await;
    until(api, &second.order_id, "accepted").await;
    api.kill("the test is over").await.unwrap();
    refused_by_the_kill_switch(api, "killed", &resting(api, "ETHUSDT.SIM", "0.02").await).await;
    for order in [open, &second.order_id] {
        until(api, order, "cancelled").await;
    }
}

async fn refused_by_the_kill_switch(api: &Api, key: &str, order: &Value) {
    let (_, refused) = judged(api, key, order).await;
    assert_eq!(refused.status, 422, "{:?}", refused.body);
    let reason = &refused.body["reasons"][0]["code"];
    assert_eq!(reason, "KILL_SWITCH_ACTIVE", "{:?}", refused.body);
}
