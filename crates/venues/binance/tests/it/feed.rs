//! The feed against a scripted venue: frames in, canonical events and states out.

use crate::{
    frames,
    venue::{Http, Peer, Reply, websocket},
};
use ploy_domain::{Book, FeedState, MarketEvent, Side, VenueId};
use ploy_venue_binance::{BinanceConfig, BinanceFeed};
use ploy_venue_port::{Feed, FeedBody, FeedMessage, Subscription};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The frames of a synthetic session, split into stream and snapshot.
fn session() -> (Vec<String>, String) {
    let lines = frames::synthetic(60);
    let json = lines
        .iter()
        .map(|line| line.split_once(' ').unwrap().1.to_owned());
    let (snapshots, stream): (Vec<_>, Vec<_>) =
        json.partition(|json| json.contains("lastUpdateId"));
    (stream, snapshots.into_iter().next().unwrap())
}

/// Sends the whole session and, the first time, hangs up after it.
async fn stream_side(number: usize, mut peer: Peer) {
    peer.send("garbage").await;
    peer.send(r#"{"stream":"btcusdt@something","data":{}}"#)
        .await;
    for frame in session().0 {
        peer.send(&frame).await;
    }
    if number > 0 {
        peer.linger().await;
    }
}

async fn venue_config() -> (Http, BinanceConfig) {
    let http = Http::start(|request| match request.path.as_str() {
        "/api/v3/depth" => Reply::Answer(200, "", session().1),
        "/api/v3/exchangeInfo" => Reply::Answer(200, "", EXCHANGE_INFO.to_owned()),
        _ => Reply::Hang,
    })
    .await;
    let venue = VenueId::parse("SIM").unwrap();
    let mut config = BinanceConfig::built_in(venue, &http.address);
    config.symbols = vec!["BTCUSDT".parse().unwrap()];
    (http, config)
}

const EXCHANGE_INFO: &str = r#"{"timezone":"UTC","serverTime":1,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],
    "symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[
    {"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000.00","tickSize":"0.01"},
    {"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"}]}]}"#;

/// What a reader of the feed keeps.
struct Reader {
    receiver: mpsc::Receiver<FeedMessage>,
    book: Book,
    states: Vec<FeedState>,
    quotes: u64,
    last: (u64, u64),
}

impl Reader {
    /// Reads until the whole feed is in `state`.
    async fn until(&mut self, state: FeedState) {
        while self.next().await != Some(state) {}
    }

    /// Takes one message; answers the new state of the whole feed, if it is one.
    async fn next(&mut self) -> Option<FeedState> {
        let message = self.receiver.recv().await.expect("the feed ended");
        let id = (message.feed_epoch, message.seq);
        assert!(
            id > self.last || message.body == FeedBody::Heartbeat,
            "{id:?}"
        );
        self.last = id;
        let FeedBody::Event(event) = message.body else {
            return None;
        };
        match event {
            MarketEvent::Book(delta) => {
                self.book.apply(&delta).unwrap();
            }
            MarketEvent::Quote(_) => self.quotes += 1,
            MarketEvent::Status(status) if status.instrument.is_none() => {
                self.states.push(status.state);
                return Some(status.state);
            }
            MarketEvent::Status(_) | MarketEvent::Trade(_) | MarketEvent::Bar(_) => {}
        }
        None
    }
}

#[tokio::test]
async fn a_feed_synchronises_loses_its_connection_and_recovers() {
    let (_http, mut config) = venue_config().await;
    config.stream_url = websocket(stream_side).await;
    let feed = BinanceFeed::new(config).unwrap();
    let (sink, receiver) = mpsc::channel(1_024);
    let token = CancellationToken::new();
    let stop = token.clone();
    let subscription = Subscription::full("BTCUSDT.SIM".parse().unwrap());
    let run = tokio::spawn(async move {
        let result = feed.run(vec![subscription], sink, token).await;
        (result, feed.decode_stats())
    });
    let mut reader = Reader {
        receiver,
        book: Book::new("BTCUSDT.SIM".parse().unwrap()),
        states: Vec::new(),
        quotes: 0,
        last: (0, 0),
    };
    let whole = async {
        reader.until(FeedState::Disconnected).await;
        let epoch = reader.last.0;
        reader.until(FeedState::Good).await;
        assert!(reader.last.0 > epoch);
        while reader.quotes == 0 {
            reader.next().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), whole)
        .await
        .expect("no recovery");
    assert_eq!(reader.states.first(), Some(&FeedState::Synchronising));
    let (bid, ask) = (reader.book.best(Side::Buy), reader.book.best(Side::Sell));
    assert!(bid.unwrap().price < ask.unwrap().price);
    stop.cancel();
    let (result, stats) = run.await.unwrap();
    assert_eq!(result, Ok(()));
    assert!(
        stats.malformed >= 2 && stats.unknown_values >= 2,
        "{stats:?}"
    );
}

#[tokio::test]
async fn instruments_come_from_exchange_info() {
    let (mut http, config) = venue_config().await;
    let feed = BinanceFeed::new(config).unwrap();
    let instruments = feed.instruments().await.unwrap();
    assert_eq!(instruments[0].id.to_string(), "BTCUSDT.SIM");
    assert_eq!(instruments[0].tick.to_string(), "0.01");
    let request = http.requests.recv().await.unwrap();
    assert_eq!(request.query, "symbols=%5B%22BTCUSDT%22%5D");
}

#[tokio::test]
async fn a_feed_that_nobody_reads_ends() {
    let (_http, mut config) = venue_config().await;
    config.stream_url = websocket(stream_side).await;
    let feed = BinanceFeed::new(config).unwrap();
    let (sink, receiver) = mpsc::channel(1);
    drop(receiver);
    let subscription = Subscription::full("BTCUSDT.SIM".parse().unwrap());
    let run = feed.run(vec![subscription], sink, CancellationToken::new());
    let ended = tokio::time::timeout(Duration::from_secs(10), run).await;
    assert_eq!(ended.expect("still running"), Ok(()));
}

#[tokio::test]
async fn a_renewal_opens_the_next_connection_before_it_leaves_the_old_one() {
    let (_http, mut config) = venue_config().await;
    config.connection.renew_after = Duration::from_millis(200);
    config.stream_url = websocket(|number, mut peer| async move {
        if number == 0 {
            return peer.linger().await;
        }
        peer.send(r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":7,"p":"1","q":"1","T":1,"m":true}}"#)
            .await;
        peer.linger().await;
    })
    .await;
    let feed = BinanceFeed::new(config).unwrap();
    let (sink, mut receiver) = mpsc::channel(64);
    let token = CancellationToken::new();
    let stop = token.clone();
    let mut subscription = Subscription::full("BTCUSDT.SIM".parse().unwrap());
    (subscription.quotes, subscription.book) = (false, false);
    let run = tokio::spawn(async move { feed.run(vec![subscription], sink, token).await });
    let mut states = Vec::new();
    loop {
        let message = receiver.recv().await.expect("the feed ended");
        assert_eq!(message.feed_epoch, 1);
        match message.body {
            FeedBody::Event(MarketEvent::Status(status)) => states.push(status.state),
            FeedBody::Event(MarketEvent::Trade(trade)) => {
                break assert_eq!(trade.venue_trade_id, 7);
            }
            FeedBody::Event(_) | FeedBody::Heartbeat => {}
        }
    }
    assert!(
        states.iter().all(|state| *state == FeedState::Good),
        "{states:?}"
    );
    stop.cancel();
    assert_eq!(run.await.unwrap(), Ok(()));
}
