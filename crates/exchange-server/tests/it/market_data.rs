//! Market data over REST: shapes, limits, headers.

use crate::harness::{ALICE, Exchange, body, lively, quiet, raw};
use ploy_domain::{Price, Quantity, Side, Timestamp, Trade};
use ploy_exchange_server::{LimitsConfig, ScriptItem, Speed};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn exchange_info_has_every_field_that_strict_decoders_want() {
    let exchange = Exchange::start(quiet()).await;
    let info = exchange.get("exchangeInfo").await;
    for field in [
        "timezone",
        "serverTime",
        "rateLimits",
        "exchangeFilters",
        "symbols",
    ] {
        assert!(info.get(field).is_some(), "{field}");
    }
    assert_eq!(info["symbols"].as_array().unwrap().len(), 3);
    let symbol = &info["symbols"][0];
    for field in [
        "symbol",
        "status",
        "baseAsset",
        "baseAssetPrecision",
        "quoteAsset",
        "quotePrecision",
        "quoteAssetPrecision",
        "baseCommissionPrecision",
        "quoteCommissionPrecision",
        "orderTypes",
        "icebergAllowed",
        "ocoAllowed",
        "otoAllowed",
        "opoAllowed",
        "quoteOrderQtyMarketAllowed",
        "allowTrailingStop",
        "cancelReplaceAllowed",
        "amendAllowed",
        "pegInstructionsAllowed",
        "isSpotTradingAllowed",
        "isMarginTradingAllowed",
        "filters",
        "permissions",
        "permissionSets",
        "defaultSelfTradePreventionMode",
        "allowedSelfTradePreventionModes",
    ] {
        assert!(symbol.get(field).is_some(), "{field}");
    }
    let one = exchange
        .get("exchangeInfo?symbols=%5B%22ETHUSDT%22%5D")
        .await;
    assert_eq!(one["symbols"][0]["symbol"], "ETHUSDT");
    assert_eq!(one["symbols"].as_array().unwrap().len(), 1);
    exchange.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_symbols_are_refused() {
    let exchange = Exchange::start(quiet()).await;
    let ask = async |path: &str| {
        let url = format!("http://{}/api/v3/{path}", exchange.address);
        let response = exchange.client.get(url).send().await.unwrap();
        (response.status(), body(response).await["code"].clone())
    };
    assert_eq!(ask("nothing").await, (StatusCode::NOT_FOUND, Value::Null));
    let rows = [
        ("depth?symbol=NOPE", -1121),
        ("depth?symbol=btcusdt", -1100),
        ("depth", -1102),
        ("klines?symbol=BTCUSDT&interval=2s", -1120),
        ("trades?symbol=BTCUSDT&limit=x", -1100),
        ("exchangeInfo?symbols=[%22BTCUSDT%22,%22BTCUSDT%22]", -1151),
    ];
    for (path, code) in rows {
        assert_eq!(
            ask(path).await,
            (StatusCode::BAD_REQUEST, code.into()),
            "{path}"
        );
    }
    exchange.stop().await;
}

#[tokio::test]
async fn weight_is_counted_told_and_limited() {
    let mut config = quiet();
    config.limits = LimitsConfig {
        weight_per_minute: 60,
        ..LimitsConfig::default()
    };
    let exchange = Exchange::start(config).await;
    let url = format!("http://{}/api/v3/exchangeInfo", exchange.address);
    let mut refused = 0;
    // A window may end once between requests; ten of weight 20 overrun two windows of 60.
    for _ in 0..10 {
        let response = exchange.client.get(&url).send().await.unwrap();
        assert!(response.headers().contains_key("x-mbx-used-weight-1m"));
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(response.headers().contains_key("retry-after"));
            assert_eq!(body(response).await["code"], -1003);
            refused += 1;
        }
    }
    assert!(refused >= 4);
    exchange.stop().await;
}

#[tokio::test]
async fn tickers_klines_and_trades_tell_one_story() {
    let exchange = Exchange::start(lively()).await;
    let mut trades = exchange.socket("/ws/btcusdt@trade").await;
    for _ in 0..20 {
        trades.next().await;
    }
    let day = exchange.get("ticker/24hr?symbol=BTCUSDT").await;
    let first = day["firstId"].as_u64().unwrap();
    let trades = exchange
        .get(&format!(
            "historicalTrades?symbol=BTCUSDT&fromId={first}&limit=1000"
        ))
        .await;
    let count = day["count"].as_u64().unwrap() as usize;
    let told = &trades.as_array().unwrap()[..count];
    let volume: i64 = told.iter().map(|trade| raw(&trade["qty"])).sum();
    assert_eq!(volume, raw(&day["volume"]));
    assert_eq!(told[count - 1]["id"], day["lastId"]);
    assert_eq!(told[count - 1]["price"], day["lastPrice"]);
    let all = exchange.get("ticker/bookTicker").await;
    assert_eq!(all.as_array().unwrap().len(), 3);
    let average = exchange.get("avgPrice?symbol=BTCUSDT").await;
    assert_eq!(average["mins"], 5);
    exchange.stop().await;
}

#[tokio::test]
async fn a_script_prints_its_trades_and_fills_those_it_reaches() {
    let item = |n: u64, price: &str, aggressor| {
        ScriptItem::Trade(Trade {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            price: price.parse::<Price>().unwrap(),
            quantity: "0.5".parse::<Quantity>().unwrap(),
            aggressor,
            venue_trade_id: n,
            ts_event: Timestamp::from_millis(n as i64).unwrap(),
            ts_receive: Timestamp::EPOCH,
        })
    };
    // The script waits for its first item until the account's order rests.
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let items = [
        item(1, "60000", Side::Buy),
        item(2, "59000", Side::Sell),
        item(3, "59500", Side::Buy),
    ];
    let mut gate = Some(gate);
    let script = items.into_iter().inspect(move |_| {
        if let Some(gate) = gate.take() {
            gate.recv().unwrap();
        }
    });
    let exchange = Exchange::start_with(quiet(), Some((Box::new(script), Speed::Max))).await;
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=59100";
    let mut events = exchange.user_stream(ALICE).await;
    let placed = exchange.place(ALICE, order).await;
    go.send(()).unwrap();
    let filled = loop {
        let event = events.event().await;
        if event["X"] == "FILLED" {
            break event;
        }
    };
    assert_eq!(
        (&filled["i"], &filled["L"]),
        (&placed["orderId"], &"59100.00000000".into())
    );
    let found = exchange
        .call(
            ALICE,
            (Method::GET, "order"),
            &format!("symbol=BTCUSDT&orderId={}", placed["orderId"]),
        )
        .await;
    assert_eq!(found["executedQty"], json!("0.10000000"));
    let depth = exchange.get("depth?symbol=BTCUSDT").await;
    assert!(
        depth["bids"].as_array().unwrap().len() >= 5,
        "the house quotes around the print"
    );
    exchange.stop().await;
}
