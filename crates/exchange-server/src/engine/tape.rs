//! The public trades of one instrument, newest last, and their aggregates: consecutive fills of
//! one taker order at one price at one time.

use crate::{clock::millis, decimal::fixed};
use ploy_domain::{Amount, Price, Quantity, Side, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Trades and aggregates kept; a client can ask for at most 1000 at a time.
const KEPT: usize = 10_000;

/// A public trade.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicTrade {
    pub(crate) id: u64,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) value: Amount,
    pub(crate) at: Timestamp,
    pub(crate) aggressor: Side,
}

/// Trades `first` to `last`, at one price.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aggregate {
    pub(crate) id: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) at: Timestamp,
    pub(crate) aggressor: Side,
}

/// The newest trades.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    trades: VecDeque<PublicTrade>,
    aggregates: VecDeque<Aggregate>,
    /// The aggregate of the taker order at work, with that order's number.
    open: Option<(u64, Aggregate)>,
    last_aggregate: u64,
}

impl Tape {
    /// An empty tape whose aggregates count on from `last_aggregate`.
    pub(crate) fn new(last_aggregate: u64) -> Self {
        Self {
            last_aggregate,
            ..Self::default()
        }
    }

    /// Adds a trade of the taker order numbered `taker`; answers the aggregate that it ended.
    pub(crate) fn push(&mut self, trade: PublicTrade, taker: u64) -> Option<Aggregate> {
        keep(&mut self.trades, trade);
        if let Some((order, open)) = &mut self.open
            && *order == taker
            && open.price == trade.price
        {
            open.last = trade.id;
            open.quantity = Quantity::from_raw(open.quantity.raw() + trade.quantity.raw());
            return None;
        }
        let ended = self.close();
        self.last_aggregate += 1;
        let fresh = Aggregate {
            id: self.last_aggregate,
            first: trade.id,
            last: trade.id,
            price: trade.price,
            quantity: trade.quantity,
            at: trade.at,
            aggressor: trade.aggressor,
        };
        self.open = Some((taker, fresh));
        ended
    }

    /// Ends the open aggregate: nothing more can join it after its command.
    pub(crate) fn close(&mut self) -> Option<Aggregate> {
        let (_, ended) = self.open.take()?;
        keep(&mut self.aggregates, ended);
        Some(ended)
    }

    pub(crate) fn last(&self) -> Option<&PublicTrade> {
        self.trades.back()
    }

    /// Trades from `first` on, or the newest, at most `limit`, oldest first.
    pub(crate) fn trades(&self, first: Option<u64>, limit: usize) -> Vec<&PublicTrade> {
        match first {
            Some(first) => {
                let from = self.trades.partition_point(|trade| trade.id < first);
                self.trades.range(from..).take(limit).collect()
            }
            None => newest(self.trades.iter(), limit),
        }
    }

    /// Aggregates from number `first` on, or between two times, at most `limit`, oldest first.
    pub(crate) fn aggregates(
        &self,
        first: Option<u64>,
        (start, end): (Option<Timestamp>, Option<Timestamp>),
        limit: usize,
    ) -> Vec<&Aggregate> {
        let matching = self.aggregates.iter().filter(|aggregate| {
            first.is_none_or(|first| aggregate.id >= first)
                && start.is_none_or(|start| aggregate.at >= start)
                && end.is_none_or(|end| aggregate.at <= end)
        });
        if first.is_some() || start.is_some() {
            return matching.take(limit).collect();
        }
        newest(matching, limit)
    }

    /// Volume-weighted average price of the trades since `start`; the last price without any.
    pub(crate) fn average_since(&self, start: Timestamp) -> Option<Price> {
        let recent = self
            .trades
            .iter()
            .rev()
            .take_while(|trade| trade.at >= start);
        let (value, quantity) = recent.fold((0_i128, 0_i128), |(value, quantity), trade| {
            (
                value + i128::from(trade.value.raw()),
                quantity + i128::from(trade.quantity.raw()),
            )
        });
        if quantity == 0 {
            return self.last().map(|trade| trade.price);
        }
        let raw = value * i128::from(ploy_domain::SCALE) / quantity;
        i64::try_from(raw).ok().map(Price::from_raw)
    }
}

