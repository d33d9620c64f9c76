//! An order as the exchange keeps and reports it.

use crate::command::{ClientId, OrderId, StpMode};
use ploy_domain::{
    AccountId, Amount, InstrumentId, OrderKind, Quantity, Side, TimeInForce, Timestamp,
};

/// Where an order stands at the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Open, nothing executed.
    New,
    /// Open, partly executed.
    PartiallyFilled,
    /// Executed in full.
    Filled,
    /// Taken out by its owner.
    Cancelled,
    /// Ended by the rules of its kind.
    Expired,
    /// Ended by self-trade prevention.
    ExpiredInMatch,
}

/// An order, open or at the moment of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VenueOrder {
    /// The exchange's number.
    pub id: OrderId,
    /// The owner's name for it.
    pub client_id: ClientId,
    /// The owner.
    pub account: AccountId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How, as placed: a triggered stop is still a stop.
    pub kind: OrderKind,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// Self-trade prevention while it takes.
    pub stp: StpMode,
    /// Total quantity, amendments included.
    pub quantity: Quantity,
    /// The quote amount of a market order that was sized by it.
    pub quote_quantity: Option<Amount>,
    /// How much was executed.
    pub executed: Quantity,
    /// What it was executed for, in the quote asset.
    pub executed_value: Amount,
    /// How much expired by self-trade prevention.
    pub prevented: Quantity,
    /// What is reserved for it: quote for a buy, base for a sell.
    pub reserved: Amount,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Since when it works; `None` while a stop waits for its trigger.
    pub working_at: Option<Timestamp>,
}

impl VenueOrder {
    /// What is still to be executed.
    #[must_use]
    pub const fn remaining(&self) -> Quantity {
        Quantity::from_raw(self.quantity.raw() - self.executed.raw() - self.prevented.raw())
    }

    /// Whether it is or was in the market rather than waiting for a trigger.
    #[must_use]
    pub const fn is_working(&self) -> bool {
        self.working_at.is_some()
    }

    /// Whether it can still change.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, OrderStatus::New | OrderStatus::PartiallyFilled)
    }
}
