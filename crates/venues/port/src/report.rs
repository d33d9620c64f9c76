//! What the account's private stream says, in canonical form and with its raw text, which is
//! stored before anything is made of it (failure-model FIL-2).

use crate::order::{Balance, VenueExecution, VenueOrderState};
use ploy_domain::{
    ClientOrderId, InstrumentId, Quantity, Reason, ReasonCode, Timestamp, VenueOrderId,
};
use std::sync::Arc;

/// One message of the private stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueReport {
    /// When it reached us.
    pub ts_receive: Timestamp,
    /// The message as it came; empty for [`ReportBody::Stream`].
    pub raw: Arc<str>,
    /// What it says.
    pub body: ReportBody,
}

/// What the private stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportBody {
    /// The stream itself changed its state.
    Stream(StreamState),
    /// Something happened to an order.
    Order(Box<OrderReport>),
    /// New absolute balances of the assets that may have changed.
    Balances(Vec<Balance>),
    /// A message that this adapter does not understand; only its raw text is of use.
    Unrecognised,
}

/// Whether the private stream can be relied upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamState {
    /// Subscribed for the first time since the process started.
    Connected,
    /// Subscribed again. What happened in between is not replayed: reconcile orders, executions
    /// and balances before taking new risk.
    Reconnected,
    /// Not connected: no new risk.
    Lost {
        /// What ended it.
        detail: String,
    },
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReport {
    /// What is traded.
    pub instrument: InstrumentId,
    /// The venue's id of the order.
    pub venue_order_id: VenueOrderId,
    /// The client id the order was placed with, as text: it may be another program's.
    pub client_order_id: String,
    /// What happened.
    pub change: OrderChange,
    /// Where the order stands after it.
    pub state: VenueOrderState,
    /// How much is filled after it.
    pub filled: Quantity,
    /// The venue's time.
    pub ts_event: Timestamp,
}

impl OrderReport {
    /// Ploy's id of the order, if it can be one of Ploy's.
    #[must_use]
    pub fn order_id(&self) -> Option<ClientOrderId> {
        ClientOrderId::parse(&self.client_order_id).ok()
    }
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderChange {
    /// The venue took it.
    Accepted,
    /// A stop became active.
    Triggered,
    /// It was filled, wholly or in part.
    Filled(Box<VenueExecution>),
    /// It was cancelled.
    Cancelled(Reason),
    /// Its time in force or a rule of the venue ended it.
    Expired(Reason),
    /// The venue refused it after all.
    Rejected(Reason),
    /// Something else, such as an amendment by another program; `state` and `filled` hold.
    Other,
}

impl OrderChange {
    /// How an order in `state` ended, if it ended other than by being filled.
    #[must_use]
    pub fn ended(state: VenueOrderState, reason: Option<Reason>) -> Option<Self> {
        let or = |code| reason.unwrap_or(Reason::bare(code));
        match state {
            VenueOrderState::Cancelled => Some(Self::Cancelled(or(ReasonCode::VenueEnded))),
            VenueOrderState::Expired => Some(Self::Expired(or(ReasonCode::TimeInForceEnded))),
            VenueOrderState::Rejected => Some(Self::Rejected(or(ReasonCode::VenueRefused))),
            VenueOrderState::Accepted
            | VenueOrderState::PartiallyFilled
            | VenueOrderState::Filled
            | VenueOrderState::Unrecognised => None,
        }
    }
}
