//! A recorded market: its trades and bars are printed through the matching engine, and the house
//! quotes a book around each print so that accounts can trade too.
//!
//! An account's resting order is filled when a print reaches it, before the house's own quotes at
//! that price; its market orders meet the house's book. Times of the recording decide the pace;
//! the exchange's clock stays the real one.

use super::house::{House, Offer};
use crate::{
    config::Config,
    engine::{Engine, venue::Venue},
};
use ploy_domain::{Bar, Price, Quantity, Rounding, Side, Symbol, Timestamp, Trade};
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Something that happened in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptItem {
    /// A trade, printed as it was.
    Trade(Trade),
    /// A bar, printed as open, the nearer of high and low, the other, and close.
    Bar(Bar),
}

/// Items in the order of their time; those of instruments that are not listed are skipped.
pub type MarketScript = Box<dyn Iterator<Item = ScriptItem> + Send>;

/// How fast a script is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As many times as fast as it was recorded; 1 is real time.
    Factor(f64),
    /// As fast as the engine prints.
    Max,
}

/// Levels per side that the house quotes around a print, and their distance as a divisor of the
/// price: 2 hundredths of a percent.
const LEVELS: i64 = 10;
const GAP_DIVISOR: i64 = 5_000;
/// Value of each level in the quote asset, at least.
const LEVEL_VALUE: f64 = 50_000.0;
/// Value of a print whose recording has no volume, as of an index.
const PRINT_VALUE: f64 = 1_000.0;
/// Prints per job of the engine at full speed.
const BATCH: usize = 64;
/// Prints read before they are due.
const READ_AHEAD: usize = 1_024;
/// The longest pause a script may make: nights and weekends are not waited for.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// One price on the way to the tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    symbol: Symbol,
    price: Price,
    /// `None` when the recording has no volume.
    quantity: Option<Quantity>,
    aggressor: Side,
    at: Timestamp,
}

/// Plays a script.
pub(crate) struct Player {
    /// Taken by the thread that reads it.
    script: Option<MarketScript>,
    speed: Speed,
    houses: BTreeMap<Symbol, House>,
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player")
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

impl Player {
    /// A player for the listed instruments; nothing when one of them is not sound.
    pub(super) fn new(config: &Config, script: MarketScript, speed: Speed) -> Option<Self> {
        let houses = config.instruments.iter().enumerate();
        let houses = houses.map(|(symbol, instrument)| {
            let rules = instrument.instrument().ok()?;
            Some((*rules.id.symbol(), House::new(symbol, rules)))
        });
        Some(Self {
            script: Some(script),
            speed,
            houses: houses.collect::<Option<_>>()?,
        })
    }

    /// Prints one price and quotes around it.
    fn print(&mut self, print: &Print, venue: &mut Venue, now: Timestamp) {
        let Some(house) = self.houses.get_mut(&print.symbol) else {
            return;
        };
        let rules = &house.rules;
        let price = print
            .price
            .round_to(rules.tick, Rounding::HalfEven)
            .unwrap_or(rules.price_min)
            .clamp(rules.price_min, rules.price_max);
        let quantity = match print.quantity {
            Some(quantity) => house.on_lot(quantity.min(house.largest(price))),
            None => house.quantity(PRINT_VALUE, price.to_f64()),
        };
        house.pull_all(venue, now);
        let passive = Offer {
            side: print.aggressor.opposite(),
            price,
            quantity,
        };
        if let Some(id) = house.next_id() {
            house.quote(venue, (passive, id), (false, now));
        }
        let active = Offer {
            side: print.aggressor,
            ..passive
        };
        house.take(venue, active, now);
        quote_around(house, venue, (price, now));
    }
}

/// The house's book around `price`.
fn quote_around(house: &mut House, venue: &mut Venue, (price, now): (Price, Timestamp)) {
    let tick = house.rules.tick.raw();
    let gap = (price.raw() / GAP_DIVISOR / tick).max(1) * tick;
    let quantity = house.quantity(LEVEL_VALUE, price.to_f64());
    for level in 1..=LEVELS {
        for side in [Side::Buy, Side::Sell] {
            let at = Price::from_raw(price.raw() - side.sign() * level * gap);
            if at < house.rules.price_min || at > house.rules.price_max {
                continue;
            }
            let offer = Offer {
                side,
                price: at,
                quantity,
            };
            if let Some(id) = house.next_id() {
                house.quote(venue, (offer, id), (false, now));
            }
        }
    }
}

/// The prints of a bar: O, the nearer of H and L, the other, C, spread over its time.
fn walk(bar: &Bar) -> [Print; 4] {
    let (up, down) = (
        bar.high.raw() - bar.open.raw(),
        bar.open.raw() - bar.low.raw(),
    );
    let (first, second) = if up <= down {
        (bar.high, bar.low)
    } else {
        (bar.low, bar.high)
    };
    let prices = [bar.open, first, second, bar.close];
    let quarter = (bar.end - bar.start).get() / 4;
    let quantity = Quantity::from_raw(bar.volume.raw() / 4);
    let mut before = bar.open;
    std::array::from_fn(|n| {
        let price = prices[n];
        let aggressor = if price < before {
            Side::Sell
        } else {
            Side::Buy
        };
        before = price;
        Print {
            symbol: *bar.instrument.symbol(),
            price,
            quantity: quantity.is_positive().then_some(quantity),
            aggressor,
            at: bar.start.plus(ploy_domain::Nanos::new(quarter * n as i64)),
        }
    })
}

/// Reads a script on its own thread, since recordings are files: prints wait in a bounded channel
/// until they are due.
fn read_ahead(script: MarketScript) -> mpsc::Receiver<Print> {
    let (sender, prints) = mpsc::channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || {
        for item in script {
            let item_prints = match item {
                ScriptItem::Trade(trade) => vec![of_trade(&trade)],
                ScriptItem::Bar(bar) => walk(&bar).to_vec(),
            };
            for print in item_prints {
                if sender.blocking_send(print).is_err() {
                    return;
                }
            }
        }
    });
    prints
}

