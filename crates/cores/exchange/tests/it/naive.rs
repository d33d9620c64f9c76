//! The same exchange, written to be read and not to be fast: one list of open orders that is
//! searched from end to end, totals instead of reservations, wide integers throughout.

mod rules;
mod taking;

use ploy_domain::{
    AccountId, Amount, Asset, Instrument, InstrumentId, InstrumentStatus, OrderKind, Price,
    Quantity, Rounding, Side, TimeInForce, Timestamp,
};
use ploy_exchange_core::{
    AccountTerms, AmendOrder, BookChange, Command, Event, ExpiryReason, LastTrade, Listing,
    OrderId, OrderRef, OrderSize, OrderStatus, PlaceOrder, Prevention, RejectReason, Rejection,
    StpMode, TradeParty, TradeReport, VenueOrder,
};
use std::collections::BTreeMap;

const SCALE: i128 = 100_000_000;

#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) order: VenueOrder,
    /// Time priority: rises with every arrival in the book.
    arrival: u64,
    pub(crate) in_book: bool,
}

pub(crate) struct Market {
    pub(crate) listing: Listing,
    pub(crate) last: Option<LastTrade>,
    orders: u64,
    pub(crate) updates: u64,
}

pub(crate) struct Naive {
    pub(crate) markets: BTreeMap<InstrumentId, Market>,
    terms: BTreeMap<AccountId, AccountTerms>,
    pub(crate) open: Vec<Open>,
    pub(crate) totals: BTreeMap<(AccountId, Asset), i128>,
    pub(crate) fees: BTreeMap<Asset, i128>,
    arrivals: u64,
    now: Timestamp,
    events: Vec<Event>,
}

type Refused = Result<(), RejectReason>;

fn qty(raw: i128) -> Quantity {
    Quantity::from_raw(i64::try_from(raw).unwrap())
}

fn amount(raw: i128) -> Amount {
    Amount::from_raw(i64::try_from(raw).unwrap())
}

fn floor_value(price: Price, quantity: Quantity) -> i128 {
    i128::from(price.raw()) * i128::from(quantity.raw()) / SCALE
}

fn ceil_value(price: Price, quantity: Quantity) -> i128 {
    (i128::from(price.raw()) * i128::from(quantity.raw()) + SCALE - 1) / SCALE
}

fn accepts(side: Side, limit: Option<Price>, price: Price) -> bool {
    limit.is_none_or(|limit| {
        if side == Side::Buy {
            price <= limit
        } else {
            price >= limit
        }
    })
}

fn reached(side: Side, stop: Price, last: Price) -> bool {
    if side == Side::Buy {
        last >= stop
    } else {
        last <= stop
    }
}

/// What an open order holds back.
fn held(order: &VenueOrder) -> i128 {
    match (
        order.side,
        order.kind.limit_price().or(order.kind.stop_price()),
    ) {
        (Side::Sell, _) => i128::from(order.remaining().raw()),
        (Side::Buy, Some(price)) => ceil_value(price, order.remaining()),
        (Side::Buy, None) => 0,
    }
}

impl Naive {
    pub(crate) fn new(listings: Vec<Listing>, accounts: Vec<AccountTerms>) -> Self {
        let market = |listing: Listing| Market {
            listing,
            last: None,
            orders: 0,
            updates: 0,
        };
        Self {
            markets: listings
                .into_iter()
                .map(|l| (l.instrument.id, market(l)))
                .collect(),
            terms: accounts
                .into_iter()
                .map(|terms| (terms.id, terms))
                .collect(),
            open: Vec::new(),
            totals: BTreeMap::new(),
            fees: BTreeMap::new(),
            arrivals: 0,
            now: Timestamp::EPOCH,
            events: Vec::new(),
        }
    }

