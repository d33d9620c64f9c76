use super::*;
use crate::strategy::Strategy;
use ploy_domain::{
    Amount, BarFlags, BarInterval, Cause, EventId, Execution, Instrument, InstrumentStatus,
    Liquidity, Nanos, OrderEventPayload, Quantity, Reason, ReasonCode, Session, Side, Source,
    TraceContext, VenueOrderId,
};
use proptest::prelude::*;

/// Buys one unit at every bar that closes above its open, and cancels nothing.
#[derive(Debug)]
struct BuyGreen {
    warm_up: usize,
    learned: usize,
}

impl Strategy for BuyGreen {
    fn interval(&self) -> Option<BarInterval> {
        Some(BarInterval::MINUTE)
    }
    fn warm_up_bars(&self) -> usize {
        self.warm_up
    }
    fn warm_up(&mut self, _bar: &Bar) {
        self.learned += 1;
    }
    fn on_bar(&mut self, bar: &Bar, _context: &Context<'_>, actions: &mut Actions) {
        if bar.close > bar.open {
            let one = Quantity::from_int(1).unwrap();
            actions.submit(OrderRequest::market(Side::Buy, one).decided_at(bar.close));
        }
    }
}

fn config() -> InstanceConfig {
    InstanceConfig {
        id: "green".parse().unwrap(),
        account: "main".parse().unwrap(),
        instrument: Instrument {
            id: "BTCUSDT.SIM".parse().unwrap(),
            base: "BTC".parse().unwrap(),
            quote: "USDT".parse().unwrap(),
            tick: "0.01".parse().unwrap(),
            lot: "0.00001".parse().unwrap(),
            quantity_min: "0.00001".parse().unwrap(),
            quantity_max: "9000".parse().unwrap(),
            price_min: "0.01".parse().unwrap(),
            price_max: "1000000".parse().unwrap(),
            notional_min: "5".parse().unwrap(),
            notional_max: "9000000".parse().unwrap(),
            session: Session::Always,
            status: InstrumentStatus::Trading,
        },
        order_id_prefix: *b"pd",
        order_validity: Nanos::from_secs(2),
    }
}

fn instance(warm_up: usize) -> Instance {
    Instance::new(
        config(),
        Box::new(BuyGreen {
            warm_up,
            learned: 0,
        }),
    )
}

fn minute(n: i64) -> Timestamp {
    Timestamp::from_nanos(n * 60_000_000_000)
}

fn bar(n: i64, open: i64, close: i64) -> Bar {
    let price = |whole| Price::from_int(whole).unwrap();
    Bar {
        instrument: config().instrument.id,
        interval: BarInterval::MINUTE,
        start: minute(n),
        end: minute(n + 1),
        open: price(open),
        high: price(open.max(close)),
        low: price(open.min(close)),
        close: price(close),
        volume: Quantity::ZERO,
        turnover: Amount::ZERO,
        count: 1,
        first_seq: 0,
        last_seq: 0,
        flags: BarFlags::default(),
        revision: 0,
    }
}

fn trade(secs: i64, id: u64, price: i64) -> Trade {
    Trade {
        instrument: config().instrument.id,
        price: Price::from_int(price).unwrap(),
        quantity: Quantity::from_int(1).unwrap(),
        aggressor: Side::Buy,
        venue_trade_id: id,
        ts_event: Timestamp::from_nanos(secs * 1_000_000_000),
        ts_receive: Timestamp::from_nanos(secs * 1_000_000_000),
    }
}

fn event(seq: u64, payload: OrderEventPayload) -> OrderEvent {
    let account = config().account;
    OrderEvent {
        account,
        seq,
        event_id: EventId::derive(&account, seq, Timestamp::EPOCH),
        epoch: 1,
        ts_event: Timestamp::EPOCH,
        ts_write: Timestamp::EPOCH,
        cause: Cause {
            source: Source::Platform,
            event: None,
        },
        trace: TraceContext::NONE,
        payload,
    }
}

fn fill(intent: &Intent, quantity: &str) -> OrderEventPayload {
    OrderEventPayload::Filled(Box::new(Execution {
        account: intent.account,
        order_id: intent.order_id,
        strategy: intent.strategy,
        instrument: intent.instrument,
        side: intent.side,
        price: "100".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        fee: Amount::ZERO,
        fee_asset: "USDT".parse().unwrap(),
        liquidity: Liquidity::Taker,
        venue_order_id: VenueOrderId::parse("1").unwrap(),
        execution_id: "1".parse().unwrap(),
        ts_event: Timestamp::EPOCH,
    }))
}

/// The log of an order up to its hand-over to the venue.
fn submitted(intent: &Intent) -> Vec<OrderEventPayload> {
    let order_id = intent.order_id;
    let approval = ploy_domain::Approval {
        decision_id: "1".parse().unwrap(),
        content_hash: intent.content_hash(),
        limits_version: 1,
        state_epoch: 1,
        risk_epoch: 1,
        expires_at: intent.valid_until,
    };
    vec![
        OrderEventPayload::Created(Box::new(intent.clone())),
        OrderEventPayload::Checked { order_id, approval },
        OrderEventPayload::Journaled { order_id },
        OrderEventPayload::Submitted { order_id },
    ]
}

