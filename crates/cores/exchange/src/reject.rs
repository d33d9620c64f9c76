//! Why the exchange refuses a command, in the venue's words.

use ploy_domain::InstrumentViolation;

/// A reason to refuse. `Display` is the text that Binance Spot answers with (binance-spot §13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum RejectReason {
    /// The account cannot pay.
    #[error("Account has insufficient balance for requested action.")]
    InsufficientBalance,
    /// The account has an open order with this client id.
    #[error("Duplicate order sent.")]
    DuplicateClientId,
    /// A price is off tick, out of bounds or not above zero.
    #[error("Filter failure: PRICE_FILTER")]
    PriceFilter,
    /// The quantity is off lot or out of bounds.
    #[error("Filter failure: LOT_SIZE")]
    LotSize,
    /// The value is out of bounds.
    #[error("Filter failure: NOTIONAL")]
    Notional,
    /// The account has as many open orders in the instrument as it may, stops included.
    #[error("Filter failure: MAX_NUM_ORDERS")]
    MaxNumOrders,
    /// A post-only order would take.
    #[error("Order would immediately match and take.")]
    WouldMatch,
    /// The last trade is already at or beyond the trigger.
    #[error("Order would trigger immediately.")]
    WouldTrigger,
    /// The instrument takes no such command now.
    #[error("Market is closed.")]
    MarketClosed,
    /// No such instrument.
    #[error("Invalid symbol.")]
    UnknownInstrument,
    /// No such account.
    #[error("This account may not place or cancel orders.")]
    UnknownAccount,
    /// The account has no such open order in the instrument.
    #[error("Unknown order sent.")]
    UnknownOrder,
    /// The fields of the order do not go together.
    #[error("Unsupported order combination")]
    UnsupportedCombination,
    /// What a market order by quote amount would buy or sell is less than the smallest order.
    #[error("Order book liquidity is less than `LOT_SIZE` filter minimum quantity.")]
    LiquidityBelowLot,
    /// An amendment that changes nothing.
    #[error("The requested action would change no state; rejecting.")]
    NoChange,
    /// An amendment to no more than what was executed already.
    #[error("Order amend (quantity at or below the executed quantity) is not supported.")]
    AmendBelowExecuted,
    /// A deposit that is not above zero, or after which the exchange would hold more of the asset
    /// than can be counted.
    #[error("Amount is not above zero or too large.")]
    InvalidAmount,
}

impl From<InstrumentViolation> for RejectReason {
    fn from(violation: InstrumentViolation) -> Self {
        match violation {
            InstrumentViolation::QuantityNotPositive { .. }
            | InstrumentViolation::OffLot { .. }
            | InstrumentViolation::QuantityOutOfRange { .. } => Self::LotSize,
            InstrumentViolation::OffTick { .. } | InstrumentViolation::PriceOutOfRange { .. } => {
                Self::PriceFilter
            }
            InstrumentViolation::NotionalOutOfRange { .. }
            | InstrumentViolation::NotionalOverflow(_) => Self::Notional,
        }
    }
}
