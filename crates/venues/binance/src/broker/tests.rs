use super::*;
use crate::rest::Answer;
use ploy_domain::{OrderKind, Price, Quantity, Side, TimeInForce, VenueId};
use ploy_venue_port::VenueOrderState;

fn venue() -> VenueId {
    VenueId::parse("SIM").unwrap()
}

fn intent(kind: OrderKind, time_in_force: TimeInForce) -> Intent {
    Intent {
        order_id: ClientOrderId::parse("pd3v3dozeqtax56xztx").unwrap(),
        account: "main".parse().unwrap(),
        strategy: "api".parse().unwrap(),
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        side: Side::Buy,
        kind,
        quantity: "0.01".parse::<Quantity>().unwrap(),
        time_in_force,
        reduce_only: false,
        decision_price: None,
        created_at: Timestamp::EPOCH,
        valid_until: Timestamp::from_nanos(i64::MAX),
    }
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn limit(post_only: bool) -> OrderKind {
    let price = price("25000.1");
    OrderKind::Limit { price, post_only }
}

fn written(kind: OrderKind, time_in_force: TimeInForce) -> Result<String, ReasonCode> {
    placement::params(&intent(kind, time_in_force), venue())
        .map(|params| params.as_str().to_owned())
        .map_err(|reason| reason.code)
}

#[test]
fn every_kind_of_order_is_written_as_documented() {
    let tail = "&quantity=0.01&newClientOrderId=pd3v3dozeqtax56xztx&newOrderRespType=FULL";
    let (stop, limit_price) = (price("26000"), price("26010"));
    let stop_limit = OrderKind::StopLimit {
        stop,
        price: limit_price,
    };
    for (kind, lifetime, middle) in [
        (OrderKind::Market, TimeInForce::Gtc, "type=MARKET"),
        (
            limit(false),
            TimeInForce::Ioc,
            "type=LIMIT&timeInForce=IOC&price=25000.1",
        ),
        (
            limit(false),
            TimeInForce::Fok,
            "type=LIMIT&timeInForce=FOK&price=25000.1",
        ),
        (
            limit(true),
            TimeInForce::Gtc,
            "type=LIMIT_MAKER&price=25000.1",
        ),
        (
            OrderKind::Stop { stop },
            TimeInForce::Gtc,
            "type=STOP_LOSS&stopPrice=26000",
        ),
        (
            stop_limit,
            TimeInForce::Gtc,
            "type=STOP_LOSS_LIMIT&timeInForce=GTC&price=26010&stopPrice=26000",
        ),
    ] {
        let expected = format!("symbol=BTCUSDT&side=BUY&{middle}{tail}");
        assert_eq!(written(kind, lifetime), Ok(expected));
    }
}

#[test]
fn what_the_venue_does_not_offer_is_not_sent() {
    let malformed = Err(ReasonCode::Malformed);
    assert_eq!(written(limit(false), TimeInForce::Day), malformed);
    assert_eq!(written(limit(true), TimeInForce::Ioc), malformed);
    assert_eq!(written(OrderKind::Market, TimeInForce::Fok), malformed);
    let mut elsewhere = intent(OrderKind::Market, TimeInForce::Gtc);
    elsewhere.instrument = "BTCUSDT.OTHER".parse().unwrap();
    let refused = placement::params(&elsewhere, venue()).unwrap_err();
    assert_eq!(refused.code, ReasonCode::InstrumentUnknown);
}

fn answer(status: u16, body: &str) -> Answer {
    Answer::of(status, body)
}

fn submit(status: u16, body: &str) -> &'static str {
    match placement::outcome(&answer(status, body), venue()) {
        SubmitOutcome::Acknowledged(_) => "acknowledged",
        SubmitOutcome::Refused(_) => "refused",
        SubmitOutcome::NotSent(_) => "not sent",
        SubmitOutcome::Unknown(_) => "unknown",
        SubmitOutcome::RateLimited { .. } => "rate limited",
    }
}

const PLACED: &str = r#"{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"pd3v3dozeqtax56xztx",
    "transactTime":1735689600125,"price":"25000.1","origQty":"0.01","executedQty":"0","origQuoteOrderQty":"0",
    "cummulativeQuoteQty":"0","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY","fills":[]}"#;

