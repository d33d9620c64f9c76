use super::*;
use ploy_domain::{
    Amount, BookLevel, Bps, Cause, ClientOrderId, EventId, Execution, FeedState, FeedStatus,
    InstrumentStatus, Liquidity, OrderEventPayload as P, OrderIdParts, OrderKind, Price, Quantity,
    Quote, Session, Side, Source, StrategyId, TimeInForce, TraceContext,
};
use proptest::prelude::*;

const T0: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

const RESETS: ResetRules = ResetRules {
    hold: Nanos::from_secs(60),
    second_person: true,
};

fn limits() -> Limits {
    let amount = |whole| Amount::from_int(whole).unwrap();
    Limits {
        version: 3,
        order_notional_max: amount(1_000),
        price_band: Bps::new(500),
        quote_age_max: Nanos::from_secs(3),
        open_orders_max: 5,
        order_rate_max: 4,
        position_notional_max: amount(2_000),
        gross_exposure_max: amount(5_000),
        net_exposure_max: amount(5_000),
        daily_loss_max: amount(100),
        drawdown_max: amount(80),
    }
}

fn instrument() -> Instrument {
    Instrument {
        id: "BTCUSDT.SIM".parse().unwrap(),
        base: "BTC".parse().unwrap(),
        quote: "USDT".parse().unwrap(),
        tick: "0.01".parse().unwrap(),
        lot: "0.001".parse().unwrap(),
        quantity_min: "0.001".parse().unwrap(),
        quantity_max: "100".parse().unwrap(),
        price_min: "0.01".parse().unwrap(),
        price_max: "1000000".parse().unwrap(),
        notional_min: "5".parse().unwrap(),
        notional_max: "9000000".parse().unwrap(),
        session: Session::Always,
        status: InstrumentStatus::Trading,
    }
}

/// A core with one reconciled account, a quote of 99.99/100.01 and nothing else.
struct Desk {
    core: RiskCore,
    now: Timestamp,
    seq: u64,
    orders: u64,
}

impl Desk {
    fn new() -> Self {
        let settings = Settings {
            armed: true,
            risk_epoch: 1,
            approval_ttl: Nanos::from_millis(500),
            resets: RESETS,
        };
        let core = RiskCore::new(settings, limits(), TradingStates::default());
        let mut desk = Self {
            core,
            now: T0,
            seq: 0,
            orders: 0,
        };
        desk.tell(Input::Instrument(instrument()));
        desk.log(P::AccountReady);
        desk.quote("99.99", "100.01");
        desk
    }

    fn tell(&mut self, input: Input<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.core.handle(input, self.now, &mut effects);
        effects
    }

    fn quote(&mut self, bid: &str, ask: &str) {
        let level = |price: &str| {
            Some(BookLevel {
                price: price.parse().unwrap(),
                quantity: Quantity::from_raw(1),
            })
        };
        let quote = Quote {
            instrument: instrument().id,
            bid: level(bid),
            ask: level(ask),
            update_id: 1,
            ts_event: self.now,
            ts_receive: self.now,
        };
        self.tell(Input::Market(&MarketEvent::Quote(quote)));
    }

    fn event(&self, seq: u64, payload: P) -> OrderEvent {
        let account = "main".parse().unwrap();
        OrderEvent {
            account,
            seq,
            event_id: EventId::derive(&account, seq, self.now),
            epoch: 1,
            ts_event: self.now,
            ts_write: self.now,
            cause: Cause {
                source: Source::Platform,
                event: None,
            },
            trace: TraceContext::NONE,
            payload,
        }
    }

    fn log(&mut self, payload: P) -> Vec<Effect> {
        self.seq += 1;
        let event = self.event(self.seq, payload);
        self.tell(Input::Log(&event))
    }

