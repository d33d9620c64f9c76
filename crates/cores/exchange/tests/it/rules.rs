//! The matching rules, each as a sentence.

use crate::desk::{Desk, account, instrument, listing, parse, rejected, terms};
use ploy_domain::{InstrumentStatus, Quantity, Session, Side, Timestamp};
use ploy_exchange_core::{
    ClientId, Command, ConfigError, Event, Exchange, OrderId, OrderRef, OrderStatus, RejectReason,
};

#[test]
fn better_prices_trade_first_and_older_orders_first_at_one_price() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 101");
    desk.place("alice", "sell 1 @ 100");
    desk.place("bob", "sell 1 @ 100");
    let happened = desk.place("bob", "buy 2.5 @ 101");
    let expected = [
        "accepted 4",
        "trade 1: 1 @ 100, maker 2, taker 4",
        "trade 2: 1 @ 100, maker 3, taker 4",
        "trade 3: 0.5 @ 101, maker 1, taker 4",
    ];
    assert_eq!(happened, expected);
    assert_eq!(desk.book(), " | 0.5@101");
}

#[test]
fn the_rest_of_a_limit_order_rests() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    desk.place("bob", "buy 3 @ 100");
    assert_eq!(desk.book(), "2@100 | ");
    let order = desk
        .exchange
        .open_orders(&account("bob"), Some(&instrument()))
        .next();
    assert_eq!(order.map(|o| o.status), Some(OrderStatus::PartiallyFilled));
}

#[test]
fn an_ioc_order_takes_what_there_is_and_the_rest_expires() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    let happened = desk.place("bob", "buy 3 @ 100 ioc");
    let expected = [
        "accepted 2",
        "trade 1: 1 @ 100, maker 1, taker 2",
        "expired 2 with 2 left: UNFILLED_IOC_QUANTITY_EXPIRED",
    ];
    assert_eq!(happened, expected);
    let nothing = desk.place("bob", "buy 3 @ 100 ioc");
    assert_eq!(
        nothing[1],
        "expired 3 with 3 left: UNFILLED_IOC_QUANTITY_EXPIRED"
    );
    assert_eq!(desk.balance("bob", "USDT"), "99900/0");
}

#[test]
fn a_fok_order_fills_in_full_or_not_at_all() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    desk.place("alice", "sell 1 @ 101");
    let short = desk.place("bob", "buy 2 @ 100 fok");
    assert_eq!(
        short,
        [
            "accepted 3",
            "expired 3 with 2 left: UNFILLED_FOK_ORDER_EXPIRED"
        ]
    );
    assert_eq!(desk.book(), " | 1@100 1@101");
    let full = desk.place("bob", "buy 2 @ 101 fok");
    assert_eq!(full.len(), 3);
    assert_eq!(desk.book(), " | ");
}

#[test]
fn a_post_only_order_never_takes() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    let refused = desk.place("bob", "buy 1 @ 100 post_only");
    assert_eq!(refused, rejected(RejectReason::WouldMatch));
    assert_eq!(desk.place("bob", "buy 1 @ 99.5 post_only"), ["accepted 2"]);
    let refused = desk.amend("bob", 2, "1", Some("100"));
    assert_eq!(refused, rejected(RejectReason::WouldMatch));
    assert_eq!(desk.book(), "1@99.5 | 1@100");
}

#[test]
fn a_market_order_sweeps_and_its_rest_expires() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    desk.place("alice", "sell 1 @ 105");
    let happened = desk.place("bob", "buy 3 market");
    let expected = [
        "accepted 3",
        "trade 1: 1 @ 100, maker 1, taker 3",
        "trade 2: 1 @ 105, maker 2, taker 3",
        "expired 3 with 1 left: INSUFFICIENT_LIQUIDITY",
    ];
    assert_eq!(happened, expected);
    assert_eq!(desk.balance("bob", "USDT"), "99795/0");
}

#[test]
fn a_market_order_by_quote_amount_trades_whole_lots_within_it() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    desk.place("alice", "sell 5 @ 110");
    let bought = desk.place("bob", "buy 150q market");
    assert_eq!(bought[1], "trade 1: 1 @ 100, maker 1, taker 3");
    assert_eq!(bought[2], "trade 2: 0.4 @ 110, maker 2, taker 3");
    desk.place("alice", "buy 5 @ 90");
    let sold = desk.place("bob", "sell 100q market");
    assert_eq!(sold[1], "trade 3: 1.1 @ 90, maker 4, taker 5");
    let little = desk.place("bob", "buy 20q market");
    assert_eq!(little, rejected(RejectReason::LiquidityBelowLot));
    let limit = desk.place("bob", "buy 20q @ 100");
    assert_eq!(limit, rejected(RejectReason::UnsupportedCombination));
}

