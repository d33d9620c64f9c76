//! What the exchange can be told to do. Whether it does is decided by [`crate::Exchange`].

use ploy_domain::{
    AccountId, Amount, Asset, InstrumentId, OrderKind, Price, Quantity, Side, Text, TimeInForce,
    instrument::InstrumentStatus,
};
use std::fmt;

/// The caller's name for an order, unique among the open orders of an account and free again as
/// soon as the order is closed.
pub type ClientId = Text<36>;

/// The exchange's number of an order; rises within an instrument, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OrderId(u64);

impl OrderId {
    /// The order numbered `number`.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Which of an account's open orders is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRef {
    /// By the exchange's number.
    Id(OrderId),
    /// By the caller's name.
    Client(ClientId),
}

/// How much an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderSize {
    /// Units of the base asset.
    Base(Quantity),
    /// As many whole lots as this amount of the quote asset pays for; market orders only.
    Quote(Amount),
}

/// What happens when an order meets another of its own account. The taker's mode decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StpMode {
    /// They trade.
    #[default]
    None,
    /// The rest of the taker expires.
    ExpireTaker,
    /// The maker expires and the taker goes on.
    ExpireMaker,
    /// Both expire.
    ExpireBoth,
}

/// A new order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Who trades.
    pub account: AccountId,
    /// What.
    pub instrument: InstrumentId,
    /// The caller's name for the order.
    pub client_id: ClientId,
    /// Buy or sell.
    pub side: Side,
    /// How.
    pub kind: OrderKind,
    /// How much.
    pub size: OrderSize,
    /// For how long. Orders without a limit price ignore it; [`TimeInForce::Day`] is refused.
    pub time_in_force: TimeInForce,
    /// Self-trade prevention while this order takes.
    pub stp: StpMode,
}

/// A change of an open order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmendOrder {
    /// Whose order.
    pub account: AccountId,
    /// Where.
    pub instrument: InstrumentId,
    /// Which.
    pub order: OrderRef,
    /// The new total quantity, what was executed included.
    pub quantity: Quantity,
    /// The new limit price; `None` keeps the old one.
    pub price: Option<Price>,
}

/// A command to the exchange. Each is answered by at least one [`crate::Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Places an order.
    Place(PlaceOrder),
    /// Takes an open order out.
    Cancel {
        /// Whose order.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// Which.
        order: OrderRef,
    },
    /// Changes an open order. A smaller quantity at the same price keeps the place in the queue;
    /// anything else goes to the back of its level and may trade at once.
    Amend(AmendOrder),
    /// Takes out all open orders of an account in one instrument, oldest first.
    CancelAll {
        /// Whose orders.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
    },
    /// Puts money or an asset into an account.
    Deposit {
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: Asset,
        /// How much, above zero.
        amount: Amount,
    },
    /// Opens, restricts or halts an instrument.
    SetStatus {
        /// Which.
        instrument: InstrumentId,
        /// From now on.
        status: InstrumentStatus,
    },
}
