use super::*;
use crate::venue::{Standing, VenueFill, VenueOrder, VenueStatus};
use ploy_domain::{
    Amount, Approval, Instrument, InstrumentStatus, LedgerAccount, Liquidity, Order, OrderIdParts,
    OrderKind, Price, Quantity, Session, Side, TimeInForce,
};

const T0: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

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

fn settings(epoch: u64) -> Settings {
    Settings {
        epoch,
        prefix: *b"pd",
        quarantine: Nanos::from_secs(10),
        guard: EgressGuard {
            notional_max: Amount::from_int(100_000).unwrap(),
            orders_per_second_max: 1_000,
            open_orders_max: 1_000,
            identical_window: Nanos::ZERO,
        },
    }
}

fn book() -> AccountBook {
    AccountBook::new("main".parse().unwrap(), [instrument()])
}

fn balances(usdt: i64) -> Vec<(ploy_domain::ids::Asset, Amount)> {
    vec![("USDT".parse().unwrap(), Amount::from_int(usdt).unwrap())]
}

/// A core with the log it wrote and the time it is.
struct Desk {
    core: OrderCore,
    log: Vec<OrderEvent>,
    sends: BTreeMap<ClientOrderId, u32>,
    now: Timestamp,
    orders: u64,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self::unreconciled();
        desk.tell(Input::Reconciled(VenueSnapshot {
            balances: balances(1_000_000),
            ..VenueSnapshot::default()
        }));
        assert_eq!(desk.core.readiness(), Ok(()));
        desk
    }

    fn unreconciled() -> Self {
        let (core, out) = OrderCore::take_over(settings(1), book(), T0).unwrap();
        Self {
            core,
            log: out.events,
            sends: BTreeMap::new(),
            now: T0,
            orders: 0,
        }
    }

    fn tell(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Output::default();
        self.core.handle(input, self.now, &mut out).unwrap();
        self.log.extend(out.events);
        for effect in &out.effects {
            if let Effect::Send { intent, .. } = effect {
                *self.sends.entry(intent.order_id).or_default() += 1;
            }
        }
        out.effects
    }

    fn wait(&mut self, span: Nanos) -> Vec<Effect> {
        self.now = self.now.plus(span);
        self.tell(Input::Woken)
    }

    /// Kill and restart: only the log survives.
    fn restart(&mut self) -> Vec<Effect> {
        let mut book = book();
        self.log.iter().for_each(|event| book.apply(event).unwrap());
        let epoch = self.core.epoch() + 1;
        let (core, out) = OrderCore::take_over(settings(epoch), book, self.now).unwrap();
        self.core = core;
        self.log.extend(out.events);
        out.effects
    }

    fn intent(&mut self, side: Side, quantity: &str) -> Intent {
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
            strategy: "s".parse().unwrap(),
            instrument: instrument().id,
            side,
            kind: OrderKind::Limit {
                price: Price::from_int(100).unwrap(),
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

    fn approval(&self, intent: &Intent) -> RiskDecision {
        let verdict = Ok(Approval {
            decision_id: format!("d-{}", intent.order_id).parse().unwrap(),
            content_hash: intent.content_hash(),
            limits_version: 1,
            state_epoch: 0,
            risk_epoch: 1,
            expires_at: self.now.plus(Nanos::from_millis(500)),
        });
        RiskDecision {
            verdict,
            reference_price: None,
            reference_age: None,
            took: Nanos::ZERO,
        }
    }

    fn submit(&mut self, intent: &Intent) -> Vec<Effect> {
        let intent = Box::new(intent.clone());
        self.tell(Input::Submit {
            intent,
            trace: TraceContext::NONE,
        })
    }

    /// Submits and gets approved; the order is journaled and its send was asked for.
    fn journal(&mut self, side: Side, quantity: &str) -> Intent {
        let intent = self.intent(side, quantity);
        assert!(matches!(self.submit(&intent)[..], [Effect::AskRisk { .. }]));
        let (order_id, decision) = (intent.order_id, self.approval(&intent));
        let effects = self.tell(Input::RiskAnswered { order_id, decision });
        assert!(matches!(
            effects[..],
            [Effect::Send { .. }, Effect::Answer(_)]
        ));
        intent
    }

    /// Journals and gets the venue's acknowledgement.
    fn accept(&mut self, side: Side, quantity: &str) -> Intent {
        let intent = self.journal(side, quantity);
        let order = venue_order(&intent, "0", VenueStatus::Working);
        self.sent(
            &intent,
            SendOutcome::Acknowledged {
                order,
                fills: vec![],
            },
        );
        intent
    }

    fn sent(&mut self, intent: &Intent, outcome: SendOutcome) -> Vec<Effect> {
        self.tell(Input::Sent {
            order_id: intent.order_id,
            outcome,
        })
    }

    fn state(&self, intent: &Intent) -> OrderState {
        self.core.book().order(&intent.order_id).unwrap().state()
    }

    fn doubt(&mut self, intent: &Intent) {
        let reason = Reason::bare(ReasonCode::OutcomeUnknown);
        self.sent(intent, SendOutcome::Unknown(reason));
        assert_eq!(self.state(intent), OrderState::Unknown);
    }

    fn queried(&mut self, intent: &Intent, outcome: QueryOutcome) -> Vec<Effect> {
        self.tell(Input::Queried {
            order_id: intent.order_id,
            outcome,
        })
    }
}

fn venue_order(intent: &Intent, filled: &str, status: VenueStatus) -> Standing {
    Standing {
        client_id: intent.order_id.to_string(),
        venue_order_id: format!("v-{}", intent.order_id).parse().unwrap(),
        instrument: intent.instrument,
        filled: filled.parse().unwrap(),
        status,
        ts_event: T0,
    }
}

fn venue_fill(intent: &Intent, id: &str, quantity: &str) -> VenueFill {
    VenueFill {
        client_id: Some(intent.order_id.to_string()),
        venue_order_id: format!("v-{}", intent.order_id).parse().unwrap(),
        execution_id: id.parse().unwrap(),
        instrument: intent.instrument,
        side: intent.side,
        price: Price::from_int(100).unwrap(),
        quantity: quantity.parse().unwrap(),
        fee: Amount::ZERO,
        fee_asset: "USDT".parse().unwrap(),
        liquidity: Liquidity::Taker,
        ts_event: T0,
    }
}

fn cancelled() -> VenueStatus {
    VenueStatus::Cancelled(Reason::bare(ReasonCode::CancelRequested))
}

fn alerts(effects: &[Effect]) -> Vec<&'static str> {
    let kind = |effect: &Effect| match effect {
        Effect::Alert(alert) => Some(alert.kind),
        _ => None,
    };
    effects.iter().filter_map(kind).collect()
}

