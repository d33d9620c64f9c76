//! An exchange per test, on a free port with its own ledger, and a client that signs.

use futures_util::{SinkExt, StreamExt};
use ploy_exchange_server::{
    AccountConfig, Config, MarketConfig, MarketScript, Server, Speed,
    ledger::{self, Entry, Record},
    sign,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const ALICE: (&str, &str) = ("alice-key", "alice-secret");
pub(crate) const BOB: (&str, &str) = ("bob-key", "bob-secret");

/// A running exchange.
pub(crate) struct Exchange {
    caller: Caller,
    pub(crate) ledger: PathBuf,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// A configuration with two accounts, nobody else trading, and an empty directory.
pub(crate) fn quiet() -> Config {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Tests may be processes of their own: the number alone is not enough.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let data_dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("exchange-{}-{count}", std::process::id()));
    drop(std::fs::remove_dir_all(&data_dir));
    Config {
        data_dir,
        accounts: vec![
            AccountConfig::new("alice", ALICE.0, ALICE.1),
            AccountConfig::new("bob", BOB.0, BOB.1),
        ],
        market: MarketConfig {
            generate: false,
            ..MarketConfig::default()
        },
        fault_injection: true,
        ..Config::default()
    }
}

/// The same with the generated market.
pub(crate) fn lively() -> Config {
    Config {
        market: MarketConfig {
            generate: true,
            actions_per_sec: 200,
        },
        ..quiet()
    }
}

/// A client of an exchange, wherever it runs.
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
}

impl Exchange {
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_with(config, None).await
    }

    pub(crate) async fn start_with(config: Config, script: Option<(MarketScript, Speed)>) -> Self {
        let mut bound = Server::bind(config).await.unwrap();
        if let Some((script, speed)) = script {
            bound = bound.with_script(script, speed);
        }
        let (address, ledger) = (bound.local_addr(), bound.ledger_path().to_owned());
        let stop = CancellationToken::new();
        let token = stop.clone();
        let running = tokio::spawn(async move { bound.run_until(token).await.unwrap() });
        Self {
            caller: Caller::new(address),
            ledger,
            stop,
            running,
        }
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.running).await.unwrap().unwrap();
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        ledger::read(&self.ledger).unwrap()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.records()
            .into_iter()
            .map(|record| record.entry)
            .collect()
    }
}

impl std::ops::Deref for Exchange {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Caller {
    pub(crate) fn new(address: SocketAddr) -> Self {
        // A second test in the process finds it installed already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Self { address, client }
    }

    pub(crate) async fn get(&self, path_and_query: &str) -> Value {
        let url = format!("http://{}/api/v3/{path_and_query}", self.address);
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path_and_query}");
        body(response).await
    }

    /// Sends a signed request with its parameters in the query.
    pub(crate) async fn send(
        &self,
        key: (&str, &str),
        (method, path): (Method, &str),
        query: &str,
    ) -> reqwest::Result<Response> {
        let separator = if query.is_empty() { "" } else { "&" };
        let query = format!("{query}{separator}timestamp={}", now_ms());
        let signature = sign(key.1, &query);
        let url = format!(
            "http://{}/api/v3/{path}?{query}&signature={signature}",
            self.address
        );
        let request = self
            .client
            .request(method, url)
            .header("X-MBX-APIKEY", key.0);
        request.send().await
    }

    /// The answer to a signed request that must succeed.
    pub(crate) async fn call(
        &self,
        key: (&str, &str),
        request: (Method, &str),
        query: &str,
    ) -> Value {
        let response = self.send(key, request, query).await.unwrap();
        let status = response.status();
        let answer = body(response).await;
        assert_eq!(status, StatusCode::OK, "{query}: {answer}");
        answer
    }

    /// Places an order that must be taken.
    pub(crate) async fn place(&self, key: (&str, &str), query: &str) -> Value {
        self.call(key, (Method::POST, "order"), query).await
    }

    /// Code and text of a placement that must be refused.
    pub(crate) async fn refused(&self, key: (&str, &str), query: &str) -> (i64, String) {
        let response = self
            .send(key, (Method::POST, "order"), query)
            .await
            .unwrap();
        assert_ne!(response.status(), StatusCode::OK, "{query}");
        refusal(body(response).await)
    }

    /// Free and locked amounts of an asset.
    pub(crate) async fn balance(&self, key: (&str, &str), asset: &str) -> (String, String) {
        let account = self.call(key, (Method::GET, "account"), "").await;
        let balances = account["balances"].as_array().unwrap();
        let row = balances.iter().find(|row| row["asset"] == asset).unwrap();
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        (text("free"), text("locked"))
    }

    pub(crate) async fn socket(&self, path: &str) -> Socket {
        let url = format!("ws://{}{path}", self.address);
        let (socket, _) = timeout(PATIENCE, connect_async(url))
            .await
            .unwrap()
            .unwrap();
        Socket(socket)
    }

    /// A socket on which the events of an account arrive.
    pub(crate) async fn user_stream(&self, key: (&str, &str)) -> Socket {
        let mut socket = self.socket("/ws-api/v3").await;
        let timestamp = now_ms();
        let payload = format!("apiKey={}&timestamp={timestamp}", key.0);
        let request = json!({
            "id": 1, "method": "userDataStream.subscribe.signature",
            "params": {
                "apiKey": key.0, "timestamp": timestamp, "signature": sign(key.1, &payload),
            },
        });
        socket.send(&request).await;
        let answer = socket.next().await;
        assert_eq!(answer["status"], 200, "{answer}");
        assert_eq!(answer["result"]["subscriptionId"], 0);
        socket
    }
}

/// A WebSocket that speaks JSON.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next JSON message.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a text frame, got {other:?}"),
            }
        }
    }

    /// Whether the far side closes before it says anything more than goodbye.
    pub(crate) async fn ends(&mut self) -> bool {
        loop {
            match timeout(PATIENCE, self.0.next()).await {
                Err(_) => return false,
                Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => return true,
                Ok(Some(Ok(_))) => {}
            }
        }
    }

    /// The next event of an account.
    pub(crate) async fn event(&mut self) -> Value {
        self.next().await["event"].clone()
    }
}

pub(crate) async fn body(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

pub(crate) fn refusal(answer: Value) -> (i64, String) {
    let text = answer["msg"].as_str().unwrap_or_default().to_owned();
    (answer["code"].as_i64().unwrap_or(0), text)
}

pub(crate) fn now_ms() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis()
}

/// A decimal in units of 1e-8.
pub(crate) fn raw(text: &Value) -> i64 {
    let amount: ploy_domain::Amount = text.as_str().unwrap().parse().unwrap();
    amount.raw()
}
