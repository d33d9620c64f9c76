//! What a venue can say about orders, in canonical words. Adapters translate to these; the core
//! never sees a venue's own codes.

use ploy_domain::{
    Amount, ExecutionId, InstrumentId, Liquidity, OrderKind, Price, Quantity, Reason, Side,
    TimeInForce, Timestamp, VenueOrderId, ids::Asset,
};

/// Where an order stands by the venue's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VenueStatus {
    /// It works, perhaps partly filled.
    Working,
    /// A stop that became active.
    Triggered,
    /// Wholly filled.
    Filled,
    /// Cancelled.
    Cancelled(Reason),
    /// Ended by its time in force or by the venue.
    Expired(Reason),
    /// Refused.
    Rejected(Reason),
}

/// Where an order stands at the venue: what every path can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The client order id the venue carries, as text: it need not be one of ours.
    pub client_id: String,
    /// The venue's id.
    pub venue_order_id: VenueOrderId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// How much was filled, cumulatively.
    pub filled: Quantity,
    /// Where it stands.
    pub status: VenueStatus,
    /// The venue's time.
    pub ts_event: Timestamp,
}

/// An order as the venue's own book shows it, with enough of it to take it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueOrder {
    /// Where it stands.
    pub standing: Standing,
    /// Buy or sell.
    pub side: Side,
    /// How.
    pub kind: OrderKind,
    /// How much was ordered.
    pub quantity: Quantity,
    /// For how long.
    pub time_in_force: TimeInForce,
}

/// A fill as the venue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueFill {
    /// The client order id the venue carries; `None` where its trade book does not show it.
    pub client_id: Option<String>,
    /// The venue's id of the order.
    pub venue_order_id: VenueOrderId,
    /// The venue's id of the fill.
    pub execution_id: ExecutionId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// What was charged.
    pub fee: Amount,
    /// In which asset.
    pub fee_asset: Asset,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// The venue's time.
    pub ts_event: Timestamp,
}

/// A message of the private stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// An order's status changed.
    Order(Standing),
    /// An order was filled.
    Fill(VenueFill),
}

/// What became of sending an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The venue has it; fills that came with the answer are included.
    Acknowledged {
        /// The order as answered.
        order: Standing,
        /// Fills in the answer.
        fills: Vec<VenueFill>,
    },
    /// The venue's own semantics prove that it refused.
    Refused(Reason),
    /// Proven on our side that no byte left.
    NotSent(Reason),
    /// Anything else.
    Unknown(Reason),
}

/// What became of sending a cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The venue cancelled; where the order was left.
    Cancelled(Standing),
    /// The venue refused: usually the order had ended already, so it is asked.
    Refused(Reason),
    /// Not known; the cancel may be repeated.
    Unknown(Reason),
}

/// The answer to a question about one order. No answer and an empty answer are different (G-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryOutcome {
    /// The venue has it, with all its fills.
    Found {
        /// The order.
        order: Standing,
        /// Every fill of it.
        fills: Vec<VenueFill>,
    },
    /// Order book and trade book were read, complete and authenticated, and it is in neither.
    Absent,
    /// The question was not answered.
    Failed(Reason),
}
