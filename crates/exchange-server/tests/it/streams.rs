//! Market streams: what they say, how they are asked for.

use crate::harness::{ALICE, BOB, Exchange, lively, quiet, raw};
use reqwest::Method;
use serde_json::{Value, json};

const BUY: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC";
const SELL: &str = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC";

#[tokio::test]
async fn one_taker_makes_trades_and_aggregates_by_price() {
    let exchange = Exchange::start(quiet()).await;
    for price in [60_000, 60_000, 60_001] {
        exchange
            .place(BOB, &format!("{SELL}&quantity=0.1&price={price}"))
            .await;
    }
    let mut trades = exchange.socket("/ws/btcusdt@trade").await;
    let mut aggregates = exchange.socket("/stream?streams=btcusdt@aggTrade").await;
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.3&price=60001"))
        .await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let trade = trades.next().await;
        assert_eq!((&trade["e"], &trade["m"]), (&"trade".into(), &false.into()));
        ids.push(trade["t"].as_u64().unwrap());
    }
    let (first, second) = (aggregates.next().await, aggregates.next().await);
    assert_eq!(first["stream"], "btcusdt@aggTrade");
    assert_eq!(
        (&first["data"]["f"], &first["data"]["l"]),
        (&ids[0].into(), &ids[1].into())
    );
    assert_eq!(
        (&first["data"]["q"], &second["data"]["q"]),
        (&"0.20000000".into(), &"0.10000000".into())
    );
    let rows = exchange.get("aggTrades?symbol=BTCUSDT").await;
    assert_eq!(
        (&rows[1]["a"], &rows[1]["f"]),
        (&second["data"]["a"], &ids[2].into())
    );
    exchange.stop().await;
}

#[tokio::test]
async fn subscriptions_can_change_and_unknown_names_are_silent() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.socket("/ws/0").await;
    socket
        .send(&json!({"method": "SUBSCRIBE", "params": ["btcusdt@trade", "no@such"], "id": 7}))
        .await;
    assert_eq!(socket.next().await, json!({"result": null, "id": 7}));
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=60000"))
        .await;
    assert_eq!(socket.next().await["e"], "trade");
    exchange.stop().await;
}

#[tokio::test]
async fn each_kline_closes_once_and_agrees_with_the_list() {
    let exchange = Exchange::start(lively()).await;
    let mut socket = exchange.socket("/ws/solusdt@kline_1s").await;
    let mut closed: Vec<Value> = Vec::new();
    while closed.len() < 3 {
        let event = socket.next().await;
        if event["k"]["x"] == true {
            closed.push(event["k"].clone());
        }
    }
    for pair in closed.windows(2) {
        assert_eq!(
            pair[1]["t"].as_i64().unwrap(),
            pair[0]["T"].as_i64().unwrap() + 1
        );
    }
    let start = &closed[0]["t"];
    let rows = exchange
        .get(&format!(
            "klines?symbol=SOLUSDT&interval=1s&startTime={start}&limit=3"
        ))
        .await;
    for (row, kline) in rows.as_array().unwrap().iter().zip(&closed) {
        let fields = ["t", "o", "h", "l", "c", "v", "T", "q", "n"];
        for (column, field) in fields.iter().enumerate() {
            assert_eq!(row[column], kline[*field], "{field}");
        }
    }
    exchange.stop().await;
}

#[tokio::test]
async fn the_generated_market_trades_on_both_sides_within_its_spread() {
    let exchange = Exchange::start(lively()).await;
    let mut socket = exchange.socket("/ws/btcusdt@trade").await;
    let mut sides = [0, 0];
    for _ in 0..120 {
        let trade = socket.next().await;
        sides[usize::from(trade["m"].as_bool().unwrap())] += 1;
    }
    assert!(
        sides.iter().all(|count| *count > 10),
        "sells and buys: {sides:?}"
    );
    let depth = exchange.get("depth?symbol=BTCUSDT&limit=1000").await;
    let (bids, asks) = (
        depth["bids"].as_array().unwrap(),
        depth["asks"].as_array().unwrap(),
    );
    assert!(bids.len() >= 5 && asks.len() >= 5, "depth on many levels");
    assert!(
        bids.len() <= 60 && asks.len() <= 60,
        "resting orders are bounded"
    );
    assert!(
        raw(&asks[0][0]) - raw(&bids[0][0]) >= 1_000_000,
        "at least a tick of spread"
    );
    // An account meets the generated market.
    let order = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01";
    assert_eq!(exchange.place(ALICE, order).await["status"], "FILLED");
    let sell = order.replace("BUY", "SELL");
    assert_eq!(exchange.place(ALICE, &sell).await["status"], "FILLED");
    let trades = exchange
        .call(ALICE, (Method::GET, "myTrades"), "symbol=BTCUSDT")
        .await;
    assert!(trades.as_array().unwrap().len() >= 2);
    exchange.stop().await;
}

#[tokio::test]
async fn streams_are_told_of_the_end() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.socket("/ws/btcusdt@trade").await;
    exchange.stop().await;
    assert!(socket.ends().await);
}
