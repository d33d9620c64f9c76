//! How many operations a second the raw book and the whole exchange do on one core, and that the
//! cost does not grow with what has happened before.
//!
//! The flow is generated against a live book, so that cancels name open orders and takes find
//! liquidity: 46 % adds (geometric distance from the touch), 46 % cancels of any open order, 8 %
//! takes, around 8 000 open orders. Generation is not measured.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark fails by panicking, and criterion's macros write no documentation"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ploy_domain::{
    AccountId, Amount, Bps, Instrument, InstrumentId, InstrumentStatus, OrderKind, Price, Quantity,
    Session, Side, TimeInForce, Timestamp,
};
use ploy_exchange_core::{
    AccountTerms, ClientId, Command, Event, Exchange, Listing, OrderBook, OrderId, OrderRef,
    OrderSize, PlaceOrder, Resting, StpMode, Taker,
};
use std::hint::black_box;

const TICK: i64 = 1_000_000;
const LOT: i64 = 100_000;
const OPEN_ORDERS: usize = 8_000;
const START: i64 = 6_000_000;
const ACCOUNTS: u64 = 16;

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Failures before a success with chance 1/16.
    fn geometric(&mut self) -> i64 {
        let mut steps = 0;
        while self.below(16) != 0 {
            steps += 1;
        }
        steps
    }
}

#[derive(Clone, Copy)]
enum Operation {
    Add(Resting),
    Cancel(OrderId),
    Take(Taker),
}

/// What to do next, in ticks and lots, before it is known who does it.
enum Wish {
    Add { side: Side, ticks: i64, lots: i64 },
    Cancel,
    Take { side: Side, lots: i64 },
}

fn wish(random: &mut Random, open: usize, best: impl Fn(Side) -> Option<i64>) -> Wish {
    let side = if random.below(2) == 0 {
        Side::Buy
    } else {
        Side::Sell
    };
    let lots = 1 + random.below(50) as i64;
    if random.below(100) < 8 && open > OPEN_ORDERS / 2 {
        return Wish::Take {
            side,
            lots: lots * 2,
        };
    }
    if open > OPEN_ORDERS || (open > OPEN_ORDERS / 2 && random.below(2) == 0) {
        return Wish::Cancel;
    }
    let opposite = best(side.opposite()).unwrap_or(START + side.sign());
    let ticks = opposite - side.sign() * (1 + random.geometric());
    Wish::Add { side, ticks, lots }
}

/// Open orders, some of which may have been filled since.
#[derive(Default)]
struct Open(Vec<OrderId>);

impl Open {
    fn pick(&mut self, random: &mut Random, is_open: impl Fn(OrderId) -> bool) -> Option<OrderId> {
        while !self.0.is_empty() {
            let at = random.below(self.0.len() as u64) as usize;
            let id = self.0.swap_remove(at);
            if is_open(id) {
                return Some(id);
            }
        }
        None
    }
}

struct BookFlow {
    random: Random,
    book: OrderBook,
    open: Open,
    next_id: u64,
}

impl BookFlow {
    fn new(seed: u64) -> Self {
        let mut flow = Self {
            random: Random(seed),
            book: OrderBook::with_capacity(2 * OPEN_ORDERS),
            open: Open::default(),
            next_id: 1,
        };
        flow.run(4 * OPEN_ORDERS);
        flow
    }

    fn run(&mut self, count: usize) -> Vec<Operation> {
        (0..count).filter_map(|_| self.step()).collect()
    }

    fn step(&mut self) -> Option<Operation> {
        let best = |side| self.book.best(side).map(|level| level.price.raw() / TICK);
        let operation = match wish(&mut self.random, self.open.0.len(), best) {
            Wish::Add { side, ticks, lots } => {
                let id = OrderId::new(self.next_id);
                self.next_id += 1;
                self.open.0.push(id);
                Operation::Add(Resting {
                    id,
                    owner: 0,
                    side,
                    price: Price::from_raw(ticks * TICK),
                    quantity: Quantity::from_raw(lots * LOT),
                })
            }
            Wish::Cancel => {
                let is_open = |id| self.book.get(id).is_some();
                Operation::Cancel(self.open.pick(&mut self.random, is_open)?)
            }
            Wish::Take { side, lots } => Operation::Take(Taker {
                side,
                limit: None,
                quantity: Quantity::from_raw(lots * LOT),
            }),
        };
        apply(&mut self.book, &operation);
        Some(operation)
    }
}

fn apply(book: &mut OrderBook, operation: &Operation) {
    match operation {
        Operation::Add(order) => {
            black_box(book.add(*order).is_ok());
        }
        Operation::Cancel(id) => {
            black_box(book.cancel(*id));
        }
        Operation::Take(taker) => {
            black_box(book.take(*taker, |fill| {
                black_box(fill);
            }));
        }
    }
}

