//! From the events of the matching core to what the order core hears from a venue, as the adapter
//! of a real venue does it.

use ploy_domain::{AccountId, ExecutionId, Liquidity, Reason, ReasonCode, Timestamp, VenueOrderId};
use ploy_exchange_core::{
    ClientId, Event, ExpiryReason, OrderStatus, TradeParty, TradeReport, VenueOrder,
};
use ploy_orders_core::{
    CancelOutcome, Input, Report, SendOutcome, Standing, VenueFill, VenueStatus,
};

/// The answer to a new order: where it stands after everything that happened at once.
pub(crate) fn placed(events: &[Event], client_id: &ClientId, at: Timestamp) -> SendOutcome {
    let mut order: Option<Standing> = None;
    let mut fills = Vec::new();
    for event in events {
        match event {
            Event::Accepted(new) if new.client_id == *client_id => {
                order = standing(new, VenueStatus::Working, at);
            }
            Event::Rejected(rejection) => {
                let reason = Reason::new(ReasonCode::VenueRefused, rejection.reason);
                return SendOutcome::Refused(reason);
            }
            Event::Trade(trade) => {
                for party in [&trade.maker, &trade.taker] {
                    if party.client_id == *client_id {
                        fills.extend(fill(trade, party, at));
                        if let Some(order) = &mut order {
                            order.filled = party.executed;
                            if party.remaining.is_zero() {
                                order.status = VenueStatus::Filled;
                            }
                        }
                    }
                }
            }
            Event::Expired { order: end, reason } if end.client_id == *client_id => {
                order = standing(end, VenueStatus::Expired(expired(*reason)), at);
            }
            _ => {}
        }
    }
    match order {
        Some(order) => SendOutcome::Acknowledged { order, fills },
        None => SendOutcome::Unknown(Reason::bare(ReasonCode::OutcomeUnknown)),
    }
}

/// The answer to a cancel.
pub(crate) fn cancelled(events: &[Event], at: Timestamp) -> CancelOutcome {
    let answer = events.iter().find_map(|event| match event {
        Event::Cancelled(order) => {
            let reason = Reason::bare(ReasonCode::CancelRequested);
            standing(order, VenueStatus::Cancelled(reason), at).map(CancelOutcome::Cancelled)
        }
        Event::Rejected(rejection) => Some(CancelOutcome::Refused(Reason::new(
            ReasonCode::VenueRefused,
            rejection.reason,
        ))),
        _ => None,
    });
    answer.unwrap_or_else(|| CancelOutcome::Unknown(Reason::bare(ReasonCode::OutcomeUnknown)))
}

/// What the private stream says about orders of `account` that others brought about.
pub(crate) fn passive(
    events: &[Event],
    account: &AccountId,
    at: Timestamp,
    answers: &mut Vec<Input>,
) {
    let told = |order: Option<Standing>| order.map(|o| Input::Reported(Report::Order(o)));
    for event in events {
        match event {
            Event::Triggered(order) if order.account == *account => {
                answers.extend(told(standing(order, VenueStatus::Triggered, at)));
            }
            Event::Expired { order, reason } if order.account == *account => {
                let status = VenueStatus::Expired(expired(*reason));
                answers.extend(told(standing(order, status, at)));
            }
            Event::Trade(trade) => {
                for party in [&trade.maker, &trade.taker] {
                    if party.account == *account {
                        let fill = fill(trade, party, at);
                        answers.extend(fill.map(|fill| Input::Reported(Report::Fill(fill))));
                    }
                }
            }
            _ => {}
        }
    }
}

pub(crate) fn expired(reason: ExpiryReason) -> Reason {
    let code = match reason {
        ExpiryReason::UnfilledIoc
        | ExpiryReason::UnfilledFok
        | ExpiryReason::InsufficientLiquidity => ReasonCode::TimeInForceEnded,
        ExpiryReason::Rejected | ExpiryReason::SelfTrade => ReasonCode::VenueEnded,
    };
    Reason::new(code, reason.word())
}

pub(crate) fn standing(order: &VenueOrder, status: VenueStatus, at: Timestamp) -> Option<Standing> {
    let status = if order.status == OrderStatus::Filled {
        VenueStatus::Filled
    } else {
        status
    };
    Some(Standing {
        client_id: order.client_id.as_str().to_owned(),
        venue_order_id: VenueOrderId::parse(&order.id.to_string()).ok()?,
        instrument: order.instrument,
        filled: order.executed,
        status,
        ts_event: at,
    })
}

pub(crate) fn fill(trade: &TradeReport, party: &TradeParty, at: Timestamp) -> Option<VenueFill> {
    let took = party.order_id == trade.taker.order_id;
    let side = if took {
        trade.aggressor
    } else {
        trade.aggressor.opposite()
    };
    Some(VenueFill {
        client_id: Some(party.client_id.as_str().to_owned()),
        venue_order_id: VenueOrderId::parse(&party.order_id.to_string()).ok()?,
        execution_id: ExecutionId::parse(&trade.trade_id.to_string()).ok()?,
        instrument: trade.instrument,
        side,
        price: trade.price,
        quantity: trade.quantity,
        fee: party.fee,
        fee_asset: party.fee_asset,
        liquidity: if took {
            Liquidity::Taker
        } else {
            Liquidity::Maker
        },
        ts_event: at,
    })
}