#[test]
fn a_stop_waits_outside_the_book_and_triggers_on_the_last_trade() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 5 @ 105");
    desk.place("alice", "sell 1 @ 100");
    assert_eq!(desk.place("bob", "buy 2 stop 102"), ["accepted 3"]);
    assert_eq!(desk.place("bob", "buy 1 stop 104 @ 104"), ["accepted 4"]);
    assert_eq!(desk.book(), " | 1@100 5@105");
    assert_eq!(desk.balance("bob", "USDT"), "99692/308");
    desk.place("bob", "buy 1 market");
    let happened = desk.place("alice", "buy 1 market");
    let expected = [
        "accepted 6",
        "trade 2: 1 @ 105, maker 1, taker 6",
        "triggered 3",
        "trade 3: 2 @ 105, maker 1, taker 3",
        "triggered 4",
    ];
    assert_eq!(happened, expected);
    assert_eq!(desk.book(), "1@104 | 2@105");
    let late = desk.place("bob", "buy 1 stop 105");
    assert_eq!(late, rejected(RejectReason::WouldTrigger));
    let late = desk.place("bob", "sell 1 stop 105 @ 100");
    assert_eq!(late, rejected(RejectReason::WouldTrigger));
}

#[test]
fn stops_set_off_stops_oldest_first() {
    let mut desk = Desk::open();
    for order in ["buy 1 @ 100", "buy 1 @ 95", "buy 1 @ 90", "buy 5 @ 85"] {
        desk.place("alice", order);
    }
    desk.place("bob", "sell 1 stop 92");
    desk.place("bob", "sell 1 stop 99");
    desk.place("bob", "sell 1 stop 99.5");
    let happened = desk.place("bob", "sell 2 market");
    let order_of_running: Vec<&str> = happened
        .iter()
        .filter_map(|line| line.strip_prefix("triggered "))
        .collect();
    assert_eq!(order_of_running, ["6", "7", "5"]);
    assert_eq!(desk.book(), "3@85 | ");
}

#[test]
fn a_triggered_stop_that_cannot_be_paid_expires() {
    let mut desk = Desk::open();
    desk.deposit("carol", "USDT", "100");
    desk.place("carol", "buy 1 stop 100");
    desk.place("alice", "sell 1 @ 100");
    desk.place("alice", "sell 5 @ 120");
    let happened = desk.place("bob", "buy 1 @ 100");
    assert_eq!(
        happened[2..],
        ["triggered 1", "expired 1 with 1 left: REJECTED"]
    );
    assert_eq!(desk.balance("carol", "USDT"), "100/0");
}

#[test]
fn self_trade_prevention_ends_the_taker_the_maker_or_both() {
    let run = |mode: &str| {
        let mut desk = Desk::open();
        desk.place("bob", "sell 1 @ 100");
        desk.place("alice", "sell 1 @ 101");
        desk.place("bob", "sell 1 @ 102");
        let happened = desk.place("alice", &format!("buy 3 @ 102 {mode}"));
        (happened[2..].join("; "), desk.book())
    };
    let prevented = "prevented 1 @ 101, maker 2, taker 4";
    let (happened, book) = run("expire_taker");
    assert_eq!(
        happened,
        format!("{prevented}; expired 4 with 2 left: EXCHANGE_CANCELED")
    );
    assert_eq!(book, " | 1@101 1@102");
    let (happened, book) = run("expire_maker");
    assert_eq!(
        happened,
        format!(
            "{prevented}; expired 2 with 1 left: EXCHANGE_CANCELED; trade 2: 1 @ 102, maker 3, taker 4"
        )
    );
    assert_eq!(book, "1@102 | ");
    let (happened, book) = run("expire_both");
    let both = "expired 2 with 1 left: EXCHANGE_CANCELED; expired 4 with 2 left: EXCHANGE_CANCELED";
    assert_eq!(happened, format!("{prevented}; {both}"));
    assert_eq!(book, " | 1@102");
    let (happened, _) = run("");
    assert!(happened.starts_with("trade 2: 1 @ 101, maker 2, taker 4"));
}