#[test]
fn an_order_goes_from_request_to_fill_and_is_sent_once() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "2");
    assert_eq!(desk.state(&intent), OrderState::Journaled);
    let order = venue_order(&intent, "2", VenueStatus::Filled);
    let fills = vec![venue_fill(&intent, "1", "2")];
    desk.sent(&intent, SendOutcome::Acknowledged { order, fills });
    assert_eq!(desk.state(&intent), OrderState::Filled);
    assert_eq!(
        desk.core.book().net_position(&intent.instrument),
        intent.quantity
    );
    assert_eq!(desk.sends[&intent.order_id], 1);
}

#[test]
fn repeating_a_submit_gets_the_same_answer_and_other_content_is_refused() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "2");
    assert_eq!(desk.submit(&intent), [Effect::Answer(intent.order_id)]);
    let other = Intent {
        quantity: "3".parse().unwrap(),
        ..intent.clone()
    };
    assert_eq!(desk.submit(&other), [Effect::Mismatch(intent.order_id)]);
    assert_eq!(desk.sends[&intent.order_id], 1);
}

#[test]
fn nothing_is_accepted_before_the_account_is_reconciled() {
    let mut desk = Desk::unreconciled();
    let intent = desk.intent(Side::Buy, "1");
    assert_eq!(desk.submit(&intent), [Effect::Answer(intent.order_id)]);
    assert_eq!(desk.state(&intent), OrderState::Denied);
}