#[test]
fn only_a_readable_success_is_an_acknowledgement() {
    assert_eq!(submit(200, PLACED), "acknowledged");
    for unreadable in [
        "",
        "{}",
        "<html>",
        &PLACED[..60],
        &PLACED.replace("\"orderId\":28,", ""),
    ] {
        assert_eq!(submit(200, unreadable), "unknown", "{unreadable}");
    }
}

#[test]
fn only_a_proof_is_a_refusal() {
    let error = |code: i64, text: &str| format!(r#"{{"code":{code},"msg":"{text}"}}"#);
    let funds = error(
        -2010,
        "Account has insufficient balance for requested action.",
    );
    assert_eq!(submit(400, &funds), "refused");
    assert_eq!(
        submit(400, &error(-1013, "Filter failure: LOT_SIZE")),
        "refused"
    );
    assert_eq!(submit(400, &error(-1021, "Timestamp …")), "refused");
    assert_eq!(submit(401, &error(-2015, "Invalid API-key …")), "refused");
    assert_eq!(
        submit(429, &error(-1015, "Too many new orders; …")),
        "rate limited"
    );
    for (status, body) in [
        (400, error(-2010, "Duplicate order sent.")),
        (400, error(-1000, "")),
        (400, error(-1007, "")),
        (400, error(-4242, "a new code")),
        (500, funds),
        (502, "<html>bad gateway</html>".to_owned()),
        (503, error(-1008, "Server is currently overloaded …")),
        (403, "blocked".to_owned()),
        (302, String::new()),
        (408, String::new()),
    ] {
        assert_eq!(submit(status, &body), "unknown", "{status} {body}");
    }
}

#[test]
fn a_status_we_have_no_word_for_is_surfaced() {
    let odd = PLACED.replace("\"NEW\"", "\"SOMETHING_NEW\"");
    let SubmitOutcome::Acknowledged(taken) = placement::outcome(&answer(200, &odd), venue()) else {
        panic!("not acknowledged");
    };
    assert_eq!(taken.state, VenueOrderState::Unrecognised);
}

fn cancel(status: u16, body: &str) -> CancelOutcome {
    cancel_outcome(&answer(status, body), "BTCUSDT.SIM".parse().unwrap())
}

#[test]
fn a_cancel_is_confirmed_not_open_refused_or_unknown() {
    let done = r#"{"symbol":"BTCUSDT","origClientOrderId":"a","orderId":28,"clientOrderId":"b","transactTime":1735689600125,
        "executedQty":"0.004","status":"CANCELED"}"#;
    let CancelOutcome::Cancelled {
        filled,
        venue_order_id,
        ..
    } = cancel(200, done)
    else {
        panic!("not cancelled");
    };
    assert_eq!(
        (filled.to_string(), venue_order_id.as_str()),
        ("0.004".into(), "BTCUSDT-28")
    );
    let unknown_order = r#"{"code":-2011,"msg":"Unknown order sent."}"#;
    assert!(matches!(
        cancel(400, unknown_order),
        CancelOutcome::NotOpen(_)
    ));
    let clock = r#"{"code":-1021,"msg":"Timestamp …"}"#;
    assert!(matches!(cancel(400, clock), CancelOutcome::Refused(_)));
    assert!(matches!(cancel(200, "{}"), CancelOutcome::Unknown(_)));
    assert!(matches!(
        cancel(503, unknown_order),
        CancelOutcome::Unknown(_)
    ));
    assert!(matches!(cancel(429, ""), CancelOutcome::RateLimited { .. }));
}

#[test]
fn an_order_is_named_by_the_venues_number_where_it_is_known() {
    let instrument: InstrumentId = "BTCUSDT.SIM".parse().unwrap();
    let ours = ClientOrderId::parse("pd3v3dozeqtax56xztx").unwrap();
    let named = |id: Option<&str>| {
        let id = id.map(|id| VenueOrderId::parse(id).unwrap());
        BinanceBroker::order_params(instrument, ours, id)
            .as_str()
            .to_owned()
    };
    let by_client = "symbol=BTCUSDT&origClientOrderId=pd3v3dozeqtax56xztx";
    assert_eq!(named(None), by_client);
    assert_eq!(named(Some("BTCUSDT-28")), "symbol=BTCUSDT&orderId=28");
    assert_eq!(named(Some("ETHUSDT-28")), by_client);
}

#[test]
fn a_broker_needs_a_key() {
    let config = BinanceConfig::built_in(venue(), "127.0.0.1:1");
    assert!(BinanceBroker::new(config).is_err());
}
