//! The order log: what happened to an account, append-only and gap-free (blueprint law 3).

use crate::{
    execution::Execution,
    ids::{AccountId, Asset, ClientOrderId, VenueOrderId},
    money::Amount,
    order::{Intent, Step},
    risk::{Approval, Reason},
    time::Timestamp,
};
use std::fmt;

/// The identity of an event, a UUID of version 7.
///
/// Derived from the write time, the account and its sequence, so that making one needs neither
/// clock nor chance, and two events of an account can never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(u128);

impl EventId {
    /// The id of event `seq` of `account`, written at `ts_write`.
    #[must_use]
    pub fn derive(account: &AccountId, seq: u64, ts_write: Timestamp) -> Self {
        Self::of(account.as_str(), seq, ts_write)
    }

    /// The id of fact `seq` of a history that is no account's, such as `risk`.
    #[must_use]
    pub fn of(aggregate: &str, seq: u64, ts_write: Timestamp) -> Self {
        let mut hash = crate::ids::Hash128::new();
        hash.write(aggregate.as_bytes());
        let account_bits = hash.finish();
        let millis = (ts_write.as_millis().max(0).unsigned_abs() & 0xffff_ffff_ffff) as u128;
        let rand_a = account_bits & 0xfff;
        let rand_b = ((account_bits >> 12) & 0x3f_ffff) << 40 | u128::from(seq & 0xff_ffff_ffff);
        Self(millis << 80 | 7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)
    }

    /// From its 128 bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.0;
        let (a, c, d, e) = (
            b >> 96,
            b >> 80 & 0xffff,
            b >> 64 & 0xffff,
            b >> 48 & 0xffff,
        );
        write!(
            f,
            "{a:08x}-{c:04x}-{d:04x}-{e:04x}-{:012x}",
            b & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// Where a trace stands (W3C trace context).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceContext {
    /// The trace; zero when there is none.
    pub trace_id: u128,
    /// The span that caused this.
    pub span_id: u64,
    /// Whether it is recorded.
    pub sampled: bool,
}

impl TraceContext {
    /// No trace.
    pub const NONE: Self = Self {
        trace_id: 0,
        span_id: 0,
        sampled: false,
    };

    /// Whether there is a trace at all.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// Parses a `traceparent` header of version 00.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
            return None;
        }
        let context = Self {
            trace_id: u128::from_str_radix(trace, 16).ok()?,
            span_id: u64::from_str_radix(span, 16).ok()?,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        context.is_some().then_some(context)
    }
}

impl fmt::Display for TraceContext {
    /// The `traceparent` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id,
            self.span_id,
            u8::from(self.sampled)
        )
    }
}

/// How a fact reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Our own decision.
    Platform,
    /// The venue's private stream.
    Stream,
    /// The answer to a request.
    Rest,
    /// Reconciliation with the venue's books.
    Reconcile,
    /// A person.
    Operator,
    /// The simulator.
    Simulator,
}

impl Source {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Stream => "stream",
            Self::Rest => "rest",
            Self::Reconcile => "reconcile",
            Self::Operator => "operator",
            Self::Simulator => "simulator",
        }
    }
}

/// Why an event exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// How it reached us.
    pub source: Source,
    /// The event of this account that led to it, if one did.
    pub event: Option<EventId>,
}

/// One event of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// Whose log.
    pub account: AccountId,
    /// Its place there: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Its identity.
    pub event_id: EventId,
    /// The fencing epoch of its writer.
    pub epoch: u64,
    /// When it happened.
    pub ts_event: Timestamp,
    /// When it was written.
    pub ts_write: Timestamp,
    /// Why.
    pub cause: Cause,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// What happened.
    pub payload: OrderEventPayload,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEventPayload {
    /// An order came into being.
    Created(Box<Intent>),
    /// An order that works at the venue without a record of ours; it is taken over as it is.
    Adopted {
        /// What the venue says it is.
        intent: Box<Intent>,
        /// The venue's id of it.
        venue_order_id: VenueOrderId,
    },
    /// Risk approved it.
    Checked {
        /// Which order.
        order_id: ClientOrderId,
        /// The approval.
        approval: Approval,
    },
    /// We refused it; nothing was sent.
    Denied {
        /// Which order.
        order_id: ClientOrderId,
        /// Every reason; the first is *the* reason.
        reasons: Vec<Reason>,
    },
    /// Its one permit to be sent is durable.
    Journaled {
        /// Which order.
        order_id: ClientOrderId,
    },
    /// It was handed to the venue.
    Submitted {
        /// Which order.
        order_id: ClientOrderId,
    },
    /// Nobody knows whether the venue has it.
    BecameUnknown {
        /// Which order.
        order_id: ClientOrderId,
        /// What raised the doubt.
        reason: Reason,
    },
    /// The venue works it.
    Accepted {
        /// Which order.
        order_id: ClientOrderId,
        /// The venue's id of it.
        venue_order_id: VenueOrderId,
    },
    /// The venue refused it.
    Rejected {
        /// Which order.
        order_id: ClientOrderId,
        /// The venue's reason.
        reason: Reason,
    },
    /// A stop became active.
    Triggered {
        /// Which order.
        order_id: ClientOrderId,
    },
    /// It was filled, wholly or in part.
    Filled(Box<Execution>),
    /// A cancel was asked for.
    CancelRequested {
        /// Which order.
        order_id: ClientOrderId,
        /// By whom or what.
        reason: Reason,
    },
    /// The venue refused the cancel.
    CancelRefused {
        /// Which order.
        order_id: ClientOrderId,
        /// The venue's reason.
        reason: Reason,
    },
    /// It was cancelled.
    Cancelled {
        /// Which order.
        order_id: ClientOrderId,
        /// Why.
        reason: Reason,
    },
    /// Its time in force ended it.
    Expired {
        /// Which order.
        order_id: ClientOrderId,
        /// Why.
        reason: Reason,
    },
    /// Assets the account held when Ploy first saw it.
    Deposited {
        /// Which asset.
        asset: Asset,
        /// How much.
        amount: Amount,
    },
    /// The account was reconciled with the venue and may trade.
    AccountReady,
    /// The account may not take new risk until it is reconciled again.
    AccountNotReady {
        /// Why.
        reason: Reason,
    },
}