    fn intent(&mut self, side: Side, quantity: &str, price: &str) -> Intent {
        self.orders += 1;
        let account = "main".parse().unwrap();
        let decision = self.orders.to_string();
        let parts = OrderIdParts {
            prefix: *b"pd",
            account: &account,
            origin: "s",
            decision: &decision,
            leg: 0,
        };
        Intent {
            order_id: ClientOrderId::derive(&parts),
            account,
            strategy: StrategyId::parse("s").unwrap(),
            instrument: instrument().id,
            side,
            kind: OrderKind::Limit {
                price: price.parse().unwrap(),
                post_only: false,
            },
            quantity: quantity.parse().unwrap(),
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            decision_price: None,
            created_at: self.now,
            valid_until: self.now.plus(Nanos::from_secs(2)),
        }
    }

    fn check(&mut self, intent: &Intent) -> Result<Approval, Vec<Code>> {
        let request = CheckRequest {
            intent: intent.clone(),
            head_seq: self.seq,
            epoch: 1,
        };
        match self.tell(Input::Check(&request)).remove(0) {
            Effect::Decided(decision) => decision
                .verdict
                .map_err(|reasons| reasons.into_iter().map(|reason| reason.code).collect()),
            other => panic!("expected a decision, got {other:?}"),
        }
    }

    fn ask(&mut self, side: Side, quantity: &str, price: &str) -> Result<Approval, Vec<Code>> {
        let intent = self.intent(side, quantity, price);
        self.check(&intent)
    }

    /// Approves, journals and fills an order.
    fn trade(&mut self, side: Side, quantity: &str, price: &str) {
        let intent = self.intent(side, quantity, price);
        let approval = self.check(&intent).unwrap();
        let order_id = intent.order_id;
        self.log(P::Created(Box::new(intent.clone())));
        self.log(P::Checked { order_id, approval });
        self.log(P::Journaled { order_id });
        self.log(P::Submitted { order_id });
        self.fill(&intent, quantity, price);
        self.now = self.now.plus(Nanos::from_secs(1));
        self.quote("99.99", "100.01");
    }

    fn fill(&mut self, intent: &Intent, quantity: &str, price: &str) {
        let execution = Execution {
            account: intent.account,
            order_id: intent.order_id,
            strategy: intent.strategy,
            instrument: intent.instrument,
            side: intent.side,
            price: price.parse().unwrap(),
            quantity: quantity.parse().unwrap(),
            fee: Amount::ZERO,
            fee_asset: "USDT".parse().unwrap(),
            liquidity: Liquidity::Taker,
            venue_order_id: "1".parse().unwrap(),
            execution_id: self.seq.to_string().parse().unwrap(),
            ts_event: self.now,
        };
        assert_eq!(self.log(P::Filled(Box::new(execution))), []);
    }
}

use ploy_domain::ReasonCode as Code;

#[test]
fn an_order_within_every_limit_is_approved_for_its_exact_content() {
    let mut desk = Desk::new();
    let intent = desk.intent(Side::Buy, "1", "100");
    let approval = desk.check(&intent).unwrap();
    assert_eq!(approval.content_hash, intent.content_hash());
    assert_eq!((approval.limits_version, approval.risk_epoch), (3, 1));
    assert_eq!(approval.expires_at, T0.plus(Nanos::from_millis(500)));
}

#[test]
fn an_order_at_the_limit_passes_and_one_step_more_is_denied() {
    assert!(Desk::new().ask(Side::Buy, "10", "100").is_ok());
    let mut desk = Desk::new();
    let denied = desk.ask(Side::Buy, "10.001", "100").unwrap_err();
    assert_eq!(denied, [Code::NotionalExceedsMax]);
}

#[test]
fn missing_input_denies() {
    let settings = Settings {
        armed: true,
        risk_epoch: 1,
        approval_ttl: Nanos::from_millis(500),
        resets: RESETS,
    };
    let core = RiskCore::new(settings, limits(), TradingStates::default());
    let mut desk = Desk {
        core,
        now: T0,
        seq: 0,
        orders: 0,
    };
    let denied = desk.ask(Side::Buy, "1", "100").unwrap_err();
    for code in [
        Code::InstrumentUnknown,
        Code::FeedUnavailable,
        Code::StaleData,
        Code::AccountNotReconciled,
        Code::ReferencePriceUnavailable,
    ] {
        assert!(denied.contains(&code), "{code} missing in {denied:?}");
    }
}

