//! The exchange is killed and started again: it is the same venue.

use crate::harness::{ALICE, BOB, Caller, Exchange, lively, quiet, raw};
use ploy_exchange_server::{Config, ledger};
use reqwest::Method;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const BUY: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC";
const SELL: &str = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC";

const STOP: &str =
    "symbol=BTCUSDT&side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&stopPrice=61000&price=61500";

/// The exchange as a process that can be killed.
struct Process {
    child: Child,
    caller: Caller,
}

impl Process {
    fn start(config: &Config) -> Self {
        std::fs::create_dir_all(&config.data_dir).unwrap();
        let path = config.data_dir.join("config.json");
        std::fs::write(&path, serde_json::to_string(config).unwrap()).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ploy-exchange"))
            .arg("--config")
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap();
        Self {
            caller: Caller::new(address.parse().unwrap()),
            child,
        }
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn state(caller: &Caller) -> Vec<Value> {
    let mut state = Vec::new();
    for key in [ALICE, BOB] {
        let account = caller.call(key, (Method::GET, "account"), "").await;
        state.push(account["balances"].clone());
        state.push(caller.call(key, (Method::GET, "openOrders"), "").await);
        let symbol = "symbol=BTCUSDT";
        state.push(caller.call(key, (Method::GET, "allOrders"), symbol).await);
        state.push(caller.call(key, (Method::GET, "myTrades"), symbol).await);
    }
    state
}

/// Leaves an order partly filled, one filled, one resting, one waiting for its trigger and one
/// cancelled.
async fn leave_orders(caller: &Caller) {
    let orders = [
        (
            BOB,
            format!("{SELL}&quantity=0.30000&price=60000&newClientOrderId=part"),
        ),
        // Its remainder is below the smallest order value and must come back all the same.
        (
            ALICE,
            format!("{BUY}&quantity=0.29995&price=60000&newClientOrderId=done"),
        ),
        (
            ALICE,
            format!("{BUY}&quantity=0.1&price=50000&newClientOrderId=rest"),
        ),
        (ALICE, format!("{STOP}&quantity=0.1&newClientOrderId=stop")),
        (
            ALICE,
            format!("{BUY}&quantity=0.1&price=40000&newClientOrderId=gone"),
        ),
    ];
    for (key, order) in orders {
        caller.place(key, &order).await;
    }
    cancel(caller, "gone").await;
}

async fn cancel(caller: &Caller, client_id: &str) {
    let query = format!("symbol=BTCUSDT&origClientOrderId={client_id}");
    caller.call(ALICE, (Method::DELETE, "order"), &query).await;
}

fn highest(rows: &Value, field: &str) -> u64 {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[field].as_u64().unwrap()).max().unwrap()
}

#[tokio::test]
async fn a_killed_exchange_comes_back_with_everything() {
    let config = quiet();
    let process = Process::start(&config);
    leave_orders(&process.caller).await;
    let before = state(&process.caller).await;
    process.kill();

    let process = Process::start(&config);
    let caller = &process.caller;
    assert_eq!(state(caller).await, before);
    // Old orders can still be cancelled and filled, and numbers go on rising.
    cancel(caller, "rest").await;
    let order = format!("{BUY}&quantity=0.001&price=60000");
    let taker = caller.place(ALICE, &order).await;
    assert!(taker["orderId"].as_u64().unwrap() > highest(&before[2], "orderId"));
    assert_eq!(taker["executedQty"], "0.00005000");
    assert!(taker["fills"][0]["tradeId"].as_u64().unwrap() > highest(&before[3], "id"));
    let query = "symbol=BTCUSDT&origClientOrderId=part";
    let part = caller.call(BOB, (Method::GET, "order"), query).await;
    assert_eq!(
        (&part["status"], &part["executedQty"]),
        (&"FILLED".into(), &"0.30000000".into())
    );
    process.kill();
}

#[tokio::test]
async fn the_market_resumes_where_it_was_with_higher_numbers() {
    let config = lively();
    let process = Process::start(&config);
    let mut socket = socket_of(&process).await;
    for _ in 0..30 {
        socket.next().await;
    }
    let before = process.caller.get("depth?symbol=BTCUSDT").await;
    let trades = process.caller.get("trades?symbol=BTCUSDT&limit=1").await;
    process.kill();
    let process = Process::start(&config);
    let mut socket = socket_of(&process).await;
    let trade = socket.next().await;
    assert!(trade["t"].as_u64() > trades[0]["id"].as_u64());
    let after = process.caller.get("depth?symbol=BTCUSDT").await;
    assert!(after["lastUpdateId"].as_u64() > before["lastUpdateId"].as_u64());
    let (then, now) = (raw(&trades[0]["price"]), raw(&trade["p"]));
    assert!(
        (now - then).abs() < then / 50,
        "the price goes on: {then} then {now}"
    );
    process.kill();
}

async fn socket_of(process: &Process) -> crate::harness::Socket {
    process.caller.socket("/ws/btcusdt@trade").await
}

#[tokio::test]
async fn a_ledger_in_use_is_not_shared() {
    let config = quiet();
    let exchange = Exchange::start(config.clone()).await;
    let second = ploy_exchange_server::Server::bind(Config { ..config }).await;
    assert!(second.is_err());
    exchange.stop().await;
}

#[tokio::test]
async fn balances_are_the_sum_of_the_ledger() {
    let config = lively();
    let exchange = Exchange::start(config.clone()).await;
    for _ in 0..5 {
        for side in ["BUY", "SELL"] {
            let order = format!("symbol=ETHUSDT&side={side}&type=MARKET&quantity=0.05");
            exchange.place(ALICE, &order).await;
        }
    }
    let (base, _) = exchange.balance(ALICE, "ETH").await;
    let (quote, _) = exchange.balance(ALICE, "USDT").await;
    let ledger: PathBuf = exchange.ledger.clone();
    exchange.stop().await;
    let mut sums = [0_i64, 0];
    for record in ledger::read(&ledger).unwrap() {
        if let ledger::Entry::Filled(fill) = record.entry {
            let amount = |text: &str| raw(&Value::from(text));
            let sign = if fill.side == "BUY" { 1 } else { -1 };
            sums[0] += sign * amount(&fill.quantity);
            sums[1] -= sign * amount(&fill.value);
            sums[usize::from(fill.commission_asset == "USDT")] -= amount(&fill.commission);
        }
    }
    assert_eq!(raw(&base.into()), 10 * 100_000_000 + sums[0]);
    assert_eq!(raw(&quote.into()), 100_000 * 100_000_000 + sums[1]);
}
