//! The state of one instrument: its rules, its book, its open orders and its counters. What
//! happens to them is decided in [`crate::exchange`].

use crate::{
    accounts::{AccountKey, Accounts, AssetKey},
    book::{OrderBook, Taker},
    chains::{Chains, List},
    command::{OrderId, StpMode},
    config::{ConfigError, Listing},
    exchange::LastTrade,
    index::Index,
    order::VenueOrder,
    reject::RejectReason,
    stops::Stops,
};
use ploy_domain::{
    Amount, Instrument, InstrumentStatus, Price, Quantity, Rounding, SCALE, Side, Timestamp,
    session::SessionPhase,
};

/// An open order and who owns it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) order: VenueOrder,
    pub(crate) owner: AccountKey,
}

/// The open orders of one instrument. Closed orders are not kept.
#[derive(Debug, Clone)]
pub(crate) struct OpenOrders {
    records: Chains<Record>,
    by_id: Index,
    by_owner: Vec<List>,
}

impl OpenOrders {
    fn new(accounts: usize) -> Self {
        Self {
            records: Chains::with_capacity(1024),
            by_id: Index::with_capacity(1024),
            by_owner: vec![List::EMPTY; accounts],
        }
    }

    pub(crate) fn insert(&mut self, record: Record) -> u32 {
        let list = &mut self.by_owner[record.owner.0 as usize];
        let place = self.records.push_back(list, record);
        self.by_id.insert(record.order.id.get(), place);
        place
    }

    pub(crate) fn remove(&mut self, place: u32) -> Record {
        let owner = self.records.get(place).owner;
        let record = self
            .records
            .remove(&mut self.by_owner[owner.0 as usize], place);
        self.by_id.remove(record.order.id.get(), |_| true);
        record
    }

    pub(crate) fn place(&self, id: OrderId) -> Option<u32> {
        self.by_id.find(id.get(), |_| true)
    }

    pub(crate) fn get(&self, place: u32) -> &Record {
        self.records.get(place)
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Record {
        self.records.get_mut(place)
    }

    pub(crate) fn count(&self, owner: AccountKey) -> u32 {
        self.by_owner[owner.0 as usize].len()
    }

    /// The place of the oldest open order of `owner`.
    pub(crate) fn oldest(&self, owner: AccountKey) -> Option<u32> {
        self.by_owner[owner.0 as usize].head()
    }

    /// The open orders of `owner`, oldest first.
    pub(crate) fn of(&self, owner: AccountKey) -> impl Iterator<Item = &VenueOrder> + '_ {
        self.records
            .iter(&self.by_owner[owner.0 as usize])
            .map(|record| &record.order)
    }
}

/// How far an order would get if it took now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach {
    pub(crate) quantity: Quantity,
    /// What a buyer would pay; wide, because nobody may have that much.
    pub(crate) cost: i128,
}

/// Who takes, as far as it matters for whom it may trade with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) owner: AccountKey,
    pub(crate) stp: StpMode,
}

/// One instrument.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) instrument: Instrument,
    pub(crate) open_orders_max: u32,
    pub(crate) base: AssetKey,
    pub(crate) quote: AssetKey,
    pub(crate) book: OrderBook,
    pub(crate) orders: OpenOrders,
    pub(crate) stops: Stops,
    pub(crate) last_trade: Option<LastTrade>,
    pub(crate) last_order: u64,
    pub(crate) last_update: u64,
}