    /// All events but those of balances, which are compared by value.
    pub(crate) fn handle(&mut self, command: &Command, now: Timestamp) -> Vec<Event> {
        self.now = now;
        let (account, instrument, order) = addressed(command);
        let known = account.is_none_or(|account| self.terms.contains_key(&account));
        let listed = instrument.is_none_or(|instrument| self.markets.contains_key(&instrument));
        let done = match command {
            _ if !known => Err(RejectReason::UnknownAccount),
            _ if !listed => Err(RejectReason::UnknownInstrument),
            Command::Place(place) => self.place(place),
            Command::Amend(amend) => self.amend(amend),
            Command::Cancel {
                account,
                instrument,
                order,
            } => self.cancel(*account, *instrument, order),
            Command::CancelAll {
                account,
                instrument,
            } => self.cancel_all(*account, *instrument),
            Command::Deposit {
                account,
                asset,
                amount,
            } => {
                *self.totals.entry((*account, *asset)).or_default() += i128::from(amount.raw());
                Ok(())
            }
            Command::SetStatus { instrument, status } => {
                self.markets
                    .get_mut(instrument)
                    .unwrap()
                    .listing
                    .instrument
                    .status = *status;
                self.events.push(Event::StatusChanged {
                    instrument: *instrument,
                    status: *status,
                });
                Ok(())
            }
        };
        if let Err(reason) = done {
            self.events.push(Event::Rejected(Rejection {
                account,
                instrument,
                order,
                reason,
            }));
        }
        std::mem::take(&mut self.events)
    }

    fn place(&mut self, new: &PlaceOrder) -> Refused {
        self.check_new(new)?;
        let mut order = self.sized(new)?;
        if self.would_match(new.instrument, new.side, &new.kind) {
            return Err(RejectReason::WouldMatch);
        }
        let stop = new.kind.stop_price();
        let last = self.markets[&new.instrument].last;
        if last.is_some_and(|last| stop.is_some_and(|stop| reached(new.side, stop, last.price))) {
            return Err(RejectReason::WouldTrigger);
        }
        let mut needed = held(&order);
        if new.side == Side::Buy && new.kind == OrderKind::Market {
            needed = self.outcome(&order).1;
        }
        if needed > self.free(new.account, self.pays_with(&order)) {
            return Err(RejectReason::InsufficientBalance);
        }
        order.reserved = amount(needed);
        let market = self.markets.get_mut(&new.instrument).unwrap();
        market.orders += 1;
        order.id = OrderId::new(market.orders);
        self.events.push(Event::Accepted(order));
        self.open.push(Open {
            order,
            arrival: 0,
            in_book: false,
        });
        if stop.is_none() {
            let traded = self.run(order.instrument, order.id);
            self.run_stops(order.instrument, traded);
        }
        Ok(())
    }

    /// What can be said of a new order without looking at the book.
    fn check_new(&self, new: &PlaceOrder) -> Refused {
        let post_only = matches!(
            new.kind,
            OrderKind::Limit {
                post_only: true,
                ..
            }
        );
        let by_quote = matches!(new.size, OrderSize::Quote(_));
        if new.time_in_force == TimeInForce::Day
            || (post_only && new.time_in_force != TimeInForce::Gtc)
            || (by_quote && new.kind != OrderKind::Market)
        {
            return Err(RejectReason::UnsupportedCombination);
        }
        let market = &self.markets[&new.instrument];
        let most = market.listing.open_orders_max;
        if market.listing.instrument.status != InstrumentStatus::Trading {
            return Err(RejectReason::MarketClosed);
        }
        self.check_prices(new.instrument, &new.kind)?;
        let mine = self
            .open
            .iter()
            .map(|open| &open.order)
            .filter(|o| o.account == new.account);
        let (mut here, mut named) = (0, false);
        for order in mine {
            here += u32::from(order.instrument == new.instrument);
            named |= order.client_id == new.client_id;
        }
        if here >= most {
            return Err(RejectReason::MaxNumOrders);
        }
        if named {
            return Err(RejectReason::DuplicateClientId);
        }
        Ok(())
    }

    /// The order with its quantity, which a quote amount leaves to the prices there are.
    fn sized(&self, new: &PlaceOrder) -> Result<VenueOrder, RejectReason> {
        let mut order = self.draft(new);
        match new.size {
            OrderSize::Base(quantity) => self.check_size(new.instrument, &new.kind, quantity)?,
            OrderSize::Quote(budget) => {
                let rules = self.rules(new.instrument);
                if budget < rules.notional_min || budget > rules.notional_max {
                    return Err(RejectReason::Notional);
                }
                order.quantity = qty(self.lots_for(&order, i128::from(budget.raw())));
                if order.quantity < rules.quantity_min.max(Quantity::EPSILON) {
                    return Err(RejectReason::LiquidityBelowLot);
                }
                if order.quantity > rules.quantity_max {
                    return Err(RejectReason::LotSize);
                }
            }
        }
        Ok(order)
    }

