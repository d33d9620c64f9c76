use super::*;
use ploy_domain::{
    BarFlags, Execution, Instrument, InstrumentStatus, Liquidity, Position, Price, Session,
    Timestamp,
};
use ploy_strategy_core::{Action, Blocked};
use std::collections::BTreeMap;

fn instrument() -> Instrument {
    Instrument {
        id: "BTCUSDT.SIM".parse().unwrap(),
        base: "BTC".parse().unwrap(),
        quote: "USDT".parse().unwrap(),
        tick: "0.01".parse().unwrap(),
        lot: "0.1".parse().unwrap(),
        quantity_min: "0.1".parse().unwrap(),
        quantity_max: "9000".parse().unwrap(),
        price_min: "0.01".parse().unwrap(),
        price_max: "1000000".parse().unwrap(),
        notional_min: "5".parse().unwrap(),
        notional_max: "9000000".parse().unwrap(),
        session: Session::Always,
        status: InstrumentStatus::Trading,
    }
}

fn strategy(params: &[(&str, &str)]) -> MaCross {
    let given: BTreeMap<_, _> = [("fast", "1"), ("slow", "2")]
        .iter()
        .chain(params)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let params = Params::new(MaCross::NAME, MaCross::PARAMS, &given).unwrap();
    MaCross::from_params(&params).unwrap()
}

fn bar(close: i64) -> Bar {
    let price = Price::from_int(close).unwrap();
    Bar {
        instrument: instrument().id,
        interval: BarInterval::MINUTE,
        start: Timestamp::EPOCH,
        end: Timestamp::EPOCH,
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Quantity::ZERO,
        turnover: Amount::ZERO,
        count: 1,
        first_seq: 0,
        last_seq: 0,
        flags: BarFlags::default(),
        revision: 0,
    }
}

fn holding(quantity: &str) -> Position {
    let mut position = Position::default();
    let bought = Execution {
        account: "main".parse().unwrap(),
        order_id: "pd00000000000000000".parse().unwrap(),
        strategy: "ma".parse().unwrap(),
        instrument: instrument().id,
        side: Side::Buy,
        price: "100".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        fee: Amount::ZERO,
        fee_asset: "USDT".parse().unwrap(),
        liquidity: Liquidity::Taker,
        venue_order_id: "1".parse().unwrap(),
        execution_id: "1".parse().unwrap(),
        ts_event: Timestamp::EPOCH,
    };
    position.apply(&bought, &instrument()).unwrap();
    position
}

/// What the strategy wants at a bar that closes at `close`, as `side quantity`.
fn decide(strategy: &mut MaCross, close: i64, held: &Position, blocked: Option<Blocked>) -> String {
    let mut actions = Actions::default();
    let context = Context {
        now: Timestamp::EPOCH,
        instrument: &instrument(),
        position: held,
        last_price: None,
        open_orders: 0,
        blocked,
    };
    strategy.on_bar(&bar(close), &context, &mut actions);
    match actions.as_slice() {
        [] => String::new(),
        [Action::Submit(request)] => {
            assert_eq!(request.reduce_only, request.side == Side::Sell);
            format!("{} {}", request.side, request.quantity)
        }
        other => panic!("more than one wish: {other:?}"),
    }
}

#[test]
fn it_buys_on_the_cross_up_and_sells_what_it_holds_on_the_cross_down() {
    let mut ma = strategy(&[]);
    let flat = Position::default();
    let wants = [100, 90, 99, 110, 110].map(|close| decide(&mut ma, close, &flat, None));
    assert_eq!(wants, ["", "", "buy 10.1", "", ""]);
    // A tenth of a lot is what fees leave behind.
    assert_eq!(decide(&mut ma, 100, &holding("10.09"), None), "sell 10");
    assert_eq!(decide(&mut ma, 99, &holding("0.09"), None), "");
}

#[test]
fn a_blocked_purchase_is_made_later_and_a_refused_one_is_not_repeated() {
    let mut ma = strategy(&[("quantity", "2.55")]);
    let flat = Position::default();
    decide(&mut ma, 100, &flat, None);
    decide(&mut ma, 90, &flat, None);
    let in_flight = Some(Blocked::OrderInFlight);
    assert_eq!(decide(&mut ma, 99, &flat, in_flight), "");
    assert_eq!(decide(&mut ma, 101, &flat, None), "buy 2.5");
    assert_eq!(decide(&mut ma, 103, &flat, None), "");
}

#[test]
fn a_refused_sale_is_repeated_until_it_is_flat() {
    let mut ma = strategy(&[]);
    let held = holding("1");
    for close in [100, 90] {
        ma.warm_up(&bar(close));
    }
    assert_eq!(decide(&mut ma, 80, &held, None), "sell 1");
    assert_eq!(decide(&mut ma, 70, &held, None), "sell 1");
    assert_eq!(decide(&mut ma, 60, &Position::default(), None), "");
}

#[test]
fn a_purchase_tops_up_what_is_left() {
    let mut ma = strategy(&[("quantity", "3")]);
    for close in [100, 90] {
        ma.warm_up(&bar(close));
    }
    assert_eq!(decide(&mut ma, 100, &holding("1.05"), None), "buy 2");
}

#[test]
fn equal_averages_are_no_cross() {
    let mut ma = strategy(&[]);
    let flat = Position::default();
    let wants = [100, 100, 100].map(|close| decide(&mut ma, close, &flat, None));
    assert_eq!(wants, ["", "", ""]);
}