#[test]
fn a_fok_order_does_not_count_what_it_may_not_trade_with() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 2 @ 100");
    desk.place("bob", "sell 1 @ 100");
    let happened = desk.place("alice", "buy 2 @ 100 fok expire_maker");
    assert_eq!(
        happened[1],
        "expired 3 with 2 left: UNFILLED_FOK_ORDER_EXPIRED"
    );
    let happened = desk.place("alice", "buy 1 @ 100 fok expire_maker");
    assert_eq!(
        happened.last().unwrap(),
        "trade 1: 1 @ 100, maker 2, taker 4"
    );
}

#[test]
fn less_keeps_the_place_in_the_queue_and_anything_else_loses_it() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 3 @ 100");
    desk.place("bob", "sell 1 @ 100");
    assert_eq!(
        desk.amend("alice", 1, "2", None),
        ["amended 1 to 2, place kept"]
    );
    assert_eq!(desk.book(), " | 3@100");
    assert_eq!(desk.balance("alice", "BTC"), "998/2");
    let taken = desk.place("carol", "sell 1 @ 101");
    assert_eq!(taken, rejected(RejectReason::InsufficientBalance));
    let happened = desk.place("bob", "buy 1 market");
    assert_eq!(happened[1], "trade 1: 1 @ 100, maker 1, taker 3");
    assert_eq!(
        desk.amend("alice", 1, "4", Some("100")),
        ["amended 1 to 4, place lost"]
    );
    let happened = desk.place("alice", "buy 1 market");
    assert_eq!(happened[1], "trade 2: 1 @ 100, maker 2, taker 4");
    desk.place("bob", "buy 1 @ 99");
    let happened = desk.amend("alice", 1, "4", Some("99"));
    assert_eq!(
        happened,
        [
            "amended 1 to 4, place lost",
            "trade 3: 1 @ 99, maker 5, taker 1"
        ]
    );
    assert_eq!(desk.book(), " | 2@99");
}

#[test]
fn an_amendment_that_cannot_be_done_leaves_the_order_as_it_was() {
    let mut desk = Desk::open();
    desk.place("alice", "buy 2 @ 100");
    desk.place("bob", "sell 0.5 @ 100");
    desk.place("alice", "buy 10 @ 90");
    let before = desk.exchange.depth(&instrument(), 5);
    let tries = [
        ("2", None, RejectReason::NoChange),
        ("2", Some("100"), RejectReason::NoChange),
        ("0.5", None, RejectReason::AmendBelowExecuted),
        ("1.55", None, RejectReason::LotSize),
        ("2", Some("100.2"), RejectReason::PriceFilter),
        ("2000", None, RejectReason::LotSize),
        ("500", Some("1000"), RejectReason::Notional),
        ("999", Some("100"), RejectReason::InsufficientBalance),
    ];
    for (quantity, price, reason) in tries {
        assert_eq!(
            desk.amend("alice", 1, quantity, price),
            rejected(reason),
            "{quantity} at {price:?}"
        );
    }
    let refused = desk.amend("bob", 1, "1", None);
    assert_eq!(refused, rejected(RejectReason::UnknownOrder));
    let after = desk.exchange.depth(&instrument(), 5);
    assert_eq!(before.map(|d| d.bids), after.map(|d| d.bids));
    assert_eq!(desk.balance("alice", "USDT"), "98900/1050");
}

#[test]
fn a_waiting_stop_can_be_made_smaller_and_nothing_else() {
    let mut desk = Desk::open();
    desk.place("alice", "buy 2 stop 100");
    assert_eq!(desk.balance("alice", "USDT"), "99800/200");
    assert_eq!(
        desk.amend("alice", 1, "1", None),
        ["amended 1 to 1, place kept"]
    );
    assert_eq!(desk.balance("alice", "USDT"), "99900/100");
    let refused = desk.amend("alice", 1, "3", None);
    assert_eq!(refused, rejected(RejectReason::UnsupportedCombination));
    assert_eq!(desk.cancel("alice", 1), ["cancelled 1 with 1 left"]);
    assert_eq!(desk.balance("alice", "USDT"), "100000/0");
}

