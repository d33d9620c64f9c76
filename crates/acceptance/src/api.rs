//! The gateway as a client sees it: plain HTTP with a token and idempotency keys.

use anyhow::{Context, Result};
use ploy_testkit::eventually;
use reqwest::{Client, Method};
use serde_json::Value;
use std::time::Duration;

/// How long an answer may take before the client gives up.
const DEADLINE: Duration = Duration::from_secs(6);

/// A client of a gateway.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    url: String,
    token: String,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` when it is no JSON.
    pub body: Value,
    /// Whether it is the answer of an earlier request with the same key.
    pub is_replayed: bool,
}

impl Answer {
    /// A text of the body, empty when there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().map_or(&[], Vec::as_slice)
    }
}

impl Api {
    /// A client of the gateway at `url`.
    ///
    /// # Errors
    /// When there can be no client at all.
    pub fn new(url: String, token: String) -> Result<Self> {
        // Fails when another client installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(DEADLINE).build()?;
        Ok(Self { client, url, token })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let is_replayed = response.headers().contains_key("idempotency-replayed");
        let body = response.text().await?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&body).unwrap_or_default(),
            is_replayed,
        })
    }

    /// Reads.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None, None).await
    }

    /// Places an order.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn order(&self, key: &str, order: &Value) -> Result<Answer> {
        self.send(Method::POST, "/api/v1/orders", Some(key), Some(order))
            .await
    }

    /// Cancels an order.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn cancel(&self, key: &str, order_id: &str) -> Result<Answer> {
        let path = format!("/api/v1/orders/{order_id}");
        self.send(Method::DELETE, &path, Some(key), None).await
    }

    /// Trips the kill switch for everything, again and again until it is taken.
    ///
    /// # Errors
    /// When it is not taken in time.
    pub async fn kill(&self, reason: &str) -> Result<Answer> {
        let body = serde_json::json!({ "reason": reason });
        eventually(Duration::from_secs(30), || async {
            let path = "/api/v1/risk/kill";
            let answer = self.send(Method::POST, path, None, Some(&body)).await;
            let answer = answer.ok().filter(|answer| answer.status == 200)?;
            (answer.body["halted"] == true).then_some(answer)
        })
        .await
        .context("the kill switch is not taken")
    }

    /// Lifts a kill: asks, and confirms once the hold is over.
    ///
    /// # Errors
    /// When it is not lifted in time.
    pub async fn reset(&self, reason: &str) -> Result<()> {
        let body = serde_json::json!({ "reason": reason });
        eventually(Duration::from_secs(30), || async {
            let path = "/api/v1/risk/reset";
            let answer = self
                .send(Method::POST, path, None, Some(&body))
                .await
                .ok()?;
            (answer.status == 200).then_some(())
        })
        .await
        .context("the kill switch is not lifted")
    }

    /// Waits until the gateway is ready and the account may trade.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until_trading(&self, deadline: Duration) -> Result<()> {
        eventually(deadline, || async {
            let ready = self.get("/health/ready").await.ok()?;
            let account = self.get("/api/v1/account").await.ok()?;
            let trades = ready.status == 200 && account.body["ready"] == true;
            trades.then_some(())
        })
        .await
        .context("the account is not ready to trade")
    }

    /// The market of an instrument, as soon as it has a price: after a start the feed comes up a
    /// moment later than the gateway.
    ///
    /// # Errors
    /// When it is not listed, or shows no price for long.
    pub async fn market(&self, instrument: &str) -> Result<Value> {
        eventually(Duration::from_secs(20), || async {
            let markets = self.get("/api/markets").await.ok()?;
            let mut listed = markets.items().iter();
            let market = listed.find(|market| market["instrument"] == instrument)?;
            market["last_price"].is_string().then(|| market.clone())
        })
        .await
        .with_context(|| format!("{instrument} shows no price"))
    }

    /// Waits until nothing is under way: no open order, none whose outcome is unknown.
    ///
    /// # Errors
    /// When that takes too long, with the account as it is then.
    pub async fn until_idle(&self, deadline: Duration) -> Result<()> {
        let idle = eventually(deadline, || async {
            let account = self.get("/api/v1/account").await.ok()?.body;
            let still = ["open_orders", "unknown_orders"];
            let idle = account["ready"] == true && still.iter().all(|of| account[*of] == 0);
            idle.then_some(())
        })
        .await;
        if idle.is_err() {
            let account = self.get("/api/v1/account").await?.body;
            let open = self.get("/api/v1/orders?open=true").await?.body;
            anyhow::bail!("the account does not come to rest: {account}\nopen: {open}");
        }
        Ok(())
    }
}
