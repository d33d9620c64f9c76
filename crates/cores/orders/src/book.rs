//! The books of one account as the fold of its event log: orders, executions, positions and the
//! ledger. Rebuilding it from the log gives the same state, byte for byte.

use ploy_domain::{
    AccountId, ClientOrderId, Execution, ExecutionId, Instrument, InstrumentId, Ledger,
    LedgerError, Order, OrderEvent, OrderEventPayload, Position, PositionError, Posting, Quantity,
    StrategyId, TraceContext, VenueOrderId, order::ApplyError,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Terminal orders that stay in memory, newest first to go last. Older ones live in the database.
const TERMINAL_ORDERS_MAX: usize = 2_000;

/// One order and the executions it has.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) order: Order,
    pub(crate) executions: BTreeMap<(VenueOrderId, ExecutionId), Execution>,
    pub(crate) trace: TraceContext,
}

/// The books of one account.
#[derive(Debug, Clone)]
pub struct AccountBook {
    account: AccountId,
    instruments: BTreeMap<InstrumentId, Instrument>,
    head_seq: u64,
    orders: BTreeMap<ClientOrderId, Entry>,
    by_venue_id: BTreeMap<(InstrumentId, VenueOrderId), ClientOrderId>,
    /// The orders that are not terminal: few, whatever the history.
    working: BTreeSet<ClientOrderId>,
    terminal: VecDeque<ClientOrderId>,
    terminal_max: usize,
    positions: BTreeMap<(InstrumentId, StrategyId), Position>,
    ledger: Ledger,
    opened: bool,
}

/// Why an event cannot be part of this account's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The sequence is not the next one.
    #[error("event {got} follows event {head}; the log of an account has no gaps")]
    Sequence {
        /// The last event.
        head: u64,
        /// The event that came.
        got: u64,
    },
    /// It is about an order nobody created.
    #[error("event {seq} is about order {order_id}, which does not exist")]
    UnknownOrder {
        /// The event.
        seq: u64,
        /// The order.
        order_id: ClientOrderId,
    },
    /// It contradicts the order.
    #[error("event {seq} contradicts its order")]
    Order {
        /// The event.
        seq: u64,
        /// What is wrong.
        #[source]
        source: ApplyError,
    },
    /// It names an instrument nobody configured.
    #[error("event {seq} names instrument {instrument}, which is not configured")]
    UnknownInstrument {
        /// The event.
        seq: u64,
        /// The instrument.
        instrument: InstrumentId,
    },
    /// Its execution cannot be booked to the position.
    #[error("event {seq} cannot be booked to the position")]
    Position {
        /// The event.
        seq: u64,
        /// What is wrong.
        #[source]
        source: PositionError,
    },
    /// Its amounts cannot be posted.
    #[error("event {seq} cannot be posted to the ledger")]
    Ledger {
        /// The event.
        seq: u64,
        /// What is wrong.
        #[source]
        source: LedgerError,
    },
}

impl AccountBook {
    /// The empty books of an account.
    #[must_use]
    pub fn new(account: AccountId, instruments: impl IntoIterator<Item = Instrument>) -> Self {
        Self {
            account,
            instruments: instruments.into_iter().map(|i| (i.id, i)).collect(),
            head_seq: 0,
            orders: BTreeMap::new(),
            by_venue_id: BTreeMap::new(),
            working: BTreeSet::new(),
            terminal: VecDeque::new(),
            terminal_max: TERMINAL_ORDERS_MAX,
            positions: BTreeMap::new(),
            ledger: Ledger::default(),
            opened: false,
        }
    }

    /// The same books with room for fewer orders that have ended: for simulations, where nobody
    /// asks about them later.
    #[must_use]
    pub const fn keeping_terminal_orders(mut self, max: usize) -> Self {
        self.terminal_max = max;
        self
    }

    /// Whose books.
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// The last event applied.
    #[must_use]
    pub const fn head_seq(&self) -> u64 {
        self.head_seq
    }

