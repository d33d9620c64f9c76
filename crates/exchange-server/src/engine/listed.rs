//! What the venue keeps per instrument beside the matching engine's book: trading rules, public
//! numbering, tape, klines, and what the streams are owed.

use super::{
    klines::{Interval, Klines},
    publish::{DepthBatch, Outbox, levels},
    tape::{PublicTrade, Tape},
};
use crate::{clock::millis, decimal::fixed};
use ploy_domain::{BookLevel, Instrument, Price, Timestamp};
use ploy_exchange_core::{BookChange, Exchange, Touch, TradeReport};
use serde_json::{Value, json};

/// Where the public numbers of an instrument stand. The matching engine counts from 1 in each run;
/// the bases carry on from the runs before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbering {
    pub(crate) order_base: u64,
    pub(crate) trade_base: u64,
    pub(crate) update_base: u64,
}

/// How many numbers one `Reserved` record covers.
const BLOCK: u64 = 100_000;

/// One listed instrument.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) rules: Instrument,
    pub(crate) symbol: String,
    lower: String,
    pub(crate) numbering: Numbering,
    reserved: (u64, u64),
    last_ids: (u64, u64),
    pub(crate) tape: Tape,
    pub(crate) klines: Klines,
    pub(crate) last_price: Option<Price>,
    marked: Option<Price>,
    fast: DepthBatch,
    slow: DepthBatch,
    /// Average price of the last minutes, as of the last second.
    reference: Option<Price>,
    best: (Option<BookLevel>, Option<BookLevel>),
    book_touched: bool,
}

impl Listed {
    pub(crate) fn new(rules: Instrument, numbering: Numbering, last_price: Option<Price>) -> Self {
        let symbol = rules.id.symbol().as_str().to_owned();
        Self {
            lower: symbol.to_lowercase(),
            symbol,
            rules,
            numbering,
            reserved: (numbering.trade_base, numbering.update_base),
            last_ids: (numbering.trade_base, numbering.update_base),
            tape: Tape::new(numbering.trade_base),
            klines: Klines::new(),
            last_price,
            marked: last_price,
            fast: DepthBatch::after(numbering.update_base),
            slow: DepthBatch::after(numbering.update_base),
            reference: None,
            best: (None, None),
            book_touched: false,
        }
    }

    /// The public number of the matching engine's trade.
    pub(crate) const fn trade_id(&self, core: u64) -> u64 {
        self.numbering.trade_base + core
    }

    /// The public number of the matching engine's book update.
    pub(crate) const fn update_id(&self, core: u64) -> u64 {
        self.numbering.update_base + core
    }

    fn stream(&self, suffix: &str) -> String {
        format!("{}@{suffix}", self.lower)
    }

    /// Takes a change of the book in.
    pub(crate) fn book_changed(&mut self, change: &BookChange) {
        let update_id = self.update_id(change.update_id);
        self.fast.add(change, update_id);
        self.slow.add(change, update_id);
        self.last_ids.1 = update_id;
        self.book_touched = true;
    }

    /// Takes a trade in: tape, klines and the trade streams.
    pub(crate) fn traded(&mut self, report: &TradeReport, now: Timestamp, out: &mut Outbox) {
        let trade = PublicTrade {
            id: self.trade_id(report.trade_id),
            price: report.price,
            quantity: report.quantity,
            value: report.value,
            at: now,
            aggressor: report.aggressor,
        };
        self.last_price = Some(trade.price);
        self.last_ids.0 = trade.id;
        self.advance(now, out);
        self.klines.add(&trade);
        out.market(self.stream("trade"), || trade.event(&self.symbol));
        if let Some(aggregate) = self.tape.push(trade, report.taker.order_id.get()) {
            out.market(self.stream("aggTrade"), || aggregate.event(&self.symbol));
        }
    }

    /// Ends a command: its aggregate is complete, and new best prices are told.
    pub(crate) fn end_command(&mut self, core: &Exchange, out: &mut Outbox) {
        if let Some(aggregate) = self.tape.close() {
            out.market(self.stream("aggTrade"), || aggregate.event(&self.symbol));
        }
        if !std::mem::take(&mut self.book_touched) {
            return;
        }
        let Some(touch) = core.touch(&self.rules.id) else {
            return;
        };
        if self.best != (touch.bid, touch.ask) {
            self.best = (touch.bid, touch.ask);
            out.market(self.stream("bookTicker"), || self.book_ticker_event(&touch));
        }
    }

    fn book_ticker_event(&self, touch: &Touch) -> Value {
        let (bid, ask) = (side(touch.bid), side(touch.ask));
        json!({
            "u": self.update_id(touch.update_id), "s": self.symbol,
            "b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1],
        })
    }

    /// A row of `ticker/bookTicker`.
    pub(crate) fn book_ticker(&self, core: &Exchange) -> Value {
        let touch = core.touch(&self.rules.id);
        let (bid, ask) = (
            side(touch.and_then(|touch| touch.bid)),
            side(touch.and_then(|touch| touch.ask)),
        );
        json!({
            "symbol": self.symbol, "bidPrice": bid[0], "bidQty": bid[1],
            "askPrice": ask[0], "askQty": ask[1],
        })
    }