#[test]
fn an_approval_for_other_content_or_after_its_time_is_refused() {
    let mut desk = Desk::new();
    let intent = desk.intent(Side::Buy, "1");
    let twin = Intent {
        quantity: "2".parse().unwrap(),
        ..intent.clone()
    };
    desk.submit(&intent);
    let (order_id, decision) = (intent.order_id, desk.approval(&twin));
    desk.tell(Input::RiskAnswered { order_id, decision });
    assert_eq!(desk.state(&intent), OrderState::Denied);

    let late = desk.intent(Side::Buy, "1");
    desk.submit(&late);
    let (order_id, decision) = (late.order_id, desk.approval(&late));
    desk.now = desk.now.plus(Nanos::from_millis(501));
    desk.tell(Input::RiskAnswered { order_id, decision });
    assert_eq!(desk.state(&late), OrderState::Denied);
    assert!(desk.sends.is_empty());
}

#[test]
fn a_crash_after_the_journal_makes_the_order_unknown_and_never_sends_it_again() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "1");
    let effects = desk.restart();
    assert_eq!(desk.state(&intent), OrderState::Unknown);
    assert_eq!(effects, [Effect::Reconcile]);
    let effects = desk.wait(Nanos::from_secs(1));
    assert!(matches!(effects[..], [Effect::Query { .. }]));
    let order = venue_order(&intent, "1", VenueStatus::Filled);
    let fills = vec![venue_fill(&intent, "1", "1")];
    desk.queried(&intent, QueryOutcome::Found { order, fills });
    assert_eq!(desk.state(&intent), OrderState::Filled);
    assert_eq!(desk.sends[&intent.order_id], 1);
}

#[test]
fn absence_needs_three_readings_and_the_quarantine() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "1");
    desk.doubt(&intent);
    for _ in 0..4 {
        desk.now = desk.now.plus(Nanos::from_secs(2));
        desk.queried(&intent, QueryOutcome::Absent);
        assert_eq!(
            desk.state(&intent),
            OrderState::Unknown,
            "before the quarantine"
        );
    }
    desk.queried(
        &intent,
        QueryOutcome::Failed(Reason::bare(ReasonCode::OutcomeUnknown)),
    );
    desk.now = desk.now.plus(Nanos::from_secs(3));
    let effects = desk.queried(&intent, QueryOutcome::Absent);
    assert_eq!(desk.state(&intent), OrderState::Rejected);
    assert_eq!(alerts(&effects), ["absent"]);
    // Later evidence wins.
    let effects = desk.tell(Input::Reported(Report::Fill(venue_fill(&intent, "9", "1"))));
    assert_eq!(alerts(&effects), ["late_fill"]);
    assert_eq!(
        desk.core.book().net_position(&intent.instrument),
        intent.quantity
    );
}

#[test]
fn an_unknown_order_blocks_its_instrument() {
    let mut desk = Desk::new();
    let first = desk.journal(Side::Buy, "1");
    desk.doubt(&first);
    let second = desk.intent(Side::Buy, "1");
    desk.submit(&second);
    assert_eq!(desk.state(&second), OrderState::Denied);
    let order = venue_order(&first, "0", VenueStatus::Working);
    desk.queried(
        &first,
        QueryOutcome::Found {
            order,
            fills: vec![],
        },
    );
    desk.journal(Side::Buy, "1");
}

