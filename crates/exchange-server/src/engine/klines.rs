//! Klines of one instrument in every interval the venue knows. An interval without trades is there
//! too, flat at the last price, so that a series has no holes.

use super::tape::PublicTrade;
use crate::{clock::millis, decimal::fixed};
use ploy_domain::{
    Amount, Nanos, Price, Quantity, Side, Timestamp,
    time::{civil_from_days, days_from_civil},
};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// A kline interval, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    /// A whole number of seconds, anchored at the epoch.
    Seconds(&'static str, i64),
    /// From Monday 00:00 UTC.
    Week,
    /// From the first of a month.
    Month,
}

impl Interval {
    pub(crate) const ALL: [Self; 16] = [
        Self::Seconds("1s", 1),
        Self::Seconds("1m", 60),
        Self::Seconds("3m", 180),
        Self::Seconds("5m", 300),
        Self::Seconds("15m", 900),
        Self::Seconds("30m", 1_800),
        Self::Seconds("1h", 3_600),
        Self::Seconds("2h", 7_200),
        Self::Seconds("4h", 14_400),
        Self::Seconds("6h", 21_600),
        Self::Seconds("8h", 28_800),
        Self::Seconds("12h", 43_200),
        Self::Seconds("1d", 86_400),
        Self::Seconds("3d", 259_200),
        Self::Week,
        Self::Month,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Seconds(word, _) => word,
            Self::Week => "1w",
            Self::Month => "1M",
        }
    }

    pub(crate) fn position(word: &str) -> Option<usize> {
        Self::ALL.iter().position(|known| known.word() == word)
    }

    fn open_of(self, at: Timestamp) -> Timestamp {
        const MONDAY: Timestamp = Timestamp::from_nanos(4 * 86_400_000_000_000);
        match self {
            Self::Seconds(_, secs) => at.floor_to(Nanos::from_secs(secs), Timestamp::EPOCH),
            Self::Week => at.floor_to(Nanos::from_secs(7 * 86_400), MONDAY),
            Self::Month => {
                let (year, month, _) = civil_from_days(at.as_nanos().div_euclid(DAY));
                Timestamp::from_nanos(days_from_civil(year, month, 1) * DAY)
            }
        }
    }

    /// The start of the interval after the one that starts at `open`.
    fn next(self, open: Timestamp) -> Timestamp {
        match self {
            Self::Seconds(_, secs) => open.plus(Nanos::from_secs(secs)),
            Self::Week => open.plus(Nanos::from_secs(7 * 86_400)),
            Self::Month => {
                let (year, month, _) = civil_from_days(open.as_nanos().div_euclid(DAY));
                let (year, month) = if month == 12 {
                    (year + 1, 1)
                } else {
                    (year, month + 1)
                };
                Timestamp::from_nanos(days_from_civil(year, month, 1) * DAY)
            }
        }
    }
}

const DAY: i64 = 86_400_000_000_000;

/// One kline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kline {
    pub(crate) open_at: Timestamp,
    /// First instant after it.
    pub(crate) end_at: Timestamp,
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) close: Price,
    pub(crate) volume: Quantity,
    pub(crate) value: Amount,
    pub(crate) taker_volume: Quantity,
    pub(crate) taker_value: Amount,
    pub(crate) count: u64,
    /// First and last trade; `None` without trades.
    pub(crate) ids: Option<(u64, u64)>,
}

impl Kline {
    fn flat(interval: Interval, open_at: Timestamp, price: Price) -> Self {
        Self {
            open_at,
            end_at: interval.next(open_at),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Quantity::ZERO,
            value: Amount::ZERO,
            taker_volume: Quantity::ZERO,
            taker_value: Amount::ZERO,
            count: 0,
            ids: None,
        }
    }

