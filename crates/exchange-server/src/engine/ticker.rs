//! Statistics of the last 24 hours, from the minutes of one instrument.

use super::klines::Kline;
use crate::{clock::millis, decimal::fixed};
use ploy_domain::{Nanos, Timestamp};
use serde_json::{Map, Value, json};

/// A rolling day. Sums are wide; prices are zero without trades.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Day {
    open: i64,
    high: i64,
    low: i64,
    last: i64,
    volume: i128,
    value: i128,
    count: u64,
    ids: Option<(u64, u64)>,
    at: Timestamp,
}

impl Day {
    pub(crate) fn of<'a>(minutes: impl Iterator<Item = &'a Kline>, at: Timestamp) -> Self {
        let empty = Self {
            at,
            ..Self::default()
        };
        minutes.fold(empty, Self::with)
    }

    fn with(mut self, minute: &Kline) -> Self {
        if self.open == 0 {
            (self.open, self.low) = (minute.open.raw(), minute.low.raw());
        }
        self.high = self.high.max(minute.high.raw());
        self.low = self.low.min(minute.low.raw());
        self.last = minute.close.raw();
        self.volume += i128::from(minute.volume.raw());
        self.value += i128::from(minute.value.raw());
        self.count += minute.count;
        if let Some((first, last)) = minute.ids {
            self.ids = Some((self.ids.map_or(first, |ids| ids.0), last));
        }
        self
    }

    fn change(&self) -> String {
        fixed(self.last - self.open)
    }

    /// In percent, three decimals.
    fn change_percent(&self) -> String {
        if self.open == 0 {
            return "0.000".to_owned();
        }
        let thousandths = i128::from(self.last - self.open) * 100_000 / i128::from(self.open);
        let sign = if thousandths < 0 { "-" } else { "" };
        let size = thousandths.abs();
        format!("{sign}{}.{:03}", size / 1_000, size % 1_000)
    }

    fn average(&self) -> String {
        if self.volume == 0 {
            return fixed(self.last);
        }
        wide(self.value * i128::from(ploy_domain::SCALE) / self.volume)
    }

    fn first_id(&self) -> i128 {
        self.ids.map_or(-1, |ids| i128::from(ids.0))
    }

    fn last_id(&self) -> i128 {
        self.ids.map_or(-1, |ids| i128::from(ids.1))
    }

    fn open_time(&self) -> i64 {
        millis(self.at.minus(Nanos::from_secs(86_400)))
    }

    /// The `MINI` row of `ticker/24hr`.
    pub(crate) fn mini_row(&self, symbol: &str) -> Map<String, Value> {
        let row = json!({
            "symbol": symbol, "openPrice": fixed(self.open), "highPrice": fixed(self.high),
            "lowPrice": fixed(self.low), "lastPrice": fixed(self.last),
            "volume": wide(self.volume), "quoteVolume": wide(self.value),
            "openTime": self.open_time(), "closeTime": millis(self.at),
            "firstId": id(self.first_id()), "lastId": id(self.last_id()), "count": self.count,
        });
        match row {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// The `FULL` row of `ticker/24hr`, with the best prices of `book` and the last quantity.
    pub(crate) fn full_row(&self, symbol: &str, book: &Value, last_quantity: i64) -> Value {
        let mut row = self.mini_row(symbol);
        row.insert("priceChange".into(), self.change().into());
        row.insert("priceChangePercent".into(), self.change_percent().into());
        row.insert("weightedAvgPrice".into(), self.average().into());
        row.insert("prevClosePrice".into(), fixed(self.open).into());
        row.insert("lastQty".into(), fixed(last_quantity).into());
        for field in ["bidPrice", "bidQty", "askPrice", "askQty"] {
            row.insert(field.into(), book[field].clone());
        }
        row.into()
    }

    /// The payload of the mini ticker stream.
    pub(crate) fn mini_event(&self, symbol: &str, now: Timestamp) -> Value {
        json!({
            "e": "24hrMiniTicker", "E": millis(now), "s": symbol, "c": fixed(self.last),
            "o": fixed(self.open), "h": fixed(self.high), "l": fixed(self.low),
            "v": wide(self.volume), "q": wide(self.value),
        })
    }

    /// The payload of the ticker stream, with the best prices of `book`.
    pub(crate) fn event(&self, symbol: &str, book: &Value, now: Timestamp) -> Value {
        json!({
            "e": "24hrTicker", "E": millis(now), "s": symbol, "p": self.change(),
            "P": self.change_percent(), "w": self.average(), "x": fixed(self.open),
            "c": fixed(self.last), "Q": fixed(0), "b": book["bidPrice"], "B": book["bidQty"],
            "a": book["askPrice"], "A": book["askQty"], "o": fixed(self.open),
            "h": fixed(self.high), "l": fixed(self.low), "v": wide(self.volume),
            "q": wide(self.value), "O": self.open_time(), "C": millis(self.at),
            "F": id(self.first_id()), "L": id(self.last_id()), "n": self.count,
        })
    }
}

fn id(id: i128) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// A sum of a day with eight places, however large.
fn wide(raw: i128) -> String {
    let scale = i128::from(ploy_domain::SCALE);
    format!("{}.{:08}", raw / scale, (raw % scale).abs())
}