#[test]
fn filters_name_what_they_refuse() {
    let mut desk = Desk::open();
    let cases = [
        ("buy 1 @ 100.2", RejectReason::PriceFilter),
        ("buy 1 @ 0.5", RejectReason::PriceFilter),
        ("buy 1 @ 10000.5", RejectReason::PriceFilter),
        ("buy 1 stop 100.2", RejectReason::PriceFilter),
        ("buy 0 @ 100", RejectReason::LotSize),
        ("buy 0.1 @ 100", RejectReason::LotSize),
        ("buy 1.05 @ 100", RejectReason::LotSize),
        ("buy 1000.1 @ 100", RejectReason::LotSize),
        ("buy 1 @ 9.5", RejectReason::Notional),
        ("buy 1000 @ 1000", RejectReason::Notional),
        ("buy 9q market", RejectReason::Notional),
        ("buy 1 @ 100 day", RejectReason::UnsupportedCombination),
        (
            "buy 1 @ 100 post_only ioc",
            RejectReason::UnsupportedCombination,
        ),
        ("buy 1000 @ 100", RejectReason::InsufficientBalance),
    ];
    desk.place("alice", "buy 10 @ 50");
    for (order, reason) in cases {
        assert_eq!(desk.place("alice", order), rejected(reason), "{order}");
    }
    for _ in 1..10 {
        desk.place("alice", "buy 1 @ 50");
    }
    let one_more = desk.place("alice", "sell 1 stop 40");
    assert_eq!(one_more, rejected(RejectReason::MaxNumOrders));
}

#[test]
fn a_client_id_is_free_again_when_its_order_is_closed() {
    let mut desk = Desk::open();
    let mine = Command::Place(parse("alice", "mine", "buy 1 @ 50"));
    assert_eq!(desk.tell(mine), ["accepted 1"]);
    assert_eq!(desk.tell(mine), rejected(RejectReason::DuplicateClientId));
    let same_of_bob = Command::Place(parse("bob", "mine", "buy 1 @ 50"));
    assert_eq!(desk.tell(same_of_bob), ["accepted 2"]);
    let cancel = Command::Cancel {
        account: account("alice"),
        instrument: instrument(),
        order: OrderRef::Client(ClientId::parse("mine").unwrap()),
    };
    assert_eq!(desk.tell(cancel), ["cancelled 1 with 1 left"]);
    assert_eq!(desk.tell(cancel), rejected(RejectReason::UnknownOrder));
    assert_eq!(desk.tell(mine), ["accepted 3"]);
    let found = desk.exchange.order(
        &account("alice"),
        &instrument(),
        &OrderRef::Client(ClientId::parse("mine").unwrap()),
    );
    assert_eq!(found.map(|order| order.id), Some(OrderId::new(3)));
}

#[test]
fn only_the_owner_can_cancel_and_cancel_all_takes_stops_too() {
    let mut desk = Desk::open();
    desk.place("alice", "buy 1 @ 50");
    desk.place("alice", "sell 1 stop 40");
    desk.place("bob", "buy 1 @ 50");
    assert_eq!(desk.cancel("bob", 1), rejected(RejectReason::UnknownOrder));
    let all = Command::CancelAll {
        account: account("alice"),
        instrument: instrument(),
    };
    assert_eq!(
        desk.tell(all),
        ["cancelled 1 with 1 left", "cancelled 2 with 1 left"]
    );
    assert_eq!(desk.tell(all), rejected(RejectReason::UnknownOrder));
    assert_eq!(desk.book(), "1@50 | ");
    assert_eq!(desk.balance("alice", "BTC"), "1000/0");
}

#[test]
fn each_side_pays_its_commission_from_what_it_receives() {
    let mut desk = Desk::open();
    desk.place("alice", "sell 1 @ 100");
    desk.place("bob", "buy 1 @ 110");
    assert_eq!(desk.balance("alice", "USDT"), "100099.9/0");
    assert_eq!(desk.balance("alice", "BTC"), "999/0");
    assert_eq!(desk.balance("bob", "USDT"), "99900/0");
    assert_eq!(desk.balance("bob", "BTC"), "1000.998/0");
    let fees = |asset: &str| {
        let collected = desk.exchange.fees_collected(&asset.parse().unwrap());
        collected.to_string()
    };
    assert_eq!((fees("BTC"), fees("USDT")), ("0.002".into(), "0.1".into()));
    let Some(Event::Trade(trade)) = desk.events.iter().find(|e| matches!(e, Event::Trade(_)))
    else {
        panic!("no trade");
    };
    assert_eq!(
        (trade.maker.fee.to_string(), trade.maker.fee_asset.as_str()),
        ("0.1".into(), "USDT")
    );
    assert_eq!(
        (trade.taker.fee.to_string(), trade.taker.fee_asset.as_str()),
        ("0.002".into(), "BTC")
    );
    assert_eq!(trade.taker.remaining, Quantity::ZERO);
}