impl Market {
    pub(crate) fn new(listing: Listing, accounts: &mut Accounts) -> Result<Self, ConfigError> {
        let Listing {
            instrument,
            open_orders_max,
        } = listing;
        if instrument.base == instrument.quote {
            return Err(ConfigError::SameAssets(instrument.id));
        }
        let orders = i128::from(open_orders_max) * accounts.len() as i128;
        if i128::from(instrument.quantity_max.raw()) * orders > i128::from(i64::MAX) {
            return Err(ConfigError::DepthOverflow {
                instrument: instrument.id,
                accounts: accounts.len(),
                open_orders_max,
                quantity_max: instrument.quantity_max,
            });
        }
        Ok(Self {
            base: accounts.asset_key(instrument.base),
            quote: accounts.asset_key(instrument.quote),
            instrument,
            open_orders_max,
            book: OrderBook::default(),
            orders: OpenOrders::new(accounts.len()),
            stops: Stops::default(),
            last_trade: None,
            last_order: 0,
            last_update: 0,
        })
    }

    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.instrument.status == InstrumentStatus::Trading
            && self.instrument.session.phase(now) == SessionPhase::Open
    }

    /// What a seller gives or a buyer pays with.
    pub(crate) const fn pays_with(&self, side: Side) -> AssetKey {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }

    pub(crate) fn check_price(&self, price: Price) -> Result<(), RejectReason> {
        if !price.is_positive() {
            return Err(RejectReason::PriceFilter);
        }
        Ok(self.instrument.check_price("price", price)?)
    }

    /// Whether an order with this limit would trade at once.
    pub(crate) fn crosses(&self, side: Side, limit: Price) -> bool {
        let taker = Taker {
            side,
            limit: Some(limit),
            quantity: Quantity::ZERO,
        };
        self.book
            .best(side.opposite())
            .is_some_and(|best| taker.accepts(best.price))
    }

    /// How far `taker` would get, mirroring what a sweep does.
    pub(crate) fn reach(&self, who: Identity, taker: &Taker) -> Reach {
        let mut reach = Reach::default();
        let mut left = taker.quantity;
        for maker in self.book.queue(taker.side.opposite()) {
            if left.is_zero() || !taker.accepts(maker.price) {
                break;
            }
            if maker.owner == who.owner.0 {
                match who.stp {
                    StpMode::None => {}
                    StpMode::ExpireMaker => continue,
                    StpMode::ExpireTaker | StpMode::ExpireBoth => break,
                }
            }
            let quantity = left.min(maker.quantity);
            left = Quantity::from_raw(left.raw() - quantity.raw());
            reach.quantity = Quantity::from_raw(reach.quantity.raw() + quantity.raw());
            reach.cost += i128::from(value(maker.price, quantity).raw());
        }
        reach
    }

    /// The whole lots that `budget` buys, or that sell for no more than it, at the prices there
    /// are; nothing is known about their cost but that it is within the budget.
    pub(crate) fn lots_for(&self, who: Identity, side: Side, budget: Amount) -> Quantity {
        let lot = self.instrument.lot.raw();
        let (mut left, mut lots) = (budget.raw(), 0);
        for maker in self.book.queue(side.opposite()) {
            if maker.owner == who.owner.0 {
                match who.stp {
                    StpMode::None => {}
                    StpMode::ExpireMaker => continue,
                    StpMode::ExpireTaker | StpMode::ExpireBoth => break,
                }
            }
            let affordable = i128::from(left) * i128::from(SCALE) / i128::from(maker.price.raw());
            let affordable = affordable / i128::from(lot) * i128::from(lot);
            let Ok(part) = i64::try_from(affordable.min(i128::from(maker.quantity.raw()))) else {
                break;
            };
            left -= value(maker.price, Quantity::from_raw(part)).raw();
            lots += part;
            if part < maker.quantity.raw() {
                break;
            }
        }
        Quantity::from_raw(lots)
    }
}

/// What `quantity` costs at `price`, rounded down to 1e-8: a trade's value.
///
/// Reservations are rounded up ([`worth`]), and ⌈p·(q+r)⌉ − ⌈p·r⌉ ≥ ⌊p·q⌋, so what a fill sets
/// free of a reservation always pays for it. A value beyond 64 bits cannot be paid by anyone.
pub(crate) fn value(price: Price, quantity: Quantity) -> Amount {
    price
        .times(quantity, Rounding::Floor)
        .unwrap_or(Amount::MAX)
}

/// What must be reserved to buy `quantity` at `price`, rounded up to 1e-8.
pub(crate) fn worth(price: Price, quantity: Quantity) -> Amount {
    price.times(quantity, Rounding::Ceil).unwrap_or(Amount::MAX)
}
