//! What happened at the exchange, in order. Events carry all that a report to the owner needs, so
//! that the exchange itself can forget closed orders.

use crate::{
    command::{ClientId, OrderId, OrderRef, StpMode},
    order::VenueOrder,
    reject::RejectReason,
};
use ploy_domain::{
    AccountId, Amount, Asset, InstrumentId, Price, Quantity, Side, instrument::InstrumentStatus,
};

/// Why an order ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryReason {
    /// The rest of an immediate-or-cancel order.
    UnfilledIoc,
    /// A fill-or-kill order that could not be filled in full.
    UnfilledFok,
    /// The rest of a market order when the book ran out.
    InsufficientLiquidity,
    /// A triggered stop that its owner could not pay.
    Rejected,
    /// Self-trade prevention.
    SelfTrade,
}

impl ExpiryReason {
    /// The venue's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnfilledIoc => "UNFILLED_IOC_QUANTITY_EXPIRED",
            Self::UnfilledFok => "UNFILLED_FOK_ORDER_EXPIRED",
            Self::InsufficientLiquidity => "INSUFFICIENT_LIQUIDITY",
            Self::Rejected => "REJECTED",
            Self::SelfTrade => "EXCHANGE_CANCELED",
        }
    }
}

/// A refused command. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Whose command; `None` for a command of the operator.
    pub account: Option<AccountId>,
    /// The instrument it named.
    pub instrument: Option<InstrumentId>,
    /// The order it named or would have made.
    pub order: Option<OrderRef>,
    /// Why.
    pub reason: RejectReason,
}

/// One side of a trade, as of just after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeParty {
    /// Who.
    pub account: AccountId,
    /// By which order.
    pub order_id: OrderId,
    /// The owner's name for that order.
    pub client_id: ClientId,
    /// Executed quantity of the order, this trade included.
    pub executed: Quantity,
    /// Value of that, in the quote asset.
    pub executed_value: Amount,
    /// What is left of the order; zero when this trade filled it.
    pub remaining: Quantity,
    /// Commission, taken from what the party received.
    pub fee: Amount,
    /// What the commission is in: base for the buyer, quote for the seller.
    pub fee_asset: Asset,
}

/// Two orders traded, at the maker's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeReport {
    /// Where.
    pub instrument: InstrumentId,
    /// Rises by one per trade of the instrument, from 1.
    pub trade_id: u64,
    /// The maker's price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// `price × quantity` in the quote asset, rounded down to 1e-8.
    pub value: Amount,
    /// The taker's side.
    pub aggressor: Side,
    /// Whose order was in the book.
    pub maker: TradeParty,
    /// Whose order came in.
    pub taker: TradeParty,
}

/// Two orders of one account met and did not trade. The orders that end by it follow as
/// [`Event::Expired`] with [`ExpiryReason::SelfTrade`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prevention {
    /// Where.
    pub instrument: InstrumentId,
    /// Whose orders.
    pub account: AccountId,
    /// The order in the book.
    pub maker: OrderId,
    /// The order that came in.
    pub taker: OrderId,
    /// The taker's mode.
    pub mode: StpMode,
    /// The price they would have traded at.
    pub price: Price,
    /// The quantity they would have traded.
    pub quantity: Quantity,
}

/// The absolute quantity at a price after a change of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookChange {
    /// Whose book.
    pub instrument: InstrumentId,
    /// Which half.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// All that rests there now; zero removes the level.
    pub quantity: Quantity,
    /// Rises by one per change of the instrument's book.
    pub update_id: u64,
}

/// What an account has of an asset now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceChange {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: Asset,
    /// Available.
    pub free: Amount,
    /// Reserved by open orders.
    pub locked: Amount,
}

/// Something happened. Order of the events of one command: the order's acceptance, what came of
/// it, and last the balances that changed, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A new order was taken in.
    Accepted(VenueOrder),
    /// A command was refused.
    Rejected(Rejection),
    /// Two orders traded.
    Trade(TradeReport),
    /// The owner took an order out.
    Cancelled(VenueOrder),
    /// An order was changed.
    Amended {
        /// The order with its new content.
        order: VenueOrder,
        /// Whether it kept its place in the queue.
        kept_priority: bool,
    },
    /// An order ended by itself.
    Expired {
        /// The order at its end.
        order: VenueOrder,
        /// Why.
        reason: ExpiryReason,
    },
    /// The last trade reached the trigger of a stop; it works from now on.
    Triggered(VenueOrder),
    /// Self-trade prevention.
    Prevented(Prevention),
    /// The book changed.
    BookChanged(BookChange),
    /// A balance changed.
    BalanceChanged(BalanceChange),
    /// An instrument was opened, restricted or halted.
    StatusChanged {
        /// Which.
        instrument: InstrumentId,
        /// From now on.
        status: InstrumentStatus,
    },
}