#[test]
fn a_cancel_waits_for_the_missing_fills() {
    let mut desk = Desk::new();
    let intent = desk.accept(Side::Buy, "2");
    let reason = Reason::bare(ReasonCode::CancelRequested);
    let order_id = intent.order_id;
    let effects = desk.tell(Input::Cancel {
        order_id,
        reason: reason.clone(),
    });
    assert!(matches!(
        effects[..],
        [Effect::SendCancel { .. }, Effect::Answer(_)]
    ));
    // A second request is a no-op, and an unanswered cancel is repeated after a second.
    assert_eq!(
        desk.tell(Input::Cancel { order_id, reason }),
        [Effect::Answer(order_id)]
    );
    assert!(matches!(
        desk.wait(Nanos::from_secs(1))[..],
        [Effect::SendCancel { .. }]
    ));
    let order = venue_order(&intent, "1", cancelled());
    let outcome = CancelOutcome::Cancelled(order.clone());
    let effects = desk.tell(Input::CancelSent { order_id, outcome });
    assert!(matches!(effects[..], [Effect::Query { .. }]));
    assert_eq!(desk.state(&intent), OrderState::PendingCancel);
    let fills = vec![venue_fill(&intent, "1", "1")];
    desk.queried(&intent, QueryOutcome::Found { order, fills });
    assert_eq!(desk.state(&intent), OrderState::Cancelled);
    assert_eq!(
        desk.core.book().order(&order_id).unwrap().filled(),
        "1".parse().unwrap()
    );
}

#[test]
fn a_cancel_that_nobody_answers_is_repeated_ten_times_asked_about_and_begun_again() {
    let mut desk = Desk::new();
    let intent = desk.accept(Side::Buy, "1");
    let order_id = intent.order_id;
    let reason = Reason::bare(ReasonCode::CancelRequested);
    desk.tell(Input::Cancel { order_id, reason });
    for round in 0..3 {
        for repetition in 0..10 {
            let effects = desk.wait(Nanos::from_secs(1));
            let is_cancel = matches!(effects[..], [Effect::SendCancel { .. }]);
            assert!(
                is_cancel,
                "round {round}, repetition {repetition}: {effects:?}"
            );
        }
        let effects = desk.wait(Nanos::from_secs(1));
        assert!(matches!(effects[..], [Effect::Query { .. }]), "{effects:?}");
    }
}

#[test]
fn a_question_that_nobody_answered_is_repeated_within_seconds() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "1");
    desk.doubt(&intent);
    let timeout = || QueryOutcome::Failed(Reason::bare(ReasonCode::OutcomeUnknown));
    for _ in 0..12 {
        let due = desk.core.next_wake().unwrap();
        assert!(due - desk.now <= Nanos::from_secs(7), "{due}");
        let effects = desk.wait(due - desk.now);
        assert!(matches!(effects[..], [Effect::Query { .. }]), "{effects:?}");
        desk.queried(&intent, timeout());
        assert_eq!(desk.state(&intent), OrderState::Unknown);
    }
    // The venue is back: three readings, two seconds apart, prove that it never had the order.
    let back = desk.now;
    while desk.state(&intent) == OrderState::Unknown {
        let due = desk.core.next_wake().unwrap();
        desk.wait(due - desk.now);
        desk.queried(&intent, QueryOutcome::Absent);
    }
    assert_eq!(desk.state(&intent), OrderState::Rejected);
    assert!(desk.now - back <= Nanos::from_secs(10));
}

#[test]
fn a_cancel_of_an_unknown_order_is_sent_once_it_is_known_to_work() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "1");
    desk.doubt(&intent);
    let scope = Scope::Platform;
    let reason = Reason::bare(ReasonCode::KillSwitchActive);
    let effects = desk.tell(Input::CancelAll { scope, reason });
    assert_eq!(effects.last(), Some(&Effect::CancelsRequested(1)));
    let order = venue_order(&intent, "0", VenueStatus::Working);
    let effects = desk.queried(
        &intent,
        QueryOutcome::Found {
            order,
            fills: vec![],
        },
    );
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::SendCancel { .. }))
    );
    assert_eq!(desk.state(&intent), OrderState::PendingCancel);
}

#[test]
fn a_repeated_fill_changes_nothing_and_a_contradiction_is_told() {
    let mut desk = Desk::new();
    let intent = desk.accept(Side::Buy, "2");
    let fill = venue_fill(&intent, "1", "1");
    desk.tell(Input::Reported(Report::Fill(fill.clone())));
    let head = desk.core.book().head_seq();
    assert_eq!(desk.tell(Input::Reported(Report::Fill(fill.clone()))), []);
    let other = VenueFill {
        price: Price::from_int(101).unwrap(),
        ..fill
    };
    let effects = desk.tell(Input::Reported(Report::Fill(other)));
    assert_eq!(alerts(&effects), ["fill_contradiction"]);
    assert_eq!(desk.core.book().head_seq(), head);
}

