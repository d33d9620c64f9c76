//! Orders, executions and balances as a venue states them. They carry the venue's facts and the
//! client id as text; whose order it is, execution decides.

use ploy_domain::{
    Amount, Asset, ClientOrderId, ExecutionId, InstrumentId, Liquidity, OrderKind, Price, Quantity,
    Reason, Side, TimeInForce, Timestamp, VenueOrderId,
};

/// Where an order stands at the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VenueOrderState {
    /// In the book, or a stop that waits for its trigger.
    Accepted,
    /// In the book with some of it filled.
    PartiallyFilled,
    /// Wholly filled.
    Filled,
    /// Cancelled, perhaps with fills.
    Cancelled,
    /// Ended by its time in force or by the venue's own rule, perhaps with fills.
    Expired,
    /// Refused after it was first taken.
    Rejected,
    /// A word this adapter does not know. Proves nothing: ask again.
    Unrecognised,
}

impl VenueOrderState {
    /// Whether it is a word this adapter knows.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unrecognised)
    }

    /// Whether the venue says that nothing more will happen to the order.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Filled | Self::Cancelled | Self::Expired | Self::Rejected => true,
            Self::Accepted | Self::PartiallyFilled | Self::Unrecognised => false,
        }
    }
}

/// An order in the venue's book or history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueOrder {
    /// What is traded.
    pub instrument: InstrumentId,
    /// The venue's id.
    pub venue_order_id: VenueOrderId,
    /// The client id the order was placed with, as text: it may be another program's.
    pub client_order_id: String,
    /// Buy or sell.
    pub side: Side,
    /// The kind, unless Ploy has no word for it.
    pub kind: Option<OrderKind>,
    /// The time in force, unless Ploy has no word for it.
    pub time_in_force: Option<TimeInForce>,
    /// How much was ordered.
    pub quantity: Quantity,
    /// How much of it is filled.
    pub filled: Quantity,
    /// Σ price × quantity of the fills, where the venue tells it.
    pub filled_value: Option<Amount>,
    /// Where it stands.
    pub state: VenueOrderState,
    /// Why it ended, if it ended by itself.
    pub reason: Option<Reason>,
    /// The venue's time of the order's creation.
    pub created_at: Timestamp,
    /// The venue's time of its last change.
    pub updated_at: Timestamp,
}

impl VenueOrder {
    /// Ploy's id of the order, if it can be one of Ploy's.
    #[must_use]
    pub fn order_id(&self) -> Option<ClientOrderId> {
        ClientOrderId::parse(&self.client_order_id).ok()
    }
}

/// A fill as the venue states it. The same fill has the same `execution_id` on every path: the
/// answer to the order, the private stream and the list of executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueExecution {
    /// What was traded.
    pub instrument: InstrumentId,
    /// The venue's id of the fill, unique at least within the order.
    pub execution_id: ExecutionId,
    /// The venue's id of the order.
    pub venue_order_id: VenueOrderId,
    /// The order's client id as text, where this path tells it.
    pub client_order_id: Option<String>,
    /// Bought or sold.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What the venue charged; `None` where it tells later.
    pub fee: Option<Fee>,
    /// Maker or taker, where this path tells it.
    pub liquidity: Option<Liquidity>,
    /// The venue's time.
    pub ts_event: Timestamp,
}

impl VenueExecution {
    /// Ploy's id of the order, if it is told and can be one of Ploy's.
    #[must_use]
    pub fn order_id(&self) -> Option<ClientOrderId> {
        ClientOrderId::parse(self.client_order_id.as_deref()?).ok()
    }
}

/// What the venue charged for a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fee {
    /// How much.
    pub amount: Amount,
    /// Of which asset.
    pub asset: Asset,
}

/// Where a list of executions starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionCursor {
    /// From this time on, inclusive.
    Since(Timestamp),
    /// Behind this execution, exclusive.
    After(ExecutionId),
}

/// What an account owns of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Which asset.
    pub asset: Asset,
    /// Usable for new orders.
    pub free: Amount,
    /// Reserved by open orders.
    pub locked: Amount,
}
