//! The order log: envelope and payloads.

use super::{WireError, Word, bits, list, part, parts, shown, text};
use crate::proto::{self, order_event::Payload};
use ploy_domain::{
    Amount, Cause, ClientOrderId, EventId, OrderEvent, OrderEventPayload, Timestamp, TraceContext,
};

/// The schema version of every fact that this version writes, and the last one it reads.
const SCHEMA_VERSION: u32 = 1;
/// The only writer of order events.
const PRODUCER: &str = "execution";

/// Refuses a fact of a later version or of another type than its payload is of.
pub(crate) fn check_schema(envelope: &proto::Envelope, kind: &str) -> Result<(), WireError> {
    if envelope.schema_version > SCHEMA_VERSION {
        return Err(WireError::Later {
            kind: envelope.r#type.clone(),
            version: envelope.schema_version,
            known: SCHEMA_VERSION,
        });
    }
    if envelope.r#type != kind {
        let reason = format!("the payload is {kind}");
        return Err(WireError::invalid(
            "envelope.type",
            &envelope.r#type,
            reason,
        ));
    }
    Ok(())
}

/// A header; no trace is written as nothing.
pub(crate) fn traceparent(trace: &TraceContext) -> String {
    shown(trace.is_some().then_some(trace))
}

/// A trace that cannot be read is no trace: it is no part of what happened.
pub(crate) fn trace(traceparent: &str) -> TraceContext {
    TraceContext::parse(traceparent).unwrap_or_default()
}

/// What the writer of a fact says about it; the rest follows from the fact.
#[derive(Debug)]
pub(crate) struct EnvelopeHead<'a> {
    pub(crate) event_id: EventId,
    pub(crate) kind: &'a str,
    pub(crate) aggregate: &'a str,
    pub(crate) producer: &'a str,
}

/// An envelope of the version that this version writes.
pub(crate) fn envelope(head: &EnvelopeHead<'_>) -> proto::Envelope {
    proto::Envelope {
        event_id: head.event_id.as_u128().to_be_bytes().to_vec(),
        r#type: head.kind.to_owned(),
        schema_version: SCHEMA_VERSION,
        aggregate: head.aggregate.to_owned(),
        producer: head.producer.to_owned(),
        ..proto::Envelope::default()
    }
}

impl From<&OrderEvent> for proto::OrderEvent {
    fn from(event: &OrderEvent) -> Self {
        let head = EnvelopeHead {
            event_id: event.event_id,
            kind: event.payload.kind(),
            aggregate: event.account.as_str(),
            producer: PRODUCER,
        };
        let causation = event.cause.event.map(|id| id.as_u128().to_be_bytes());
        Self {
            envelope: Some(proto::Envelope {
                seq: event.seq,
                producer_epoch: event.epoch,
                causation_id: causation.map(Vec::from).unwrap_or_default(),
                correlation_id: shown(event.payload.order_id()),
                ts_event_ns: event.ts_event.as_nanos(),
                ts_write_ns: event.ts_write.as_nanos(),
                traceparent: traceparent(&event.trace),
                source: event.cause.source.number(),
                ..envelope(&head)
            }),
            payload: Some((&event.payload).into()),
        }
    }
}

