//! Facts as bytes: the same bytes on every bus and in the event log.
//!
//! Encoding never fails and gives the same bytes for the same fact. Decoding refuses what it does
//! not understand; such a message is parked, not skipped (MSG-3).

use crate::{
    WireError,
    api::{Head, ScopeState},
    convert, proto,
};
use bytes::Bytes;
use ploy_domain::{EventId, MarketEvent, OrderEvent, Source, Timestamp, TraceContext};
use prost::Message;

/// The history that risk's facts belong to.
const RISK: &str = "risk";
/// The type of [`RiskStateChanged`] in its envelope.
const RISK_STATE_CHANGED: &str = "RiskStateChanged";

/// The trading states in force, all of them, after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskStateChanged {
    /// Its identity, also the bus's message id.
    pub event_id: EventId,
    /// The version of the states; rises with each change.
    pub epoch: u64,
    /// The fencing epoch of the risk service.
    pub producer_epoch: u64,
    /// When they changed.
    pub ts_event: Timestamp,
    /// The trace of the change.
    pub trace: TraceContext,
    /// The states in force; a scope that is not listed is active.
    pub states: Vec<ScopeState>,
    /// The version of the limits in force.
    pub limits_version: u64,
}

impl RiskStateChanged {
    /// The identity of the change to version `epoch`.
    #[must_use]
    pub fn id(epoch: u64, ts_event: Timestamp) -> EventId {
        EventId::of(RISK, epoch, ts_event)
    }
}

/// A market fact as bytes.
#[must_use]
pub fn encode_market(event: &MarketEvent) -> Bytes {
    encode(&proto::MarketEvent::from(event))
}

/// The market fact in `bytes`.
///
/// # Errors
/// [`WireError`] names what cannot be understood.
pub fn decode_market(bytes: &[u8]) -> Result<MarketEvent, WireError> {
    proto::MarketEvent::decode(bytes)?.try_into()
}

/// An event of the order log as bytes, for the database and the bus alike.
#[must_use]
pub fn encode_order_event(event: &OrderEvent) -> Bytes {
    encode(&proto::OrderEvent::from(event))
}

/// The event of the order log in `bytes`.
///
/// # Errors
/// [`WireError`] names what cannot be understood.
pub fn decode_order_event(bytes: &[u8]) -> Result<OrderEvent, WireError> {
    proto::OrderEvent::decode(bytes)?.try_into()
}

/// The heartbeat of an account's log as bytes.
#[must_use]
pub fn encode_head(head: &Head) -> Bytes {
    encode(&proto::Head::from(head))
}

/// The heartbeat in `bytes`.
///
/// # Errors
/// [`WireError`] names what cannot be understood.
pub fn decode_head(bytes: &[u8]) -> Result<Head, WireError> {
    proto::Head::decode(bytes)?.try_into()
}

/// A change of the trading states as bytes.
#[must_use]
pub fn encode_risk_state(fact: &RiskStateChanged) -> Bytes {
    encode(&proto::RiskStateChanged::from(fact))
}

/// The change of the trading states in `bytes`.
///
/// # Errors
/// [`WireError`] names what cannot be understood.
pub fn decode_risk_state(bytes: &[u8]) -> Result<RiskStateChanged, WireError> {
    proto::RiskStateChanged::decode(bytes)?.try_into()
}

fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

impl From<&RiskStateChanged> for proto::RiskStateChanged {
    fn from(fact: &RiskStateChanged) -> Self {
        let head = convert::EnvelopeHead {
            event_id: fact.event_id,
            kind: RISK_STATE_CHANGED,
            aggregate: RISK,
            producer: RISK,
        };
        Self {
            envelope: Some(proto::Envelope {
                seq: fact.epoch,
                producer_epoch: fact.producer_epoch,
                ts_event_ns: fact.ts_event.as_nanos(),
                ts_write_ns: fact.ts_event.as_nanos(),
                traceparent: convert::traceparent(&fact.trace),
                source: convert::Word::number(Source::Platform),
                ..convert::envelope(&head)
            }),
            states: convert::list(&fact.states),
            limits_version: fact.limits_version,
        }
    }
}

impl TryFrom<proto::RiskStateChanged> for RiskStateChanged {
    type Error = WireError;
    fn try_from(fact: proto::RiskStateChanged) -> Result<Self, WireError> {
        let envelope = fact
            .envelope
            .ok_or_else(|| WireError::missing("envelope"))?;
        convert::check_schema(&envelope, RISK_STATE_CHANGED)?;
        let event_id = convert::bits("envelope.event_id", &envelope.event_id)?;
        Ok(Self {
            event_id: EventId::from_u128(event_id),
            epoch: envelope.seq,
            producer_epoch: envelope.producer_epoch,
            ts_event: Timestamp::from_nanos(envelope.ts_event_ns),
            trace: convert::trace(&envelope.traceparent),
            states: convert::parts("states", fact.states)?,
            limits_version: fact.limits_version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::{AccountId, Cause, OrderEventPayload};

    fn event() -> proto::OrderEvent {
        let account = AccountId::parse("main").unwrap();
        let at = Timestamp::from_nanos(1);
        proto::OrderEvent::from(&OrderEvent {
            account,
            seq: 1,
            event_id: EventId::derive(&account, 1, at),
            epoch: 1,
            ts_event: at,
            ts_write: at,
            cause: Cause {
                source: Source::Reconcile,
                event: None,
            },
            trace: TraceContext::NONE,
            payload: OrderEventPayload::AccountReady,
        })
    }

    fn read(change: impl FnOnce(&mut proto::OrderEvent)) -> Result<OrderEvent, WireError> {
        let mut message = event();
        change(&mut message);
        decode_order_event(&encode(&message))
    }

    fn envelope(message: &mut proto::OrderEvent) -> &mut proto::Envelope {
        message.envelope.as_mut().unwrap()
    }

    #[test]
    fn a_fact_of_a_later_version_is_refused_before_anything_else() {
        let later = read(|message| {
            envelope(message).schema_version = 2;
            envelope(message).r#type = "OrderSplit".to_owned();
            message.payload = None;
        });
        let kind = "OrderSplit".to_owned();
        let (version, known) = (2, 1);
        assert_eq!(
            later,
            Err(WireError::Later {
                kind,
                version,
                known
            })
        );
    }

    #[test]
    fn an_unknown_payload_is_refused() {
        let unknown = read(|message| message.payload = None);
        assert_eq!(unknown, Err(WireError::missing("payload")));
    }

    #[test]
    fn a_type_that_is_not_the_payloads_is_refused() {
        let forged = read(|message| envelope(message).r#type = "OrderFilled".to_owned());
        let error = forged.unwrap_err().to_string();
        assert!(error.contains("the payload is AccountReady"), "{error}");
    }

    #[test]
    fn a_bad_field_of_the_envelope_is_named() {
        let bad = read(|message| envelope(message).event_id = vec![1, 2]);
        assert!(matches!(
            bad,
            Err(WireError::Invalid { field, .. }) if field == "envelope.event_id"
        ));
        let missing = read(|message| envelope(message).aggregate.clear());
        assert_eq!(missing, Err(WireError::missing("envelope.aggregate")));
    }

    #[test]
    fn a_trace_that_cannot_be_read_is_no_trace() {
        let event = read(|message| envelope(message).traceparent = "nonsense".to_owned());
        assert_eq!(event.unwrap().trace, TraceContext::NONE);
    }
}
