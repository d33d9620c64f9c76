//! Market streams (binance-spot §14): who subscribed to what, control messages, pings. What the
//! streams say is made by the engine, once for all subscribers.

use super::Shared;
use crate::{clock, engine::MarketMessage};
use axum::{
    extract::{
        Path, RawQuery, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// Streams that one connection may subscribe to.
const STREAMS_MAX: usize = 1_024;
/// Messages per second that a client may send.
const MESSAGES_PER_SEC: u32 = 5;
/// How long a client may take to read one message.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Pings go out this often.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A connection without a pong for this long is closed.
const PONG_PATIENCE: Duration = Duration::from_secs(60);
/// A connection is closed at this age.
const AGE_MAX: Duration = Duration::from_secs(24 * 3_600);

/// `/ws`: bare payloads.
pub(super) async fn raw(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    open(shared, upgrade, Subscriptions::default())
}

/// `/ws/<name>/<name>…`: bare payloads of these streams.
pub(super) async fn raw_named(
    State(shared): State<Arc<Shared>>,
    Path(names): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    open(shared, upgrade, Subscriptions::named(&names, false))
}

/// `/stream?streams=<name>/<name>…`: payloads wrapped with their stream's name.
pub(super) async fn combined(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let params = crate::api::params::Params::parse(query.as_deref().unwrap_or(""), "");
    let names = params
        .ok()
        .and_then(|params| params.required("streams").map(str::to_owned).ok());
    let subscriptions = Subscriptions::named(&names.unwrap_or_default(), true);
    open(shared, upgrade, subscriptions)
}

fn open(shared: Arc<Shared>, upgrade: WebSocketUpgrade, subscriptions: Subscriptions) -> Response {
    upgrade.on_upgrade(move |socket| {
        let sockets = shared.sockets.clone();
        sockets.track_future(serve(shared, socket, subscriptions))
    })
}

/// What a connection listens to.
#[derive(Debug, Default)]
struct Subscriptions {
    names: BTreeSet<String>,
    combined: bool,
}

impl Subscriptions {
    fn named(names: &str, combined: bool) -> Self {
        let names = names.split('/').filter(|name| !name.is_empty());
        Self {
            names: names.take(STREAMS_MAX).map(str::to_owned).collect(),
            combined,
        }
    }

    /// The message as this connection wants it, if it wants it.
    fn frame(&self, message: &MarketMessage) -> Option<String> {
        if !self.names.contains(&message.stream) {
            return None;
        }
        let (stream, payload) = (&message.stream, &message.payload);
        Some(if self.combined {
            format!("{{\"stream\":\"{stream}\",\"data\":{payload}}}")
        } else {
            payload.clone()
        })
    }

    /// Answers a control message.
    fn control(&mut self, text: &str) -> Value {
        let request: Value = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(error) => return json!({"code": 3, "msg": format!("Invalid JSON: {error}")}),
        };
        let invalid = |what: &str| json!({"code": 2, "msg": format!("Invalid request: {what}")});
        let id = request.get("id").cloned().unwrap_or(Value::Null);
        if !is_id(&id) {
            return invalid("request ID must be an unsigned integer or a short string");
        }
        let Some(method) = request.get("method").and_then(Value::as_str) else {
            return invalid("missing field `method`");
        };
        let params = request.get("params");
        let names = params.and_then(Value::as_array).map(|names| {
            let texts = names.iter().map(|name| name.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<String>>>()
        });
        let result = match (method, names) {
            ("SUBSCRIBE", Some(Some(names))) => {
                if self.names.len() + names.len() > STREAMS_MAX {
                    return invalid("too many parameters");
                }
                self.names.extend(names);
                Value::Null
            }
            ("UNSUBSCRIBE", Some(Some(names))) => {
                for name in &names {
                    self.names.remove(name);
                }
                Value::Null
            }
            ("LIST_SUBSCRIPTIONS", _) => self.names.iter().cloned().collect(),
            ("SET_PROPERTY" | "GET_PROPERTY", _) => match self.property(method, params) {
                Ok(value) => value,
                Err(error) => return with_id(error, id),
            },
            ("SUBSCRIBE" | "UNSUBSCRIBE", _) => {
                return invalid("`params` must be an array of stream names");
            }
            (other, _) => return invalid(&format!("unknown variant `{other}`")),
        };
        json!({"result": result, "id": id})
    }

    fn property(&mut self, method: &str, params: Option<&Value>) -> Result<Value, Value> {
        let params = params.and_then(Value::as_array);
        let name = params.and_then(|params| params.first());
        if name.and_then(Value::as_str) != Some("combined") {
            return Err(json!({"code": 0, "msg": "Unknown property"}));
        }
        if method == "GET_PROPERTY" {
            return Ok(self.combined.into());
        }
        let value = params
            .and_then(|params| params.get(1))
            .and_then(Value::as_bool);
        self.combined = value
            .ok_or_else(|| json!({"code": 1, "msg": "Invalid value type: expected Boolean"}))?;
        Ok(Value::Null)
    }
}

fn with_id(mut error: Value, id: Value) -> Value {
    error["id"] = id;
    error
}

/// Whether a request may carry `id`: a signed 64-bit integer, a short string or nothing.
fn is_id(id: &Value) -> bool {
    match id {
        Value::Null => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => text.len() <= 36,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Counts messages of a client in seconds.
#[derive(Debug)]
struct Pace {
    second: Instant,
    count: u32,
}

impl Pace {
    fn new() -> Self {
        Self {
            second: Instant::now(),
            count: 0,
        }
    }

    /// Whether one more message is within the limit.
    fn allows(&mut self) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            *self = Self::new();
        }
        self.count += 1;
        self.count <= MESSAGES_PER_SEC
    }
}

async fn serve(shared: Arc<Shared>, mut socket: WebSocket, mut subscriptions: Subscriptions) {
    let mut market = shared.api.engine.market();
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    let (opened, mut last_pong, mut pace) = (Instant::now(), Instant::now(), Pace::new());
    loop {
        let outgoing = tokio::select! {
            () = shared.sockets_cut.notified() => return,
            () = shared.stop.cancelled() => {
                say_goodbye(&mut socket, subscriptions.combined).await;
                return;
            }
            message = market.recv() => match message {
                Ok(message) => match subscriptions.frame(&message) {
                    Some(frame) => Message::Text(Utf8Bytes::from(frame)),
                    None => continue,
                },
                Err(RecvError::Lagged(missed)) => {
                    tracing::info!(missed, "a slow stream client is disconnected");
                    return;
                }
                Err(RecvError::Closed) => return,
            },
            incoming = socket.recv() => {
                let Some(Ok(message)) = incoming else { return };
                if !pace.allows() {
                    return;
                }
                match message {
                    Message::Text(text) => {
                        Message::Text(subscriptions.control(&text).to_string().into())
                    }
                    Message::Pong(_) => {
                        last_pong = Instant::now();
                        continue;
                    }
                    Message::Ping(_) | Message::Binary(_) => continue,
                    Message::Close(_) => return,
                }
            }
            _ = pings.tick() => {
                if last_pong.elapsed() > PONG_PATIENCE || opened.elapsed() > AGE_MAX {
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

/// Sends a message; `false` when the client is gone or does not read.
pub(super) async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(
        timeout(SEND_PATIENCE, socket.send(message)).await,
        Ok(Ok(()))
    )
}

async fn say_goodbye(socket: &mut WebSocket, combined: bool) {
    let event = json!({"e": "serverShutdown", "E": clock::now().as_millis()});
    let event = if combined {
        json!({"stream": "!serverShutdown", "data": event})
    } else {
        event
    };
    if send(socket, Message::Text(event.to_string().into())).await {
        send(socket, Message::Close(None)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages_are_answered_as_documented() {
        let mut subscriptions = Subscriptions::default();
        let mut ask = |text: &str| subscriptions.control(text);
        let subscribe = r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","x@y"],"id":1}"#;
        assert_eq!(ask(subscribe), json!({"result": null, "id": 1}));
        let unsubscribe = r#"{"method":"UNSUBSCRIBE","params":["x@y"],"id":"a"}"#;
        assert_eq!(ask(unsubscribe), json!({"result": null, "id": "a"}));
        let list = r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#;
        assert_eq!(ask(list), json!({"result": ["btcusdt@trade"], "id": 3}));
        let set = r#"{"method":"SET_PROPERTY","params":["combined",true],"id":4}"#;
        assert_eq!(ask(set), json!({"result": null, "id": 4}));
        let get = r#"{"method":"GET_PROPERTY","params":["combined"],"id":5}"#;
        assert_eq!(ask(get), json!({"result": true, "id": 5}));
        assert_eq!(ask("{")["code"], 3);
        assert_eq!(ask(r#"{"method":"DANCE","id":1}"#)["code"], 2);
        assert_eq!(ask(r#"{"method":"SUBSCRIBE","id":1}"#)["code"], 2);
        assert_eq!(
            ask(r#"{"method":"GET_PROPERTY","params":["x"],"id":1}"#)["code"],
            0
        );
    }

    #[test]
    fn combined_frames_carry_their_stream() {
        let message = MarketMessage {
            stream: "btcusdt@trade".to_owned(),
            payload: "{\"p\":1}".to_owned(),
        };
        let raw = Subscriptions::named("btcusdt@trade/other", false);
        assert_eq!(raw.frame(&message).unwrap(), "{\"p\":1}");
        let combined = Subscriptions::named("btcusdt@trade", true);
        assert_eq!(
            combined.frame(&message).unwrap(),
            "{\"stream\":\"btcusdt@trade\",\"data\":{\"p\":1}}"
        );
        assert!(Subscriptions::default().frame(&message).is_none());
    }
}
