//! From the words of the venue port to the inputs of the order core.

use ploy_domain::{
    Amount, Instrument, InstrumentId, Intent, Liquidity, OrderKind, Reason, ReasonCode, TimeInForce,
};
use ploy_orders_core::{
    CancelOutcome, Report, SendOutcome, Standing, VenueFill, VenueOrder, VenueStatus,
};
use ploy_venue_port as port;
use std::collections::BTreeMap;

/// The instruments of an account, by id.
pub(crate) type Instruments = BTreeMap<InstrumentId, Instrument>;

/// What became of sending an order.
pub(crate) fn send_outcome(
    intent: &Intent,
    outcome: port::SubmitOutcome,
    instruments: &Instruments,
) -> SendOutcome {
    match outcome {
        port::SubmitOutcome::Acknowledged(answer) => {
            let fills = answer
                .executions
                .iter()
                .filter_map(|fill| venue_fill(fill, instruments));
            let fills = fills.collect();
            let order = Standing {
                client_id: intent.order_id.to_string(),
                venue_order_id: answer.venue_order_id,
                instrument: intent.instrument,
                filled: answer.filled,
                status: status(answer.state, answer.reason),
                ts_event: answer.ts_event,
            };
            SendOutcome::Acknowledged { order, fills }
        }
        port::SubmitOutcome::Refused(reason) => SendOutcome::Refused(reason),
        port::SubmitOutcome::NotSent(reason) => SendOutcome::NotSent(reason),
        port::SubmitOutcome::Unknown(reason) => SendOutcome::Unknown(reason),
        // A rate limit on order placement is a definite refusal (ORD-10).
        port::SubmitOutcome::RateLimited { after } => {
            let context = format_args!("code=RATE_LIMITED retry_after_ms={}", after.as_millis());
            SendOutcome::Refused(Reason::new(ReasonCode::VenueRefused, context))
        }
    }
}

/// What became of sending a cancel.
pub(crate) fn cancel_outcome(
    client_id: String,
    instrument: InstrumentId,
    outcome: port::CancelOutcome,
) -> CancelOutcome {
    match outcome {
        port::CancelOutcome::Cancelled {
            venue_order_id,
            filled,
            ts_event,
        } => {
            let reason = Reason::bare(ReasonCode::CancelRequested);
            CancelOutcome::Cancelled(Standing {
                client_id,
                venue_order_id,
                instrument,
                filled,
                status: VenueStatus::Cancelled(reason),
                ts_event,
            })
        }
        port::CancelOutcome::NotOpen(reason) | port::CancelOutcome::Refused(reason) => {
            CancelOutcome::Refused(reason)
        }
        port::CancelOutcome::NotSent(reason) | port::CancelOutcome::Unknown(reason) => {
            CancelOutcome::Unknown(reason)
        }
        port::CancelOutcome::RateLimited { after } => {
            let context = format_args!("code=RATE_LIMITED retry_after_ms={}", after.as_millis());
            CancelOutcome::Unknown(Reason::new(ReasonCode::OutcomeUnknown, context))
        }
    }
}

/// A message of the private stream; `None` when it says nothing about an order.
pub(crate) fn report(report: &port::OrderReport, instruments: &Instruments) -> Option<Report> {
    let standing = |status| {
        Some(Report::Order(Standing {
            client_id: report.client_order_id.clone(),
            venue_order_id: report.venue_order_id,
            instrument: report.instrument,
            filled: report.filled,
            status,
            ts_event: report.ts_event,
        }))
    };
    match &report.change {
        port::OrderChange::Accepted => standing(VenueStatus::Working),
        port::OrderChange::Triggered => standing(VenueStatus::Triggered),
        port::OrderChange::Filled(fill) => venue_fill(fill, instruments).map(|mut fill| {
            fill.client_id
                .get_or_insert_with(|| report.client_order_id.clone());
            Report::Fill(fill)
        }),
        port::OrderChange::Cancelled(reason) => standing(VenueStatus::Cancelled(reason.clone())),
        port::OrderChange::Expired(reason) => standing(VenueStatus::Expired(reason.clone())),
        port::OrderChange::Rejected(reason) => standing(VenueStatus::Rejected(reason.clone())),
        port::OrderChange::Other => None,
    }
}

/// Where an order stands by the venue's own books.
pub(crate) fn standing(order: &port::VenueOrder) -> Standing {
    Standing {
        client_id: order.client_order_id.clone(),
        venue_order_id: order.venue_order_id,
        instrument: order.instrument,
        filled: order.filled,
        status: status(order.state, order.reason.clone()),
        ts_event: order.updated_at,
    }
}

/// An open order of the venue's own books.
pub(crate) fn venue_order(order: &port::VenueOrder) -> VenueOrder {
    VenueOrder {
        standing: standing(order),
        side: order.side,
        kind: order.kind.unwrap_or(OrderKind::Market),
        quantity: order.quantity,
        time_in_force: order.time_in_force.unwrap_or(TimeInForce::Gtc),
    }
}

/// A fill; `None` for an instrument that the account does not trade. A fee that is not known yet is
/// booked as none, in the quote asset.
pub(crate) fn venue_fill(
    fill: &port::VenueExecution,
    instruments: &Instruments,
) -> Option<VenueFill> {
    let instrument = instruments.get(&fill.instrument)?;
    let (fee, fee_asset) = fill.fee.map_or((Amount::ZERO, instrument.quote), |fee| {
        (fee.amount, fee.asset)
    });
    Some(VenueFill {
        client_id: fill.client_order_id.clone(),
        venue_order_id: fill.venue_order_id,
        execution_id: fill.execution_id,
        instrument: fill.instrument,
        side: fill.side,
        price: fill.price,
        quantity: fill.quantity,
        fee,
        fee_asset,
        liquidity: fill.liquidity.unwrap_or(Liquidity::Taker),
        ts_event: fill.ts_event,
    })
}

fn status(state: port::VenueOrderState, reason: Option<Reason>) -> VenueStatus {
    match port::OrderChange::ended(state, reason) {
        Some(port::OrderChange::Cancelled(reason)) => VenueStatus::Cancelled(reason),
        Some(port::OrderChange::Expired(reason)) => VenueStatus::Expired(reason),
        Some(port::OrderChange::Rejected(reason)) => VenueStatus::Rejected(reason),
        Some(
            port::OrderChange::Accepted
            | port::OrderChange::Triggered
            | port::OrderChange::Filled(_)
            | port::OrderChange::Other,
        )
        | None => match state {
            port::VenueOrderState::Filled => VenueStatus::Filled,
            port::VenueOrderState::Accepted
            | port::VenueOrderState::PartiallyFilled
            | port::VenueOrderState::Cancelled
            | port::VenueOrderState::Expired
            | port::VenueOrderState::Rejected
            | port::VenueOrderState::Unrecognised => VenueStatus::Working,
        },
    }
}
