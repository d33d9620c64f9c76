use super::*;
use crate::{
    execution::Liquidity,
    ids::{AccountId, ExecutionId, OrderIdParts, StrategyId},
    order::{OrderKind, TimeInForce},
    risk::ReasonCode,
};
use proptest::prelude::*;

fn order() -> Order {
    let account = AccountId::parse("main").unwrap();
    let parts = OrderIdParts {
        prefix: *b"pd",
        account: &account,
        origin: "t",
        decision: "1",
        leg: 0,
    };
    Order::new(Intent {
        order_id: ClientOrderId::derive(&parts),
        account,
        strategy: StrategyId::parse("t").unwrap(),
        instrument: "BTCUSDT.SIM".parse().unwrap(),
        side: Side::Buy,
        kind: OrderKind::Limit {
            price: Price::from_int(100).unwrap(),
            post_only: false,
        },
        quantity: Quantity::from_int(10).unwrap(),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        decision_price: None,
        created_at: Timestamp::from_nanos(1),
        valid_until: Timestamp::from_nanos(2),
    })
}

fn fill(order: &Order, id: usize, quantity: i64, price: i64) -> OrderEventPayload {
    OrderEventPayload::Filled(Box::new(Execution {
        account: order.intent.account,
        order_id: order.id(),
        strategy: order.intent.strategy,
        instrument: order.intent.instrument,
        side: order.intent.side,
        price: Price::from_int(price).unwrap(),
        quantity: Quantity::from_int(quantity).unwrap(),
        fee: crate::money::Amount::ZERO,
        fee_asset: "BTC".parse().unwrap(),
        liquidity: Liquidity::Taker,
        venue_order_id: VenueOrderId::parse("7").unwrap(),
        execution_id: ExecutionId::parse(&id.to_string()).unwrap(),
        ts_event: Timestamp::from_nanos(3),
    }))
}

fn check(order: &mut Order, payloads: &[OrderEventPayload]) {
    for payload in payloads {
        order.apply(payload, Timestamp::from_nanos(5)).unwrap();
    }
}

fn submitted() -> Order {
    let mut order = order();
    let order_id = order.id();
    let approval = Approval {
        decision_id: "d-1".parse().unwrap(),
        content_hash: order.intent.content_hash(),
        limits_version: 1,
        state_epoch: 1,
        risk_epoch: 1,
        expires_at: Timestamp::from_nanos(9),
    };
    check(
        &mut order,
        &[
            OrderEventPayload::Checked { order_id, approval },
            OrderEventPayload::Journaled { order_id },
            OrderEventPayload::Submitted { order_id },
        ],
    );
    order
}

#[test]
fn fills_before_the_acknowledgement_count() {
    let mut order = submitted();
    let fills = [fill(&order, 1, 4, 100), fill(&order, 2, 6, 90)];
    check(&mut order, &fills);
    assert_eq!(order.state(), OrderState::Filled);
    assert_eq!(order.average_price(), Some(Price::from_int(94).unwrap()));
    assert_eq!(order.leaves(), Quantity::ZERO);
    assert!(!order.has_late_fill());
}

#[test]
fn a_fill_after_a_cancel_is_booked_and_marked() {
    let mut order = submitted();
    let (order_id, late) = (order.id(), fill(&order, 1, 4, 100));
    let reason = Reason::bare(ReasonCode::CancelRequested);
    check(
        &mut order,
        &[OrderEventPayload::Cancelled { order_id, reason }, late],
    );
    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(order.filled(), Quantity::from_int(4).unwrap());
    assert!(order.has_late_fill());
    assert_eq!(order.working_leaves(), Quantity::ZERO);
}

#[test]
fn an_overfill_is_booked() {
    let mut order = submitted();
    let fills = [fill(&order, 1, 10, 100), fill(&order, 2, 1, 100)];
    check(&mut order, &fills);
    assert!(order.is_overfilled() && order.has_late_fill());
    assert_eq!(order.leaves(), Quantity::ZERO);
}

#[test]
fn an_illegal_event_changes_nothing() {
    let mut order = order();
    let before = order.clone();
    let illegal = OrderEventPayload::Submitted {
        order_id: order.id(),
    };
    let error = order.apply(&illegal, Timestamp::from_nanos(9)).unwrap_err();
    assert!(matches!(
        error,
        ApplyError::Illegal {
            event: "OrderSubmitted",
            ..
        }
    ));
    assert_eq!(order, before);
}

#[test]
fn a_refused_cancel_resumes() {
    let mut order = submitted();
    let (order_id, reason) = (order.id(), Reason::bare(ReasonCode::CancelRequested));
    check(
        &mut order,
        &[
            OrderEventPayload::CancelRequested {
                order_id,
                reason: reason.clone(),
            },
            OrderEventPayload::CancelRefused { order_id, reason },
        ],
    );
    assert_eq!(order.state(), OrderState::Accepted);
}

proptest! {
    #[test]
    fn filled_quantity_is_monotone_and_average_stays_inside(fills in proptest::collection::vec((1i64..5, 90i64..110), 1..12)) {
        let mut order = submitted();
        let (mut last, mut low, mut high) = (Quantity::ZERO, i64::MAX, i64::MIN);
        for (id, (quantity, price)) in fills.into_iter().enumerate() {
            let payload = fill(&order, id, quantity, price);
            order.apply(&payload, Timestamp::from_nanos(4)).unwrap();
            prop_assert!(order.filled() > last);
            last = order.filled();
            (low, high) = (low.min(price), high.max(price));
            let average = order.average_price().unwrap();
            prop_assert!(Price::from_int(low)? <= average && average <= Price::from_int(high)?);
        }
    }
}