    /// An instrument of the account.
    #[must_use]
    pub fn instrument(&self, id: &InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id)
    }

    /// An order that is open or ended recently.
    #[must_use]
    pub fn order(&self, id: &ClientOrderId) -> Option<&Order> {
        self.orders.get(id).map(|entry| &entry.order)
    }

    /// The trace an order belongs to.
    #[must_use]
    pub fn trace(&self, id: &ClientOrderId) -> TraceContext {
        self.orders
            .get(id)
            .map_or(TraceContext::NONE, |entry| entry.trace)
    }

    /// Orders that are not terminal.
    pub fn working_orders(&self) -> impl Iterator<Item = &Order> {
        self.working.iter().filter_map(|id| self.order(id))
    }

    /// All positions, by instrument and strategy.
    pub fn positions(&self) -> impl Iterator<Item = (&(InstrumentId, StrategyId), &Position)> {
        self.positions.iter()
    }

    /// The position of the account in an instrument, over all strategies, saturating.
    #[must_use]
    pub fn net_position(&self, instrument: &InstrumentId) -> Quantity {
        let of_instrument = self
            .positions
            .iter()
            .filter(|((id, _), _)| id == instrument);
        let sum = of_instrument.fold(0i64, |sum, (_, p)| sum.saturating_add(p.quantity().raw()));
        Quantity::from_raw(sum)
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether opening balances were ever booked.
    #[must_use]
    pub const fn is_opened(&self) -> bool {
        self.opened
    }

    pub(crate) fn entry(&self, id: &ClientOrderId) -> Option<&Entry> {
        self.orders.get(id)
    }

    pub(crate) fn by_venue_id(
        &self,
        instrument: InstrumentId,
        id: VenueOrderId,
    ) -> Option<ClientOrderId> {
        self.by_venue_id.get(&(instrument, id)).copied()
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// [`BookError`]; the books may then be used no more and are to be rebuilt.
    pub fn apply(&mut self, event: &OrderEvent) -> Result<(), BookError> {
        let seq = event.seq;
        if seq != self.head_seq + 1 {
            return Err(BookError::Sequence {
                head: self.head_seq,
                got: seq,
            });
        }
        match &event.payload {
            OrderEventPayload::Created(intent) => {
                self.insert(Order::new((**intent).clone()), event.trace);
            }
            OrderEventPayload::Adopted {
                intent,
                venue_order_id,
            } => {
                let order = Order::adopted((**intent).clone(), *venue_order_id);
                self.by_venue_id
                    .insert((intent.instrument, *venue_order_id), intent.order_id);
                self.insert(order, event.trace);
            }
            OrderEventPayload::Deposited { asset, amount } => {
                let posting = Posting::of_deposit(self.account, *asset, *amount);
                self.post(seq, posting)?;
                self.opened = true;
            }
            OrderEventPayload::AccountReady | OrderEventPayload::AccountNotReady { .. } => {}
            OrderEventPayload::Filled(execution) => {
                self.fill(seq, execution)?;
                self.advance(event)?;
            }
            OrderEventPayload::Checked { .. }
            | OrderEventPayload::Denied { .. }
            | OrderEventPayload::Journaled { .. }
            | OrderEventPayload::Submitted { .. }
            | OrderEventPayload::BecameUnknown { .. }
            | OrderEventPayload::Accepted { .. }
            | OrderEventPayload::Rejected { .. }
            | OrderEventPayload::Triggered { .. }
            | OrderEventPayload::CancelRequested { .. }
            | OrderEventPayload::CancelRefused { .. }
            | OrderEventPayload::Cancelled { .. }
            | OrderEventPayload::Expired { .. } => self.advance(event)?,
        }
        self.head_seq = seq;
        Ok(())
    }

    fn insert(&mut self, order: Order, trace: TraceContext) {
        let entry = Entry {
            executions: BTreeMap::new(),
            trace,
            order,
        };
        self.working.insert(entry.order.id());
        self.orders.insert(entry.order.id(), entry);
    }

    fn fill(&mut self, seq: u64, execution: &Execution) -> Result<(), BookError> {
        let id = execution.instrument;
        let unknown = BookError::UnknownInstrument {
            seq,
            instrument: id,
        };
        let instrument = self.instruments.get(&id).ok_or(unknown)?;
        let posting = Posting::of_execution(execution, instrument);
        let position = self.positions.entry((id, execution.strategy)).or_default();
        position
            .apply(execution, instrument)
            .map_err(|source| BookError::Position { seq, source })?;
        self.post(seq, posting)?;
        self.by_venue_id
            .insert((id, execution.venue_order_id), execution.order_id);
        if let Some(entry) = self.orders.get_mut(&execution.order_id) {
            entry.executions.insert(execution.key(), execution.clone());
        }
        Ok(())
    }

    fn post(&mut self, seq: u64, posting: Result<Posting, LedgerError>) -> Result<(), BookError> {
        posting
            .and_then(|posting| self.ledger.post(&posting))
            .map_err(|source| BookError::Ledger { seq, source })
    }

    fn advance(&mut self, event: &OrderEvent) -> Result<(), BookError> {
        let seq = event.seq;
        let Some(order_id) = event.payload.order_id() else {
            return Ok(());
        };
        let unknown = BookError::UnknownOrder { seq, order_id };
        let entry = self.orders.get_mut(&order_id).ok_or(unknown)?;
        let was_terminal = entry.order.state().is_terminal();
        entry
            .order
            .apply(&event.payload, event.ts_event)
            .map_err(|source| BookError::Order { seq, source })?;
        if let OrderEventPayload::Accepted { venue_order_id, .. } = &event.payload {
            let key = (entry.order.intent.instrument, *venue_order_id);
            self.by_venue_id.insert(key, order_id);
        }
        if entry.order.state().is_terminal() && !was_terminal {
            self.retire(order_id);
        }
        Ok(())
    }

    fn retire(&mut self, order_id: ClientOrderId) {
        self.working.remove(&order_id);
        self.terminal.push_back(order_id);
        if self.terminal.len() > self.terminal_max
            && let Some(oldest) = self.terminal.pop_front()
            && let Some(entry) = self.orders.remove(&oldest)
            && let Some(venue_id) = entry.order.venue_order_id()
        {
            self.by_venue_id
                .remove(&(entry.order.intent.instrument, venue_id));
        }
    }
}
