//! Records one after the other, each checked against the one before.

use crate::{
    clock::to_utc,
    error::{Malformed, RecordingError},
    field::{Slot, Values},
    layout::{Fault, Format},
    lines::Lines,
    recording::{Content, Shared},
    trades::{JsonTrades, Trades},
};
use ploy_domain::{Amount, Bar, BarFlags, BarInterval, Price, Quantity, Timestamp, Trade};
use std::{io, sync::Arc};

/// One record of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A closed bar.
    Bar(Bar),
    /// A trade.
    Trade(Trade),
}

impl Record {
    /// When it happened; a bar's time is its start.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Bar(bar) => bar.start,
            Self::Trade(trade) => trade.ts_event,
        }
    }
}

/// The records of a recording, whatever they are.
#[derive(Debug)]
pub enum Records {
    /// Bars.
    Bars(Bars),
    /// Trades of a file of lines.
    Trades(Trades),
    /// Trades of a JSON list.
    Json(JsonTrades),
}

impl Records {
    pub(crate) fn open(
        shared: Arc<Shared>,
        format: Format,
        content: Content,
    ) -> Result<Self, RecordingError> {
        match (content, format) {
            (Content::Bars { interval, .. }, _) => Bars::open(shared, interval).map(Self::Bars),
            (Content::Trades, Format::JsonTrades) => JsonTrades::open(shared).map(Self::Json),
            (Content::Trades, _) => Trades::open(shared).map(Self::Trades),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordingError>;
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Bars(bars) => bars.next().map(|bar| bar.map(Record::Bar)),
            Self::Trades(trades) => trades.next().map(|trade| trade.map(Record::Trade)),
            Self::Json(trades) => trades.next().map(|trade| trade.map(Record::Trade)),
        }
    }
}

/// The lines of a file and what is known about them.
#[derive(Debug)]
pub(crate) struct Source {
    shared: Arc<Shared>,
    lines: Lines,
    values: Values,
    failed: bool,
}

impl Source {
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, RecordingError> {
        let lines = Lines::open(&shared.path);
        let mut source = Self {
            lines: lines.map_err(|source| io_error(&shared, 1, source))?,
            values: Values::default(),
            failed: false,
            shared,
        };
        if source.shared.header {
            let header = source.lines.next().map(drop);
            header.map_err(|error| io_error(&source.shared, 1, error))?;
        }
        Ok(source)
    }

    /// The next record that `make` makes of a line. Nothing comes after a mistake.
    #[inline]
    pub(crate) fn next<T>(
        &mut self,
        make: impl FnOnce(&Shared, &Values, &[u8]) -> Result<T, Fault>,
    ) -> Option<Result<T, RecordingError>> {
        if self.failed {
            return None;
        }
        let Self {
            shared,
            lines,
            values,
            ..
        } = self;
        let made = match lines.next() {
            Ok(None) => return None,
            Ok(Some(line)) => shared
                .layout
                .read(line, shared.local, values)
                .and_then(|()| make(shared, values, line)),
            Err(error) => {
                let line = lines.number() + 1;
                self.failed = true;
                return Some(Err(io_error(&self.shared, line, error)));
            }
        };
        Some(made.map_err(|fault| {
            self.failed = true;
            malformed(&self.shared, self.lines.number(), fault)
        }))
    }
}

pub(crate) fn io_error(shared: &Shared, line: u64, source: io::Error) -> RecordingError {
    RecordingError::Io {
        path: shared.path.clone(),
        line,
        source,
    }
}

pub(crate) fn malformed(shared: &Shared, line: u64, fault: Fault) -> RecordingError {
    RecordingError::Malformed(Box::new(Malformed {
        path: shared.path.clone(),
        line,
        column: fault.column,
        value: fault.value,
        expected: fault.expected,
    }))
}

/// The start of the bar, or the time of the trade, in nanoseconds.
pub(crate) fn time_of(shared: &Shared, values: &Values) -> i64 {
    if shared.split_time {
        let local = values.get(Slot::Date) + values.get(Slot::TimeOfDay);
        to_utc(local, shared.local)
    } else {
        values.get(Slot::Time)
    }
}

/// The bars of a recording.
#[derive(Debug)]
pub struct Bars {
    source: Source,
    bar: Bar,
    is_first: bool,
}

impl Bars {
    pub(crate) fn open(shared: Arc<Shared>, interval: BarInterval) -> Result<Self, RecordingError> {
        let bar = Bar {
            instrument: shared.instrument,
            interval,
            start: Timestamp::EPOCH,
            end: Timestamp::EPOCH,
            open: Price::ZERO,
            high: Price::ZERO,
            low: Price::ZERO,
            close: Price::ZERO,
            volume: Quantity::ZERO,
            turnover: Amount::ZERO,
            count: 0,
            first_seq: 0,
            last_seq: 0,
            flags: BarFlags {
                complete: true,
                ..BarFlags::default()
            },
            revision: 0,
        };
        Ok(Self {
            source: Source::open(shared)?,
            bar,
            is_first: true,
        })
    }

    /// The next bar, in place: the fastest way to read many.
    ///
    /// # Errors
    /// [`RecordingError`] with the place of a mistake; nothing comes after it.
    #[inline]
    pub fn read(&mut self) -> Result<Option<&Bar>, RecordingError> {
        let Self {
            source,
            bar,
            is_first,
        } = self;
        let read = source.next(|shared, values, line| {
            let start = Timestamp::from_nanos(time_of(shared, values));
            if !*is_first && start < bar.end {
                return Err(too_early(shared, line, bar));
            }
            bar.flags.gap = !*is_first && start > bar.end;
            *is_first = false;
            bar.start = start;
            bar.end = start.plus(bar.interval.length());
            bar.open = Price::from_raw(values.get(Slot::Open));
            bar.high = Price::from_raw(values.get(Slot::High));
            bar.low = Price::from_raw(values.get(Slot::Low));
            bar.close = Price::from_raw(values.get(Slot::Close));
            bar.volume = Quantity::from_raw(values.get(Slot::Volume));
            bar.turnover = Amount::from_raw(values.get(Slot::Turnover));
            bar.count = values.get(Slot::Count).unsigned_abs();
            check_range(shared, line, bar)
        });
        match read {
            Some(Ok(())) => Ok(Some(&self.bar)),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }
}

impl Iterator for Bars {
    type Item = Result<Bar, RecordingError>;
    fn next(&mut self) -> Option<Self::Item> {
        self.read().map(Option::<&Bar>::copied).transpose()
    }
}

#[cold]
fn too_early(shared: &Shared, line: &[u8], before: &Bar) -> Fault {
    let slot = if shared.split_time {
        Slot::TimeOfDay
    } else {
        Slot::Time
    };
    let (interval, start) = (before.interval, before.start);
    let expected = format!("at least {interval} after the bar before, which began at {start}");
    shared.layout.misfit(line, slot, expected)
}

#[inline]
fn check_range(shared: &Shared, line: &[u8], bar: &Bar) -> Result<(), Fault> {
    let (top, bottom) = (bar.open.max(bar.close), bar.open.min(bar.close));
    let wrong = if bar.high < top {
        Some((Slot::High, "at least", top))
    } else if bar.low > bottom {
        Some((Slot::Low, "at most", bottom))
    } else {
        None
    };
    match wrong {
        None => Ok(()),
        Some((slot, bound, price)) => {
            let expected = format!("{bound} {price}, so that it encloses open and close");
            Err(shared.layout.misfit(line, slot, expected))
        }
    }
}