#[test]
fn all_reasons_are_reported_and_the_first_check_comes_first() {
    let mut desk = Desk::new();
    desk.tell(Input::Tighten {
        scope: Scope::Platform,
        state: TradingState::Halted,
        kill: true,
        reason: "drill",
    });
    let denied = desk.ask(Side::Buy, "1000.0005", "200.005").unwrap_err();
    assert_eq!(denied[0], Code::KillSwitchActive);
    for code in [
        Code::QuantityInvalid,
        Code::PriceInvalid,
        Code::PriceOutsideBand,
    ] {
        assert!(denied.contains(&code), "{code} missing in {denied:?}");
    }
}

#[test]
fn approvals_reserve_exposure_until_the_log_takes_over() {
    let mut desk = Desk::new();
    let first = desk.intent(Side::Buy, "9", "100");
    let approval = desk.check(&first).unwrap();
    assert!(desk.ask(Side::Buy, "9", "100").is_ok());
    assert_eq!(
        desk.ask(Side::Buy, "9", "100").unwrap_err(),
        [Code::PositionExceedsMax]
    );
    // The first becomes an order: still counted, once.
    let order_id = first.order_id;
    desk.log(P::Created(Box::new(first.clone())));
    desk.log(P::Checked { order_id, approval });
    desk.log(P::Journaled { order_id });
    let line = desk
        .core
        .account(&first.account)
        .unwrap()
        .line(&first.instrument);
    assert_eq!(
        (line.open_buy, line.reserved_buy),
        (first.quantity, first.quantity)
    );
    // The second was never used: its reservation ends five seconds after its approval.
    desk.now = desk.now.plus(Nanos::from_millis(5_501));
    desk.quote("99.99", "100.01");
    assert!(desk.ask(Side::Buy, "9", "100").is_ok());
}

#[test]
fn an_order_never_meets_another_of_its_account() {
    let mut desk = Desk::new();
    let resting = desk.intent(Side::Sell, "1", "100");
    let approval = desk.check(&resting).unwrap();
    let order_id = resting.order_id;
    desk.log(P::Created(Box::new(resting.clone())));
    desk.log(P::Checked { order_id, approval });
    desk.log(P::Journaled { order_id });
    let crossing = [Code::CrossesOwnOrder];
    assert_eq!(desk.ask(Side::Buy, "1", "100").unwrap_err(), crossing);
    assert!(desk.ask(Side::Buy, "1", "99.99").is_ok());
    assert!(desk.ask(Side::Sell, "1", "100").is_ok());
    // A market order reaches as far as the best price on the other side, at least.
    let mut market = desk.intent(Side::Buy, "1", "100");
    market.kind = OrderKind::Market;
    assert_eq!(desk.check(&market).unwrap_err(), crossing);
    desk.log(P::Submitted { order_id });
    let reason = Reason::bare(Code::VenueRefused);
    desk.log(P::Rejected { order_id, reason });
    market.order_id = desk.intent(Side::Buy, "1", "100").order_id;
    assert!(desk.check(&market).is_ok());
}

#[test]
fn unknown_orders_count_at_full_size() {
    let mut desk = Desk::new();
    let intent = desk.intent(Side::Buy, "9", "100");
    let approval = desk.check(&intent).unwrap();
    let order_id = intent.order_id;
    desk.log(P::Created(Box::new(intent.clone())));
    desk.log(P::Checked { order_id, approval });
    desk.log(P::Journaled { order_id });
    let reason = Reason::bare(Code::OutcomeUnknown);
    desk.log(P::BecameUnknown { order_id, reason });
    let line = desk
        .core
        .account(&intent.account)
        .unwrap()
        .line(&intent.instrument);
    assert_eq!(line.open_buy, intent.quantity);
}

