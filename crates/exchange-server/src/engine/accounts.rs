//! What the venue remembers of an account: its orders, open and closed, its trades, and how many
//! unfilled orders it has sent. Balances live in the matching engine.

use super::order::{OrderName, OrderRecord, OwnTrade};
use ploy_domain::{AccountId, Nanos, Timestamp};
use ploy_exchange_core::ClientId;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Closed orders kept per account; older ones are only in the ledger.
const CLOSED_KEPT: usize = 20_000;
/// Own trades kept per account.
const TRADES_KEPT: usize = 50_000;

/// One trading account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    orders: BTreeMap<OrderName, OrderRecord>,
    open: BTreeSet<OrderName>,
    closed: VecDeque<OrderName>,
    by_client: HashMap<ClientId, OrderName>,
    trades: VecDeque<OwnTrade>,
    pub(crate) updated_at: Timestamp,
    pub(crate) unfilled: UnfilledOrders,
}

impl Account {
    pub(crate) fn new(id: AccountId) -> Self {
        Self {
            id,
            orders: BTreeMap::new(),
            open: BTreeSet::new(),
            closed: VecDeque::new(),
            by_client: HashMap::new(),
            trades: VecDeque::new(),
            updated_at: Timestamp::EPOCH,
            unfilled: UnfilledOrders::default(),
        }
    }

    /// Takes a new order in.
    pub(crate) fn insert(&mut self, order: OrderRecord) {
        let name = order.name();
        self.by_client.insert(order.terms.client_id, name);
        self.open.insert(name);
        self.orders.insert(name, order);
    }

    /// Changes an order; one that is no longer open afterwards becomes history.
    pub(crate) fn update(
        &mut self,
        name: OrderName,
        change: impl FnOnce(&mut OrderRecord),
    ) -> Option<&OrderRecord> {
        let order = self.orders.get_mut(&name)?;
        change(order);
        if !order.status.is_open() && self.open.remove(&name) {
            order.core_id = None;
            if let Some(cancel) = order.cancel_id {
                self.by_client.insert(cancel, name);
            }
            self.closed.push_back(name);
            self.forget_oldest();
        }
        self.orders.get(&name)
    }

    fn forget_oldest(&mut self) {
        if self.closed.len() <= CLOSED_KEPT {
            return;
        }
        let Some(order) = self
            .closed
            .pop_front()
            .and_then(|oldest| self.orders.remove(&oldest))
        else {
            return;
        };
        for client_id in [Some(order.terms.client_id), order.cancel_id]
            .into_iter()
            .flatten()
        {
            if self.by_client.get(&client_id) == Some(&order.name()) {
                self.by_client.remove(&client_id);
            }
        }
    }

    /// Remembers an execution.
    pub(crate) fn book(&mut self, trade: OwnTrade) {
        if self.trades.len() == TRADES_KEPT {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }

    pub(crate) fn order(&self, name: OrderName) -> Option<&OrderRecord> {
        self.orders.get(&name)
    }

    /// The last order of a symbol that used `client_id`, its own or its cancel's.
    pub(crate) fn by_client(&self, symbol: usize, client_id: &ClientId) -> Option<&OrderRecord> {
        let name = self.by_client.get(client_id)?;
        let order = self.orders.get(name)?;
        (name.0 == symbol).then_some(order)
    }

    /// Open orders by instrument and number.
    pub(crate) fn open_orders(&self) -> impl Iterator<Item = &OrderRecord> + '_ {
        self.open.iter().filter_map(|name| self.orders.get(name))
    }

    /// All remembered orders of an instrument by number, from `first` on.
    pub(crate) fn orders_of(
        &self,
        symbol: usize,
        first: u64,
    ) -> impl DoubleEndedIterator<Item = &OrderRecord> + '_ {
        let range = (symbol, first)..=(symbol, u64::MAX);
        self.orders.range(range).map(|(_, order)| order)
    }

    /// Remembered executions in an instrument, oldest first.
    pub(crate) fn trades_of(
        &self,
        symbol: usize,
    ) -> impl DoubleEndedIterator<Item = &OwnTrade> + '_ {
        self.trades
            .iter()
            .filter(move |trade| trade.order.0 == symbol)
    }
}

/// Counts unfilled orders in the fixed windows of the `ORDERS` limits.
#[derive(Debug, Default)]
pub(crate) struct UnfilledOrders {
    ten_seconds: Window,
    day: Window,
}

#[derive(Debug, Default)]
struct Window {
    start: Timestamp,
    count: u32,
}

impl Window {
    fn roll(&mut self, length: Nanos, now: Timestamp) {
        let start = now.floor_to(length, Timestamp::EPOCH);
        if start != self.start {
            *self = Self { start, count: 0 };
        }
    }
}

/// The two windows of the `ORDERS` limits.
pub(crate) const TEN_SECONDS: Nanos = Nanos::from_secs(10);
pub(crate) const DAY: Nanos = Nanos::from_secs(86_400);
/// What the first fill of an order gives back to its maker.
const MAKER_CREDIT: u32 = 5;

impl UnfilledOrders {
    /// Counts of the current ten seconds and day.
    pub(crate) fn counts(&mut self, now: Timestamp) -> [u32; 2] {
        self.ten_seconds.roll(TEN_SECONDS, now);
        self.day.roll(DAY, now);
        [self.ten_seconds.count, self.day.count]
    }

    pub(crate) fn accepted(&mut self, now: Timestamp) {
        self.counts(now);
        self.ten_seconds.count += 1;
        self.day.count += 1;
    }

    /// The first fill of an order.
    pub(crate) fn filled(&mut self, maker: bool, now: Timestamp) {
        self.counts(now);
        let credit = if maker { MAKER_CREDIT } else { 1 };
        for window in [&mut self.ten_seconds, &mut self.day] {
            window.count = window.count.saturating_sub(credit);
        }
    }
}
