//! The metrics of execution. Labels are bounded: states, reasons and kinds, never orders.

use metrics::{counter, gauge, histogram};
use ploy_domain::{OrderEvent, OrderEventPayload};
use ploy_store::StoreError;
use std::time::Duration;

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// What committed events mean to whoever counts orders.
pub(crate) fn events(events: &[OrderEvent]) {
    for event in events {
        match &event.payload {
            OrderEventPayload::Journaled { .. } => {
                counter!("ploy_orders_approved_total").increment(1);
            }
            OrderEventPayload::Accepted { .. } => {
                counter!("ploy_orders_placed_total").increment(1);
            }
            OrderEventPayload::Filled(_) => counter!("ploy_orders_filled_total").increment(1),
            OrderEventPayload::Denied { reasons, .. } => {
                let reason = reasons.first().map_or("NONE", |reason| reason.code.word());
                counter!("ploy_orders_failed_total", "reason" => reason).increment(1);
            }
            OrderEventPayload::Rejected { reason, .. } => {
                let reason = reason.code.word();
                counter!("ploy_orders_failed_total", "reason" => reason).increment(1);
            }
            OrderEventPayload::BecameUnknown { .. } => {
                counter!("ploy_orders_became_unknown_total").increment(1);
            }
            OrderEventPayload::AccountReady => gauge!("ploy_account_ready").set(1.0),
            OrderEventPayload::AccountNotReady { .. } => gauge!("ploy_account_ready").set(0.0),
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
    histogram!("ploy_commit_latency_ms").record(ms(took));
}

pub(crate) fn commit_failed(error: &StoreError) {
    if matches!(error, StoreError::CommitUnknown { .. }) {
        counter!("ploy_commit_unknown_total").increment(1);
    }
    counter!("ploy_commits_failed_total").increment(1);
}

pub(crate) fn core_refused() {
    counter!("ploy_core_refusals_total", "core" => "orders").increment(1);
}

pub(crate) fn risk_asked(took: Duration) {
    histogram!("ploy_risk_check_latency_ms").record(ms(took));
}

pub(crate) fn order_sent() {
    counter!("ploy_orders_sent_total").increment(1);
}

pub(crate) fn order_answered(took: Duration) {
    histogram!("ploy_order_latency_ms").record(ms(took));
}

pub(crate) fn cancel_sent() {
    counter!("ploy_cancels_sent_total").increment(1);
}

pub(crate) fn reading_failed() {
    counter!("ploy_venue_readings_failed_total").increment(1);
}

pub(crate) fn alert(kind: &'static str) {
    counter!("ploy_alerts_total", "kind" => kind).increment(1);
}