#[test]
fn reducing_lets_only_shrinking_orders_pass_and_nothing_from_flat() {
    let mut desk = Desk::new();
    let reduce = Input::Tighten {
        scope: Scope::Strategy("s".parse().unwrap()),
        state: TradingState::Reducing,
        kill: false,
        reason: "test",
    };
    desk.trade(Side::Buy, "5", "100");
    desk.tell(reduce);
    assert_eq!(
        desk.ask(Side::Buy, "1", "100").unwrap_err(),
        [Code::TradingReducing]
    );
    assert_eq!(
        desk.ask(Side::Sell, "6", "100").unwrap_err(),
        [Code::TradingReducing]
    );
    assert!(desk.ask(Side::Sell, "3", "100").is_ok());
    // Three are reserved: another three would go through zero.
    assert_eq!(
        desk.ask(Side::Sell, "3", "100").unwrap_err(),
        [Code::TradingReducing]
    );
    assert!(desk.ask(Side::Sell, "2", "100").is_ok());

    let mut flat = Desk::new();
    flat.tell(Input::Tighten {
        scope: Scope::Platform,
        state: TradingState::Reducing,
        kill: false,
        reason: "test",
    });
    assert_eq!(
        flat.ask(Side::Sell, "1", "100").unwrap_err(),
        [Code::TradingReducing]
    );
}

#[test]
fn stale_quotes_and_bad_feeds_deny() {
    let mut desk = Desk::new();
    desk.now = desk.now.plus(Nanos::from_millis(3_001));
    assert_eq!(
        desk.ask(Side::Buy, "1", "100").unwrap_err(),
        [Code::StaleData]
    );
    desk.quote("99.99", "100.01");
    let status = FeedStatus {
        venue: "SIM".parse().unwrap(),
        instrument: Some(instrument().id),
        state: FeedState::Gapped,
        feed_epoch: 1,
        ts_event: desk.now,
    };
    desk.tell(Input::Market(&MarketEvent::Status(status)));
    assert_eq!(
        desk.ask(Side::Buy, "1", "100").unwrap_err(),
        [Code::FeedUnavailable]
    );
}

#[test]
fn the_order_rate_is_limited_per_second() {
    let mut desk = Desk::new();
    for _ in 0..4 {
        assert!(desk.ask(Side::Buy, "0.1", "100").is_ok());
    }
    assert_eq!(
        desk.ask(Side::Buy, "0.1", "100").unwrap_err(),
        [Code::OrderRateExceeded]
    );
    desk.now = desk.now.plus(Nanos::from_secs(1));
    assert!(desk.ask(Side::Buy, "0.1", "100").is_ok());
}

#[test]
fn a_loss_at_the_limit_stops_new_risk_but_not_the_exit() {
    let mut desk = Desk::new();
    assert!(desk.ask(Side::Buy, "0.1", "100").is_ok());
    desk.trade(Side::Buy, "10", "100");
    desk.quote("90", "90.01");
    let denied = desk.ask(Side::Buy, "0.1", "90").unwrap_err();
    assert_eq!(
        denied,
        [Code::DailyLossExceedsMax, Code::DrawdownExceedsMax]
    );
    assert!(desk.ask(Side::Sell, "10", "90").is_ok());
}

#[test]
fn a_check_ahead_of_the_log_is_denied_and_a_gap_asks_for_replay() {
    let mut desk = Desk::new();
    let intent = desk.intent(Side::Buy, "1", "100");
    desk.seq += 5;
    assert_eq!(desk.check(&intent).unwrap_err(), [Code::NotCaughtUp]);
    let event = desk.event(6, P::AccountReady);
    let account = event.account;
    assert_eq!(
        desk.tell(Input::Log(&event)),
        [Effect::Replay {
            account,
            from_seq: 2
        }]
    );
    assert_eq!(desk.core.last_seq(&account), 1);
    let again = desk.event(1, P::AccountReady);
    assert_eq!(desk.tell(Input::Log(&again)), [Effect::Duplicate]);
}

