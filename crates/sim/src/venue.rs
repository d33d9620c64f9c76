//! The simulated venue: the matching core with a house that quotes around the recorded price.
//!
//! It decides which orders meet a recorded price and how much there is to be had at it
//! (trading-semantics §6); who trades with whom, and at which price, is the matching core's
//! business. The house quotes only where an order could trade, and takes its quotes away again, so
//! that nothing is matched at a stale price.

use crate::{
    config::{BacktestConfig, FillModel},
    error::BacktestError,
    translate,
};
use ploy_domain::{
    AccountId, Amount, ClientOrderId, Instrument, Intent, OrderKind, Price, Quantity, Rounding,
    Side, TimeInForce, Timestamp,
};
use ploy_exchange_core::{
    AccountTerms, ClientId, Command, Event, Exchange, Listing, OrderRef, OrderSize, PlaceOrder,
    StpMode,
};
use ploy_orders_core::Input;
use std::collections::VecDeque;

/// Open orders of one account; the matching core wants a bound.
const OPEN_ORDERS_MAX: u32 = 200;

/// A recorded price.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) price: Price,
    /// How much was traded at it; `None` where the recording does not say.
    pub(crate) traded: Option<Quantity>,
    pub(crate) at: Timestamp,
}

/// Something on its way to the venue.
#[derive(Debug)]
enum Arrival {
    Place(Box<Intent>),
    Cancel(ClientOrderId),
}

/// The simulated venue.
#[derive(Debug)]
pub(crate) struct Venue {
    exchange: Exchange,
    instrument: Instrument,
    model: FillModel,
    account: AccountId,
    house: AccountId,
    printer: AccountId,
    arrivals: VecDeque<(Timestamp, Arrival)>,
    open: usize,
    house_orders: u64,
    events: Vec<Event>,
}

impl Venue {
    pub(crate) fn open(config: &BacktestConfig, account: AccountId) -> Result<Self, BacktestError> {
        let (house, printer) = (AccountId::parse("house")?, AccountId::parse("printer")?);
        let mut rules = config.instrument.clone();
        // Orders of the account are held to the true bounds by risk; the house must be able to
        // offer whatever was traded.
        rules.quantity_min = rules.lot;
        rules.notional_min = Amount::ZERO;
        rules.notional_max = Amount::MAX;
        let listing = Listing {
            instrument: rules,
            open_orders_max: OPEN_ORDERS_MAX,
        };
        let terms = |id, fee| AccountTerms {
            id,
            maker_fee: fee,
            taker_fee: fee,
        };
        let free = ploy_domain::Bps::ZERO;
        let accounts = vec![
            terms(account, config.fee),
            terms(house, free),
            terms(printer, free),
        ];
        let mut venue = Self {
            exchange: Exchange::new(vec![listing], accounts)?,
            instrument: config.instrument.clone(),
            model: config.fills,
            account,
            house,
            printer,
            arrivals: VecDeque::new(),
            open: 0,
            house_orders: 0,
            events: Vec::new(),
        };
        venue.fund(config.cash);
        Ok(venue)
    }

    fn fund(&mut self, cash: Amount) {
        let (base, quote) = (self.instrument.base, self.instrument.quote);
        let plenty = Amount::from_raw(i64::MAX / 4);
        let deposits = [
            (self.account, quote, cash),
            (self.house, base, plenty),
            (self.house, quote, plenty),
            (self.printer, base, plenty),
            (self.printer, quote, plenty),
        ];
        for (account, asset, amount) in deposits {
            let deposit = Command::Deposit {
                account,
                asset,
                amount,
            };
            self.exchange
                .handle(&deposit, Timestamp::EPOCH, &mut self.events);
        }
        self.events.clear();
    }

    /// What the account owns, free and locked together.
    pub(crate) fn balances(&self) -> Vec<(ploy_domain::Asset, Amount)> {
        let total = |b: ploy_exchange_core::Balance| {
            Amount::from_raw(b.free.raw().saturating_add(b.locked.raw()))
        };
        let balances = self.exchange.balances(&self.account);
        balances.map(|(asset, b)| (asset, total(b))).collect()
    }

    /// Whether a price could do anything at all.
    pub(crate) fn is_idle(&self) -> bool {
        self.open == 0 && self.arrivals.is_empty()
    }

    /// Takes an order on its way.
    pub(crate) fn send(&mut self, intent: Box<Intent>, now: Timestamp) {
        let due = now.plus(self.model.latency);
        self.arrivals.push_back((due, Arrival::Place(intent)));
    }

    /// Takes a cancel on its way.
    pub(crate) fn send_cancel(&mut self, order_id: ClientOrderId, now: Timestamp) {
        let due = now.plus(self.model.latency);
        self.arrivals.push_back((due, Arrival::Cancel(order_id)));
    }

    /// Lets orders meet a recorded price: cancels that arrived first, then buys, then sells.
    pub(crate) fn trade(&mut self, moment: &Moment, answers: &mut Vec<Input>) {
        let (mut buys, mut sells) = (Vec::new(), Vec::new());
        while self
            .arrivals
            .front()
            .is_some_and(|(due, _)| *due <= moment.at)
        {
            match self.arrivals.pop_front() {
                Some((_, Arrival::Cancel(order_id))) => self.cancel(order_id, moment.at, answers),
                Some((_, Arrival::Place(intent))) if intent.side == Side::Buy => {
                    buys.push(*intent);
                }
                Some((_, Arrival::Place(intent))) => sells.push(*intent),
                None => break,
            }
        }
        self.serve(Side::Buy, buys, moment, answers);
        self.serve(Side::Sell, sells, moment, answers);
        let open = self.exchange.open_orders(&self.account, None);
        self.open = open.count();
    }

