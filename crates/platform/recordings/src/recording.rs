//! A recorded market: what a file holds, checked from the first line to the last.

use crate::{
    clock::UtcOffset,
    columns::ColumnMap,
    error::RecordingError,
    field::{Slot, Values},
    layout::{Format, Layout},
    lines::{Lines, first_line},
    reader::{Bars, Records, time_of},
    sniff::{Sniffed, sniff},
};
use ploy_domain::{BarInterval, InstrumentId, Timestamp};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bars looked at to find out how long they are.
const PROBED_BARS: usize = 20_000;

/// What the user says about a file.
#[derive(Debug, Clone)]
pub struct Options {
    /// What was recorded; files do not say.
    pub instrument: InstrumentId,
    /// Its format; `None` lets the first line decide.
    pub format: Option<Format>,
    /// Its columns; empty lets their names decide.
    pub columns: ColumnMap,
    /// The zone of times that name none.
    pub utc_offset: UtcOffset,
    /// The length of its bars; `None` lets the data decide.
    pub interval: Option<BarInterval>,
}

impl Options {
    /// Everything is found out from the file.
    #[must_use]
    pub fn new(instrument: InstrumentId) -> Self {
        Self {
            instrument,
            format: None,
            columns: ColumnMap::default(),
            utc_offset: UtcOffset::UTC,
            interval: None,
        }
    }
}

/// What the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Bars of one length.
    Bars {
        /// Their length.
        interval: BarInterval,
        /// Whether they say how much was traded; an index does not.
        has_volume: bool,
    },
    /// Trades.
    Trades,
}

/// What was found in a file that is sound from beginning to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many records.
    pub records: u64,
    /// The time of the first.
    pub first: Timestamp,
    /// The time of the last; a bar's is its start.
    pub last: Timestamp,
}

/// Everything the readers of one file share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) instrument: InstrumentId,
    pub(crate) local: UtcOffset,
    pub(crate) layout: Layout,
    pub(crate) header: bool,
    /// Whether date and time of day stand in columns of their own.
    pub(crate) split_time: bool,
}

/// A recorded market.
#[derive(Debug, Clone)]
pub struct Recording {
    shared: Arc<Shared>,
    format: Format,
    content: Content,
}

impl Recording {
    /// Opens a file and reads all of it once, so that whoever acts on its records never meets a
    /// mistake half-way. Costs a pass over the file and no memory.
    ///
    /// # Errors
    /// [`RecordingError`] with the place of the first mistake.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, RecordingError> {
        let recording = Self::open_unchecked(path, options)?;
        recording.summary()?;
        Ok(recording)
    }

    /// Opens a file of which only the beginning was looked at. For readers that give nothing away
    /// before they have read the last record without a mistake, such as a backtest.
    ///
    /// # Errors
    /// [`RecordingError`] when the beginning makes no sense.
    pub fn open_unchecked(
        path: impl AsRef<Path>,
        options: &Options,
    ) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let first = first_line(path).map_err(|source| RecordingError::Io {
            path: path.to_owned(),
            line: 1,
            source,
        })?;
        let first = first.ok_or_else(|| RecordingError::Empty {
            path: path.to_owned(),
        })?;
        let Sniffed {
            format,
            layout,
            header,
        } = sniff(path, &first, (options.format, &options.columns))?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            instrument: options.instrument,
            local: options.utc_offset,
            split_time: layout.has(Slot::Date),
            layout,
            header,
        });
        let content = if format.is_bars() {
            Content::Bars {
                has_volume: shared.layout.has(Slot::Volume),
                interval: match options.interval {
                    Some(interval) => interval,
                    None => probe_interval(&shared)?,
                },
            }
        } else {
            Content::Trades
        };
        Ok(Self {
            shared,
            format,
            content,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// What was recorded.
    #[must_use]
    pub fn instrument(&self) -> InstrumentId {
        self.shared.instrument
    }

    /// How the file is laid out.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// What its records are.
    #[must_use]
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Its records in the order of the file, which is the order of time.
    ///
    /// # Errors
    /// [`RecordingError::Io`] when the file cannot be opened.
    pub fn records(&self) -> Result<Records, RecordingError> {
        Records::open(Arc::clone(&self.shared), self.format, self.content)
    }

    /// Its bars.
    ///
    /// # Errors
    /// [`RecordingError::NotBars`] when it holds trades; [`RecordingError::Io`].
    pub fn bars(&self) -> Result<Bars, RecordingError> {
        match self.content {
            Content::Bars { interval, .. } => Bars::open(Arc::clone(&self.shared), interval),
            Content::Trades => Err(RecordingError::NotBars {
                path: self.shared.path.clone(),
            }),
        }
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// [`RecordingError`] with the place of the first mistake; a file without records is one.
    pub fn summary(&self) -> Result<Summary, RecordingError> {
        let mut summary: Option<Summary> = None;
        for record in self.records()? {
            let at = record?.time();
            let so_far = summary.unwrap_or(Summary {
                records: 0,
                first: at,
                last: at,
            });
            summary = Some(Summary {
                records: so_far.records + 1,
                last: at,
                ..so_far
            });
        }
        summary.ok_or_else(|| RecordingError::Empty {
            path: self.shared.path.clone(),
        })
    }
}

/// The smallest step between the first bars, or the length that the first one gives itself.
/// Mistakes are passed over here; the reader proper will name them.
fn probe_interval(shared: &Shared) -> Result<BarInterval, RecordingError> {
    let unknown = || RecordingError::NoInterval {
        path: shared.path.clone(),
    };
    let mut lines = Lines::open(&shared.path).map_err(|source| RecordingError::Io {
        path: shared.path.clone(),
        line: 1,
        source,
    })?;
    let has_end = shared.layout.has(Slot::CloseTime);
    let (mut values, mut before, mut smallest) = (Values::default(), None, i64::MAX);
    for number in 0..=PROBED_BARS {
        let Ok(Some(line)) = lines.next() else { break };
        if (number == 0 && shared.header)
            || shared.layout.read(line, shared.local, &mut values).is_err()
        {
            continue;
        }
        let time = time_of(shared, &values);
        if has_end {
            // Closing times are the last millisecond or microsecond of the bar.
            smallest = values.get(Slot::CloseTime) - time + 1_000_000;
            break;
        }
        let step = before.map_or(0, |before| time - before);
        if step > 0 {
            smallest = smallest.min(step);
        }
        before = Some(time);
    }
    Some(smallest / 1_000_000_000)
        .filter(|_| smallest < i64::MAX)
        .and_then(BarInterval::from_secs)
        .ok_or_else(unknown)
}
