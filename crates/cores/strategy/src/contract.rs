//! What an instance is made of, what happens to it, what it wants done, and what it must not forget.

use crate::{action::OrderRequest, bars::BarError, strategy::Blocked, tracker::TrackError};
use ploy_domain::{
    AccountId, Bar, ClientOrderId, FeedStatus, Instrument, Intent, Nanos, Order, OrderEvent,
    Position, Quote, StrategyId, Trade,
};

/// Who trades what.
#[derive(Debug, Clone)]
pub struct InstanceConfig {
    /// The name of the instance.
    pub id: StrategyId,
    /// The account it trades for.
    pub account: AccountId,
    /// What it trades.
    pub instrument: Instrument,
    /// Platform and environment, the first two characters of its order ids.
    pub order_id_prefix: [u8; 2],
    /// How long a decision may take to reach the venue; an intent is never sent after that.
    pub order_validity: Nanos,
}

/// What happens to an instance.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A trade at the venue.
    Trade(&'a Trade),
    /// New best prices.
    Quote(&'a Quote),
    /// A closed bar, of the strategy's interval or a part of it.
    Bar(&'a Bar),
    /// The feed changed its state.
    Feed(&'a FeedStatus),
    /// An event of the account's log.
    Order(&'a OrderEvent),
    /// Execution proved that it never took this order.
    NotSubmitted(ClientOrderId),
    /// Time passed: bars that are over close even without a trade.
    Time,
    /// No new orders until [`Input::Resume`]; cancels go on.
    Pause,
    /// Orders may be sent again.
    Resume,
}

/// What the shell has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Make this decision sequence, with the submits that follow it, durable before any of them
    /// is sent (failure-model §4.2): a restart then repeats the same ids or none.
    PersistSequence(u64),
    /// Hand the order to execution.
    Submit(Box<Intent>),
    /// Ask execution to cancel the order.
    Cancel(ClientOrderId),
    /// The strategy wanted an order that may not be sent now. For logs and counters.
    Withheld {
        /// Why.
        blocked: Blocked,
        /// What it wanted.
        request: OrderRequest,
    },
    /// The strategy wanted more than [`crate::Actions::MAX`] actions; the rest was dropped.
    TooManyActions {
        /// How many were dropped.
        dropped: usize,
    },
}

/// Why an instance cannot go on with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// The account's log cannot be followed.
    #[error("strategy {strategy} cannot follow its orders")]
    Track {
        /// Which instance.
        strategy: StrategyId,
        /// Why; a gap is healed by a replay.
        #[source]
        source: TrackError,
    },
    /// A market fact makes no bar.
    #[error("strategy {strategy} cannot build its bars")]
    Bar {
        /// Which instance.
        strategy: StrategyId,
        /// Why.
        #[source]
        source: BarError,
    },
}

/// What an instance must not forget. The decision sequence has to be durable before an order is
/// sent; the rest saves a replay of the account's log, and is empty when the log is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The last decision that led to an order.
    pub decision_sequence: u64,
    /// The last event of the account's log that is included.
    pub account_seq: u64,
    /// What it held then.
    pub position: Position,
    /// Its orders that were not terminal then.
    pub orders: Vec<Order>,
    /// Orders decided on that the log did not know yet.
    pub pending: Vec<Intent>,
}