impl TryFrom<proto::OrderEvent> for OrderEvent {
    type Error = WireError;
    fn try_from(event: proto::OrderEvent) -> Result<Self, WireError> {
        let envelope = event
            .envelope
            .ok_or_else(|| WireError::missing("envelope"))?;
        // A later version may say more than the payload shows, so it is refused first.
        let payload: OrderEventPayload = match event.payload {
            Some(payload) => payload.try_into()?,
            None => {
                check_schema(&envelope, &envelope.r#type)?;
                return Err(WireError::missing("payload"));
            }
        };
        check_schema(&envelope, payload.kind())?;
        let head = |error: WireError| error.within("envelope");
        let causation = match envelope.causation_id.as_slice() {
            [] => None,
            bytes => Some(bits("causation_id", bytes).map_err(head)?),
        };
        Ok(Self {
            account: text("aggregate", &envelope.aggregate).map_err(head)?,
            seq: envelope.seq,
            event_id: EventId::from_u128(bits("event_id", &envelope.event_id).map_err(head)?),
            epoch: envelope.producer_epoch,
            ts_event: Timestamp::from_nanos(envelope.ts_event_ns),
            ts_write: Timestamp::from_nanos(envelope.ts_write_ns),
            cause: Cause {
                source: Word::of("source", envelope.source).map_err(head)?,
                event: causation.map(EventId::from_u128),
            },
            trace: trace(&envelope.traceparent),
            payload,
        })
    }
}

/// The payload of an event that says nothing but which order it is about.
macro_rules! bare {
    ($message:ident, $order_id:expr) => {
        proto::$message {
            order_id: $order_id.to_string(),
        }
    };
}

/// The payload of an event about an order, with a reason.
macro_rules! reasoned {
    ($message:ident, $order_id:expr, $reason:expr) => {
        proto::$message {
            order_id: $order_id.to_string(),
            reason: Some($reason.into()),
        }
    };
}

impl From<&OrderEventPayload> for Payload {
    fn from(payload: &OrderEventPayload) -> Self {
        use OrderEventPayload as P;
        match payload {
            P::Created(intent) => Self::Created(proto::OrderCreated {
                intent: Some((&**intent).into()),
            }),
            P::Adopted {
                intent,
                venue_order_id,
            } => Self::Adopted(proto::OrderAdopted {
                intent: Some((&**intent).into()),
                venue_order_id: venue_order_id.to_string(),
            }),
            P::Checked { order_id, approval } => Self::Checked(proto::OrderChecked {
                order_id: order_id.to_string(),
                approval: Some(approval.into()),
            }),
            P::Denied { order_id, reasons } => Self::Denied(proto::OrderDenied {
                order_id: order_id.to_string(),
                reasons: list(reasons),
            }),
            P::Journaled { order_id } => Self::Journaled(bare!(OrderJournaled, order_id)),
            P::Submitted { order_id } => Self::Submitted(bare!(OrderSubmitted, order_id)),
            P::BecameUnknown { order_id, reason } => {
                Self::BecameUnknown(reasoned!(OrderBecameUnknown, order_id, reason))
            }
            P::Accepted {
                order_id,
                venue_order_id,
            } => Self::Accepted(proto::OrderAccepted {
                order_id: order_id.to_string(),
                venue_order_id: venue_order_id.to_string(),
            }),
            P::Rejected { order_id, reason } => {
                Self::Rejected(reasoned!(OrderRejected, order_id, reason))
            }
            P::Triggered { order_id } => Self::Triggered(bare!(OrderTriggered, order_id)),
            P::Filled(execution) => Self::Filled(proto::OrderFilled {
                execution: Some((&**execution).into()),
            }),
            P::CancelRequested { order_id, reason } => {
                Self::CancelJournaled(reasoned!(CancelJournaled, order_id, reason))
            }
            P::CancelRefused { order_id, reason } => {
                Self::CancelRefused(reasoned!(CancelRefused, order_id, reason))
            }
            P::Cancelled { order_id, reason } => {
                Self::Cancelled(reasoned!(OrderCancelled, order_id, reason))
            }
            P::Expired { order_id, reason } => {
                Self::Expired(reasoned!(OrderExpired, order_id, reason))
            }
            P::Deposited { asset, amount } => Self::Deposited(proto::AssetDeposited {
                asset: asset.to_string(),
                amount_e8: amount.raw(),
            }),
            P::AccountReady => Self::AccountReady(proto::AccountReady {}),
            P::AccountNotReady { reason } => Self::AccountNotReady(proto::AccountNotReady {
                reason: Some(reason.into()),
            }),
        }
    }
}

fn order(order_id: &str) -> Result<ClientOrderId, WireError> {
    text("order_id", order_id)
}

/// The event about an order, with a reason.
macro_rules! because {
    ($variant:ident, $message:expr) => {
        Self::$variant {
            order_id: order(&$message.order_id)?,
            reason: part("reason", $message.reason)?,
        }
    };
}

impl TryFrom<Payload> for OrderEventPayload {
    type Error = WireError;
    fn try_from(payload: Payload) -> Result<Self, WireError> {
        Ok(match payload {
            Payload::Created(m) => Self::Created(Box::new(part("intent", m.intent)?)),
            Payload::Adopted(m) => Self::Adopted {
                intent: Box::new(part("intent", m.intent)?),
                venue_order_id: text("venue_order_id", &m.venue_order_id)?,
            },
            Payload::Checked(m) => Self::Checked {
                order_id: order(&m.order_id)?,
                approval: part("approval", m.approval)?,
            },
            Payload::Denied(m) => Self::Denied {
                order_id: order(&m.order_id)?,
                reasons: parts("reasons", m.reasons)?,
            },
            Payload::Journaled(m) => Self::Journaled {
                order_id: order(&m.order_id)?,
            },
            Payload::Submitted(m) => Self::Submitted {
                order_id: order(&m.order_id)?,
            },
            Payload::BecameUnknown(m) => because!(BecameUnknown, m),
            Payload::Accepted(m) => Self::Accepted {
                order_id: order(&m.order_id)?,
                venue_order_id: text("venue_order_id", &m.venue_order_id)?,
            },
            Payload::Rejected(m) => because!(Rejected, m),
            Payload::Triggered(m) => Self::Triggered {
                order_id: order(&m.order_id)?,
            },
            Payload::Filled(m) => Self::Filled(Box::new(part("execution", m.execution)?)),
            Payload::CancelJournaled(m) => because!(CancelRequested, m),
            Payload::CancelRefused(m) => because!(CancelRefused, m),
            Payload::Cancelled(m) => because!(Cancelled, m),
            Payload::Expired(m) => because!(Expired, m),
            Payload::Deposited(m) => Self::Deposited {
                asset: text("asset", &m.asset)?,
                amount: Amount::from_raw(m.amount_e8),
            },
            Payload::AccountReady(_) => Self::AccountReady,
            Payload::AccountNotReady(m) => Self::AccountNotReady {
                reason: part("reason", m.reason)?,
            },
        })
    }
}
