//! The live stream.

use crate::{
    harness::{Gateway, TOKEN, config, read},
    platform::{account, fill},
};
use futures_util::{SinkExt, StreamExt};
use ploy_bus::{Message as BusMessage, Subject};
use ploy_domain::{
    Cause, ClientOrderId, EventId, MarketEvent, OrderEvent, OrderEventPayload, Source, Timestamp,
    TraceContext, Trade,
};
use ploy_wire::{facts, subjects};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(gateway: &Gateway, query: &str) -> Result<Socket, Error> {
    let url = format!("ws://{}/api/v1/stream{query}", gateway.address);
    let (socket, _) = tokio_tungstenite::connect_async(url).await?;
    Ok(socket)
}

async fn frame(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn event(seq: u64) -> OrderEvent {
    let at = Timestamp::from_nanos(i64::try_from(seq).unwrap());
    let order_id = ClientOrderId::parse("pd00000000000000000").unwrap();
    OrderEvent {
        account: account(),
        seq,
        event_id: EventId::derive(&account(), seq, at),
        epoch: 4,
        ts_event: at,
        ts_write: at,
        cause: Cause {
            source: Source::Stream,
            event: None,
        },
        trace: TraceContext::NONE,
        payload: OrderEventPayload::Filled(Box::new(fill(order_id, seq))),
    }
}

fn publish(gateway: &Gateway, subject: &subjects::Subject, payload: bytes::Bytes) {
    let subject = Subject::new(&subject.to_string()).unwrap();
    gateway
        .bus
        .publish(BusMessage::new(subject, payload))
        .unwrap();
}

/// Makes events part of the log and announces the last of them.
fn happened(gateway: &Gateway, upto: u64) {
    let known = gateway.platform.tell(|told| {
        let from = told.events.last().map_or(1, |event| event.seq + 1);
        told.events.extend((from..=upto).map(event));
        told.events.last().cloned()
    });
    let subject = subjects::Subject::Orders { account: account() };
    publish(
        gateway,
        &subject,
        facts::encode_order_event(&known.unwrap()),
    );
}

#[tokio::test]
async fn every_channel_begins_with_a_snapshot() {
    let gateway = Gateway::start().await;
    let mut socket = open(&gateway, "").await.unwrap();
    for channel in ["markets", "orders", "fills", "positions", "risk", "health"] {
        let frame = frame(&mut socket).await;
        assert_eq!(
            (&frame["type"], &frame["channel"]),
            (&json!("snapshot"), &json!(channel))
        );
        assert!(frame["sequence"].is_u64(), "{frame}");
        assert!(!frame["data"].is_null(), "{frame}");
    }
    drop(socket);
    gateway.end().await;
}

#[tokio::test]
async fn updates_follow_the_snapshot_without_gaps() {
    let gateway = Gateway::start().await;
    let mut socket = open(&gateway, "?channels=fills").await.unwrap();
    let snapshot = frame(&mut socket).await;
    assert_eq!(snapshot["data"][0]["sequence"], 9);
    let floor = snapshot["sequence"].as_u64().unwrap();
    known_to_the_follower(&gateway).await;
    happened(&gateway, 1);
    happened(&gateway, 3);
    for n in 1..=3 {
        let update = frame(&mut socket).await;
        assert_eq!(
            (&update["type"], &update["channel"]),
            (&json!("update"), &json!("fills"))
        );
        assert_eq!(update["sequence"], floor + n);
        assert_eq!(update["data"][0]["sequence"], n);
    }
    drop(socket);
    gateway.end().await;
}

/// The follower starts at the head; what happens before it has asked for that is history.
async fn known_to_the_follower(gateway: &Gateway) {
    let subject = subjects::Subject::OrdersHead { account: account() };
    let head = ploy_wire::api::Head {
        account: account(),
        seq: 0,
        epoch: 4,
    };
    let asked = |gateway: &Gateway| {
        let by_gateway = |what: &str, actor: &str| what == "head" && actor == "service:gateway";
        gateway.platform.tell(|told| {
            let calls = told.calls.iter();
            calls
                .filter(|(what, call)| by_gateway(what, call.actor.as_str()))
                .count()
        })
    };
    // The probe of the database asks once at the start; the follower when it hears of a head.
    while asked(gateway) < 2 {
        publish(gateway, &subject, facts::encode_head(&head));
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_market_that_moves_is_told() {
    let gateway = Gateway::start().await;
    let mut socket = open(&gateway, "?channels=markets").await.unwrap();
    assert_eq!(frame(&mut socket).await["type"], "snapshot");
    let trade = Trade {
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        price: "50123.45".parse().unwrap(),
        quantity: "1".parse().unwrap(),
        aggressor: ploy_domain::Side::Buy,
        venue_trade_id: 1,
        ts_event: Timestamp::from_nanos(5),
        ts_receive: Timestamp::from_nanos(6),
    };
    let fact = MarketEvent::Trade(trade);
    let update = loop {
        // Published until the gateway listens.
        publish(
            &gateway,
            &subjects::Subject::of(&fact),
            facts::encode_market(&fact),
        );
        let wait = std::time::Duration::from_millis(300);
        if let Ok(update) = tokio::time::timeout(wait, frame(&mut socket)).await {
            break update;
        }
    };
    assert_eq!(update["data"][0]["instrument"], "BTCUSDT.SIM");
    assert_eq!(update["data"][0]["last_price"], "50123.45");
    assert_eq!(update["data"][0]["feed"], "good");
    drop(socket);
    gateway.end().await;
}

#[tokio::test]
async fn a_kill_is_told_to_those_who_watch_risk() {
    let gateway = Gateway::start().await;
    let mut socket = open(&gateway, "?channels=risk").await.unwrap();
    assert_eq!(frame(&mut socket).await["data"]["states"], json!([]));
    gateway
        .post("/api/v1/risk/kill", "k", json!({"reason": "drill"}))
        .await;
    let states = loop {
        let update = frame(&mut socket).await;
        if update["data"]["states"] != json!([]) {
            break update["data"]["states"].clone();
        }
    };
    assert_eq!(
        (&states[0]["scope"], &states[0]["state"]),
        (&json!("platform"), &json!("halted"))
    );
    drop(socket);
    gateway.end().await;
}

#[tokio::test]
async fn a_client_that_missed_updates_is_told_and_starts_over() {
    let mut small = config();
    small.bounds.stream_updates_max = 4;
    let gateway = Gateway::start_with(small).await;
    let mut socket = open(&gateway, "?channels=fills").await.unwrap();
    assert_eq!(frame(&mut socket).await["type"], "snapshot");
    known_to_the_follower(&gateway).await;
    // One announcement of the last of forty events: the others come in one replay.
    happened(&gateway, 40);
    let mut types = Vec::new();
    loop {
        let next = frame(&mut socket).await;
        types.push(next["type"].as_str().unwrap().to_owned());
        if next["type"] == "gap" {
            assert!(next["missed"].as_u64().unwrap() > 0);
            break;
        }
    }
    let snapshot = frame(&mut socket).await;
    assert_eq!(
        (&snapshot["type"], &snapshot["channel"]),
        (&json!("snapshot"), &json!("fills"))
    );
    assert_eq!(snapshot["sequence"], 40, "after {types:?}");
    drop(socket);
    gateway.end().await;
}

#[tokio::test]
async fn a_client_that_talks_is_closed_and_the_end_is_told() {
    let gateway = Gateway::start().await;
    let mut talks = open(&gateway, "?channels=health").await.unwrap();
    let mut listens = open(&gateway, "?channels=health").await.unwrap();
    assert_eq!(frame(&mut listens).await["type"], "snapshot");
    talks.send(Message::text("subscribe")).await.unwrap();
    assert_eq!(close_code(&mut talks).await, CloseCode::Unsupported);
    gateway.stop.cancel();
    assert_eq!(close_code(&mut listens).await, CloseCode::Away);
    gateway.end().await;
}

async fn close_code(socket: &mut Socket) -> CloseCode {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => return frame.code,
            Message::Close(None) => panic!("closed without a code"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_stream_is_as_closed_as_other_reads() {
    let mut closed = config();
    closed.reads_open = false;
    closed.bounds.streams_max = 1;
    let gateway = Gateway::start_with(closed).await;
    assert_eq!(status(open(&gateway, "").await), 401);
    let url = format!("ws://{}/api/v1/stream", gateway.address);
    let request = || {
        let mut request = url.as_str().into_client_request().unwrap();
        let token = format!("Bearer {TOKEN}").parse().unwrap();
        request.headers_mut().insert("authorization", token);
        request
    };
    let first = tokio_tungstenite::connect_async(request()).await.unwrap();
    let second = tokio_tungstenite::connect_async(request()).await;
    assert_eq!(status(second.map(|(socket, _)| socket)), 503);
    let mut foreign = request();
    foreign
        .headers_mut()
        .insert("origin", "http://evil.example".parse().unwrap());
    let foreign = tokio_tungstenite::connect_async(foreign).await;
    assert_eq!(status(foreign.map(|(socket, _)| socket)), 403);
    drop(first);
    gateway.end().await;
}

fn status(opened: Result<Socket, Error>) -> u16 {
    match opened {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn unknown_channels_are_refused() {
    let gateway = Gateway::start().await;
    let request = gateway.request(Method::GET, "/api/v1/stream?channels=orders,weather");
    let answer = read(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.errors()[0].0.as_str()),
        (400, "channels")
    );
    gateway.end().await;
}