impl OrderEventPayload {
    /// The order it speaks of, if it speaks of one.
    #[must_use]
    pub fn order_id(&self) -> Option<ClientOrderId> {
        match self {
            Self::Created(intent) | Self::Adopted { intent, .. } => Some(intent.order_id),
            Self::Filled(execution) => Some(execution.order_id),
            Self::Checked { order_id, .. }
            | Self::Denied { order_id, .. }
            | Self::Journaled { order_id }
            | Self::Submitted { order_id }
            | Self::BecameUnknown { order_id, .. }
            | Self::Accepted { order_id, .. }
            | Self::Rejected { order_id, .. }
            | Self::Triggered { order_id }
            | Self::CancelRequested { order_id, .. }
            | Self::CancelRefused { order_id, .. }
            | Self::Cancelled { order_id, .. }
            | Self::Expired { order_id, .. } => Some(*order_id),
            Self::Deposited { .. } | Self::AccountReady | Self::AccountNotReady { .. } => None,
        }
    }

    /// The step of the state machine it stands for. Creation and fills are decided by the order
    /// itself, facts of the account by nobody.
    #[must_use]
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Checked { .. } => Some(Step::Check),
            Self::Denied { .. } => Some(Step::Deny),
            Self::Journaled { .. } => Some(Step::Journal),
            Self::Submitted { .. } => Some(Step::Submit),
            Self::BecameUnknown { .. } => Some(Step::Doubt),
            Self::Accepted { .. } => Some(Step::Accept),
            Self::Rejected { .. } => Some(Step::Reject),
            Self::Triggered { .. } => Some(Step::Trigger),
            Self::CancelRequested { .. } => Some(Step::RequestCancel),
            Self::CancelRefused { .. } => Some(Step::RefuseCancel),
            Self::Cancelled { .. } => Some(Step::Cancel),
            Self::Expired { .. } => Some(Step::Expire),
            Self::Created(_)
            | Self::Adopted { .. }
            | Self::Filled(_)
            | Self::Deposited { .. }
            | Self::AccountReady
            | Self::AccountNotReady { .. } => None,
        }
    }

    /// The event's name in the log, in metrics and in the API.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created(_) => "OrderCreated",
            Self::Adopted { .. } => "OrderAdopted",
            Self::Checked { .. } => "OrderChecked",
            Self::Denied { .. } => "OrderDenied",
            Self::Journaled { .. } => "OrderJournaled",
            Self::Submitted { .. } => "OrderSubmitted",
            Self::BecameUnknown { .. } => "OrderBecameUnknown",
            Self::Accepted { .. } => "OrderAccepted",
            Self::Rejected { .. } => "OrderRejected",
            Self::Triggered { .. } => "OrderTriggered",
            Self::Filled(_) => "OrderFilled",
            Self::CancelRequested { .. } => "CancelJournaled",
            Self::CancelRefused { .. } => "CancelRefused",
            Self::Cancelled { .. } => "OrderCancelled",
            Self::Expired { .. } => "OrderExpired",
            Self::Deposited { .. } => "AssetDeposited",
            Self::AccountReady => "AccountReady",
            Self::AccountNotReady { .. } => "AccountNotReady",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_version_7_uuid_and_unique_per_sequence() {
        let account = AccountId::parse("main").unwrap();
        let at = Timestamp::from_millis(1_735_689_600_123).unwrap();
        let id = EventId::derive(&account, 1, at);
        let text = id.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.as_bytes()[14], b'7');
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(id, EventId::derive(&account, 2, at));
        assert!(id < EventId::derive(&account, 1, at.plus(crate::time::Nanos::from_millis(1))));
    }

    #[test]
    fn a_trace_context_is_a_traceparent() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(text).unwrap().to_string(), text);
        assert_eq!(TraceContext::parse("00-0-0-01"), None);
    }
}