#[test]
fn a_kill_tightens_once_and_cancels_every_time() {
    let mut desk = Desk::new();
    let kill = || Input::Tighten {
        scope: Scope::Platform,
        state: TradingState::Halted,
        kill: true,
        reason: "operator",
    };
    let cancel = Effect::CancelAll(Scope::Platform);
    assert_eq!(desk.tell(kill()), [Effect::StatesChanged, cancel.clone()]);
    assert_eq!(desk.tell(kill()), [cancel]);
    assert_eq!(desk.core.states().epoch(), 1);
    let reset = |actor| Input::Reset {
        scope: Scope::Platform,
        actor,
    };
    let until = desk.now.plus(RESETS.hold);
    let by_another = true;
    let held = ResetAnswer::Held { until, by_another };
    assert_eq!(desk.tell(reset("anna")), [Effect::Reset(held)]);
    assert!(desk.ask(Side::Buy, "1", "100").is_err());
    desk.now = until;
    let requested_by = "anna".to_owned();
    let confirmed = Effect::Reset(ResetAnswer::Confirmed { requested_by });
    assert_eq!(desk.tell(reset("bela")), [confirmed]);
    // Confirmed is not lifted: it is in force until the reset is durable.
    assert!(desk.ask(Side::Buy, "1", "100").is_err());
    let lift = Input::Lift(Scope::Platform);
    assert_eq!(desk.tell(lift), [Effect::StatesChanged]);
    assert_eq!(desk.core.states().entries().count(), 0);
    let nothing = Effect::Reset(ResetAnswer::NothingToLift);
    assert_eq!(desk.tell(reset("bela")), [nothing]);
}

#[test]
fn nothing_is_loosened_while_an_account_is_in_doubt() {
    let mut desk = Desk::new();
    desk.tell(Input::Tighten {
        scope: Scope::Platform,
        state: TradingState::CancelOnly,
        kill: false,
        reason: "operator",
    });
    let reason = Reason::bare(Code::PrivateStreamUnavailable);
    let seq = desk.seq + 1;
    let event = desk.event(seq, P::AccountNotReady { reason });
    desk.tell(Input::Log(&event));
    let scope = Scope::Platform;
    let actor = "anna";
    let effects = desk.tell(Input::Reset { scope, actor });
    let [Effect::Reset(ResetAnswer::Refused(reasons))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(reasons[0].code, Code::AccountNotReconciled);
}

#[test]
fn the_same_order_id_is_approved_once() {
    let mut desk = Desk::new();
    let intent = desk.intent(Side::Buy, "1", "100");
    assert!(desk.check(&intent).is_ok());
    assert_eq!(desk.check(&intent).unwrap_err(), [Code::DuplicateOrderId]);
}

proptest! {
    /// However orders are asked for, what was approved can never add up to more than the limit.
    #[test]
    fn approved_exposure_never_exceeds_the_position_limit(
        asks in proptest::collection::vec((any::<bool>(), 1i64..12), 1..40)
    ) {
        let mut desk = Desk::new();
        desk.tell(Input::Limits(Limits { open_orders_max: 1_000, order_rate_max: 1_000, ..limits() }));
        for (buy, quantity) in asks {
            let side = if buy { Side::Buy } else { Side::Sell };
            let _ = desk.ask(side, &quantity.to_string(), "100");
            let line = desk.core.account(&"main".parse().unwrap()).unwrap().line(&instrument().id);
            let worst = line.worst(Side::Buy).abs().max(line.worst(Side::Sell).abs());
            let value = Price::from_int(100)?.times(worst, ploy_domain::Rounding::Ceil)?;
            prop_assert!(value <= limits().position_notional_max, "{value}");
        }
    }
}
