//! Bars: right-open intervals of trades, the same code live, in replay and in backtests
//! (trading-semantics §5).

use crate::{
    ids::InstrumentId,
    market::Trade,
    money::{Amount, MoneyError, Price, Quantity, Rounding},
    session::Session,
    time::{Nanos, Timestamp},
};
use std::{fmt, str::FromStr};

/// The length of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BarInterval(Nanos);

impl BarInterval {
    /// One minute.
    pub const MINUTE: Self = Self(Nanos::from_secs(60));

    /// An interval of whole seconds; `None` for zero or more than a day.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Option<Self> {
        if secs > 0 && secs <= 86_400 {
            Some(Self(Nanos::from_secs(secs)))
        } else {
            None
        }
    }

    /// Its length.
    #[must_use]
    pub const fn length(self) -> Nanos {
        self.0
    }
}

/// The text is no interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a bar interval; write a number and s, m, h or d, for example 5s, 1m or 1h")]
pub struct BarIntervalError(String);

impl FromStr for BarInterval {
    type Err = BarIntervalError;
    fn from_str(text: &str) -> Result<Self, BarIntervalError> {
        let error = || BarIntervalError(text.to_owned());
        let unit = text.chars().last().ok_or_else(error)?;
        let count: i64 = text[..text.len() - unit.len_utf8()]
            .parse()
            .map_err(|_| error())?;
        let secs = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(error()),
        };
        count
            .checked_mul(secs)
            .and_then(Self::from_secs)
            .ok_or_else(error)
    }
}

impl fmt::Display for BarInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.get() / 1_000_000_000;
        match secs {
            s if s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            s if s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

/// What a reader of a bar must know besides its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BarFlags {
    /// The interval is over; only complete bars reach strategies.
    pub complete: bool,
    /// Intervals without a trade lie between this bar and the one before.
    pub gap: bool,
    /// It was closed while the feed was stale or gapped.
    pub stale: bool,
}

/// Open, high, low, close and volume of `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// What was traded.
    pub instrument: InstrumentId,
    /// Its nominal length; the last bar of a session may be shorter.
    pub interval: BarInterval,
    /// First instant of the interval.
    pub start: Timestamp,
    /// First instant after the interval.
    pub end: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Quantity traded.
    pub volume: Quantity,
    /// Value traded, Σ price × quantity.
    pub turnover: Amount,
    /// Number of trades.
    pub count: u64,
    /// First venue trade number.
    pub first_seq: u64,
    /// Last venue trade number.
    pub last_seq: u64,
    /// Flags.
    pub flags: BarFlags,
    /// 0 at first, one more for each late trade that changed it.
    pub revision: u32,
}

impl Bar {
    /// Volume-weighted average price; `None` without volume.
    #[must_use]
    pub fn vwap(&self) -> Option<Price> {
        self.turnover.per(self.volume, Rounding::HalfEven).ok()
    }

    fn absorb(&mut self, trade: &Trade) -> Result<(), MoneyError> {
        let value = trade.price.times(trade.quantity, Rounding::HalfEven)?;
        self.turnover = self.turnover.plus(value)?;
        self.volume = self.volume.plus(trade.quantity)?;
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        if trade.venue_trade_id >= self.last_seq {
            self.close = trade.price;
        }
        if trade.venue_trade_id < self.first_seq {
            self.open = trade.price;
        }
        self.first_seq = self.first_seq.min(trade.venue_trade_id);
        self.last_seq = self.last_seq.max(trade.venue_trade_id);
        self.count += 1;
        Ok(())
    }
}

/// Builds the bars of one instrument and interval from its trades.
#[derive(Debug, Clone)]
pub struct BarAggregator {
    interval: BarInterval,
    session: Session,
    grace: Nanos,
    open: Option<Bar>,
    closed: Option<Bar>,
    late_trades: u64,
}

impl BarAggregator {
    /// An aggregator that revises a closed bar for trades at most `grace` behind its end.
    #[must_use]
    pub const fn new(interval: BarInterval, session: Session, grace: Nanos) -> Self {
        Self {
            interval,
            session,
            grace,
            open: None,
            closed: None,
            late_trades: 0,
        }
    }

    /// Trades that came after the grace and changed no bar.
    #[must_use]
    pub const fn late_trades(&self) -> u64 {
        self.late_trades
    }

    /// The bar that is being built.
    #[must_use]
    pub const fn current(&self) -> Option<&Bar> {
        self.open.as_ref()
    }

    /// Adds a trade. Answers the bar that this trade closed, or the closed bar that it revised.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when volume or turnover leave the range; the trade is not counted.
    pub fn on_trade(&mut self, trade: &Trade) -> Result<Option<Bar>, MoneyError> {
        match &mut self.open {
            Some(bar) if trade.ts_event >= bar.start && trade.ts_event < bar.end => {
                bar.absorb(trade)?;
                Ok(None)
            }
            Some(bar) if trade.ts_event < bar.start => self.revise(trade),
            _ => {
                let fresh = self.start_bar(trade)?;
                let done = self.close_open();
                self.open = Some(fresh);
                Ok(done)
            }
        }
    }