    fn add(&mut self, trade: &PublicTrade) {
        if self.ids.is_none() {
            (self.open, self.high, self.low) = (trade.price, trade.price, trade.price);
        }
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        // Volumes of a generated market stay far below 64 bits; saturating keeps a month honest.
        let add = |sum: i64, more: i64| sum.saturating_add(more);
        self.volume = Quantity::from_raw(add(self.volume.raw(), trade.quantity.raw()));
        self.value = Amount::from_raw(add(self.value.raw(), trade.value.raw()));
        if trade.aggressor == Side::Buy {
            let volume = add(self.taker_volume.raw(), trade.quantity.raw());
            self.taker_volume = Quantity::from_raw(volume);
            let value = add(self.taker_value.raw(), trade.value.raw());
            self.taker_value = Amount::from_raw(value);
        }
        self.count += 1;
        let first = self.ids.map_or(trade.id, |(first, _)| first);
        self.ids = Some((first, trade.id));
    }

    fn close_ms(&self) -> i64 {
        millis(self.end_at) - 1
    }

    /// A row of `klines`.
    pub(crate) fn row(&self) -> Value {
        json!([
            millis(self.open_at),
            fixed(self.open.raw()),
            fixed(self.high.raw()),
            fixed(self.low.raw()),
            fixed(self.close.raw()),
            fixed(self.volume.raw()),
            self.close_ms(),
            fixed(self.value.raw()),
            self.count,
            fixed(self.taker_volume.raw()),
            fixed(self.taker_value.raw()),
            "0",
        ])
    }

    /// The payload of the kline stream.
    pub(crate) fn event(
        &self,
        (symbol, interval): (&str, Interval),
        closed: bool,
        now: Timestamp,
    ) -> Value {
        let id = |id: Option<u64>| id.map_or(json!(-1), |id| json!(id));
        json!({
            "e": "kline", "E": millis(now), "s": symbol,
            "k": {
                "t": millis(self.open_at), "T": self.close_ms(), "s": symbol,
                "i": interval.word(), "f": id(self.ids.map(|ids| ids.0)),
                "L": id(self.ids.map(|ids| ids.1)), "o": fixed(self.open.raw()),
                "c": fixed(self.close.raw()), "h": fixed(self.high.raw()),
                "l": fixed(self.low.raw()), "v": fixed(self.volume.raw()), "n": self.count,
                "x": closed, "q": fixed(self.value.raw()), "V": fixed(self.taker_volume.raw()),
                "Q": fixed(self.taker_value.raw()), "B": "0",
            },
        })
    }
}

/// Klines kept per interval: a day of minutes for the 24-hour ticker, and what one request can
/// ask for.
const KEPT: usize = 1_500;

/// The series of all intervals.
#[derive(Debug)]
pub(crate) struct Klines {
    series: Vec<VecDeque<Kline>>,
}

impl Klines {
    pub(crate) fn new() -> Self {
        Self {
            series: vec![VecDeque::new(); Interval::ALL.len()],
        }
    }

    /// Moves all series on to `now`, with flat klines where nothing traded, and hands each kline
    /// that this closed to `closed`.
    pub(crate) fn advance(&mut self, now: Timestamp, mut closed: impl FnMut(Interval, &Kline)) {
        for (interval, series) in Interval::ALL.into_iter().zip(&mut self.series) {
            while let Some(last) = series.back().copied()
                && last.end_at <= now
            {
                closed(interval, &last);
                // After a long pause the flat stretch is cut to what the series can hold.
                let horizon = interval.open_of(now);
                let behind = horizon - last.end_at;
                let length = last.end_at - last.open_at;
                let too_long = behind.get() / length.get().max(1) > KEPT as i64;
                let open_at = if too_long { horizon } else { last.end_at };
                push(series, Kline::flat(interval, open_at, last.close));
            }
        }
    }

    /// Adds a trade; the series must have been moved on to its time.
    pub(crate) fn add(&mut self, trade: &PublicTrade) {
        for (interval, series) in Interval::ALL.into_iter().zip(&mut self.series) {
            if series.is_empty() {
                let open_at = interval.open_of(trade.at);
                series.push_back(Kline::flat(interval, open_at, trade.price));
            }
            if let Some(last) = series.back_mut() {
                last.add(trade);
            }
        }
    }