fn ask(instance: &mut Instance, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    instance.handle(input, now, &mut effects).unwrap();
    effects
}

fn feed(instance: &mut Instance, first_seq: u64, payloads: Vec<OrderEventPayload>) {
    for (seq, payload) in (first_seq..).zip(payloads) {
        ask(instance, Input::Order(&event(seq, payload)), minute(0));
    }
}

fn decide(instance: &mut Instance, n: i64) -> Vec<Effect> {
    ask(instance, Input::Bar(&bar(n, 100, 101)), minute(n + 1))
}

fn only_intent(effects: &[Effect]) -> Intent {
    match effects {
        [Effect::PersistSequence(_), Effect::Submit(intent)] => (**intent).clone(),
        other => panic!("expected one order, got {other:?}"),
    }
}

#[test]
fn a_decision_is_durable_before_its_order_is_sent() {
    let effects = decide(&mut instance(0), 0);
    assert_eq!(effects[0], Effect::PersistSequence(1));
    let intent = only_intent(&effects);
    assert_eq!(intent.created_at, minute(1));
    assert_eq!(intent.valid_until, minute(1).plus(Nanos::from_secs(2)));
    assert_eq!(intent.decision_price, Some("101".parse().unwrap()));
}

#[test]
fn the_same_decision_has_the_same_order_id_in_every_run() {
    let first = only_intent(&decide(&mut instance(0), 0));
    assert_eq!(first, only_intent(&decide(&mut instance(0), 0)));
}

#[test]
fn no_decision_is_made_before_the_warm_up_is_over() {
    let mut instance = instance(2);
    assert_eq!(decide(&mut instance, 0), []);
    instance.warm_up(&bar(1, 1, 2)).unwrap();
    assert!(instance.is_warm());
    assert_eq!(decide(&mut instance, 2).len(), 2);
}

#[test]
fn history_that_overlaps_the_live_bars_is_not_seen_twice() {
    let mut instance = instance(2);
    for n in [0, 1, 1, 0] {
        instance.warm_up(&bar(n, 1, 2)).unwrap();
    }
    assert_eq!(decide(&mut instance, 1), []);
    assert_eq!(decide(&mut instance, 2).len(), 2);
}

#[test]
fn an_order_in_flight_withholds_the_next_until_the_venue_answers() {
    let mut instance = instance(0);
    let intent = only_intent(&decide(&mut instance, 0));
    let blocked = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Withheld { blocked, .. }] => Some(*blocked),
        _ => None,
    };
    assert_eq!(
        blocked(decide(&mut instance, 1)),
        Some(Blocked::OrderInFlight)
    );
    feed(&mut instance, 1, submitted(&intent));
    assert_eq!(
        blocked(decide(&mut instance, 2)),
        Some(Blocked::OrderInFlight)
    );
    let order_id = intent.order_id;
    let reason = Reason::bare(ReasonCode::OutcomeUnknown);
    feed(
        &mut instance,
        5,
        vec![OrderEventPayload::BecameUnknown { order_id, reason }],
    );
    assert_eq!(
        blocked(decide(&mut instance, 3)),
        Some(Blocked::UnknownOrder)
    );
    feed(&mut instance, 6, vec![fill(&intent, "1")]);
    assert_eq!((instance.open_orders(), instance.blocked()), (0, None));
    let next = only_intent(&decide(&mut instance, 4));
    assert_ne!(next.order_id, order_id);
}

#[test]
fn a_refused_hand_over_frees_the_slot_unless_the_log_knows_better() {
    let mut instance = instance(0);
    let lost = only_intent(&decide(&mut instance, 0));
    ask(&mut instance, Input::NotSubmitted(lost.order_id), minute(1));
    assert_eq!(instance.blocked(), None);
    let known = only_intent(&decide(&mut instance, 1));
    feed(&mut instance, 1, submitted(&known));
    ask(
        &mut instance,
        Input::NotSubmitted(known.order_id),
        minute(2),
    );
    assert_eq!(instance.blocked(), Some(Blocked::OrderInFlight));
}

#[test]
fn a_bad_feed_or_a_pause_withholds_orders() {
    let mut instance = instance(0);
    let mut status = FeedStatus {
        venue: "SIM".parse().unwrap(),
        instrument: None,
        state: FeedState::Stale,
        feed_epoch: 1,
        ts_event: minute(0),
    };
    ask(&mut instance, Input::Feed(&status), minute(0));
    assert_eq!(instance.blocked(), Some(Blocked::FeedNotGood));
    status.state = FeedState::Good;
    ask(&mut instance, Input::Feed(&status), minute(0));
    ask(&mut instance, Input::Pause, minute(0));
    assert!(matches!(
        decide(&mut instance, 0).as_slice(),
        [Effect::Withheld {
            blocked: Blocked::Paused,
            ..
        }]
    ));
    ask(&mut instance, Input::Resume, minute(0));
    assert_eq!(decide(&mut instance, 1).len(), 2);
}

