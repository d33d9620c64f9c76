//! A new order: how an intent is written, and what the answer to it proves. Pure.

use crate::{refusal::Proof, rest::Answer, sign::Params, wire::orders::WirePlacement};
use ploy_domain::{Intent, OrderKind, Reason, ReasonCode, Side, TimeInForce, VenueId};
use ploy_venue_port::SubmitOutcome;

/// The parameters of `intent`, without timing and signature.
///
/// # Errors
/// The reason why this venue has no words for it; nothing was sent.
pub(super) fn params(intent: &Intent, venue: VenueId) -> Result<Params, Reason> {
    if *intent.instrument.venue() != venue {
        let context = format!("instrument={} venue={venue}", intent.instrument);
        return Err(Reason::new(ReasonCode::InstrumentUnknown, context));
    }
    let side = match intent.side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    };
    let params = Params::new()
        .with("symbol", intent.instrument.symbol())
        .with("side", side);
    let params = match intent.kind {
        OrderKind::Market => {
            offers(
                intent,
                &[TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Day],
            )?;
            params.with("type", "MARKET")
        }
        OrderKind::Limit {
            price,
            post_only: true,
        } => {
            offers(intent, &[TimeInForce::Gtc])?;
            params.with("type", "LIMIT_MAKER").with("price", price)
        }
        OrderKind::Limit {
            price,
            post_only: false,
        } => params
            .with("type", "LIMIT")
            .with("timeInForce", lifetime(intent)?)
            .with("price", price),
        OrderKind::Stop { stop } => {
            offers(intent, &[TimeInForce::Gtc])?;
            params.with("type", "STOP_LOSS").with("stopPrice", stop)
        }
        OrderKind::StopLimit { stop, price } => params
            .with("type", "STOP_LOSS_LIMIT")
            .with("timeInForce", lifetime(intent)?)
            .with("price", price)
            .with("stopPrice", stop),
    };
    Ok(params
        .with("quantity", intent.quantity)
        .with("newClientOrderId", intent.order_id)
        .with("newOrderRespType", "FULL"))
}

fn lifetime(intent: &Intent) -> Result<&'static str, Reason> {
    match intent.time_in_force {
        TimeInForce::Gtc => Ok("GTC"),
        TimeInForce::Ioc => Ok("IOC"),
        TimeInForce::Fok => Ok("FOK"),
        // The market never closes, so there is no end of the day to wait for.
        TimeInForce::Day => Err(unsupported(intent)),
    }
}

fn offers(intent: &Intent, offered: &[TimeInForce]) -> Result<(), Reason> {
    if offered.contains(&intent.time_in_force) {
        Ok(())
    } else {
        Err(unsupported(intent))
    }
}

fn unsupported(intent: &Intent) -> Reason {
    let (kind, lifetime) = (intent.kind.word(), intent.time_in_force);
    Reason::new(
        ReasonCode::Malformed,
        format_args!("kind={kind} time_in_force={lifetime} detail=\"not offered by the venue\""),
    )
}

/// What the complete answer to a new order proves (failure-model ORD-10).
pub(super) fn outcome(answer: &Answer, venue: VenueId) -> SubmitOutcome {
    if answer.is_success() {
        let read = serde_json::from_slice::<WirePlacement>(&answer.body)
            .map_err(|error| error.to_string())
            .and_then(|wire| {
                wire.acknowledgement(venue)
                    .map_err(|error| error.to_string())
            });
        return match read {
            Ok(acknowledgement) => SubmitOutcome::Acknowledged(Box::new(acknowledgement)),
            Err(error) => SubmitOutcome::Unknown(Reason::new(
                ReasonCode::OutcomeUnknown,
                format_args!("detail={error:?} answer={:?}", answer.excerpt()),
            )),
        };
    }
    let error = answer.error();
    match error.proof() {
        Proof::Refused(refusal) => SubmitOutcome::Refused(error.reason(refusal)),
        Proof::RateLimited => SubmitOutcome::RateLimited {
            after: error.retry_after,
        },
        Proof::Nothing => SubmitOutcome::Unknown(Reason::new(ReasonCode::OutcomeUnknown, error)),
    }
}
