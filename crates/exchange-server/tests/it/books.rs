//! The book of the stream and the book of snapshots are one book.

use crate::harness::{ALICE, BOB, Exchange, Socket, lively, quiet, raw};
use serde_json::Value;
use std::collections::BTreeMap;

/// A book as a client keeps it: quantity by price, both in units of 1e-8.
#[derive(Default, Clone, PartialEq, Debug)]
struct Book {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    id: u64,
}

impl Book {
    fn of(snapshot: &Value) -> Self {
        let mut book = Self {
            id: snapshot["lastUpdateId"].as_u64().unwrap(),
            ..Self::default()
        };
        set(&mut book.bids, &snapshot["bids"]);
        set(&mut book.asks, &snapshot["asks"]);
        book
    }

    fn apply(&mut self, event: &Value) {
        set(&mut self.bids, &event["b"]);
        set(&mut self.asks, &event["a"]);
        self.id = event["u"].as_u64().unwrap();
    }

    fn is_sound(&self) -> bool {
        match (self.bids.last_key_value(), self.asks.first_key_value()) {
            (Some((bid, _)), Some((ask, _))) => bid < ask,
            _ => true,
        }
    }
}

fn set(side: &mut BTreeMap<i64, i64>, levels: &Value) {
    for level in levels.as_array().unwrap() {
        match raw(&level[1]) {
            0 => side.remove(&raw(&level[0])),
            quantity => side.insert(raw(&level[0]), quantity),
        };
    }
}

async fn depth_event(socket: &mut Socket) -> Value {
    let event = socket.next().await;
    assert_eq!(event["e"], "depthUpdate");
    event
}

#[tokio::test]
async fn the_book_of_the_stream_is_the_book_of_the_snapshot() {
    let exchange = Exchange::start(quiet()).await;
    let mut socket = exchange.socket("/ws/btcusdt@depth@100ms").await;
    let mut book = Book::default();
    for round in 0..8_u64 {
        for n in 0..12 {
            // Overlapping prices on both sides, so that levels grow, shrink and vanish by trades.
            let step = (round * 7 + n * 5) % 17;
            let (key, side) = if n % 2 == 0 {
                (ALICE, "BUY")
            } else {
                (BOB, "SELL")
            };
            let order = format!(
                "symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&quantity=0.01&price={}",
                60_000 + step
            );
            exchange.place(key, &order).await;
        }
        let snapshot = Book::of(&exchange.get("depth?symbol=BTCUSDT&limit=5000").await);
        while book.id < snapshot.id {
            let event = depth_event(&mut socket).await;
            assert_eq!(event["U"].as_u64().unwrap(), book.id + 1);
            book.apply(&event);
            assert!(book.is_sound(), "best bid below best ask at {}", book.id);
        }
        assert_eq!(book, snapshot, "the book at update {}", book.id);
    }
    exchange.stop().await;
}

#[tokio::test]
async fn events_of_a_lively_market_follow_each_other_from_any_snapshot() {
    let exchange = Exchange::start(lively()).await;
    let mut socket = exchange.socket("/ws/btcusdt@depth@100ms").await;
    let mut last = depth_event(&mut socket).await;
    let mut book = Book::of(&exchange.get("depth?symbol=BTCUSDT&limit=5000").await);
    for _ in 0..20 {
        let event = depth_event(&mut socket).await;
        assert_eq!(
            event["U"].as_u64().unwrap(),
            last["u"].as_u64().unwrap() + 1
        );
        if event["u"].as_u64().unwrap() > book.id {
            book.apply(&event);
            assert!(book.is_sound(), "best bid below best ask at {}", book.id);
        }
        last = event;
    }
    exchange.stop().await;
}

#[tokio::test]
async fn best_prices_are_told_with_their_update() {
    let exchange = Exchange::start(lively()).await;
    let mut socket = exchange.socket("/ws/ethusdt@bookTicker").await;
    let mut last = 0;
    for _ in 0..50 {
        let quote = socket.next().await;
        let id = quote["u"].as_u64().unwrap();
        assert!(id > last, "update ids rise");
        last = id;
        let (bid, ask) = (raw(&quote["b"]), raw(&quote["a"]));
        assert!(bid == 0 || ask == 0 || bid < ask);
    }
    exchange.stop().await;
}