    fn draft(&self, new: &PlaceOrder) -> VenueOrder {
        let (quantity, quote_quantity) = match new.size {
            OrderSize::Base(quantity) => (quantity, None),
            OrderSize::Quote(budget) => (Quantity::MAX, Some(budget)),
        };
        VenueOrder {
            id: OrderId::default(),
            client_id: new.client_id,
            account: new.account,
            instrument: new.instrument,
            side: new.side,
            kind: new.kind,
            time_in_force: new.time_in_force,
            stp: new.stp,
            quantity,
            quote_quantity,
            executed: Quantity::ZERO,
            executed_value: Amount::ZERO,
            prevented: Quantity::ZERO,
            reserved: Amount::ZERO,
            status: OrderStatus::New,
            created_at: self.now,
            updated_at: self.now,
            working_at: new.kind.stop_price().is_none().then_some(self.now),
        }
    }

    fn cancel(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        order: &OrderRef,
    ) -> Refused {
        self.check_not_halted(instrument)?;
        let at = self.find(account, instrument, order)?;
        self.leave_book(at);
        let order = self.end(at, OrderStatus::Cancelled);
        self.events.push(Event::Cancelled(order));
        Ok(())
    }

    fn cancel_all(&mut self, account: AccountId, instrument: InstrumentId) -> Refused {
        self.check_not_halted(instrument)?;
        let mine = self.open.iter().map(|open| &open.order);
        let mine = mine.filter(|o| (o.account, o.instrument) == (account, instrument));
        let mut ids: Vec<OrderId> = mine.map(|order| order.id).collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Err(RejectReason::UnknownOrder);
        }
        ids.iter()
            .try_for_each(|id| self.cancel(account, instrument, &OrderRef::Id(*id)))
    }

    fn amend(&mut self, amend: &AmendOrder) -> Refused {
        let instrument = amend.instrument;
        self.check_not_halted(instrument)?;
        let at = self.find(amend.account, instrument, &amend.order)?;
        let old = self.open[at].order;
        if amend.quantity <= old.executed {
            return Err(RejectReason::AmendBelowExecuted);
        }
        let reprices = amend.price.is_some() && amend.price != old.kind.limit_price();
        if !reprices && amend.quantity == old.quantity {
            return Err(RejectReason::NoChange);
        }
        let keeps = !reprices && amend.quantity < old.quantity;
        let mut new = old;
        new.quantity = amend.quantity;
        new.updated_at = self.now;
        if !keeps {
            if self.rules(instrument).status != InstrumentStatus::Trading {
                return Err(RejectReason::MarketClosed);
            }
            match &mut new.kind {
                OrderKind::Limit { price, .. } => *price = amend.price.unwrap_or(*price),
                OrderKind::StopLimit { price, .. } if old.working_at.is_some() => {
                    *price = amend.price.unwrap_or(*price);
                }
                _ => return Err(RejectReason::UnsupportedCombination),
            }
            self.check_prices(instrument, &new.kind)?;
            new.working_at = Some(self.now);
        }
        self.check_size(instrument, &new.kind, new.quantity)?;
        if !keeps {
            if self.would_match(instrument, old.side, &new.kind) {
                return Err(RejectReason::WouldMatch);
            }
            if held(&new) > held(&old) + self.free(old.account, self.pays_with(&old)) {
                return Err(RejectReason::InsufficientBalance);
            }
        }
        new.reserved = amount(held(&new));
        self.events.push(Event::Amended {
            order: new,
            kept_priority: keeps,
        });
        if keeps {
            self.open[at].order = new;
            if self.open[at].in_book {
                self.book_changed(instrument, new.side, new.kind.limit_price().unwrap());
            }
            return Ok(());
        }
        self.leave_book(at);
        self.open[at].order = new;
        let traded = self.run(instrument, new.id);
        self.run_stops(instrument, traded);
        Ok(())
    }
}

/// Whom and what a command speaks of.
fn addressed(command: &Command) -> (Option<AccountId>, Option<InstrumentId>, Option<OrderRef>) {
    match command {
        Command::Place(p) => (
            Some(p.account),
            Some(p.instrument),
            Some(OrderRef::Client(p.client_id)),
        ),
        Command::Amend(a) => (Some(a.account), Some(a.instrument), Some(a.order)),
        Command::Cancel {
            account,
            instrument,
            order,
        } => (Some(*account), Some(*instrument), Some(*order)),
        Command::CancelAll {
            account,
            instrument,
        } => (Some(*account), Some(*instrument), None),
        Command::Deposit { account, .. } => (Some(*account), None, None),
        Command::SetStatus { instrument, .. } => (None, Some(*instrument), None),
    }
}
