//! A new process over the same database and the same exchange.

use crate::desk::{Desk, Floor, Judge, account, buy, call};
use ploy_domain::OrderState;
use ploy_wire::api::{ExecutionApi, PositionView};

async fn positions(desk: &Desk) -> Vec<PositionView> {
    let mut positions = desk
        .service
        .positions(Some(account()), call())
        .await
        .unwrap();
    // Marks move on while execution is away.
    for position in &mut positions {
        (position.mark, position.unrealised) = (None, None);
    }
    positions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_resumes_positions_and_open_orders_and_doubles_nothing() {
    let floor = Floor::open().await;
    let before = floor.execution(Judge::Approves).await;
    let (bought, resting) = (buy("1", None), buy("2", Some("40000")));
    before.submit(&bought).await.unwrap();
    before.reaches(&bought, &[OrderState::Filled]).await;
    before.submit(&resting).await.unwrap();
    before.reaches(&resting, &[OrderState::Accepted]).await;
    let held = positions(&before).await;
    before.stop().await;

    let after = floor.execution(Judge::Approves).await;
    assert_eq!(positions(&after).await, held);
    after.reaches(&resting, &[OrderState::Accepted]).await;
    after.submit(&resting).await.unwrap();
    assert_eq!(floor.received(resting.order_id), 1);
    let account = after.service.account(account(), call()).await.unwrap();
    assert_eq!((account.open_orders, account.unknown_orders), (1, 0));
    after.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_filled_while_execution_was_away_is_booked_once() {
    let floor = Floor::open().await;
    let before = floor.execution(Judge::Approves).await;
    // Far above the market: filled at once, whoever is listening by then.
    let intent = buy("1", Some("66000"));
    before.submit(&intent).await.unwrap();
    before.stop().await;

    let after = floor.execution(Judge::Approves).await;
    let view = after.reaches(&intent, &[OrderState::Filled]).await;
    assert_eq!(view.filled, intent.quantity);
    assert_eq!(floor.received(intent.order_id), 1);
    after.stop().await;
}
