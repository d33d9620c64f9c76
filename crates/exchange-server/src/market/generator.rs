//! The generated market of one instrument: quotes around the model's price, noise traders on both
//! sides, and informed ones who take whatever is quoted on the wrong side of it.

use super::{
    house::{House, Offer},
    model::Model,
};
use crate::{engine::venue::Venue, rng::Rng};
use ploy_domain::{BookLevel, Price, Rounding, Side, Timestamp};
use ploy_exchange_core::{ClientId, Depth};
use std::collections::BTreeMap;

/// Quotes per side that the house keeps, and the most it ever has.
const QUOTES: usize = 24;
/// Levels of the book that the generator looks at: its own and those of accounts.
const VIEW: usize = 400;
/// Half the usual spread, and the mean distances of quotes near the touch and behind it, as parts
/// of the price.
const HALF_SPREAD: f64 = 0.4e-4;
const NEAR: f64 = 0.3e-4;
const FAR: f64 = 5.0e-4;
/// Quotes further away than this are pulled.
const REACH: f64 = 40.0e-4;
/// Usual value of a quote and of a noise trade, in the quote asset.
const QUOTE_VALUE: f64 = 20_000.0;
const TRADE_VALUE: f64 = 1_200.0;
/// Chance that an action is a noise trade, and that a noise trade is on the side of the last one.
const TRADE_CHANCE: f64 = 0.2;
const PERSISTENCE: f64 = 0.6;
/// The longest time one step makes up for, in seconds.
const STEP_MAX: f64 = 0.5;

/// One instrument's market.
#[derive(Debug)]
pub(crate) struct Generator {
    house: House,
    model: Model,
    rng: Rng,
    /// Actions per second.
    rate: f64,
    bids: BTreeMap<Price, ClientId>,
    asks: BTreeMap<Price, ClientId>,
    flow: Side,
    last: Option<Timestamp>,
}

impl Generator {
    pub(super) fn new(house: House, opening: Price, (seed, rate): (u64, f64)) -> Self {
        let stream = 2 * house.symbol as u64;
        Self {
            model: Model::new(opening.to_f64(), Rng::new(seed, stream + 1)),
            rng: Rng::new(seed, stream + 2),
            house,
            rate,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            flow: Side::Buy,
            last: None,
        }
    }

    /// Acts for the time since the last step.
    pub(crate) fn step(&mut self, venue: &mut Venue, now: Timestamp) {
        let since = self
            .last
            .map_or(0.0, |last| (now - last).get() as f64 / 1e9);
        self.last = Some(now);
        let secs = since.clamp(0.0, STEP_MAX);
        self.model.step(secs);
        let mut actions = self.rate * secs;
        // Fractions of an action happen with that probability.
        while self.rng.chance(actions.min(1.0)) {
            actions -= 1.0;
            let Some(view) = self.look(venue) else { return };
            self.act(venue, &view, now);
        }
        if self.bids.is_empty() || self.asks.is_empty() {
            self.fill_up(venue, now);
        }
    }

    /// The book, after forgetting own quotes that are no longer in it.
    fn look(&mut self, venue: &Venue) -> Option<Depth> {
        let view = venue.core.depth(&self.house.rules.id, VIEW)?;
        let still =
            |levels: &[BookLevel], price: &Price| levels.iter().any(|level| level.price == *price);
        self.bids.retain(|price, _| still(&view.bids, price));
        self.asks.retain(|price, _| still(&view.asks, price));
        Some(view)
    }

    fn act(&mut self, venue: &mut Venue, view: &Depth, now: Timestamp) {
        if let Some(offer) = self.informed(view) {
            self.house.take(venue, offer, now);
        } else if self.rng.chance(TRADE_CHANCE) {
            if let Some(offer) = self.noise(view) {
                self.house.take(venue, offer, now);
            }
        } else {
            self.maintain(venue, view, now);
        }
    }

    /// Somebody who knows the model's price takes what is quoted beyond it.
    fn informed(&self, view: &Depth) -> Option<Offer> {
        let fair = self.model.price();
        let (high, low) = (
            self.house.price(fair, Rounding::Floor),
            self.house.price(fair, Rounding::Ceil),
        );
        let sum = |levels: &[BookLevel], wrong: &dyn Fn(Price) -> bool| {
            let wrong = levels.iter().take_while(|level| wrong(level.price));
            wrong
                .take(3)
                .fold(0, |sum, level| level.quantity.raw() + sum)
        };
        let (asks, bids) = (
            sum(&view.asks, &|price| price < high),
            sum(&view.bids, &|price| price > low),
        );
        let (side, price, raw) = match (asks, bids) {
            (0, 0) => return None,
            (0, bids) => (Side::Sell, low, bids),
            (asks, _) => (Side::Buy, high, asks),
        };
        let quantity = self.house.on_lot(ploy_domain::Quantity::from_raw(raw));
        Some(Offer {
            side,
            price,
            quantity,
        })
    }