#[test]
fn events_seen_twice_change_nothing_and_a_gap_is_an_error() {
    let mut instance = instance(0);
    let intent = only_intent(&decide(&mut instance, 0));
    let mut log = submitted(&intent);
    log.push(fill(&intent, "1"));
    feed(&mut instance, 1, log.clone());
    feed(&mut instance, 1, log);
    assert_eq!(instance.position().quantity(), "1".parse().unwrap());
    let late = event(7, OrderEventPayload::AccountReady);
    let error = instance.handle(Input::Order(&late), minute(0), &mut Vec::new());
    let Err(InstanceError::Track { source, .. }) = error else {
        panic!("expected a gap, got {error:?}");
    };
    assert_eq!(
        source.to_string(),
        "account main: event 7 follows 5; events are missing"
    );
}

#[test]
fn trades_make_the_bars_that_are_decided_on() {
    let mut instance = instance(0);
    for (secs, id, price) in [(0, 1, 100), (30, 2, 105)] {
        assert_eq!(
            ask(
                &mut instance,
                Input::Trade(&trade(secs, id, price)),
                minute(0)
            ),
            []
        );
    }
    let effects = ask(&mut instance, Input::Trade(&trade(61, 3, 104)), minute(1));
    assert_eq!(
        only_intent(&effects).decision_price,
        Some("105".parse().unwrap())
    );
}

#[test]
fn a_bar_closes_by_time_when_nobody_trades() {
    let mut instance = instance(0);
    ask(&mut instance, Input::Trade(&trade(0, 1, 100)), minute(0));
    ask(&mut instance, Input::Trade(&trade(1, 2, 101)), minute(0));
    assert_eq!(ask(&mut instance, Input::Time, minute(1)).len(), 2);
    assert_eq!(ask(&mut instance, Input::Time, minute(2)), []);
}

#[test]
fn a_restart_repeats_the_same_ids_or_none() {
    let mut before = instance(0);
    let intent = only_intent(&decide(&mut before, 0));
    let restart = |now| {
        let strategy = Box::new(BuyGreen {
            warm_up: 0,
            learned: 0,
        });
        let mut after = Instance::restore(config(), strategy, before.snapshot());
        let mut effects = Vec::new();
        after.resume(now, &mut effects);
        (after, effects)
    };
    let (after, effects) = restart(intent.created_at);
    assert_eq!(effects, [Effect::Submit(Box::new(intent.clone()))]);
    assert_eq!(after.blocked(), Some(Blocked::OrderInFlight));
    let (mut after, effects) = restart(intent.valid_until);
    assert_eq!(effects, []);
    assert_ne!(
        only_intent(&decide(&mut after, 1)).order_id,
        intent.order_id
    );
}

#[test]
fn shorter_bars_roll_up_into_the_interval_that_is_wanted() {
    #[derive(Debug, Default)]
    struct Fives;
    impl Strategy for Fives {
        fn interval(&self) -> Option<BarInterval> {
            BarInterval::from_secs(300)
        }
        fn warm_up_bars(&self) -> usize {
            0
        }
        fn warm_up(&mut self, _bar: &Bar) {}
        fn on_bar(&mut self, bar: &Bar, _: &Context<'_>, actions: &mut Actions) {
            // Reports what it saw through the order it asks for.
            let size = Quantity::from_raw((bar.end - bar.start).get());
            actions.submit(OrderRequest::limit(Side::Buy, size, bar.high));
        }
    }
    let mut instance = Instance::new(config(), Box::new(Fives));
    let mut closed = Vec::new();
    // Minute 4 is missing, so the first five minutes close when minute 5 arrives.
    for n in [0, 1, 2, 3, 5] {
        closed.extend(ask(
            &mut instance,
            Input::Bar(&bar(n, 100 + n, 101)),
            minute(n + 1),
        ));
    }
    let intent = only_intent(&closed);
    assert_eq!(intent.kind.limit_price(), Some("103".parse().unwrap()));
    assert_eq!(intent.quantity, Quantity::from_raw(300_000_000_000));
}

proptest! {
    /// Whatever part of the log is delivered again, and how often, the result is the same.
    #[test]
    fn the_log_may_be_delivered_again_from_any_point(again in proptest::collection::vec(0usize..5, 0..20)) {
        let mut instance = instance(0);
        let intent = only_intent(&decide(&mut instance, 0));
        let mut log = submitted(&intent);
        log.push(fill(&intent, "0.4"));
        let events: Vec<_> = (1..).zip(log).map(|(seq, payload)| event(seq, payload)).collect();
        for (next, point) in again.iter().chain(&[0]).enumerate() {
            let from = (*point).min(next).min(4);
            for event in &events[from.min(usize::try_from(instance.account_seq())?)..] {
                ask(&mut instance, Input::Order(event), minute(0));
            }
        }
        prop_assert_eq!(instance.position().quantity(), "0.4".parse()?);
        prop_assert_eq!(instance.open_orders(), 1);
    }
}
