//! The metrics of execution. Labels are bounded: states, reasons and kinds, never orders.

use metrics::{counter, gauge, histogram};
use ploy_chassis::metrics::name;
use ploy_domain::{Nanos, Order, OrderEvent, OrderEventPayload, OrderState};
use ploy_orders_core::AccountBook;
use ploy_store::StoreError;
use std::time::Duration;

/// What committed events mean to whoever counts orders; `book` has them applied.
pub(crate) fn events(events: &[OrderEvent], book: &AccountBook) {
    gauge!(name::ORDERS_OPEN).set(count(book.working_orders().count()));
    let unknown = book
        .working_orders()
        .filter(|order| order.state() == OrderState::Unknown);
    gauge!(name::ORDERS_UNKNOWN).set(count(unknown.count()));
    for (index, event) in events.iter().enumerate() {
        match &event.payload {
            OrderEventPayload::Journaled { .. } => {
                counter!(name::ORDERS_APPROVED).increment(1);
            }
            OrderEventPayload::Accepted { .. } => {
                counter!(name::ORDERS_PLACED).increment(1);
            }
            OrderEventPayload::Filled(fill) => {
                counter!(name::FILLS).increment(1);
                let more = events[index + 1..].iter().any(|later| {
                    matches!(&later.payload, OrderEventPayload::Filled(next) if next.order_id == fill.order_id)
                });
                let state = book.order(&fill.order_id).map(Order::state);
                if !more && state == Some(OrderState::Filled) {
                    counter!(name::ORDERS_FILLED).increment(1);
                }
            }
            OrderEventPayload::Denied { reasons, .. } => {
                let reason = reasons.first().map_or("NONE", |reason| reason.code.word());
                counter!(name::ORDERS_FAILED, "reason" => reason).increment(1);
            }
            OrderEventPayload::Rejected { reason, .. } => {
                let reason = reason.code.word();
                counter!(name::ORDERS_FAILED, "reason" => reason).increment(1);
            }
            OrderEventPayload::BecameUnknown { .. } => {
                counter!(name::ORDERS_BECAME_UNKNOWN).increment(1);
            }
            OrderEventPayload::AccountReady => gauge!(name::ACCOUNT_READY).set(1.0),
            OrderEventPayload::AccountNotReady { .. } => gauge!(name::ACCOUNT_READY).set(0.0),
            OrderEventPayload::Created(_)
            | OrderEventPayload::Adopted { .. }
            | OrderEventPayload::Checked { .. }
            | OrderEventPayload::Submitted { .. }
            | OrderEventPayload::Triggered { .. }
            | OrderEventPayload::CancelRequested { .. }
            | OrderEventPayload::CancelRefused { .. }
            | OrderEventPayload::Cancelled { .. }
            | OrderEventPayload::Expired { .. }
            | OrderEventPayload::Deposited { .. } => {}
        }
    }
}

pub(crate) fn committed(took: Duration) {
    histogram!(name::COMMIT_SECONDS).record(took.as_secs_f64());
}

pub(crate) fn commit_failed(error: &StoreError) {
    if matches!(error, StoreError::CommitUnknown { .. }) {
        counter!(name::COMMIT_UNKNOWN).increment(1);
    }
    counter!(name::COMMITS_FAILED).increment(1);
}

pub(crate) fn core_refused() {
    counter!(name::CORE_REFUSALS, "core" => "orders").increment(1);
}

pub(crate) fn risk_asked(took: Duration) {
    histogram!(name::RISK_ASKED_SECONDS).record(took.as_secs_f64());
}

pub(crate) fn order_sent() {
    counter!(name::ORDERS_SENT).increment(1);
}

/// The venue answered an order, `took` after it was sent and `since_decision` after it was decided.
pub(crate) fn order_answered(took: Duration, since_decision: Nanos) {
    histogram!(name::EXECUTION_LATENCY_SECONDS, "step" => "venue").record(took.as_secs_f64());
    let since_decision = Duration::from_nanos(since_decision.get().max(0).unsigned_abs());
    histogram!(name::ORDER_LATENCY_MS).record(since_decision.as_secs_f64() * 1_000.0);
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

pub(crate) fn cancel_sent() {
    counter!(name::CANCELS_SENT).increment(1);
}

pub(crate) fn reading_failed() {
    counter!(name::VENUE_READINGS_FAILED).increment(1);
}

pub(crate) fn alert(kind: &'static str) {
    counter!(name::ALERTS, "kind" => kind).increment(1);
}
