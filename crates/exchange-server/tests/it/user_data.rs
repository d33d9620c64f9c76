//! The events of an account, in the order of the table of binance-spot §16.2.

use crate::harness::{ALICE, BOB, Exchange, Socket, quiet};
use reqwest::Method;
use serde_json::Value;

const BUY: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC";
const SELL: &str = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC";

/// Reads `count` execution reports as `x/X`; balances between them are only looked at.
async fn reports(socket: &mut Socket, count: usize) -> Vec<(String, Value)> {
    let mut reports = Vec::new();
    while reports.len() < count {
        let event = socket.event().await;
        match event["e"].as_str().unwrap() {
            "executionReport" => {
                let word = |field: &str| event[field].as_str().unwrap().to_owned();
                reports.push((format!("{}/{}", word("x"), word("X")), event));
            }
            "outboundAccountPosition" => assert!(!event["B"].as_array().unwrap().is_empty()),
            other => panic!("unexpected event {other}"),
        }
    }
    reports
}

fn words(reports: &[(String, Value)]) -> Vec<&str> {
    reports.iter().map(|(words, _)| words.as_str()).collect()
}

#[tokio::test]
async fn a_taker_filled_by_two_makers_rests_with_the_remainder() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60001"))
        .await;
    let mut socket = exchange.user_stream(ALICE).await;
    let order = format!("{BUY}&quantity=0.3&price=60002&newClientOrderId=taker");
    exchange.place(ALICE, &order).await;
    let reports = reports(&mut socket, 3).await;
    assert_eq!(
        words(&reports),
        [
            "NEW/NEW",
            "TRADE/PARTIALLY_FILLED",
            "TRADE/PARTIALLY_FILLED"
        ]
    );
    let (first, last) = (&reports[0].1, &reports[2].1);
    assert_eq!(
        (&first["w"], &first["t"], &first["N"]),
        (&true.into(), &(-1).into(), &Value::Null)
    );
    assert_eq!(
        (&last["z"], &last["l"], &last["L"]),
        (
            &"0.20000000".into(),
            &"0.10000000".into(),
            &"60001.00000000".into()
        )
    );
    assert_eq!(
        (&last["c"], &last["C"], &last["m"]),
        (&"taker".into(), &"".into(), &false.into())
    );
    let position = socket.event().await;
    assert_eq!(
        position["e"], "outboundAccountPosition",
        "balances follow the reports"
    );
    exchange.stop().await;
}

#[tokio::test]
async fn reports_answers_and_own_trades_agree() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60001"))
        .await;
    let mut socket = exchange.user_stream(ALICE).await;
    let placed = exchange
        .place(ALICE, &format!("{BUY}&quantity=0.2&price=60001"))
        .await;
    let reports = reports(&mut socket, 3).await;
    let trades = exchange
        .call(ALICE, (Method::GET, "myTrades"), "symbol=BTCUSDT")
        .await;
    for (report, (trade, fill)) in reports[1..].iter().zip(
        trades
            .as_array()
            .unwrap()
            .iter()
            .zip(placed["fills"].as_array().unwrap()),
    ) {
        assert_eq!(
            (&report.1["t"], &report.1["n"]),
            (&trade["id"], &trade["commission"])
        );
        assert_eq!(
            (&trade["id"], &trade["commission"]),
            (&fill["tradeId"], &fill["commission"])
        );
    }
    let numbers: Vec<_> = reports
        .iter()
        .map(|(_, event)| event["I"].as_u64().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    exchange.stop().await;
}

#[tokio::test]
async fn every_report_has_every_field() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.user_stream(ALICE).await;
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=100"))
        .await;
    let (_, report) = reports(&mut socket, 1).await.remove(0);
    for field in [
        "e", "E", "s", "c", "S", "o", "f", "q", "p", "P", "F", "g", "C", "x", "X", "r", "i", "l",
        "z", "L", "n", "N", "T", "t", "I", "w", "m", "M", "O", "Z", "Y", "Q", "V", "W",
    ] {
        assert!(
            report.as_object().unwrap().contains_key(field),
            "{field} is missing"
        );
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_cancel_reports_its_own_id_and_the_orders() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.user_stream(ALICE).await;
    exchange
        .place(
            ALICE,
            &format!("{BUY}&quantity=0.1&price=100&newClientOrderId=o-1"),
        )
        .await;
    let cancel = "symbol=BTCUSDT&origClientOrderId=o-1&newClientOrderId=c-1";
    exchange
        .call(ALICE, (Method::DELETE, "order"), cancel)
        .await;
    let reports = reports(&mut socket, 2).await;
    assert_eq!(words(&reports), ["NEW/NEW", "CANCELED/CANCELED"]);
    let report = &reports[1].1;
    assert_eq!(
        (&report["c"], &report["C"], &report["w"]),
        (&"c-1".into(), &"o-1".into(), &false.into())
    );
    exchange.stop().await;
}