fn keep<T>(ring: &mut VecDeque<T>, item: T) {
    if ring.len() == KEPT {
        ring.pop_front();
    }
    ring.push_back(item);
}

fn newest<'a, T>(items: impl DoubleEndedIterator<Item = &'a T>, limit: usize) -> Vec<&'a T> {
    let mut newest: Vec<_> = items.rev().take(limit).collect();
    newest.reverse();
    newest
}

impl PublicTrade {
    /// A row of `trades`.
    pub(crate) fn row(&self) -> Value {
        json!({
            "id": self.id, "price": fixed(self.price.raw()), "qty": fixed(self.quantity.raw()),
            "quoteQty": fixed(self.value.raw()), "time": millis(self.at),
            "isBuyerMaker": self.aggressor == Side::Sell, "isBestMatch": true,
        })
    }

    /// The payload of the trade stream.
    pub(crate) fn event(&self, symbol: &str) -> Value {
        json!({
            "e": "trade", "E": millis(self.at), "s": symbol, "t": self.id,
            "p": fixed(self.price.raw()), "q": fixed(self.quantity.raw()), "T": millis(self.at),
            "m": self.aggressor == Side::Sell, "M": true,
        })
    }
}

impl Aggregate {
    /// A row of `aggTrades`.
    pub(crate) fn row(&self) -> Value {
        json!({
            "a": self.id, "p": fixed(self.price.raw()), "q": fixed(self.quantity.raw()),
            "f": self.first, "l": self.last, "T": millis(self.at),
            "m": self.aggressor == Side::Sell, "M": true,
        })
    }

    /// The payload of the aggregate trade stream.
    pub(crate) fn event(&self, symbol: &str) -> Value {
        let mut event = self.row();
        event["e"] = "aggTrade".into();
        event["E"] = millis(self.at).into();
        event["s"] = symbol.into();
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(id: u64, price: i64) -> PublicTrade {
        PublicTrade {
            id,
            price: Price::from_int(price).unwrap(),
            quantity: Quantity::from_int(2).unwrap(),
            value: Amount::from_int(price * 2).unwrap(),
            at: Timestamp::from_millis(id as i64).unwrap(),
            aggressor: Side::Buy,
        }
    }

    #[test]
    fn an_aggregate_joins_one_taker_at_one_price() {
        let mut tape = Tape::new(40);
        let steps = [(1, 10, 7), (2, 10, 7), (3, 11, 7), (4, 11, 8)];
        let ended: Vec<_> = steps
            .iter()
            .filter_map(|(id, price, taker)| tape.push(trade(*id, *price), *taker))
            .collect();
        let last = tape.close().unwrap();
        let spans: Vec<_> = ended
            .iter()
            .chain([&last])
            .map(|aggregate| (aggregate.id, aggregate.first, aggregate.last))
            .collect();
        assert_eq!(spans, [(41, 1, 2), (42, 3, 3), (43, 4, 4)]);
    }

    #[test]
    fn the_average_is_weighted_by_volume_and_the_tape_stays_bounded() {
        let mut tape = Tape::new(0);
        for id in 0..20_000 {
            tape.push(trade(id, if id % 2 == 0 { 10 } else { 20 }), id);
        }
        assert_eq!(tape.trades.len(), KEPT);
        assert!(tape.aggregates.len() <= KEPT);
        let start = Timestamp::from_millis(19_000).unwrap();
        assert_eq!(tape.average_since(start), Some("15".parse().unwrap()));
        assert_eq!(tape.trades(Some(19_990), 3)[0].id, 19_990);
        assert_eq!(tape.trades(None, 2)[1].id, 19_999);
    }
}
