//! Placing, querying and cancelling, and every refusal that clients branch on.

use crate::harness::{ALICE, BOB, Exchange, body, now_ms, quiet, refusal};
use ploy_exchange_server::{LimitsConfig, ledger::Entry, sign};
use reqwest::{Method, StatusCode};

const BUY: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC";
const SELL: &str = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC";

#[tokio::test]
async fn an_order_rests_is_found_and_cancelled() {
    let exchange = Exchange::start(quiet()).await;
    let query = format!("{BUY}&quantity=0.01000&price=25000.10&newClientOrderId=demo-1");
    let placed = exchange.place(ALICE, &query).await;
    assert_eq!(placed["status"], "NEW");
    assert_eq!(placed["price"], "25000.10000000");
    assert_eq!(placed["fills"], serde_json::json!([]));
    let (free, locked) = exchange.balance(ALICE, "USDT").await;
    assert_eq!(
        (free.as_str(), locked.as_str()),
        ("99749.99900000", "250.00100000")
    );

    let by_client = "symbol=BTCUSDT&origClientOrderId=demo-1";
    let found = exchange
        .call(ALICE, (Method::GET, "order"), by_client)
        .await;
    assert_eq!(
        (&found["orderId"], &found["isWorking"]),
        (&placed["orderId"], &true.into())
    );
    let open = exchange.call(ALICE, (Method::GET, "openOrders"), "").await;
    assert_eq!(open.as_array().unwrap().len(), 1);
    let others = exchange.call(BOB, (Method::GET, "openOrders"), "").await;
    assert_eq!(
        others.as_array().unwrap().len(),
        0,
        "nothing of one account is seen by another"
    );

    let cancel = format!("{by_client}&newClientOrderId=c-1");
    let cancelled = exchange
        .call(ALICE, (Method::DELETE, "order"), &cancel)
        .await;
    assert_eq!(cancelled["status"], "CANCELED");
    assert_eq!(
        (&cancelled["clientOrderId"], &cancelled["origClientOrderId"]),
        (&"c-1".into(), &"demo-1".into())
    );
    for name in ["demo-1", "c-1"] {
        let query = format!("symbol=BTCUSDT&origClientOrderId={name}");
        let found = exchange.call(ALICE, (Method::GET, "order"), &query).await;
        assert_eq!(
            (&found["status"], &found["clientOrderId"]),
            (&"CANCELED".into(), &"demo-1".into())
        );
    }
    let again = exchange
        .send(ALICE, (Method::DELETE, "order"), by_client)
        .await
        .unwrap();
    assert_eq!(
        refusal(body(again).await),
        (-2011, "Unknown order sent.".into())
    );
    let (free, _) = exchange.balance(ALICE, "USDT").await;
    assert_eq!(free, "100000.00000000");
    exchange.stop().await;
}

#[tokio::test]
async fn a_trade_moves_both_balances_and_charges_both() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.5&price=60000"))
        .await;
    let taken = exchange
        .place(ALICE, &format!("{BUY}&quantity=0.2&price=60010"))
        .await;
    assert_eq!(
        (&taken["status"], &taken["executedQty"]),
        (&"FILLED".into(), &"0.20000000".into())
    );
    assert_eq!(taken["cummulativeQuoteQty"], "12000.00000000");
    let fill = &taken["fills"][0];
    assert_eq!(
        (&fill["price"], &fill["commission"]),
        (&"60000.00000000".into(), &"0.00020000".into())
    );
    assert_eq!(fill["commissionAsset"], "BTC");
    assert_eq!(exchange.balance(ALICE, "BTC").await.0, "1.19980000");
    assert_eq!(exchange.balance(ALICE, "USDT").await.0, "88000.00000000");
    assert_eq!(exchange.balance(BOB, "USDT").await.0, "111988.00000000");
    let trades = exchange
        .call(BOB, (Method::GET, "myTrades"), "symbol=BTCUSDT")
        .await;
    assert_eq!(
        (&trades[0]["isMaker"], &trades[0]["isBuyer"]),
        (&true.into(), &false.into())
    );
    assert_eq!(trades[0]["id"], fill["tradeId"]);
    let public = exchange.get("trades?symbol=BTCUSDT").await;
    assert_eq!(
        (&public[0]["id"], &public[0]["isBuyerMaker"]),
        (&fill["tradeId"], &false.into())
    );
    exchange.stop().await;
}