    /// A snapshot of up to `limit` levels a side.
    pub(crate) fn depth(&self, core: &Exchange, limit: usize) -> Value {
        let Some(depth) = core.depth(&self.rules.id, limit) else {
            return Value::Null;
        };
        json!({
            "lastUpdateId": self.update_id(depth.update_id),
            "bids": levels(&depth.bids), "asks": levels(&depth.asks),
        })
    }

    /// Moves the klines on; those that this closes are told.
    fn advance(&mut self, now: Timestamp, out: &mut Outbox) {
        let (symbol, lower) = (&self.symbol, &self.lower);
        self.klines.advance(now, |interval, kline| {
            out.market(format!("{lower}@kline_{}", interval.word()), || {
                kline.event((symbol, interval), true, now)
            });
        });
    }

    /// What is due every 100 ms: klines close, fast depth streams beat.
    pub(crate) fn beat_fast(&mut self, core: &Exchange, now: Timestamp, out: &mut Outbox) {
        self.advance(now, out);
        if self.fast.is_empty() {
            return;
        }
        let batch = self.fast.take();
        out.market(self.stream("depth@100ms"), || {
            batch.event(&self.symbol, now)
        });
        self.partial_depth(core, "@100ms", out);
    }

    /// What is due every second: slow depth streams, tickers, one-second klines.
    pub(crate) fn beat_second(&mut self, core: &Exchange, now: Timestamp, out: &mut Outbox) {
        self.reference = self.average(now);
        if !self.slow.is_empty() {
            let batch = self.slow.take();
            out.market(self.stream("depth"), || batch.event(&self.symbol, now));
            self.partial_depth(core, "", out);
        }
        out.market(self.stream("miniTicker"), || {
            self.day(now).mini_event(&self.symbol, now)
        });
        out.market(self.stream("ticker"), || {
            self.day(now)
                .event(&self.symbol, &self.book_ticker(core), now)
        });
        self.kline_update(0, now, out);
    }

    /// What is due every two seconds: the klines of all longer intervals.
    pub(crate) fn beat_klines(&self, now: Timestamp, out: &mut Outbox) {
        for position in 1..Interval::ALL.len() {
            self.kline_update(position, now, out);
        }
    }

    fn kline_update(&self, position: usize, now: Timestamp, out: &mut Outbox) {
        let interval = Interval::ALL[position];
        if let Some(kline) = self
            .klines
            .series(position)
            .and_then(|series| series.back())
        {
            out.market(self.stream(&format!("kline_{}", interval.word())), || {
                kline.event((&self.symbol, interval), false, now)
            });
        }
    }

    fn partial_depth(&self, core: &Exchange, cadence: &str, out: &mut Outbox) {
        for limit in [5, 10, 20] {
            out.market(self.stream(&format!("depth{limit}{cadence}")), || {
                self.depth(core, limit)
            });
        }
    }

    /// Statistics of the last 24 hours.
    pub(crate) fn day(&self, now: Timestamp) -> super::ticker::Day {
        super::ticker::Day::of(self.klines.last_day(now), now)
    }

    /// The numbers to reserve, when those in use have reached the last reservation.
    pub(crate) fn take_reservation(&mut self) -> Option<(u64, u64)> {
        if self.last_ids.0 < self.reserved.0 && self.last_ids.1 < self.reserved.1 {
            return None;
        }
        self.reserved = (self.last_ids.0 + BLOCK, self.last_ids.1 + BLOCK);
        Some(self.reserved)
    }

    /// The last price, if it is another than the one recorded last.
    pub(crate) fn take_mark(&mut self) -> Option<Price> {
        if self.last_price == self.marked {
            return None;
        }
        self.marked = self.last_price;
        self.marked
    }

    /// A row of `ticker/price`.
    pub(crate) fn price_ticker(&self) -> Value {
        let raw = self.last_price.map_or(0, Price::raw);
        json!({"symbol": self.symbol, "price": fixed(raw)})
    }

    /// The answer of `avgPrice`.
    pub(crate) fn average_price(&self, now: Timestamp) -> Value {
        let close = self.tape.last().map_or(now, |trade| trade.at);
        let raw = self.average(now).map_or(0, Price::raw);
        json!({"mins": AVERAGE_MINUTES, "price": fixed(raw), "closeTime": millis(close)})
    }

    /// What filters measure prices against: the average of the last minutes, else the last price.
    pub(crate) fn reference_price(&self) -> Option<Price> {
        self.reference.or(self.last_price)
    }

    fn average(&self, now: Timestamp) -> Option<Price> {
        let start = now.minus(ploy_domain::Nanos::from_secs(60 * AVERAGE_MINUTES));
        self.tape.average_since(start).or(self.last_price)
    }
}

/// The minutes that average prices cover, `avgPriceMins` of the filters.
pub(crate) const AVERAGE_MINUTES: i64 = 5;

fn side(level: Option<BookLevel>) -> [String; 2] {
    level.map_or_else(
        || [fixed(0), fixed(0)],
        |level| [fixed(level.price.raw()), fixed(level.quantity.raw())],
    )
}
