//! How a bar is taken apart into the prices it went through (trading-semantics §6): the open, then
//! the nearer of high and low, then the other, then the close.

use ploy_domain::{Bar, Nanos, Price, Quantity, Side, Trade};

/// The four prices of a bar in the order they are walked. With both ends equally near, the low
/// comes first.
#[must_use]
pub fn walk(bar: &Bar) -> [Price; 4] {
    let up = bar.high.raw().saturating_sub(bar.open.raw());
    let down = bar.open.raw().saturating_sub(bar.low.raw());
    if up < down {
        [bar.open, bar.high, bar.low, bar.close]
    } else {
        [bar.open, bar.low, bar.high, bar.close]
    }
}

/// The walk as four trades, numbered from `first_id`, spread evenly over the bar. Together they
/// trade the bar's volume; a bar without volume makes trades of nothing.
#[must_use]
pub fn walk_trades(bar: &Bar, first_id: u64) -> [Trade; 4] {
    let prices = walk(bar);
    let quarter = Nanos::new((bar.end - bar.start).get() / 4);
    let (part, rest) = (bar.volume.raw() / 4, bar.volume.raw() % 4);
    let (mut at, mut id, mut before) = (bar.start, first_id, bar.open);
    prices.map(|price| {
        let trade = Trade {
            instrument: bar.instrument,
            price,
            quantity: Quantity::from_raw(part + if id == first_id { rest } else { 0 }),
            aggressor: if price < before {
                Side::Sell
            } else {
                Side::Buy
            },
            venue_trade_id: id,
            ts_event: at,
            ts_receive: at,
        };
        (at, id, before) = (at.plus(quarter), id + 1, price);
        trade
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::{Amount, BarAggregator, BarFlags, BarInterval, Session, Timestamp};
    use proptest::prelude::*;

    fn bar((open, high, low, close): (i64, i64, i64, i64), volume: i64) -> Bar {
        Bar {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            interval: BarInterval::MINUTE,
            start: Timestamp::EPOCH,
            end: Timestamp::EPOCH.plus(BarInterval::MINUTE.length()),
            open: Price::from_raw(open),
            high: Price::from_raw(high),
            low: Price::from_raw(low),
            close: Price::from_raw(close),
            volume: Quantity::from_raw(volume),
            turnover: Amount::ZERO,
            count: 0,
            first_seq: 0,
            last_seq: 0,
            flags: BarFlags::default(),
            revision: 0,
        }
    }

    #[test]
    fn the_nearer_end_comes_first() {
        let raws = |prices| walk(&bar(prices, 0)).map(Price::raw);
        assert_eq!(raws((10, 12, 5, 6)), [10, 12, 5, 6]);
        assert_eq!(raws((10, 15, 9, 14)), [10, 9, 15, 14]);
    }

    proptest! {
        #[test]
        fn the_trades_of_a_walk_make_the_same_bar(
            low in 1i64..1_000, range in 0i64..1_000, open in 0i64..1_000, close in 0i64..1_000, volume in 0i64..10_000,
        ) {
            let inside = |n: i64| low + n.min(range);
            let bar = bar((inside(open), low + range, low, inside(close)), volume);
            let mut bars = BarAggregator::new(BarInterval::MINUTE, Session::Always, Nanos::ZERO);
            for trade in walk_trades(&bar, 1) {
                prop_assert_eq!(bars.on_trade(&trade)?, None);
            }
            let made = bars.on_time(bar.end).unwrap();
            prop_assert_eq!(
                (made.start, made.open, made.high, made.low, made.close, made.volume),
                (bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume)
            );
        }
    }
}