/// Parameters, code and text of refusals that need no market.
const REFUSALS: &[(&str, i64, &str)] = &[
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=1e-05",
        -1100,
        "Illegal characters found in parameter 'price'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    ),
    (
        "side=BUY&type=LIMIT",
        -1102,
        "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
    ),
    (
        "symbol=NOPE&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=1",
        -1121,
        "Invalid symbol.",
    ),
    (
        "symbol=BTCUSDT&side=HOLD&type=LIMIT&timeInForce=GTC&quantity=1&price=1",
        -1117,
        "Invalid side.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=FAST&quantity=1&price=1",
        -1116,
        "Invalid orderType.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=1",
        -1115,
        "Invalid timeInForce.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=1",
        -1102,
        "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&price=1",
        -1106,
        "Parameter 'price' sent when not required.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=MARKET",
        -1102,
        "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.000000001",
        -1111,
        "Parameter 'price' has too much precision.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=100.001",
        -1013,
        "Filter failure: PRICE_FILTER",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.000001&price=60000",
        -1013,
        "Filter failure: LOT_SIZE",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0&price=60000",
        -1013,
        "Filter failure: LOT_SIZE",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.00001&price=60000",
        -1013,
        "Filter failure: NOTIONAL",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=10&price=60000",
        -2010,
        "Account has insufficient balance for requested action.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=1&selfTradePreventionMode=DECREMENT",
        -1013,
        "This symbol does not allow the specified self-trade prevention mode.",
    ),
    (
        "symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=1",
        -1102,
        "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!",
    ),
];

#[tokio::test]
async fn refusals_carry_the_documented_codes_and_texts() {
    let exchange = Exchange::start(quiet()).await;
    for (query, code, text) in REFUSALS {
        assert_eq!(
            exchange.refused(ALICE, query).await,
            (*code, (*text).to_owned()),
            "{query}"
        );
    }
    exchange.stop().await;
}

#[tokio::test]
async fn engine_refusals_carry_the_documented_texts() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(
            BOB,
            &format!("{SELL}&quantity=0.1&price=60000&newClientOrderId=b-1"),
        )
        .await;
    let post_only = "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=0.1&price=60000";
    let would_match = "Order would immediately match and take.";
    assert_eq!(
        exchange.refused(ALICE, post_only).await,
        (-2010, would_match.into())
    );
    let same_id = format!("{SELL}&quantity=0.1&price=60001&newClientOrderId=b-1");
    assert_eq!(
        exchange.refused(BOB, &same_id).await,
        (-2010, "Duplicate order sent.".into())
    );
    exchange
        .place(ALICE, &format!("{BUY}&quantity=0.1&price=60000"))
        .await;
    let stop = "symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=0.1&stopPrice=59000";
    let would_trigger = "Order would trigger immediately.";
    assert_eq!(
        exchange.refused(ALICE, stop).await,
        (-2010, would_trigger.into())
    );
    let far = format!("{BUY}&quantity=0.1&price=400000");
    let band = "Filter failure: PERCENT_PRICE_BY_SIDE";
    assert_eq!(exchange.refused(ALICE, &far).await, (-1013, band.into()));
    exchange.place(BOB, &same_id).await;
    exchange.stop().await;
}

#[tokio::test]
async fn keys_signatures_and_times_are_checked_in_order() {
    let exchange = Exchange::start(quiet()).await;
    let url = format!("http://{}/api/v3/account", exchange.address);
    let ask = async |key: Option<&str>, query: String| {
        let mut request = exchange.client.get(format!("{url}?{query}"));
        if let Some(key) = key {
            request = request.header("X-MBX-APIKEY", key);
        }
        let response = request.send().await.unwrap();
        (response.status(), refusal(body(response).await).0)
    };
    let stamp = now_ms();
    let signed = |query: String| format!("{query}&signature={}", sign(ALICE.1, &query));
    assert_eq!(
        ask(None, String::new()).await,
        (StatusCode::UNAUTHORIZED, -2014)
    );
    assert_eq!(
        ask(Some("?"), String::new()).await,
        (StatusCode::UNAUTHORIZED, -2014)
    );
    assert_eq!(
        ask(Some("stranger"), String::new()).await,
        (StatusCode::UNAUTHORIZED, -2015)
    );
    let key = Some(ALICE.0);
    assert_eq!(
        ask(key, format!("timestamp={stamp}")).await,
        (StatusCode::BAD_REQUEST, -1102)
    );
    let wrong = format!("timestamp={stamp}&signature={}", sign("other", "x"));
    assert_eq!(ask(key, wrong).await, (StatusCode::BAD_REQUEST, -1022));
    let old = signed(format!("timestamp={}", stamp - 6_000));
    assert_eq!(ask(key, old).await, (StatusCode::BAD_REQUEST, -1021));
    let ahead = signed(format!("timestamp={}", stamp + 5_000));
    assert_eq!(ask(key, ahead).await, (StatusCode::BAD_REQUEST, -1021));
    let long = signed(format!("timestamp={stamp}&recvWindow=60001"));
    assert_eq!(ask(key, long).await, (StatusCode::BAD_REQUEST, -1131));
    assert_eq!(
        ask(key, signed(format!("timestamp={stamp}"))).await,
        (StatusCode::OK, 0)
    );
    exchange.stop().await;
}