    /// Somebody who wants to trade for reasons of their own.
    fn noise(&mut self, view: &Depth) -> Option<Offer> {
        if !self.rng.chance(PERSISTENCE) {
            self.flow = self.flow.opposite();
        }
        let levels = match self.flow {
            Side::Buy => &view.asks,
            Side::Sell => &view.bids,
        };
        // At most the third level: no single trader walks through the book.
        let worst = levels.get(2).or_else(|| levels.last())?.price;
        let value = TRADE_VALUE * (1.1 * self.rng.normal()).exp();
        Some(Offer {
            side: self.flow,
            price: worst,
            quantity: self.house.quantity(value, worst.to_f64()),
        })
    }

    /// Pulls a quote that is out of place, or adds one where one is missing.
    fn maintain(&mut self, venue: &mut Venue, view: &Depth, now: Timestamp) {
        if let Some(id) = self.out_of_reach() {
            self.house.pull(venue, id, now);
            return;
        }
        let (side, mean) = match self.lagging() {
            Some(side) => (side, NEAR),
            None if self.rng.chance(0.4) => (self.thinner(), NEAR),
            None => (self.thinner(), FAR),
        };
        if self.quotes(side).len() < QUOTES {
            self.add_quote(venue, (side, mean, view), now);
        } else if let Some(id) = self.any_quote(side) {
            self.house.pull(venue, id, now);
        }
    }

    /// The side whose best quote the model's price has left behind.
    fn lagging(&self) -> Option<Side> {
        let fair = self.model.price();
        let reach = self.half_spread() + 3.0 * NEAR;
        let behind = |price: Option<&Price>| {
            price.is_none_or(|price| (price.to_f64() / fair - 1.0).abs() > reach)
        };
        if behind(self.bids.keys().next_back()) {
            Some(Side::Buy)
        } else if behind(self.asks.keys().next()) {
            Some(Side::Sell)
        } else {
            None
        }
    }