    /// Closes the current bar when `now` has reached its end.
    pub fn on_time(&mut self, now: Timestamp) -> Option<Bar> {
        if self.open.as_ref().is_some_and(|bar| now >= bar.end) {
            self.close_open()
        } else {
            None
        }
    }

    fn close_open(&mut self) -> Option<Bar> {
        let mut bar = self.open.take()?;
        bar.flags.complete = true;
        self.closed = Some(bar);
        Some(bar)
    }

    fn revise(&mut self, trade: &Trade) -> Result<Option<Bar>, MoneyError> {
        let open_start = self.open.as_ref().map(|bar| bar.start);
        match &mut self.closed {
            Some(bar)
                if trade.ts_event >= bar.start
                    && trade.ts_event < bar.end
                    && open_start.is_some_and(|s| s - trade.ts_event <= self.grace) =>
            {
                bar.absorb(trade)?;
                bar.revision += 1;
                Ok(Some(*bar))
            }
            _ => {
                self.late_trades += 1;
                Ok(None)
            }
        }
    }

    fn start_bar(&self, trade: &Trade) -> Result<Bar, MoneyError> {
        let length = self.interval.length();
        let start = trade
            .ts_event
            .floor_to(length, self.session.anchor(trade.ts_event));
        let before = self.open.as_ref().or(self.closed.as_ref());
        let mut bar = Bar {
            instrument: trade.instrument,
            interval: self.interval,
            start,
            end: start.plus(length),
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume: Quantity::ZERO,
            turnover: Amount::ZERO,
            count: 0,
            first_seq: trade.venue_trade_id,
            last_seq: trade.venue_trade_id,
            flags: BarFlags {
                gap: before.is_some_and(|b| b.end < start),
                ..BarFlags::default()
            },
            revision: 0,
        };
        bar.absorb(trade)?;
        Ok(bar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Side;
    use proptest::prelude::*;

    fn trade(ms: i64, id: u64, price: i64, quantity: i64) -> Trade {
        Trade {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            price: Price::from_int(price).unwrap(),
            quantity: Quantity::from_int(quantity).unwrap(),
            aggressor: Side::Buy,
            venue_trade_id: id,
            ts_event: Timestamp::from_millis(ms).unwrap(),
            ts_receive: Timestamp::from_millis(ms).unwrap(),
        }
    }

    fn aggregator() -> BarAggregator {
        BarAggregator::new(
            "1s".parse().unwrap(),
            Session::Always,
            Nanos::from_millis(500),
        )
    }

    #[test]
    fn a_bar_closes_with_the_first_trade_after_its_end() {
        let mut bars = aggregator();
        for (ms, id, price) in [(0, 1, 100), (400, 2, 105), (999, 3, 99)] {
            assert_eq!(bars.on_trade(&trade(ms, id, price, 1)), Ok(None));
        }
        let bar = bars.on_trade(&trade(1_000, 4, 101, 1)).unwrap().unwrap();
        let prices = [bar.open, bar.high, bar.low, bar.close].map(|p| p.to_string());
        assert_eq!(prices, ["100", "105", "99", "99"]);
        assert_eq!((bar.count, bar.first_seq, bar.last_seq), (3, 1, 3));
        assert!(bar.flags.complete && !bar.flags.gap);
    }

    #[test]
    fn a_bar_closes_by_time_and_a_missing_interval_is_flagged() {
        let mut bars = aggregator();
        bars.on_trade(&trade(0, 1, 100, 1)).unwrap();
        assert_eq!(bars.on_time(Timestamp::from_millis(999).unwrap()), None);
        assert!(
            bars.on_time(Timestamp::from_millis(1_000).unwrap())
                .is_some()
        );
        assert_eq!(bars.on_trade(&trade(3_100, 2, 100, 1)), Ok(None));
        assert!(bars.current().unwrap().flags.gap);
    }

    #[test]
    fn a_late_trade_revises_within_the_grace_and_is_counted_after_it() {
        let mut bars = aggregator();
        bars.on_trade(&trade(900, 1, 100, 1)).unwrap();
        bars.on_trade(&trade(1_100, 3, 100, 1)).unwrap();
        let revised = bars.on_trade(&trade(950, 2, 120, 1)).unwrap().unwrap();
        assert_eq!(
            (revised.revision, revised.high.to_string(), revised.count),
            (1, "120".into(), 2)
        );
        assert_eq!(bars.on_trade(&trade(300, 0, 1, 1)), Ok(None));
        assert_eq!(bars.late_trades(), 1);
    }

    proptest! {
        #[test]
        fn volume_is_conserved(steps in proptest::collection::vec((0i64..700, 1i64..50, 1i64..9), 1..200)) {
            let mut bars = aggregator();
            let (mut ms, mut traded, mut seen) = (0, 0, 0);
            for (id, (step, price, quantity)) in steps.into_iter().enumerate() {
                ms += step;
                traded += quantity * crate::money::SCALE;
                if let Some(bar) = bars.on_trade(&trade(ms, id as u64, price, quantity))? {
                    prop_assert!(bar.low <= bar.open && bar.open <= bar.high);
                    prop_assert!(bar.low <= bar.close && bar.close <= bar.high);
                    seen += bar.volume.raw();
                }
            }
            seen += bars.current().map_or(0, |bar| bar.volume.raw());
            prop_assert_eq!(seen, traded);
        }
    }
}