    /// The series of the interval at `position` of [`Interval::ALL`].
    pub(crate) fn series(&self, position: usize) -> Option<&VecDeque<Kline>> {
        self.series.get(position)
    }

    /// Klines that open between two times, at most `limit`: the oldest from `start` on, else the
    /// newest.
    pub(crate) fn range(
        &self,
        position: usize,
        (start, end): (Option<Timestamp>, Option<Timestamp>),
        limit: usize,
    ) -> Vec<&Kline> {
        let Some(series) = self.series.get(position) else {
            return Vec::new();
        };
        let matching = series.iter().filter(|kline| {
            start.is_none_or(|start| kline.open_at >= start)
                && end.is_none_or(|end| kline.open_at <= end)
        });
        if start.is_some() {
            return matching.take(limit).collect();
        }
        let mut newest: Vec<_> = matching.rev().take(limit).collect();
        newest.reverse();
        newest
    }

    /// The minutes of the last 24 hours.
    pub(crate) fn last_day(&self, now: Timestamp) -> impl Iterator<Item = &Kline> + '_ {
        const MINUTES: usize = 1;
        let start = now.minus(Nanos::new(DAY));
        self.series[MINUTES]
            .iter()
            .filter(move |kline| kline.open_at >= start)
    }
}

fn push(series: &mut VecDeque<Kline>, kline: Kline) {
    if series.len() == KEPT {
        series.pop_front();
    }
    series.push_back(kline);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(secs: i64, price: i64, id: u64) -> PublicTrade {
        PublicTrade {
            id,
            price: Price::from_int(price).unwrap(),
            quantity: Quantity::from_int(1).unwrap(),
            value: Amount::from_int(price).unwrap(),
            at: Timestamp::from_millis(secs * 1_000).unwrap(),
            aggressor: Side::Buy,
        }
    }

    #[test]
    fn quiet_intervals_are_flat_and_each_kline_closes_once() {
        let mut klines = Klines::new();
        klines.add(&trade(0, 10, 1));
        klines.add(&trade(0, 12, 2));
        let mut closed = Vec::new();
        let now = Timestamp::from_millis(3_000).unwrap();
        klines.advance(now, |interval, kline| {
            closed.push((interval.word(), kline.open_at.as_millis(), kline.close));
        });
        klines.advance(now, |_, _| panic!("closed twice"));
        let twelve = Price::from_int(12).unwrap();
        assert_eq!(
            closed,
            [
                ("1s", 0, twelve),
                ("1s", 1_000, twelve),
                ("1s", 2_000, twelve)
            ]
        );
        klines.add(&trade(3, 9, 3));
        let rows = klines.range(0, (Some(Timestamp::EPOCH), None), 10);
        assert_eq!(rows.len(), 4);
        assert_eq!(
            (rows[0].count, rows[1].count, rows[3].ids),
            (2, 0, Some((3, 3)))
        );
        assert_eq!(
            rows[3].open,
            Price::from_int(9).unwrap(),
            "the first trade opens"
        );
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_the_first() {
        // 2025-01-01T00:00:00Z was a Wednesday.
        let at = Timestamp::from_millis(1_735_689_600_123).unwrap();
        let open = |interval: Interval| interval.open_of(at).to_string();
        assert!(open(Interval::Week).starts_with("2024-12-30T00:00:00"));
        assert!(open(Interval::Month).starts_with("2025-01-01T00:00:00"));
        let next = Interval::Month.next(Interval::Month.open_of(at));
        assert!(next.to_string().starts_with("2025-02-01"));
    }

    #[test]
    fn a_long_pause_does_not_grow_the_series() {
        let mut klines = Klines::new();
        klines.add(&trade(0, 10, 1));
        klines.advance(Timestamp::from_millis(40 * 86_400_000).unwrap(), |_, _| ());
        assert!(klines.series.iter().all(|series| series.len() <= KEPT));
    }
}
