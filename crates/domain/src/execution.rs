//! Executions (fills): what the venue really did with an order.

use crate::{
    ids::{AccountId, Asset, ClientOrderId, ExecutionId, InstrumentId, StrategyId, VenueOrderId},
    money::{Amount, Price, Quantity},
    order::Side,
    time::Timestamp,
};

/// Whether an execution took liquidity or gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Liquidity {
    /// The order rested.
    Maker,
    /// The order crossed the spread.
    Taker,
}

/// One fill, unique by (account, venue order id, execution id) over all history (FIL-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Whose fill.
    pub account: AccountId,
    /// Which order.
    pub order_id: ClientOrderId,
    /// Whose decision the order was.
    pub strategy: StrategyId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What the venue charged, and in which asset.
    pub fee: Amount,
    /// The asset of the fee.
    pub fee_asset: Asset,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// The venue's id of the order.
    pub venue_order_id: VenueOrderId,
    /// The venue's id of the fill.
    pub execution_id: ExecutionId,
    /// The venue's time.
    pub ts_event: Timestamp,
}

impl Execution {
    /// What makes it unique within an account.
    #[must_use]
    pub const fn key(&self) -> (VenueOrderId, ExecutionId) {
        (self.venue_order_id, self.execution_id)
    }
}