#[test]
fn a_foreign_order_is_adopted_once_and_its_fills_are_booked_to_external() {
    let mut desk = Desk::new();
    let ghost = desk.intent(Side::Sell, "1");
    let standing = Standing {
        client_id: "web_12345".to_owned(),
        ..venue_order(&ghost, "0", VenueStatus::Working)
    };
    let order = VenueOrder {
        standing,
        side: ghost.side,
        kind: ghost.kind,
        quantity: ghost.quantity,
        time_in_force: ghost.time_in_force,
    };
    let snapshot = VenueSnapshot {
        open_orders: vec![order],
        fills: vec![],
        balances: balances(1_000_000),
    };
    let effects = desk.tell(Input::Reconciled(snapshot.clone()));
    assert_eq!(alerts(&effects), ["adopted"]);
    assert_eq!(
        alerts(&desk.tell(Input::Reconciled(snapshot))),
        [] as [&str; 0]
    );
    let fill = VenueFill {
        client_id: None,
        ..venue_fill(&ghost, "5", "1")
    };
    desk.tell(Input::Reported(Report::Fill(fill)));
    let ((_, owner), position) = desk.core.book().positions().next().unwrap();
    assert_eq!(
        (owner.as_str(), position.quantity().to_string()),
        ("external", "-1".to_owned())
    );
}

#[test]
fn a_nameless_fill_waits_while_an_unknown_order_may_own_it() {
    let mut desk = Desk::new();
    let intent = desk.journal(Side::Buy, "1");
    desk.restart();
    let fill = VenueFill {
        client_id: None,
        ..venue_fill(&intent, "1", "1")
    };
    let snapshot = VenueSnapshot {
        fills: vec![fill],
        ..VenueSnapshot::default()
    };
    let effects = desk.tell(Input::Reconciled(snapshot));
    assert_eq!(alerts(&effects), [] as [&str; 0]);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Query { .. }))
    );
    let order = venue_order(&intent, "1", VenueStatus::Filled);
    let fills = vec![venue_fill(&intent, "1", "1")];
    desk.queried(&intent, QueryOutcome::Found { order, fills });
    assert_eq!(desk.state(&intent), OrderState::Filled);
    assert_eq!(
        desk.core.book().positions().count(),
        1,
        "nothing is external"
    );
}

#[test]
fn balances_that_do_not_follow_from_the_log_keep_the_account_closed() {
    let mut desk = Desk::unreconciled();
    let snapshot = |usdt| VenueSnapshot {
        balances: balances(usdt),
        ..VenueSnapshot::default()
    };
    desk.tell(Input::Reconciled(snapshot(1_000)));
    assert_eq!(desk.core.readiness(), Ok(()));
    desk.tell(Input::Reconciled(snapshot(999)));
    assert_eq!(
        desk.core.readiness(),
        Ok(()),
        "one reading may have met a fill on its way"
    );
    let effects = desk.tell(Input::Reconciled(snapshot(999)));
    assert_eq!(alerts(&effects), ["balance_mismatch"]);
    assert!(desk.core.readiness().is_err());
    desk.tell(Input::Reconciled(snapshot(1_000)));
    assert_eq!(desk.core.readiness(), Ok(()));
}

#[test]
fn the_egress_guard_refuses_what_risk_approved() {
    let mut desk = Desk::new();
    let intent = desk.intent(Side::Buy, "1001");
    desk.submit(&intent);
    let (order_id, decision) = (intent.order_id, desk.approval(&intent));
    desk.tell(Input::RiskAnswered { order_id, decision });
    let order = desk.core.book().order(&order_id).unwrap();
    assert_eq!(order.state(), OrderState::Denied);
    assert_eq!(order.reasons()[0].code, ReasonCode::EgressGuard);
}

mod story;