fn of_trade(trade: &Trade) -> Print {
    Print {
        symbol: *trade.instrument.symbol(),
        price: trade.price,
        quantity: Some(trade.quantity),
        aggressor: trade.aggressor,
        at: trade.ts_event,
    }
}

/// Decides when prints are due.
struct Pace {
    speed: Speed,
    last: Option<Timestamp>,
    due: Instant,
}

impl Pace {
    /// When a print of time `at` is due; at once at full speed.
    fn due(&mut self, at: Timestamp) -> Option<Instant> {
        let Speed::Factor(factor) = self.speed else {
            return None;
        };
        let since = self.last.map_or(0, |last| (at - last).get().max(0));
        self.last = Some(at);
        let pause = Duration::from_nanos(since.unsigned_abs());
        let scaled = Duration::try_from_secs_f64(pause.as_secs_f64() / factor);
        self.due += scaled.unwrap_or(PAUSE_MAX).min(PAUSE_MAX);
        Some(self.due)
    }
}

/// Plays the script until it ends or `stop`.
pub(super) async fn play(mut player: Box<Player>, engine: Engine, stop: CancellationToken) {
    let Some(script) = player.script.take() else {
        return;
    };
    let mut script = read_ahead(script);
    let mut pace = Pace {
        speed: player.speed,
        last: None,
        due: Instant::now(),
    };
    let mut printed = 0;
    loop {
        let prints = tokio::select! {
            () = stop.cancelled() => return,
            prints = due(&mut script, &mut pace) => prints,
        };
        if prints.is_empty() {
            tracing::info!(printed, "the recording has ended; its last book stays");
            return;
        }
        printed += prints.len();
        let job = engine.run(move |venue, now| {
            for print in &prints {
                player.print(print, venue, now);
            }
            player
        });
        match job.await {
            Ok(back) => player = back,
            Err(_) if stop.is_cancelled() => return,
            Err(error) => {
                tracing::error!(%error, "the replay ends: the engine does not answer");
                return;
            }
        }
    }
}

/// Waits for the next prints; none at the end of the script.
async fn due(script: &mut mpsc::Receiver<Print>, pace: &mut Pace) -> Vec<Print> {
    let Some(print) = script.recv().await else {
        return Vec::new();
    };
    let mut prints = vec![print];
    match pace.due(print.at) {
        Some(due) => sleep_until(due).await,
        None => {
            while prints.len() < BATCH
                && let Ok(print) = script.try_recv()
            {
                prints.push(print);
            }
        }
    }
    prints
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::{Amount, BarFlags, BarInterval};

    fn bar(prices: [i64; 4]) -> Bar {
        let [open, high, low, close] = prices.map(|price| Price::from_int(price).unwrap());
        Bar {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            interval: BarInterval::MINUTE,
            start: Timestamp::EPOCH,
            end: Timestamp::from_millis(60_000).unwrap(),
            open,
            high,
            low,
            close,
            volume: Quantity::from_int(8).unwrap(),
            turnover: Amount::ZERO,
            count: 1,
            first_seq: 1,
            last_seq: 1,
            flags: BarFlags::default(),
            revision: 0,
        }
    }

    #[test]
    fn a_bar_visits_the_nearer_extreme_first() {
        let prices = |bar: Bar| walk(&bar).map(|print| print.price.raw() / ploy_domain::SCALE);
        assert_eq!(prices(bar([10, 12, 5, 11])), [10, 12, 5, 11]);
        assert_eq!(prices(bar([10, 19, 9, 11])), [10, 9, 19, 11]);
        let prints = walk(&bar([10, 12, 5, 11]));
        assert_eq!(prints[1].at, Timestamp::from_millis(15_000).unwrap());
        assert_eq!(prints[1].quantity, Some(Quantity::from_int(2).unwrap()));
        assert_eq!(
            (prints[1].aggressor, prints[2].aggressor),
            (Side::Buy, Side::Sell)
        );
    }

    #[test]
    fn the_pace_follows_the_recording_and_skips_nights() {
        let begin = Instant::now();
        let mut pace = Pace {
            speed: Speed::Factor(60.0),
            last: None,
            due: begin,
        };
        let at = |secs: i64| Timestamp::from_millis(secs * 1_000).unwrap();
        assert_eq!(pace.due(at(0)), Some(begin));
        assert_eq!(pace.due(at(60)), Some(begin + Duration::from_secs(1)));
        assert_eq!(
            pace.due(at(86_400)),
            Some(begin + Duration::from_secs(1) + PAUSE_MAX)
        );
    }
}