    fn thinner(&self) -> Side {
        if self.bids.len() <= self.asks.len() {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    /// Half the spread that quotes keep, wider when prices move more.
    fn half_spread(&self) -> f64 {
        HALF_SPREAD * self.model.agitation().clamp(0.7, 4.0)
    }

    fn quotes(&mut self, side: Side) -> &mut BTreeMap<Price, ClientId> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Takes the outermost quote off the list if it is too far away.
    fn out_of_reach(&mut self) -> Option<ClientId> {
        let fair = self.model.price();
        let far = |price: &Price| (price.to_f64() / fair - 1.0).abs() > REACH;
        if self.bids.keys().next().is_some_and(far) {
            return self.bids.pop_first().map(|(_, id)| id);
        }
        if self.asks.keys().next_back().is_some_and(far) {
            return self.asks.pop_last().map(|(_, id)| id);
        }
        None
    }

    fn any_quote(&mut self, side: Side) -> Option<ClientId> {
        let count = self.quotes(side).len() as u64;
        let index = self.rng.next() % count.max(1);
        let price = *self.quotes(side).keys().nth(usize::try_from(index).ok()?)?;
        self.quotes(side).remove(&price)
    }

    /// Adds a quote at a distance of `mean` on average behind the spread.
    fn add_quote(
        &mut self,
        venue: &mut Venue,
        (side, mean, view): (Side, f64, &Depth),
        now: Timestamp,
    ) {
        let fair = self.model.price();
        let distance = self.half_spread() + self.rng.exponential(mean);
        let sign = side.sign() as f64;
        let rounding = match side {
            Side::Buy => Rounding::Floor,
            Side::Sell => Rounding::Ceil,
        };
        let wanted = self.house.price(fair * (1.0 - sign * distance), rounding);
        let price = behind_touch(wanted, (side, view), self.house.rules.tick);
        if self.quotes(side).contains_key(&price) {
            return;
        }
        let value = QUOTE_VALUE * (0.6 * self.rng.normal()).exp() * (1.0 + distance / FAR);
        let quantity = self.house.quantity(value, fair);
        let Some(id) = self.house.next_id() else {
            return;
        };
        let offer = Offer {
            side,
            price,
            quantity,
        };
        if self.house.quote(venue, (offer, id), (true, now)).is_none() {
            self.quotes(side).insert(price, id);
        }
    }

    /// Quotes both sides of an empty book at once.
    fn fill_up(&mut self, venue: &mut Venue, now: Timestamp) {
        for _ in 0..QUOTES {
            for side in [Side::Buy, Side::Sell] {
                if let Some(view) = self.look(venue)
                    && self.quotes(side).len() < QUOTES
                {
                    let mean = if self.rng.chance(0.3) { NEAR } else { FAR };
                    self.add_quote(venue, (side, mean, &view), now);
                }
            }
        }
    }
}

/// `wanted`, or the price just behind the other side's best if `wanted` would take.
fn behind_touch(wanted: Price, (side, view): (Side, &Depth), tick: Price) -> Price {
    let (other, step) = match side {
        Side::Buy => (view.asks.first(), -tick.raw()),
        Side::Sell => (view.bids.first(), tick.raw()),
    };
    let Some(limit) = other.map(|level| Price::from_raw(level.price.raw() + step)) else {
        return wanted;
    };
    match side {
        Side::Buy => wanted.min(limit),
        Side::Sell => wanted.max(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use ploy_domain::Nanos;

    /// What twenty minutes of one instrument look like.
    struct Session {
        /// Last price of each second.
        closes: Vec<f64>,
        buys: usize,
        sells: usize,
        spread_min: i64,
        quotes_max: usize,
        /// Spread as a part of the price, second by second.
        spreads: Vec<f64>,
        /// Levels of the thinner side, second by second.
        levels: Vec<usize>,
    }

    fn run(name: &str, seed: u64) -> Session {
        let dir = format!("ploy-generator-{name}-{}-{seed}", std::process::id());
        let config = Config {
            data_dir: std::env::temp_dir().join(dir),
            ..Config::default()
        };
        drop(std::fs::remove_dir_all(&config.data_dir));
        let mut now = Timestamp::from_millis(1_735_689_600_000).unwrap();
        let mut venue = Venue::open(&config, now).unwrap();
        let rules = venue.listed[0].rules.clone();
        let opening = config.instruments[0].opening_price;
        let mut generator = Generator::new(House::new(0, rules.clone()), opening, (seed, 30.0));
        let mut session = Session {
            closes: Vec::new(),
            buys: 0,
            sells: 0,
            spread_min: i64::MAX,
            quotes_max: 0,
            spreads: Vec::new(),
            levels: Vec::new(),
        };
        for step in 0..20 * 60 * 20 {
            now = now.plus(Nanos::from_millis(50));
            generator.step(&mut venue, now);
            let quotes = generator.bids.len() + generator.asks.len();
            session.quotes_max = session.quotes_max.max(quotes);
            if step < 200 || step % 20 != 0 {
                continue;
            }
            session
                .closes
                .extend(venue.listed[0].last_price.map(Price::to_f64));
            let depth = venue.core.depth(&rules.id, VIEW).unwrap();
            session.levels.push(depth.bids.len().min(depth.asks.len()));
            if let (Some(bid), Some(ask)) = (depth.bids.first(), depth.asks.first()) {
                let spread = ask.price.raw() - bid.price.raw();
                session.spreads.push(spread as f64 / bid.price.raw() as f64);
                session.spread_min = session.spread_min.min(spread / rules.tick.raw());
            }
        }
        for trade in venue.listed[0].tape.trades(None, usize::MAX) {
            match trade.aggressor {
                Side::Buy => session.buys += 1,
                Side::Sell => session.sells += 1,
            }
        }
        drop(std::fs::remove_dir_all(&config.data_dir));
        session
    }

    fn average(prices: &[f64]) -> f64 {
        prices.iter().sum::<f64>() / prices.len() as f64
    }

    #[test]
    fn the_market_looks_like_one() {
        for seed in [1, 2, 3] {
            let mut session = run("looks", seed);
            assert!(session.spread_min >= 1, "seed {seed}: bid below ask");
            session.levels.sort_unstable();
            let usual = session.levels[session.levels.len() / 2];
            assert!(usual >= 15, "seed {seed}: {usual} levels a side");
            assert!(session.levels[0] >= 2, "seed {seed}: never without depth");
            assert!(
                session.quotes_max <= 2 * QUOTES,
                "seed {seed}: bounded quotes"
            );
            session.spreads.sort_by(f64::total_cmp);
            let spread = session.spreads[session.spreads.len() / 2];
            assert!(
                spread < 3e-4,
                "seed {seed}: half the time the spread is below {spread}"
            );
            let share = session.buys as f64 / (session.buys + session.sells) as f64;
            assert!(
                (0.3..0.7).contains(&share),
                "seed {seed}: {share} of trades buy"
            );
            let (low, high) = session
                .closes
                .iter()
                .fold((f64::MAX, 0.0_f64), |(low, high), p| {
                    (low.min(*p), high.max(*p))
                });
            let range = high / low - 1.0;
            assert!(
                (0.001..0.2).contains(&range),
                "seed {seed}: range {range} in 20 minutes"
            );
        }
    }

    #[test]
    fn moving_averages_cross_now_and_then() {
        for seed in [1, 2, 3] {
            let closes = run("crosses", seed).closes;
            let is_above =
                |end: usize| average(&closes[end - 10..end]) > average(&closes[end - 30..end]);
            let crosses = (31..closes.len())
                .filter(|n| is_above(*n) != is_above(*n - 1))
                .count();
            assert!(
                (10..300).contains(&crosses),
                "seed {seed}: {crosses} crosses in 20 minutes"
            );
        }
    }
}
