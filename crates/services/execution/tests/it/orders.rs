//! The life of an order, with answers that come, get lost or never were.

use crate::desk::{Floor, Judge, account, buy, call, has};
use ploy_domain::{OrderState, ReasonCode};
use ploy_exchange_server::FaultPlan;
use ploy_venue_port::QueryAnswer;
use ploy_wire::api::{ApiCode, CancelOrder, ExecutionApi, FillQuery};

const ENDED: [OrderState; 3] = [
    OrderState::Filled,
    OrderState::Expired,
    OrderState::Rejected,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_market_order_is_journaled_sent_once_filled_and_booked() {
    let floor = Floor::open().await;
    let desk = floor.execution(Judge::Approves).await;
    let intent = buy("1", None);
    let answer = desk.submit(&intent).await.unwrap();
    assert_eq!(answer.state, OrderState::Journaled);
    let view = desk.reaches(&intent, &ENDED).await;
    assert_eq!(
        (view.state, view.filled),
        (OrderState::Filled, intent.quantity)
    );
    assert_eq!(floor.received(intent.order_id), 1);
    let fills = desk
        .service
        .fills(FillQuery::default(), call())
        .await
        .unwrap();
    let filled: i64 = fills
        .items
        .iter()
        .map(|fill| fill.execution.quantity.raw())
        .sum();
    assert_eq!(filled, intent.quantity.raw());
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_order_again_gets_the_same_answer_and_other_content_is_refused() {
    let floor = Floor::open().await;
    let desk = floor.execution(Judge::Approves).await;
    let intent = buy("1", Some("40000"));
    let first = desk.submit(&intent).await.unwrap();
    let again = desk.submit(&intent).await.unwrap();
    assert_eq!(first.order_id, again.order_id);
    let mut other = intent.clone();
    other.quantity = "0.02".parse().unwrap();
    assert_eq!(
        desk.submit(&other).await.unwrap_err().code,
        ApiCode::AlreadyExists
    );
    desk.reaches(&intent, &[OrderState::Accepted]).await;
    assert_eq!(floor.received(intent.order_id), 1);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_risk_nothing_is_sent() {
    let floor = Floor::open().await;
    let desk = floor.execution(Judge::IsGone).await;
    let intent = buy("1", None);
    let view = desk.submit(&intent).await.unwrap();
    assert_eq!(view.state, OrderState::Denied);
    assert!(has(&view, ReasonCode::RiskUnavailable), "{view:?}");
    assert_eq!(floor.received(intent.order_id), 0);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_found_out_by_asking_and_never_by_sending_again() {
    let floor = Floor::open().await;
    let desk = floor.execution(Judge::Approves).await;
    floor
        .faults(FaultPlan {
            drop_answer: 1.0,
            ..FaultPlan::default()
        })
        .await;
    let intent = buy("1", Some("40000"));
    desk.submit(&intent).await.unwrap();
    let view = desk.reaches(&intent, &[OrderState::Accepted]).await;
    assert!(view.venue_order_id.is_some());
    assert_eq!(floor.received(intent.order_id), 1);
    floor.faults(FaultPlan::default()).await;
    let command = CancelOrder {
        account: account(),
        order_id: intent.order_id,
        reason: "test".to_owned(),
    };
    desk.service.cancel(command, call()).await.unwrap();
    desk.reaches(&intent, &[OrderState::Cancelled]).await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_request_is_absent_after_the_quarantine_and_blocks_its_instrument_until_then() {
    let floor = Floor::open().await;
    let desk = floor.execution(Judge::Approves).await;
    floor
        .faults(FaultPlan {
            lose_request: 1.0,
            ..FaultPlan::default()
        })
        .await;
    let intent = buy("1", Some("40000"));
    desk.submit(&intent).await.unwrap();
    desk.reaches(&intent, &[OrderState::Unknown]).await;
    floor.faults(FaultPlan::default()).await;
    let blocked = desk.submit(&buy("2", Some("40000"))).await.unwrap();
    assert!(
        has(&blocked, ReasonCode::UnknownOrderPending),
        "{blocked:?}"
    );
    let view = desk.reaches(&intent, &[OrderState::Rejected]).await;
    assert!(has(&view, ReasonCode::Absent), "{view:?}");
    let free = desk.submit(&buy("3", Some("40000"))).await.unwrap();
    assert_eq!(free.state, OrderState::Journaled);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filled_order_is_found_with_all_its_fills() {
    let floor = Floor::open().await;
    let desk = floor.execution(Judge::Approves).await;
    let intent = buy("1", None);
    desk.submit(&intent).await.unwrap();
    desk.reaches(&intent, &[OrderState::Filled]).await;
    let found = desk
        .broker
        .query_order(intent.instrument, intent.order_id, None)
        .await
        .unwrap();
    let QueryAnswer::Found(order) = found else {
        panic!("the venue has the order")
    };
    assert_eq!(order.filled, intent.quantity);
    let fills = desk
        .broker
        .order_executions(intent.instrument, order.venue_order_id)
        .await
        .unwrap();
    let filled: i64 = fills.iter().map(|fill| fill.quantity.raw()).sum();
    assert_eq!(filled, intent.quantity.raw());
    desk.stop().await;
}