    /// Serves the orders of one side of the account: the house quotes against them, what rests is
    /// filled if the quote penetrates it, what arrives takes the rest of the quote.
    fn serve(
        &mut self,
        side: Side,
        arriving: Vec<Intent>,
        moment: &Moment,
        answers: &mut Vec<Input>,
    ) {
        self.events.clear();
        let resting = self.exchange.open_orders(&self.account, None);
        let resting = resting.filter(|order| order.side == side);
        let (mut wanted, mut stop_reached) = (0i64, false);
        for order in resting {
            wanted = wanted.saturating_add(order.remaining().raw());
            stop_reached |= !order.is_working()
                && order.kind.stop_price().is_some_and(|stop| match side {
                    Side::Buy => moment.price >= stop,
                    Side::Sell => moment.price <= stop,
                });
        }
        for intent in &arriving {
            wanted = wanted.saturating_add(intent.quantity.raw());
        }
        if wanted == 0 {
            return;
        }
        let print = if stop_reached {
            self.instrument.lot
        } else {
            Quantity::ZERO
        };
        let size = self.offered(Quantity::from_raw(wanted), moment);
        let size = Quantity::from_raw(size.raw().saturating_add(print.raw()));
        let quote = match side {
            Side::Buy => self.model.ask(moment.price, self.instrument.tick),
            Side::Sell => self.model.bid(moment.price, self.instrument.tick),
        };
        if let Some(price) = quote.filter(|_| size.is_positive()) {
            self.house_order(self.house, (side.opposite(), price, size), moment.at);
        }
        translate::passive(&self.events, &self.account, moment.at, answers);
        for intent in arriving {
            self.place(&intent, moment.at, answers);
        }
        if let Some(price) = quote.filter(|_| stop_reached) {
            // A trade of the smallest size tells the matching core that the price was reached.
            self.house_order(self.printer, (side, price, print), moment.at);
            translate::passive(&self.events, &self.account, moment.at, answers);
        }
        self.clear_house(moment.at);
    }

    /// How much of what is wanted is there, in whole lots.
    fn offered(&self, wanted: Quantity, moment: &Moment) -> Quantity {
        let there = match (self.model.participation, moment.traded) {
            (Some(part), Some(traded)) => {
                let share = traded.fraction(part, Rounding::Floor);
                share.map_or(wanted, |share| Quantity::from_raw(share.raw()))
            }
            (None, _) | (_, None) => wanted,
        };
        wanted
            .min(there)
            .min(self.instrument.quantity_max)
            .round_to(self.instrument.lot, Rounding::Floor)
            .unwrap_or(Quantity::ZERO)
    }

    /// Places an order of the house; its events replace those before.
    fn house_order(
        &mut self,
        account: AccountId,
        (side, price, quantity): (Side, Price, Quantity),
        at: Timestamp,
    ) {
        self.events.clear();
        self.house_orders += 1;
        let Ok(client_id) = ClientId::parse(&format!("h{}", self.house_orders)) else {
            return;
        };
        let order = PlaceOrder {
            account,
            instrument: self.instrument.id,
            client_id,
            side,
            kind: OrderKind::Limit {
                price,
                post_only: false,
            },
            size: OrderSize::Base(quantity),
            time_in_force: TimeInForce::Gtc,
            stp: StpMode::None,
        };
        self.exchange
            .handle(&Command::Place(order), at, &mut self.events);
    }

    fn clear_house(&mut self, at: Timestamp) {
        self.events.clear();
        for account in [self.house, self.printer] {
            let cancel = Command::CancelAll {
                account,
                instrument: self.instrument.id,
            };
            self.exchange.handle(&cancel, at, &mut self.events);
        }
        self.events.clear();
    }

    fn place(&mut self, intent: &Intent, at: Timestamp, answers: &mut Vec<Input>) {
        self.events.clear();
        let Ok(client_id) = ClientId::parse(intent.order_id.as_str()) else {
            return;
        };
        let order = PlaceOrder {
            account: self.account,
            instrument: intent.instrument,
            client_id,
            side: intent.side,
            kind: intent.kind,
            size: OrderSize::Base(intent.quantity),
            time_in_force: intent.time_in_force,
            stp: StpMode::ExpireTaker,
        };
        self.exchange
            .handle(&Command::Place(order), at, &mut self.events);
        answers.push(Input::Sent {
            order_id: intent.order_id,
            outcome: translate::placed(&self.events, &client_id, at),
        });
    }

    fn cancel(&mut self, order_id: ClientOrderId, at: Timestamp, answers: &mut Vec<Input>) {
        self.events.clear();
        let Ok(client_id) = ClientId::parse(order_id.as_str()) else {
            return;
        };
        let cancel = Command::Cancel {
            account: self.account,
            instrument: self.instrument.id,
            order: OrderRef::Client(client_id),
        };
        self.exchange.handle(&cancel, at, &mut self.events);
        answers.push(Input::CancelSent {
            order_id,
            outcome: translate::cancelled(&self.events, at),
        });
    }
}
