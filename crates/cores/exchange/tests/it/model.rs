//! Random commands to the exchange and to the naive model of it: after each, the same events, the
//! same orders, books and balances, and nothing gained or lost.

use crate::{
    generator::{Generator, NAMES, accounts, listings},
    naive::Naive,
};
use ploy_domain::{AccountId, Asset, Side, Timestamp};
use ploy_exchange_core::{BalanceChange, Command, Event, Exchange, OrderRef};
use std::collections::BTreeMap;

const SEEDS: u64 = 12;
const COMMANDS: usize = 10_000;

/// Both of them, and what they were given.
struct Pair {
    exchange: Exchange,
    naive: Naive,
    deposited: BTreeMap<Asset, i128>,
    balances: BTreeMap<(AccountId, Asset), (i128, i128)>,
    seen: BTreeMap<&'static str, usize>,
    events: Vec<Event>,
}

impl Pair {
    fn new() -> Self {
        Self {
            exchange: Exchange::new(listings(), accounts()).unwrap(),
            naive: Naive::new(listings(), accounts()),
            deposited: BTreeMap::new(),
            balances: BTreeMap::new(),
            seen: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    fn check(&mut self, command: &Command, now: Timestamp) {
        self.events.clear();
        self.exchange.handle(command, now, &mut self.events);
        let expected = self.naive.handle(command, now);
        if let Command::Deposit { asset, amount, .. } = command {
            *self.deposited.entry(*asset).or_default() += i128::from(amount.raw());
        }
        let is_balance = |event: &&Event| matches!(event, Event::BalanceChanged(_));
        let others: Vec<Event> = self
            .events
            .iter()
            .filter(|e| !is_balance(e))
            .copied()
            .collect();
        assert_eq!(others, expected);
        others
            .iter()
            .for_each(|event| *self.seen.entry(kind(event)).or_default() += 1);
        self.check_balances();
        self.check_orders();
        self.check_books();
    }

    /// Every balance is the model's, is not negative, was reported if it changed, and they and the
    /// commissions add up to what was deposited.
    fn check_balances(&mut self) {
        let mut reported = BTreeMap::new();
        for event in &self.events {
            if let Event::BalanceChanged(BalanceChange {
                account,
                asset,
                free,
                locked,
            }) = event
            {
                let now = (i128::from(free.raw()), i128::from(locked.raw()));
                let twice = reported.insert((*account, *asset), now);
                assert_eq!(twice, None, "{account} {asset} reported twice");
            }
        }
        let mut sums: BTreeMap<Asset, i128> = BTreeMap::new();
        for name in NAMES {
            let account: AccountId = name.parse().unwrap();
            for (asset, balance) in self.exchange.balances(&account) {
                let now = (
                    i128::from(balance.free.raw()),
                    i128::from(balance.locked.raw()),
                );
                let total = self
                    .naive
                    .totals
                    .get(&(account, asset))
                    .copied()
                    .unwrap_or_default();
                let locked = self.naive.locked(account, asset);
                assert_eq!(now, (total - locked, locked), "{account} {asset}");
                assert!(now.0 >= 0 && now.1 >= 0, "{account} has {now:?} {asset}");
                let before = self
                    .balances
                    .insert((account, asset), now)
                    .unwrap_or_default();
                let last = reported.remove(&(account, asset)).unwrap_or(before);
                assert_eq!(last, now, "{account} {asset} was not reported");
                *sums.entry(asset).or_default() += now.0 + now.1;
            }
        }
        for (asset, sum) in sums {
            let fees = i128::from(self.exchange.fees_collected(&asset).raw());
            assert_eq!(
                fees,
                self.naive.fees.get(&asset).copied().unwrap_or_default()
            );
            let deposited = self.deposited.get(&asset).copied().unwrap_or_default();
            assert_eq!(sum + fees, deposited, "{asset}");
        }
    }

    fn check_orders(&self) {
        let mut count = 0;
        for name in NAMES {
            for order in self.exchange.open_orders(&name.parse().unwrap(), None) {
                let is = |open: &&crate::naive::Open| {
                    (open.order.instrument, open.order.id) == (order.instrument, order.id)
                };
                assert_eq!(
                    self.naive.open.iter().find(is).map(|open| &open.order),
                    Some(order)
                );
                let named = OrderRef::Client(order.client_id);
                let found = self
                    .exchange
                    .order(&order.account, &order.instrument, &named);
                assert_eq!(found, Some(order));
                count += 1;
            }
        }
        assert_eq!(count, self.naive.open.len());
    }

    fn check_books(&self) {
        for (instrument, market) in &self.naive.markets {
            let depth = self.exchange.depth(instrument, usize::MAX).unwrap();
            assert_eq!(depth.update_id, market.updates);
            assert_eq!(self.exchange.last_trade(instrument), market.last);
            let touch = self.exchange.touch(instrument).unwrap();
            assert_eq!(
                (touch.bid, touch.ask),
                (depth.bids.first().copied(), depth.asks.first().copied())
            );
            assert!(
                touch
                    .bid
                    .zip(touch.ask)
                    .is_none_or(|(bid, ask)| bid.price < ask.price)
            );
            assert!(depth.bids.is_sorted_by(|a, b| a.price > b.price));
            assert!(depth.asks.is_sorted_by(|a, b| a.price < b.price));
            let in_book = self
                .naive
                .open
                .iter()
                .filter(|open| open.in_book && open.order.instrument == *instrument);
            let mut prices: Vec<_> = in_book
                .map(|o| (o.order.side, o.order.kind.limit_price()))
                .collect();
            prices.sort_unstable();
            prices.dedup();
            assert_eq!(prices.len(), depth.bids.len() + depth.asks.len());
            for (side, levels) in [(Side::Buy, &depth.bids), (Side::Sell, &depth.asks)] {
                for level in levels {
                    assert_eq!(
                        self.naive.level(*instrument, side, level.price),
                        level.quantity
                    );
                }
            }
        }
    }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Accepted(_) => "accepted",
        Event::Rejected(_) => "rejected",
        Event::Trade(_) => "trade",
        Event::Cancelled(_) => "cancelled",
        Event::Amended {
            kept_priority: true,
            ..
        } => "amended in place",
        Event::Amended { .. } => "amended anew",
        Event::Expired { .. } => "expired",
        Event::Triggered(_) => "triggered",
        Event::Prevented(_) => "prevented",
        Event::BookChanged(_) => "book changed",
        Event::BalanceChanged(_) => "balance changed",
        Event::StatusChanged { .. } => "status changed",
    }
}

#[test]
fn the_exchange_does_what_the_naive_model_does() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1..=SEEDS {
        let mut pair = Pair::new();
        let mut generator = Generator::new(seed);
        for step in 0..COMMANDS {
            let command = generator.command(&pair.naive);
            let now = Timestamp::from_nanos(step as i64 * 1_000);
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                pair.check(&command, now)
            }));
            if let Err(panic) = checked {
                println!("seed {seed}, command {step}: {command:?}");
                std::panic::resume_unwind(panic);
            }
        }
        pair.seen
            .into_iter()
            .for_each(|(kind, count)| *seen.entry(kind).or_default() += count);
    }
    println!(
        "{} commands, seeds 1 to {SEEDS}: {seen:?}",
        SEEDS as usize * COMMANDS
    );
    for kind in [
        "trade",
        "triggered",
        "prevented",
        "expired",
        "amended in place",
        "amended anew",
    ] {
        assert!(
            seen.get(kind).is_some_and(|count| *count > 1_000),
            "too few of: {kind}"
        );
    }
}