fn measure_book(c: &mut Criterion, group: &str, name: &str, before: usize) {
    const OPERATIONS: usize = 500_000;
    let mut flow = BookFlow::new(7);
    for _ in 0..before {
        flow.step();
    }
    let book = flow.book.clone();
    let operations = flow.run(OPERATIONS);
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(operations.len() as u64));
    group.sample_size(20);
    group.bench_function(name, |b| {
        b.iter_batched(
            || book.clone(),
            |mut book| {
                for operation in &operations {
                    apply(&mut book, operation);
                }
                book
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn listing() -> Listing {
    Listing {
        instrument: Instrument {
            id: "BTCUSDT.SIM".parse().unwrap(),
            base: "BTC".parse().unwrap(),
            quote: "USDT".parse().unwrap(),
            tick: Price::from_raw(TICK),
            lot: Quantity::from_raw(LOT),
            quantity_min: Quantity::from_raw(LOT),
            quantity_max: Quantity::from_int(9_000).unwrap(),
            price_min: Price::from_raw(TICK),
            price_max: Price::from_int(1_000_000).unwrap(),
            notional_min: Amount::from_raw(1),
            notional_max: Amount::from_int(9_000_000).unwrap(),
            session: Session::Always,
            status: InstrumentStatus::Trading,
        },
        open_orders_max: 20_000,
    }
}

fn account(number: u64) -> AccountId {
    AccountId::parse(&format!("account-{number}")).unwrap()
}

struct ExchangeFlow {
    random: Random,
    exchange: Exchange,
    instrument: InstrumentId,
    open: Open,
    owners: Vec<AccountId>,
    placed: u64,
}

impl ExchangeFlow {
    fn new(seed: u64) -> Self {
        let accounts: Vec<AccountTerms> = (0..ACCOUNTS)
            .map(|number| AccountTerms {
                id: account(number),
                maker_fee: Bps::new(10),
                taker_fee: Bps::new(10),
            })
            .collect();
        let mut exchange = Exchange::new(vec![listing()], accounts).unwrap();
        let mut events = Vec::new();
        for number in 0..ACCOUNTS {
            for asset in ["BTC", "USDT"] {
                let deposit = Command::Deposit {
                    account: account(number),
                    asset: asset.parse().unwrap(),
                    amount: Amount::from_int(5_000_000_000).unwrap(),
                };
                exchange.handle(&deposit, Timestamp::EPOCH, &mut events);
            }
        }
        let mut flow = Self {
            random: Random(seed),
            exchange,
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            open: Open::default(),
            owners: Vec::new(),
            placed: 0,
        };
        flow.run(4 * OPEN_ORDERS);
        flow
    }

    fn run(&mut self, count: usize) -> Vec<Command> {
        let mut events = Vec::new();
        (0..count)
            .filter_map(|_| {
                events.clear();
                let command = self.next()?;
                self.exchange
                    .handle(&command, Timestamp::EPOCH, &mut events);
                Some(command)
            })
            .collect()
    }

    fn next(&mut self) -> Option<Command> {
        let touch = self.exchange.touch(&self.instrument).unwrap();
        let best = |side| {
            let level = if side == Side::Buy {
                touch.bid
            } else {
                touch.ask
            };
            level.map(|level| level.price.raw() / TICK)
        };
        Some(match wish(&mut self.random, self.open.0.len(), best) {
            Wish::Add { side, ticks, lots } => {
                self.open.0.push(OrderId::new(self.placed + 1));
                let price = Price::from_raw(ticks * TICK);
                let kind = OrderKind::Limit {
                    price,
                    post_only: false,
                };
                self.place(side, kind, lots)
            }
            Wish::Cancel => {
                let (exchange, instrument, owners) =
                    (&self.exchange, &self.instrument, &self.owners);
                let owner = |id: OrderId| owners[id.get() as usize - 1];
                let is_open = |id| {
                    exchange
                        .order(&owner(id), instrument, &OrderRef::Id(id))
                        .is_some()
                };
                let id = self.open.pick(&mut self.random, is_open)?;
                Command::Cancel {
                    account: owner(id),
                    instrument: *instrument,
                    order: OrderRef::Id(id),
                }
            }
            Wish::Take { side, lots } => self.place(side, OrderKind::Market, lots),
        })
    }

    fn place(&mut self, side: Side, kind: OrderKind, lots: i64) -> Command {
        self.placed += 1;
        let account = account(self.random.below(ACCOUNTS));
        self.owners.push(account);
        Command::Place(PlaceOrder {
            account,
            instrument: self.instrument,
            client_id: ClientId::parse(&format!("bench-order-{:07}", self.placed)).unwrap(),
            side,
            kind,
            size: OrderSize::Base(Quantity::from_raw(lots * LOT)),
            time_in_force: TimeInForce::Gtc,
            stp: StpMode::None,
        })
    }
}

fn measure_exchange(c: &mut Criterion, group: &str, name: &str, before: usize) {
    const COMMANDS: usize = 200_000;
    let mut flow = ExchangeFlow::new(11);
    flow.run(before);
    let exchange = flow.exchange.clone();
    let commands = flow.run(COMMANDS);
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(commands.len() as u64));
    group.sample_size(20);
    group.bench_function(name, |b| {
        let mut events: Vec<Event> = Vec::with_capacity(1024);
        b.iter_batched(
            || exchange.clone(),
            |mut exchange| {
                for command in &commands {
                    events.clear();
                    exchange.handle(command, Timestamp::EPOCH, &mut events);
                    black_box(&events);
                }
                exchange
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn raw_book(c: &mut Criterion) {
    measure_book(c, "order_book", "adds, cancels, takes", 100_000);
}

fn whole_exchange(c: &mut Criterion) {
    measure_exchange(c, "exchange", "accounts, filters, events", 100_000);
}

fn history(c: &mut Criterion) {
    measure_book(c, "order_book_history", "after 10 thousand", 10_000);
    measure_book(c, "order_book_history", "after 10 million", 10_000_000);
    measure_exchange(c, "exchange_history", "after 10 thousand", 10_000);
    measure_exchange(c, "exchange_history", "after 1 million", 1_000_000);
}

criterion_group!(benches, raw_book, whole_exchange, history);
criterion_main!(benches);