#[tokio::test]
async fn parameters_may_stand_in_query_and_body() {
    let exchange = Exchange::start(quiet()).await;
    let body_half = format!("quantity=0.01000&price=25000.10&timestamp={}", now_ms());
    let signature = sign(ALICE.1, &format!("{BUY}{body_half}"));
    let request = exchange
        .client
        .post(format!("http://{}/api/v3/order?{BUY}", exchange.address))
        .header("X-MBX-APIKEY", ALICE.0)
        .header("Content-Type", "application/json")
        .body(format!("{body_half}&signature={signature}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-mbx-order-count-10s"], "1");
    assert_eq!(body(response).await["status"], "NEW");
    exchange.stop().await;
}

#[tokio::test]
async fn times_in_force_and_market_orders_end_as_they_should() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    let ioc = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.3&price=60000";
    let answer = exchange.place(ALICE, ioc).await;
    assert_eq!(
        (&answer["status"], &answer["executedQty"]),
        (&"EXPIRED".into(), &"0.10000000".into())
    );
    assert_eq!(answer["expiryReason"], "UNFILLED_IOC_QUANTITY_EXPIRED");
    exchange
        .place(BOB, &format!("{SELL}&quantity=0.1&price=60000"))
        .await;
    let fok = ioc.replace("IOC", "FOK");
    let answer = exchange.place(ALICE, &fok).await;
    assert_eq!(
        (&answer["status"], &answer["executedQty"]),
        (&"EXPIRED".into(), &"0.00000000".into())
    );
    let by_value = "symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=3000";
    let answer = exchange.place(ALICE, by_value).await;
    assert_eq!(
        (&answer["status"], &answer["executedQty"]),
        (&"FILLED".into(), &"0.05000000".into())
    );
    assert_eq!(
        (&answer["price"], &answer["origQuoteOrderQty"]),
        (&"0.00000000".into(), &"3000.00000000".into())
    );
    let rest = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.2";
    let answer = exchange.place(ALICE, rest).await;
    assert_eq!(
        (&answer["status"], &answer["expiryReason"]),
        (&"EXPIRED".into(), &"INSUFFICIENT_LIQUIDITY".into())
    );
    exchange.stop().await;
}

#[tokio::test]
async fn all_open_orders_are_cancelled_at_once() {
    let exchange = Exchange::start(quiet()).await;
    for price in [100, 200, 300] {
        exchange
            .place(ALICE, &format!("{BUY}&quantity=0.1&price={price}"))
            .await;
    }
    let request = (Method::DELETE, "openOrders");
    let cancelled = exchange
        .call(ALICE, request.clone(), "symbol=BTCUSDT")
        .await;
    assert_eq!(cancelled.as_array().unwrap().len(), 3);
    let again = exchange
        .send(ALICE, request, "symbol=BTCUSDT")
        .await
        .unwrap();
    assert_eq!(refusal(body(again).await).0, -2011);
    exchange.stop().await;
}

#[tokio::test]
async fn the_order_limit_is_kept_when_configured() {
    let mut config = quiet();
    config.limits = LimitsConfig {
        orders_per_10s: Some(2),
        ..LimitsConfig::default()
    };
    let exchange = Exchange::start(config).await;
    let query = format!("{BUY}&quantity=0.1&price=100");
    let mut refused = None;
    // Three orders may straddle the edge of a window, five cannot straddle two.
    for _ in 0..5 {
        let response = exchange
            .send(ALICE, (Method::POST, "order"), &query)
            .await
            .unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(response.headers().contains_key("retry-after"));
            refused = Some(refusal(body(response).await));
        }
    }
    let text = "Too many new orders; current limit is 2 orders per 10 SECOND.";
    assert_eq!(refused, Some((-1015, text.to_owned())));
    exchange.stop().await;
}

#[tokio::test]
async fn the_ledger_tells_every_request_and_what_became_of_it() {
    let exchange = Exchange::start(quiet()).await;
    exchange
        .place(
            BOB,
            &format!("{SELL}&quantity=0.1&price=60000&newClientOrderId=maker"),
        )
        .await;
    exchange
        .place(
            ALICE,
            &format!("{BUY}&quantity=0.1&price=60000&newClientOrderId=taker"),
        )
        .await;
    exchange
        .refused(
            ALICE,
            &format!("{BUY}&quantity=9&price=60000&newClientOrderId=poor"),
        )
        .await;
    let entries = exchange.entries();
    let story: Vec<String> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Received(received) => Some(format!(
                "received {} {}",
                received.api_key,
                received.client_order_id.as_deref().unwrap_or("-")
            )),
            Entry::Accepted(accepted) => {
                Some(format!("accepted {}", accepted.order.client_order_id))
            }
            Entry::Filled(filled) => Some(format!(
                "filled {} maker={}",
                filled.order.client_order_id, filled.maker
            )),
            Entry::Rejected { code, .. } => Some(format!("rejected {code}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        story,
        [
            "received bob-key maker",
            "accepted maker",
            "received alice-key taker",
            "accepted taker",
            "filled maker maker=true",
            "filled taker maker=false",
            "received alice-key poor",
            "rejected -2010",
        ]
    );
    exchange.stop().await;
}
