//! The WebSocket API (binance-spot §17): requests in frames, and the events of accounts to their
//! subscribers.

use super::{Shared, connection::Peer, streams::send};
use crate::{
    api::{
        ApiError,
        dispatch::{Incoming, answer},
        endpoint::Endpoint,
        params::Params,
        security::socket_payload,
    },
    clock,
    engine::UserMessage,
};
use axum::{
    extract::{
        ConnectInfo, RawQuery, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval},
};

const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_PATIENCE: Duration = Duration::from_secs(60);
/// Weight of opening a connection, and of the requests about subscriptions.
const SUBSCRIPTION_WEIGHT: u32 = 2;

/// `/ws-api/v3`.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let params = Params::parse(query.as_deref().unwrap_or(""), "");
    let wants = params
        .ok()
        .and_then(|params| params.flag("returnRateLimits").ok());
    let session = Session {
        address: peer.address.ip(),
        rate_limits: wants.flatten().unwrap_or(true),
        subscriptions: BTreeMap::new(),
        next_subscription: 0,
        shared: shared.clone(),
    };
    upgrade.on_upgrade(move |socket| {
        let sockets = shared.sockets.clone();
        sockets.track_future(serve(session, socket))
    })
}

/// One connection.
struct Session {
    shared: Arc<Shared>,
    address: IpAddr,
    rate_limits: bool,
    /// Subscription number by account.
    subscriptions: BTreeMap<usize, u64>,
    next_subscription: u64,
}

/// A request frame.
#[derive(Debug, Deserialize)]
struct Frame {
    #[serde(default)]
    id: Value,
    method: String,
    /// Values as they are written, since numbers are signed as the text they have.
    #[serde(default)]
    params: Option<BTreeMap<String, Box<RawValue>>>,
}

impl Frame {
    fn pairs(&self) -> Vec<(String, String)> {
        let text = |raw: &RawValue| match serde_json::from_str::<Value>(raw.get()) {
            Ok(Value::Null) => None,
            Ok(Value::String(text)) => Some(text),
            Ok(_) | Err(_) => Some(raw.get().to_owned()),
        };
        let params = self.params.iter().flatten();
        params
            .filter_map(|(name, raw)| Some((name.clone(), text(raw)?)))
            .collect()
    }

    fn incoming(&self) -> Incoming {
        let pairs = self.pairs();
        let own = ["signature", "apiKey"];
        Incoming {
            api_key: pairs
                .iter()
                .find(|(name, _)| name == "apiKey")
                .map(|(_, key)| key.clone()),
            as_sent: pairs
                .iter()
                .filter(|(name, _)| !own.contains(&name.as_str()))
                .cloned()
                .collect(),
            payload: socket_payload(&pairs),
            params: Params::from_pairs(pairs),
            arrived: clock::now(),
        }
    }
}

async fn serve(mut session: Session, mut socket: WebSocket) {
    let mut events = session.shared.api.engine.user();
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    let mut last_pong = Instant::now();
    let stop = session.shared.stop.clone();
    loop {
        let outgoing = tokio::select! {
            () = session.shared.sockets_cut.notified() => return,
            () = stop.cancelled() => {
                let event = json!({
                    "event": {"e": "serverShutdown", "E": clock::now().as_millis()},
                });
                if send(&mut socket, Message::Text(event.to_string().into())).await {
                    send(&mut socket, Message::Close(None)).await;
                }
                return;
            }
            event = events.recv() => match event {
                Ok(event) => match session.event(&event) {
                    Some(frame) => Message::Text(frame.into()),
                    None => continue,
                },
                Err(RecvError::Lagged(missed)) => {
                    tracing::info!(missed, "a slow user stream client is disconnected");
                    return;
                }
                Err(RecvError::Closed) => return,
            },
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Text(text))) => {
                    Message::Text(session.answer(&text).await.to_string().into())
                }
                Some(Ok(Message::Pong(_))) => {
                    last_pong = Instant::now();
                    continue;
                }
                Some(Ok(Message::Ping(_) | Message::Binary(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            _ = pings.tick() => {
                if last_pong.elapsed() > PONG_PATIENCE {
                    return;
                }
                Message::Ping(clock::now().as_millis().to_string().into())
            }
        };
        if !send(&mut socket, outgoing).await {
            return;
        }
    }
}

impl Session {
    /// An event as this connection's subscriber sees it, if it has one.
    fn event(&self, event: &UserMessage) -> Option<String> {
        let subscription = self.subscriptions.get(&event.account)?;
        let payload = &event.payload;
        Some(format!(
            "{{\"subscriptionId\":{subscription},\"event\":{payload}}}"
        ))
    }

    async fn answer(&mut self, text: &str) -> Value {
        let frame: Frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(_) => return self.finish(Value::Null, Err(ApiError::json()), true),
        };
        let incoming = frame.incoming();
        let wants = incoming.params.flag("returnRateLimits").ok().flatten();
        let outcome = self.call(&frame.method, incoming).await;
        self.finish(frame.id, outcome, wants.unwrap_or(self.rate_limits))
    }

    async fn call(&mut self, method: &str, incoming: Incoming) -> Result<Value, ApiError> {
        let (address, now) = (self.address, incoming.arrived);
        if let Some(endpoint) = Endpoint::of_method(method) {
            let weight = endpoint.weight(&incoming.params);
            self.shared.weights.charge(address, weight, now)?;
            let answer = answer(&self.shared.api, endpoint, incoming).await?;
            if endpoint.is_free_when_successful() {
                self.shared.weights.refund(address, weight, now);
            }
            return Ok(answer.body);
        }
        self.shared
            .weights
            .charge(address, SUBSCRIPTION_WEIGHT, now)?;
        match method {
            "userDataStream.subscribe.signature" => self.subscribe(&incoming),
            "userDataStream.unsubscribe" => self.unsubscribe(&incoming.params),
            "session.subscriptions" => {
                let ids = self.subscriptions.values();
                Ok(ids.map(|id| json!({"subscriptionId": id})).collect())
            }
            _ => Err(ApiError::unknown_method()),
        }
    }

    fn subscribe(&mut self, incoming: &Incoming) -> Result<Value, ApiError> {
        let caller = self.shared.api.authenticate(incoming)?;
        if self.subscriptions.contains_key(&caller.account) {
            return Err(ApiError::subscription_active());
        }
        let id = self.next_subscription;
        self.next_subscription += 1;
        self.subscriptions.insert(caller.account, id);
        Ok(json!({"subscriptionId": id}))
    }

    fn unsubscribe(&mut self, params: &Params) -> Result<Value, ApiError> {
        let which = params.integer("subscriptionId")?;
        let before = self.subscriptions.len();
        self.subscriptions
            .retain(|_, id| which.is_some_and(|which| *id != which));
        if self.subscriptions.len() == before {
            return Err(ApiError::subscription_inactive());
        }
        Ok(json!({}))
    }

    fn finish(&self, id: Value, outcome: Result<Value, ApiError>, rate_limits: bool) -> Value {
        let mut answer = match outcome {
            Ok(result) => json!({"id": id, "status": 200, "result": result}),
            Err(refusal) => {
                let mut error = refusal.body();
                if let Some(at) = refusal.retry_after_ms {
                    let now = clock::now().as_millis();
                    error["data"] = json!({"serverTime": now, "retryAfter": at});
                }
                json!({"id": id, "status": refusal.status, "error": error})
            }
        };
        if rate_limits {
            let weights = &self.shared.weights;
            answer["rateLimits"] = json!([{
                "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                "limit": weights.limit(), "count": weights.used(self.address, clock::now()),
            }]);
        }
        answer
    }
}
