//! A running gateway, and a client that speaks plain HTTP with it.

use crate::platform::Platform;
use ploy_bus::{Bus, BusOptions};
use ploy_chassis::{
    Clock,
    config::Secret,
    health::{HealthRegistry, Liveness},
    metrics::{self, Metrics},
};
use ploy_gateway::{App, Bounds, Config, Deps};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "a-token-of-the-first-start";

/// One recorder for all tests of the process.
static METRICS: LazyLock<Metrics> = LazyLock::new(|| metrics::install().unwrap());

/// A gateway on a free port.
pub(crate) struct Gateway {
    pub(crate) platform: Arc<Platform>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    running: JoinHandle<()>,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The fields of a problem's errors with their bounds.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pair = |error: &Value| (text(&error["field"]), text(&error["bound"]));
        errors.iter().map(pair).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) fn config() -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        token: Secret::new(TOKEN),
        reads_open: true,
        accounts: vec!["main".parse().unwrap()],
        order_id_prefix: *b"pd",
        bounds: Bounds {
            reads_per_second: 10_000,
            mutations_per_second: 10_000,
            ..Bounds::default()
        },
    }
}

pub(crate) async fn deps(platform: &Arc<Platform>) -> Deps {
    Deps {
        execution: Arc::clone(platform) as _,
        risk: Arc::clone(platform) as _,
        strategy: Arc::clone(platform) as _,
        ingestion: Arc::clone(platform) as _,
        bus: ploy_bus::open("memory:", BusOptions::new("test"))
            .await
            .unwrap(),
        health: HealthRegistry::new("gateway", Clock::system()),
        liveness: Liveness::unwatched(),
        metrics: METRICS.clone(),
    }
}

pub(crate) fn client() -> Client {
    // Whoever is first; the others find it installed.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::new()
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self::start_with(config()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let platform = Platform::new();
        let deps = deps(&platform).await;
        let bus = Arc::clone(&deps.bus);
        let app = App::build(config, deps, &Clock::system()).unwrap();
        let (address, stop) = (app.local_addr(), CancellationToken::new());
        let running = app.run_until(stop.clone());
        Self {
            running: tokio::spawn(async move { running.await.unwrap() }),
            client: client(),
            platform,
            bus,
            address,
            stop,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path)).await
    }

    /// A command with the token and a key.
    pub(crate) fn command(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(TOKEN)
            .header("idempotency-key", key)
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = self.command(Method::POST, path, key);
        let request = request.header("content-type", "application/json");
        read(request.body(body.to_string())).await
    }

    pub(crate) async fn order(&self, key: &str, body: Value) -> Answer {
        self.post("/api/v1/orders", key, body).await
    }

    /// Stops it and waits for its end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

pub(crate) async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer {
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        status,
        headers,
    }
}
