//! What became of an instance's own orders: its open orders and its position, folded from the
//! account's log by sequence. Seeing an event twice changes nothing.

use crate::strategy::Blocked;
use ploy_domain::{
    AccountId, ClientOrderId, Instrument, Intent, Order, OrderEvent, OrderEventPayload, OrderState,
    Position, PositionError, StrategyId, Timestamp, order::ApplyError,
};
use std::collections::BTreeMap;

/// Why an event of the account's log cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// Events are missing; replay the log from `have + 1`.
    #[error("account {account}: event {got} follows {have}; events are missing")]
    Gap {
        /// Whose log.
        account: AccountId,
        /// The last event applied.
        have: u64,
        /// The event that came.
        got: u64,
    },
    /// The event contradicts what is known of the order.
    #[error("event {seq} does not fit the order it speaks of")]
    Order {
        /// Its place in the log.
        seq: u64,
        /// What contradicts.
        #[source]
        source: ApplyError,
    },
    /// The execution cannot be booked.
    #[error("event {seq} cannot be booked")]
    Position {
        /// Its place in the log.
        seq: u64,
        /// What went wrong.
        #[source]
        source: PositionError,
    },
}

/// An order that is not terminal.
#[derive(Debug)]
struct Tracked {
    order: Order,
    /// Whether the account's log knows it. One it does not know may have been lost on its way,
    /// and may be sent again under the same id.
    in_log: bool,
}

/// The fold of one account's log, as far as it concerns one strategy instance.
#[derive(Debug)]
pub(crate) struct Tracker {
    account: AccountId,
    strategy: StrategyId,
    seq: u64,
    position: Position,
    orders: BTreeMap<ClientOrderId, Tracked>,
}

impl Tracker {
    pub(crate) fn new(account: AccountId, strategy: StrategyId) -> Self {
        Self {
            account,
            strategy,
            seq: 0,
            position: Position::default(),
            orders: BTreeMap::new(),
        }
    }

    /// Continues from what was known at event `seq`.
    pub(crate) fn resume_from(&mut self, seq: u64, position: Position, orders: Vec<Order>) {
        self.seq = seq;
        self.position = position;
        for order in orders {
            let tracked = Tracked {
                order,
                in_log: true,
            };
            self.orders.insert(tracked.order.id(), tracked);
        }
    }

    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }

    pub(crate) const fn position(&self) -> &Position {
        &self.position
    }

    pub(crate) fn open_orders(&self) -> usize {
        self.orders.len()
    }

    /// Orders the log knows and orders it does not know yet.
    pub(crate) fn split(&self) -> (Vec<Order>, Vec<Intent>) {
        let (known, lost): (Vec<_>, Vec<_>) = self.orders.values().partition(|o| o.in_log);
        let orders = known.iter().map(|o| o.order.clone()).collect();
        (
            orders,
            lost.iter().map(|o| o.order.intent.clone()).collect(),
        )
    }

    pub(crate) fn order(&self, order_id: ClientOrderId) -> Option<&Order> {
        self.orders.get(&order_id).map(|tracked| &tracked.order)
    }

    /// Whether an order stands in the way of a new one.
    pub(crate) fn blocked(&self) -> Option<Blocked> {
        let states = || self.orders.values().map(|tracked| tracked.order.state());
        if states().any(|state| state == OrderState::Unknown) {
            Some(Blocked::UnknownOrder)
        } else if states().any(|state| !state.is_open()) {
            // Terminal orders are not kept, so what is not open is on its way.
            Some(Blocked::OrderInFlight)
        } else {
            None
        }
    }

    /// Remembers an order that is about to be sent.
    pub(crate) fn sent(&mut self, intent: Intent) {
        let tracked = Tracked {
            order: Order::new(intent),
            in_log: false,
        };
        self.orders.insert(tracked.order.id(), tracked);
    }

    /// Forgets an order that is proven never to have reached execution. One that the log knows
    /// stays: the log is the better witness.
    pub(crate) fn not_sent(&mut self, order_id: ClientOrderId) {
        if self.orders.get(&order_id).is_some_and(|o| !o.in_log) {
            self.orders.remove(&order_id);
        }
    }

    /// Drops the orders that the log does not know and that may not be sent any more.
    pub(crate) fn drop_expired(&mut self, now: Timestamp) {
        self.orders
            .retain(|_, o| o.in_log || o.order.intent.valid_until > now);
    }

    /// Applies an event of the log; answers whether it was news about an order of this instance.
    pub(crate) fn apply(
        &mut self,
        event: &OrderEvent,
        instrument: &Instrument,
    ) -> Result<bool, TrackError> {
        if event.account != self.account || event.seq <= self.seq {
            return Ok(false);
        }
        if event.seq > self.seq + 1 {
            return Err(TrackError::Gap {
                account: self.account,
                have: self.seq,
                got: event.seq,
            });
        }
        let mine = self.follow(event, instrument)?;
        self.seq = event.seq;
        Ok(mine)
    }

    fn follow(&mut self, event: &OrderEvent, instrument: &Instrument) -> Result<bool, TrackError> {
        let Some(order_id) = event.payload.order_id() else {
            return Ok(false);
        };
        if let OrderEventPayload::Created(intent) = &event.payload {
            if intent.strategy != self.strategy {
                return Ok(false);
            }
            let created = || Tracked {
                order: Order::new((**intent).clone()),
                in_log: true,
            };
            self.orders.entry(order_id).or_insert_with(created).in_log = true;
            return Ok(true);
        }
        if let OrderEventPayload::Adopted { .. } = &event.payload {
            // The log had lost the order and now carries it for nobody: it is not ours any more.
            self.orders.remove(&order_id);
            return Ok(false);
        }
        let executed = match &event.payload {
            OrderEventPayload::Filled(execution) if execution.strategy == self.strategy => {
                self.position
                    .apply(execution, instrument)
                    .map_err(|source| TrackError::Position {
                        seq: event.seq,
                        source,
                    })?;
                true
            }
            _ => false,
        };
        let Some(tracked) = self.orders.get_mut(&order_id) else {
            // A late fill of an order that is long over moves the position all the same.
            return Ok(executed);
        };
        tracked
            .order
            .apply(&event.payload, event.ts_event)
            .map_err(|source| TrackError::Order {
                seq: event.seq,
                source,
            })?;
        tracked.in_log = true;
        if tracked.order.state().is_terminal() {
            self.orders.remove(&order_id);
        }
        Ok(true)
    }
}
