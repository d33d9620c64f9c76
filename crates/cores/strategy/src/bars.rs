//! The one stream of closed bars an instance decides on, whatever it is fed: trades, bars of the
//! same interval or shorter ones. Bars that overlap one already delivered are dropped, so history
//! splices onto the live stream without a duplicate (trading-semantics §5).

use ploy_domain::{
    Bar, BarAggregator, BarFlags, BarInterval, MoneyError, Nanos, Session, Timestamp, Trade,
};

/// How late a trade may come and still revise the bar before.
const GRACE: Nanos = Nanos::from_secs(2);

/// Why a market fact cannot become a bar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BarError {
    /// Volume or turnover leave the range.
    #[error("the bar starting at {start} cannot hold its volume")]
    Money {
        /// Which bar.
        start: Timestamp,
        /// What went wrong.
        #[source]
        source: MoneyError,
    },
    /// Bars of this length do not make up the interval that is wanted.
    #[error("bars of {got} do not make up bars of {wanted}")]
    Interval {
        /// What the strategy works on.
        wanted: BarInterval,
        /// What it was given.
        got: BarInterval,
    },
}

/// Builds bars of one interval.
#[derive(Debug)]
pub(crate) struct BarSeries {
    interval: BarInterval,
    session: Session,
    from_trades: BarAggregator,
    from_bars: Option<Bar>,
    delivered_until: Timestamp,
}

impl BarSeries {
    pub(crate) fn new(interval: BarInterval, session: Session) -> Self {
        Self {
            interval,
            from_trades: BarAggregator::new(interval, session.clone(), GRACE),
            session,
            from_bars: None,
            delivered_until: Timestamp::from_nanos(i64::MIN),
        }
    }

    /// Trades that came too late to change any bar.
    pub(crate) const fn late_trades(&self) -> u64 {
        self.from_trades.late_trades()
    }

    /// Adds a trade; answers the bar it closed. Revisions of delivered bars stay inside: the
    /// strategy has decided on the bar as it closed.
    pub(crate) fn on_trade(&mut self, trade: &Trade) -> Result<Option<Bar>, BarError> {
        let closed = self
            .from_trades
            .on_trade(trade)
            .map_err(|source| BarError::Money {
                start: trade.ts_event,
                source,
            })?;
        Ok(closed.and_then(|bar| self.deliver(bar)))
    }

    /// Whether a bar is of the wanted length already, so that it goes through [`Self::accept`].
    pub(crate) fn is_wanted(&self, bar: &Bar) -> bool {
        bar.interval == self.interval
    }

    /// Takes a bar of the wanted length; answers whether it is news.
    #[inline]
    pub(crate) fn accept(&mut self, bar: &Bar) -> bool {
        let is_news = bar.start >= self.delivered_until;
        if is_news {
            self.delivered_until = bar.end;
        }
        is_news
    }

    /// Adds a shorter bar; answers the bar that is complete with it.
    pub(crate) fn on_part(&mut self, bar: &Bar) -> Result<Option<Bar>, BarError> {
        let (wanted, got) = (self.interval.length().get(), bar.interval.length().get());
        if got > wanted || wanted % got != 0 {
            return Err(BarError::Interval {
                wanted: self.interval,
                got: bar.interval,
            });
        }
        self.roll_up(bar)
    }

    /// Closes what ends at or before `now`.
    pub(crate) fn on_time(&mut self, now: Timestamp) -> Option<Bar> {
        let due = match &self.from_bars {
            Some(bar) if bar.end <= now => self.from_bars.take(),
            Some(_) | None => self.from_trades.on_time(now),
        };
        due.and_then(|bar| self.deliver(bar))
    }

    fn roll_up(&mut self, bar: &Bar) -> Result<Option<Bar>, BarError> {
        let rolled = match self.from_bars.take() {
            Some(open) if bar.start < open.end => {
                merge(open, bar).map_err(|source| BarError::Money {
                    start: open.start,
                    source,
                })?
            }
            // The caller closes by time before it adds; an open bar here would be overdue.
            Some(_) | None => self.opened_by(bar),
        };
        if bar.end >= rolled.end {
            Ok(self.deliver(rolled))
        } else {
            self.from_bars = Some(rolled);
            Ok(None)
        }
    }

    fn opened_by(&self, bar: &Bar) -> Bar {
        let length = self.interval.length();
        let start = bar.start.floor_to(length, self.session.anchor(bar.start));
        Bar {
            interval: self.interval,
            start,
            end: start.plus(length),
            flags: BarFlags {
                gap: bar.flags.gap || self.delivered_until < start,
                ..bar.flags
            },
            ..*bar
        }
    }

    fn deliver(&mut self, bar: Bar) -> Option<Bar> {
        self.accept(&bar).then_some(bar)
    }
}

fn merge(into: Bar, bar: &Bar) -> Result<Bar, MoneyError> {
    Ok(Bar {
        high: into.high.max(bar.high),
        low: into.low.min(bar.low),
        close: bar.close,
        volume: into.volume.plus(bar.volume)?,
        turnover: into.turnover.plus(bar.turnover)?,
        count: into.count.saturating_add(bar.count),
        last_seq: bar.last_seq,
        flags: BarFlags {
            gap: into.flags.gap || bar.flags.gap,
            stale: into.flags.stale || bar.flags.stale,
            ..into.flags
        },
        ..into
    })
}
