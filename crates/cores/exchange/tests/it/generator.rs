//! Random commands that mostly make sense: prices around one level, targets that are mostly open,
//! a few values off every rule.

use crate::naive::{Market, Naive};
use ploy_domain::{
    AccountId, Amount, Bps, Instrument, InstrumentId, InstrumentStatus, OrderKind, Price, Quantity,
    Session, Side, TimeInForce,
};
use ploy_exchange_core::{
    AccountTerms, AmendOrder, ClientId, Command, Listing, OrderId, OrderRef, OrderSize, PlaceOrder,
    StpMode,
};

pub(crate) const NAMES: [&str; 4] = ["anna", "ben", "cleo", "dan"];

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Two instruments that share an asset; products of the second leave remainders at 1e-8.
pub(crate) fn listings() -> Vec<Listing> {
    let listing = |id: &str, base: &str, tick: i64, lot: i64| Listing {
        instrument: Instrument {
            id: id.parse().unwrap(),
            base: base.parse().unwrap(),
            quote: "USDT".parse().unwrap(),
            tick: Price::from_raw(tick),
            lot: Quantity::from_raw(lot),
            quantity_min: Quantity::from_raw(2 * lot),
            quantity_max: Quantity::from_raw(30 * lot),
            price_min: Price::from_raw(3 * tick),
            price_max: Price::from_raw(118 * tick),
            notional_min: Amount::from_raw(tick * lot / 100_000_000 * 200),
            notional_max: Amount::from_raw(tick * lot / 100_000_000 * 3_300),
            session: Session::Always,
            status: InstrumentStatus::Trading,
        },
        open_orders_max: 12,
    };
    vec![
        listing("BTCUSDT.SIM", "BTC", 50_000_000, 10_000_000),
        listing("ODDUSDT.SIM", "ODD", 3_333_331, 1_234_577),
    ]
}

pub(crate) fn accounts() -> Vec<AccountTerms> {
    let fees = [(0, 0), (10, 20), (7, 13), (2_500, 10_000)];
    let terms = |(name, (maker, taker)): (&str, (i32, i32))| AccountTerms {
        id: name.parse().unwrap(),
        maker_fee: Bps::new(maker),
        taker_fee: Bps::new(taker),
    };
    NAMES.into_iter().zip(fees).map(terms).collect()
}

pub(crate) struct Generator {
    random: Random,
    listings: Vec<Listing>,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            listings: listings(),
        }
    }

    pub(crate) fn command(&mut self, naive: &Naive) -> Command {
        let random = &mut self.random;
        let account: AccountId = random.of(&NAMES).parse().unwrap();
        let listing = &self.listings[random.below(2) as usize];
        let instrument = listing.instrument.id;
        let closed =
            |market: &Market| market.listing.instrument.status != InstrumentStatus::Trading;
        if random.one_in(8)
            && let Some((instrument, _)) = naive.markets.iter().find(|(_, market)| closed(market))
        {
            return Command::SetStatus {
                instrument: *instrument,
                status: InstrumentStatus::Trading,
            };
        }
        match random.below(1000) {
            0..600 => Command::Place(place(random, &listing.instrument, account)),
            600..740 => {
                let (account, instrument, order) = target(random, naive, account, instrument);
                Command::Cancel {
                    account,
                    instrument,
                    order,
                }
            }
            740..900 => Command::Amend(amend(random, naive, (account, listing))),
            900..905 => Command::CancelAll {
                account,
                instrument,
            },
            905..990 => Command::Deposit {
                account,
                asset: random.of(&["BTC", "ODD", "USDT"]).parse().unwrap(),
                amount: Amount::from_raw(1 + random.below(60_000_000_000) as i64),
            },
            _ => Command::SetStatus {
                instrument,
                status: random.of(&[
                    InstrumentStatus::Trading,
                    InstrumentStatus::CancelOnly,
                    InstrumentStatus::Halted,
                ]),
            },
        }
    }
}

fn price(random: &mut Random, rules: &Instrument) -> Price {
    let ticks = if random.one_in(60) {
        random.below(130)
    } else {
        92 + random.below(17)
    };
    let off = i64::from(random.one_in(80));
    Price::from_raw(ticks as i64 * rules.tick.raw() + off)
}

fn quantity(random: &mut Random, rules: &Instrument) -> Quantity {
    let lots = if random.one_in(60) {
        random.below(33)
    } else {
        2 + random.below(12)
    };
    let off = i64::from(random.one_in(80));
    Quantity::from_raw(lots as i64 * rules.lot.raw() + off)
}

fn place(random: &mut Random, rules: &Instrument, account: AccountId) -> PlaceOrder {
    use TimeInForce::{Day, Fok, Gtc, Ioc};
    let kind = match random.below(20) {
        0..11 => OrderKind::Limit {
            price: price(random, rules),
            post_only: random.one_in(6),
        },
        11..14 => OrderKind::Market,
        14..17 => OrderKind::Stop {
            stop: price(random, rules),
        },
        _ => OrderKind::StopLimit {
            stop: price(random, rules),
            price: price(random, rules),
        },
    };
    let by_quote = (kind == OrderKind::Market && random.one_in(3)) || random.one_in(100);
    let size = if by_quote {
        let most = rules.notional_max.raw() as u64;
        OrderSize::Quote(Amount::from_raw(random.below(most + most / 20) as i64))
    } else {
        OrderSize::Base(quantity(random, rules))
    };
    let name = format!("n{}", random.below(60));
    PlaceOrder {
        account,
        instrument: rules.id,
        client_id: ClientId::parse(&name).unwrap(),
        side: random.of(&[Side::Buy, Side::Sell]),
        kind,
        size,
        time_in_force: if random.one_in(200) {
            Day
        } else {
            random.of(&[Gtc, Gtc, Gtc, Gtc, Gtc, Ioc, Fok])
        },
        stp: random.of(&[
            StpMode::None,
            StpMode::ExpireTaker,
            StpMode::ExpireMaker,
            StpMode::ExpireBoth,
        ]),
    }
}

/// Mostly an open order of its owner, sometimes anything.
fn target(
    random: &mut Random,
    naive: &Naive,
    account: AccountId,
    instrument: InstrumentId,
) -> (AccountId, InstrumentId, OrderRef) {
    if naive.open.is_empty() || random.one_in(12) {
        let order = OrderRef::Id(OrderId::new(random.below(3_000)));
        return (account, instrument, order);
    }
    let order = naive.open[random.below(naive.open.len() as u64) as usize].order;
    let by = if random.one_in(2) {
        OrderRef::Id(order.id)
    } else {
        OrderRef::Client(order.client_id)
    };
    let instrument = if random.one_in(30) {
        instrument
    } else {
        order.instrument
    };
    (order.account, instrument, by)
}

fn amend(
    random: &mut Random,
    naive: &Naive,
    (account, listing): (AccountId, &Listing),
) -> AmendOrder {
    let (account, instrument, order) = target(random, naive, account, listing.instrument.id);
    let rules = &naive.markets[&instrument].listing.instrument;
    AmendOrder {
        account,
        instrument,
        order,
        quantity: quantity(random, rules),
        price: random.one_in(2).then(|| price(random, rules)),
    }
}