#[test]
fn a_restricted_instrument_takes_cancels_only_and_a_halted_one_nothing() {
    let mut desk = Desk::open();
    desk.place("alice", "buy 2 @ 50");
    desk.place("alice", "buy 1 @ 50");
    desk.set_status(InstrumentStatus::CancelOnly);
    let closed = rejected(RejectReason::MarketClosed);
    assert_eq!(desk.place("alice", "buy 1 @ 50"), closed);
    assert_eq!(desk.amend("alice", 1, "3", None), closed);
    assert_eq!(
        desk.amend("alice", 1, "1", None),
        ["amended 1 to 1, place kept"]
    );
    assert_eq!(desk.cancel("alice", 1), ["cancelled 1 with 1 left"]);
    desk.set_status(InstrumentStatus::Halted);
    assert_eq!(desk.cancel("alice", 2), closed);
    desk.set_status(InstrumentStatus::Trading);
    assert_eq!(desk.cancel("alice", 2), ["cancelled 2 with 1 left"]);
}

#[test]
fn outside_the_session_nothing_is_placed() {
    let mut listing = listing();
    listing.instrument.session = Session::nse();
    let mut desk = Desk::of(listing);
    let order = Command::Place(parse("alice", "a", "buy 1 @ 50"));
    // 1970-01-01 was a Thursday: 09:15 in India is 03:45 UTC.
    let at = |minutes: i64| Timestamp::from_nanos(minutes * 60_000_000_000);
    let early = desk.tell_at(order, at(3 * 60 + 44));
    assert_eq!(early, rejected(RejectReason::MarketClosed));
    assert_eq!(desk.tell_at(order, at(3 * 60 + 45)), ["accepted 1"]);
}

#[test]
fn unknown_names_are_refused() {
    let mut desk = Desk::open();
    assert_eq!(
        desk.place("mallory", "buy 1 @ 50"),
        rejected(RejectReason::UnknownAccount)
    );
    let mut order = parse("alice", "a", "buy 1 @ 50");
    order.instrument = "DOGEUSDT.SIM".parse().unwrap();
    let happened = desk.tell(Command::Place(order));
    assert_eq!(happened, rejected(RejectReason::UnknownInstrument));
    assert_eq!(
        desk.deposit("alice", "BTC", "0"),
        rejected(RejectReason::InvalidAmount)
    );
    let beyond = desk.deposit("carol", "BTC", "92233720368");
    assert_eq!(beyond, rejected(RejectReason::InvalidAmount));
}

#[test]
fn every_change_of_the_book_has_the_next_number_and_the_absolute_quantity() {
    let mut desk = Desk::open();
    let mut changes = Vec::new();
    for (name, order) in [
        ("alice", "sell 1 @ 100"),
        ("alice", "sell 2 @ 100"),
        ("bob", "buy 1.5 @ 101"),
        ("bob", "buy 2 @ 101"),
    ] {
        desk.place(name, order);
        changes.extend(desk.events.iter().filter_map(|event| match event {
            Event::BookChanged(c) => {
                let side = if c.side == Side::Buy { "bid" } else { "ask" };
                Some(format!("{} {side} {}@{}", c.update_id, c.quantity, c.price))
            }
            _ => None,
        }));
    }
    let expected = [
        "1 ask 1@100",
        "2 ask 3@100",
        "3 ask 2@100",
        "4 ask 1.5@100",
        "5 ask 0@100",
        "6 bid 0.5@101",
    ];
    assert_eq!(changes, expected);
    assert_eq!(desk.exchange.touch(&instrument()).unwrap().update_id, 6);
    assert_eq!(desk.exchange.last_trade(&instrument()).unwrap().trade_id, 3);
}

#[test]
fn an_exchange_that_could_overflow_or_pay_people_to_trade_does_not_open() {
    let open = |listing, accounts| Exchange::new(vec![listing], accounts).err();
    let mut large = listing();
    large.instrument.quantity_max = Quantity::MAX;
    assert!(matches!(
        open(large, vec![terms("alice", 0, 0), terms("bob", 0, 0)]),
        Some(ConfigError::DepthOverflow { accounts: 2, .. })
    ));
    assert!(matches!(
        open(listing(), vec![terms("alice", -1, 0)]),
        Some(ConfigError::FeeOutOfRange {
            field: "maker_fee",
            ..
        })
    ));
    assert!(matches!(
        open(listing(), vec![terms("alice", 0, 0), terms("alice", 0, 0)]),
        Some(ConfigError::DuplicateAccount(_))
    ));
    let twice = Exchange::new(vec![listing(), listing()], vec![terms("alice", 0, 0)]);
    assert!(matches!(
        twice.err(),
        Some(ConfigError::DuplicateInstrument(_))
    ));
}
