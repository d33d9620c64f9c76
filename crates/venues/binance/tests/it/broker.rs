//! Orders and the private stream against a scripted venue: what is sent, how often, and what
//! every kind of failure proves.

use crate::venue::{Http, Peer, Reply, Request, websocket};
use ploy_domain::{
    ClientOrderId, Intent, OrderKind, ReasonCode, Side, TimeInForce, Timestamp, VenueId,
};
use ploy_venue_binance::{ApiSecret, BinanceBroker, BinanceConfig, Credentials};
use ploy_venue_port::{
    Broker, CancelOutcome, ExecutionCursor, OrderChange, QueryAnswer, ReportBody, StreamState,
    SubmitOutcome, VenueReport,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn config(address: &str) -> BinanceConfig {
    let venue = VenueId::parse("SIM").unwrap();
    let mut config = BinanceConfig::built_in(venue, address);
    config.credentials = Some(Credentials {
        key: "demo-key".into(),
        secret: ApiSecret::new("an-example-secret-not-in-use".into()),
    });
    config
}

fn broker(address: &str) -> BinanceBroker {
    BinanceBroker::new(config(address)).unwrap()
}

fn intent() -> Intent {
    Intent {
        order_id: ClientOrderId::parse("pd3v3dozeqtax56xztx").unwrap(),
        account: "main".parse().unwrap(),
        strategy: "api".parse().unwrap(),
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        side: Side::Buy,
        kind: OrderKind::Market,
        quantity: "0.01".parse().unwrap(),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        decision_price: None,
        created_at: Timestamp::EPOCH,
        valid_until: Timestamp::from_nanos(i64::MAX),
    }
}

fn ok(body: &str) -> Reply {
    Reply::Answer(200, "", body.to_owned())
}

/// Answers clock and everything else; the rule decides about orders.
fn with_clock(rule: impl Fn(&Request) -> Reply) -> impl Fn(&Request) -> Reply {
    move |request| {
        if request.path == "/api/v3/time" {
            ok(r#"{"serverTime":1735689600123}"#)
        } else {
            rule(request)
        }
    }
}

const FILLED: &str = r#"{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"pd3v3dozeqtax56xztx",
    "transactTime":1735689600125,"price":"0.00000000","origQty":"0.01000000","executedQty":"0.01000000",
    "origQuoteOrderQty":"0","cummulativeQuoteQty":"250.0","status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"BUY",
    "fills":[{"price":"25000.0","qty":"0.01","commission":"0.00001","commissionAsset":"BTC","tradeId":912}]}"#;

#[tokio::test]
async fn an_order_is_signed_and_sent_once() {
    let mut venue = Http::start(|_| ok(FILLED)).await;
    let outcome = broker(&venue.address).submit(&intent()).await;
    let SubmitOutcome::Acknowledged(answer) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(answer.executions[0].execution_id.as_str(), "BTCUSDT-912");
    let request = venue.requests.recv().await.unwrap();
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/api/v3/order")
    );
    assert!(
        request
            .head
            .to_ascii_lowercase()
            .contains("x-mbx-apikey: demo-key")
    );
    for part in [
        "newClientOrderId=pd3v3dozeqtax56xztx",
        "recvWindow=2000",
        "&signature=",
    ] {
        assert!(request.body.contains(part), "{part} in {}", request.body);
    }
    assert!(venue.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_never_sent_again() {
    let mut venue = Http::start(|_| Reply::Hang).await;
    let outcome = broker(&venue.address).submit(&intent()).await;
    assert!(matches!(outcome, SubmitOutcome::Unknown(_)), "{outcome:?}");
    assert!(venue.requests.recv().await.is_some());
    assert!(venue.requests.try_recv().is_err());
}

#[tokio::test]
async fn no_order_reuses_a_connection_that_the_pool_could_repeat_it_on() {
    let mut venue = Http::start(|_| ok(FILLED)).await;
    let broker = broker(&venue.address);
    for connection in 0..3 {
        let outcome = broker.submit(&intent()).await;
        assert!(
            matches!(outcome, SubmitOutcome::Acknowledged(_)),
            "{outcome:?}"
        );
        assert_eq!(venue.requests.recv().await.unwrap().connection, connection);
    }
    assert!(venue.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_proves_nothing() {
    let headers = "Location: /api/v3/elsewhere\r\n";
    let mut venue = Http::start(move |_| Reply::Answer(307, headers, String::new())).await;
    let outcome = broker(&venue.address).submit(&intent()).await;
    assert!(matches!(outcome, SubmitOutcome::Unknown(_)), "{outcome:?}");
    venue.requests.recv().await.unwrap();
    assert!(venue.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_proves_that_nothing_was_sent() {
    // Port 1 of this machine: refused at once.
    let outcome = broker("127.0.0.1:1").submit(&intent()).await;
    let SubmitOutcome::NotSent(reason) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(reason.code, ReasonCode::NotSent);
    let order_id = intent().order_id;
    let outcome = broker("127.0.0.1:1")
        .cancel(intent().instrument, order_id, None)
        .await;
    assert!(matches!(outcome, CancelOutcome::NotSent(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_order_past_its_time_is_not_sent() {
    let mut venue = Http::start(|_| ok(FILLED)).await;
    let mut late = intent();
    late.valid_until = Timestamp::from_nanos(1);
    let outcome = broker(&venue.address).submit(&late).await;
    assert!(
        matches!(&outcome, SubmitOutcome::NotSent(reason) if reason.code == ReasonCode::Expired)
    );
    assert!(venue.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_limit_silences_its_whole_scope_and_leaves_cancels_their_way() {
    let mut venue = Http::start(|request| {
        if request.method == "DELETE" {
            return Reply::Answer(400, "", r#"{"code":-2011,"msg":"Unknown order sent."}"#.into());
        }
        let body = r#"{"code":-1015,"msg":"Too many new orders; current limit is 50 orders per 10 SECOND."}"#;
        Reply::Answer(429, "Retry-After: 7\r\n", body.into())
    })
    .await;
    let broker = broker(&venue.address);
    let limited = broker.submit(&intent()).await;
    assert!(matches!(limited, SubmitOutcome::RateLimited { after } if after.as_secs() == 7));
    venue.requests.recv().await.unwrap();
    let again = broker.submit(&intent()).await;
    assert!(matches!(&again, SubmitOutcome::NotSent(reason) if reason.code == ReasonCode::NotSent));
    assert!(
        venue.requests.try_recv().is_err(),
        "the second order was sent"
    );
    let cancel = broker
        .cancel(intent().instrument, intent().order_id, None)
        .await;
    assert!(matches!(cancel, CancelOutcome::NotOpen(_)), "{cancel:?}");
}

#[tokio::test]
async fn a_read_with_a_wrong_clock_measures_it_and_asks_again() {
    let refused = std::sync::atomic::AtomicBool::new(false);
    let mut venue = Http::start(with_clock(move |_| {
        if refused.swap(true, std::sync::atomic::Ordering::SeqCst) {
            ok(r#"{"balances":[{"asset":"BTC","free":"1.5","locked":"0.5"}]}"#)
        } else {
            let body = r#"{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}"#;
            Reply::Answer(400, "", body.into())
        }
    }))
    .await;
    let balances = broker(&venue.address).balances().await.unwrap();
    assert_eq!(balances[0].free.to_string(), "1.5");
    let mut paths = Vec::new();
    while let Ok(request) = venue.requests.try_recv() {
        paths.push(request.path.rsplit_once('/').unwrap().1.to_owned());
        assert!(!request.path.ends_with("account") || request.query.contains("signature="));
    }
    assert_eq!(paths, ["time", "account", "time", "account"]);
}

#[tokio::test]
async fn no_answer_and_an_empty_answer_are_told_apart() {
    let venue = Http::start(with_clock(|request| match request.path.as_str() {
        "/api/v3/openOrders" => ok("[]"),
        "/api/v3/order" => Reply::Answer(
            400,
            "",
            r#"{"code":-2013,"msg":"Order does not exist."}"#.into(),
        ),
        _ => Reply::Hang,
    }))
    .await;
    let broker = broker(&venue.address);
    let (instrument, order_id) = (intent().instrument, intent().order_id);
    assert_eq!(broker.open_orders().await, Ok(Vec::new()));
    let answer = broker.query_order(instrument, order_id, None).await;
    assert_eq!(answer, Ok(QueryAnswer::NotFound));
    assert_eq!(broker.balances().await.unwrap_err().class(), "unknown");
}

#[tokio::test]
async fn executions_are_read_to_the_last_page_or_not_at_all() {
    fn trade(id: u64) -> String {
        format!(
            r#"{{"symbol":"BTCUSDT","id":{id},"orderId":28,"orderListId":-1,"price":"1","qty":"1","quoteQty":"1","commission":"0","commissionAsset":"BTC","time":1735689600125,"isBuyer":true,"isMaker":true,"isBestMatch":true}}"#
        )
    }
    let page = |from: u64, count: u64| {
        let rows: Vec<_> = (from..from + count).map(trade).collect();
        format!("[{}]", rows.join(","))
    };
    let venue = Http::start(with_clock(move |request| {
        if request.query.contains("fromId=101&") {
            ok(&page(101, 1_000))
        } else if request.query.contains("fromId=1101&") {
            ok(&page(1_101, 5))
        } else if request.query.contains("fromId=0&") {
            ok(&page(1, 1_000))
        } else {
            Reply::Answer(503, "", String::new())
        }
    }))
    .await;
    let broker = broker(&venue.address);
    let instrument = intent().instrument;
    let after = ExecutionCursor::After("BTCUSDT-100".parse().unwrap());
    let executions = broker.executions_since(instrument, after).await.unwrap();
    assert_eq!(executions.len(), 1_005);
    assert_eq!(executions[1_004].execution_id.as_str(), "BTCUSDT-1105");
    let broken = ExecutionCursor::Since(Timestamp::EPOCH);
    let error = broker
        .executions_since(instrument, broken)
        .await
        .unwrap_err();
    assert_eq!(error.class(), "unavailable");
}

async fn next_body(receiver: &mut mpsc::Receiver<VenueReport>) -> ReportBody {
    receiver.recv().await.unwrap().body
}

/// Answers the subscription, sends a fill, and hangs up the first time.
async fn private_side(number: usize, mut peer: Peer) {
    let request = peer.receive().await;
    assert!(
        request.contains("userDataStream.subscribe.signature"),
        "{request}"
    );
    assert!(request.contains("\"signature\""), "{request}");
    peer.send(r#"{"id":"1","status":200,"result":{"subscriptionId":0},"rateLimits":[]}"#)
        .await;
    peer.send("not json").await;
    let trade = 900 + number;
    peer.send(&format!(
        r#"{{"subscriptionId":0,"event":{{"e":"executionReport","E":1,"s":"BTCUSDT","c":"pd3v3dozeqtax56xztx","S":"BUY","o":"LIMIT","f":"GTC","q":"0.02","p":"25000","g":-1,"C":"","x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":28,"l":"0.01","z":"0.01","L":"25000","n":"0.00001","N":"BTC","T":1735689600125,"t":{trade},"I":77,"w":true,"m":true,"M":false,"O":1}}}}"#
    ))
    .await;
    if number > 0 {
        peer.linger().await;
    }
}

#[tokio::test]
async fn the_private_stream_says_when_the_receiver_has_to_reconcile() {
    let http = Http::start(with_clock(|_| Reply::Hang)).await;
    let mut config = config(&http.address);
    config.ws_api_url = websocket(private_side).await;
    let broker = BinanceBroker::new(config).unwrap();
    let (sink, mut receiver) = mpsc::channel(16);
    let token = CancellationToken::new();
    let stop = token.clone();
    let run = tokio::spawn(async move {
        let result = broker.reports(sink, token).await;
        (result, broker.decode_stats())
    });
    for (trade, state) in [
        ("BTCUSDT-900", StreamState::Connected),
        ("BTCUSDT-901", StreamState::Reconnected),
    ] {
        assert_eq!(next_body(&mut receiver).await, ReportBody::Stream(state));
        let ReportBody::Order(report) = next_body(&mut receiver).await else {
            panic!("no order report");
        };
        let OrderChange::Filled(fill) = &report.change else {
            panic!("no fill: {report:?}");
        };
        assert_eq!(fill.execution_id.as_str(), trade);
        if trade == "BTCUSDT-900" {
            let lost = next_body(&mut receiver).await;
            assert!(
                matches!(lost, ReportBody::Stream(StreamState::Lost { .. })),
                "{lost:?}"
            );
        }
    }
    stop.cancel();
    let (result, stats) = run.await.unwrap();
    assert_eq!(result, Ok(()));
    assert_eq!(stats.malformed, 2);
}

#[tokio::test]
async fn refused_credentials_end_the_private_stream() {
    let http = Http::start(with_clock(|_| Reply::Hang)).await;
    let mut config = config(&http.address);
    config.ws_api_url = websocket(|_, mut peer| async move {
        peer.receive().await;
        peer.send(r#"{"id":"1","status":401,"error":{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}}"#).await;
        peer.linger().await;
    })
    .await;
    let broker = BinanceBroker::new(config).unwrap();
    let (sink, mut receiver) = mpsc::channel(16);
    let error = broker
        .reports(sink, CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(error.class(), "auth");
    let lost = next_body(&mut receiver).await;
    assert!(matches!(lost, ReportBody::Stream(StreamState::Lost { .. })));
}