#[tokio::test]
async fn ioc_and_market_remainders_expire_with_their_fills() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    let mut socket = exchange.user_stream(ALICE).await;
    let market = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.2";
    exchange.place(ALICE, market).await;
    let reports = reports(&mut socket, 3).await;
    assert_eq!(
        words(&reports),
        ["NEW/NEW", "TRADE/PARTIALLY_FILLED", "EXPIRED/EXPIRED"]
    );
    let last = &reports[2].1;
    assert_eq!(
        (&last["l"], &last["t"], &last["z"]),
        (&"0.00000000".into(), &(-1).into(), &"0.10000000".into())
    );
    assert_eq!(last["eR"], "INSUFFICIENT_LIQUIDITY");
    exchange.stop().await;
}

#[tokio::test]
async fn a_maker_hears_of_its_fill_and_a_refusal_says_nothing() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.user_stream(BOB).await;
    exchange
        .refused(BOB, &format!("{SELL}&quantity=5&price=60000"))
        .await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=60000"))
        .await;
    let reports = reports(&mut socket, 2).await;
    assert_eq!(words(&reports), ["NEW/NEW", "TRADE/FILLED"]);
    assert_eq!(
        (&reports[1].1["m"], &reports[1].1["N"]),
        (&true.into(), &"USDT".into())
    );
    exchange.stop().await;
}

#[tokio::test]
async fn a_stop_waits_and_triggers_on_the_last_trade() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60100"))
        .await;
    let mut socket = exchange.user_stream(ALICE).await;
    let stop = "symbol=BTCUSDT&side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.1&stopPrice=60000&price=60200";
    let placed = exchange.place(ALICE, stop).await;
    assert_eq!(placed.get("status"), None, "stops are acknowledged only");
    let (words_of_stop, report) = reports(&mut socket, 1).await.remove(0);
    assert_eq!(
        (words_of_stop.as_str(), &report["w"]),
        ("NEW/NEW", &false.into())
    );
    assert_eq!(report.get("W"), None);
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=60000"))
        .await;
    let reports = reports(&mut socket, 4).await;
    assert_eq!(
        words(&reports),
        ["NEW/NEW", "TRADE/FILLED", "NEW/NEW", "TRADE/FILLED"]
    );
    assert_eq!(
        (&reports[2].1["o"], &reports[2].1["w"]),
        (&"STOP_LOSS_LIMIT".into(), &true.into())
    );
    assert_eq!(reports[3].1["L"], "60100.00000000");
    exchange.stop().await;
}

#[tokio::test]
async fn self_trade_prevention_expires_the_maker_in_match() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.user_stream(ALICE).await;
    exchange
        .place(ALICE, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    let taker = exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=60000"))
        .await;
    assert_eq!(taker["status"], "NEW");
    let reports = reports(&mut socket, 3).await;
    assert_eq!(
        words(&reports),
        ["NEW/NEW", "NEW/NEW", "TRADE_PREVENTION/EXPIRED_IN_MATCH"]
    );
    assert_eq!(reports[2].1["A"], "0.10000000");
    exchange.stop().await;
}

#[tokio::test]
async fn positions_lead_to_the_balances_of_the_account() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    let mut socket = exchange.user_stream(ALICE).await;
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=60000"))
        .await;
    let position = loop {
        let event = socket.event().await;
        if event["e"] == "outboundAccountPosition" {
            break event;
        }
    };
    for row in position["B"].as_array().unwrap() {
        let (free, locked) = exchange.balance(ALICE, row["a"].as_str().unwrap()).await;
        assert_eq!((&row["f"], &row["l"]), (&free.into(), &locked.into()));
    }
    exchange.stop().await;
}

#[tokio::test]
async fn the_websocket_api_places_and_queries_like_rest() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.socket("/ws-api/v3").await;
    socket
        .send(&serde_json::json!({"id": "a", "method": "ping"}))
        .await;
    let answer = socket.next().await;
    assert_eq!(
        (&answer["id"], &answer["status"]),
        (&"a".into(), &200.into())
    );
    assert_eq!(answer["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
    let stamp = crate::harness::now_ms();
    let payload = format!(
        "apiKey={}&price=25000.10&quantity=0.01000&returnRateLimits=false&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp={stamp}&type=LIMIT",
        ALICE.0
    );
    let signature = ploy_exchange_server::sign(ALICE.1, &payload);
    let text = format!(
        r#"{{"id":2,"method":"order.place","params":{{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","price":25000.10,"quantity":"0.01000","returnRateLimits":false,"apiKey":"{}","timestamp":{stamp},"signature":"{signature}"}}}}"#,
        ALICE.0
    );
    socket.send_text(&text).await;
    let answer = socket.next().await;
    assert_eq!(
        (&answer["status"], &answer["result"]["status"]),
        (&200.into(), &"NEW".into()),
        "{answer}"
    );
    assert_eq!(answer.get("rateLimits"), None);
    exchange.stop().await;
}
