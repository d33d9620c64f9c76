//! A run from the first record to the last.

use crate::{
    config::BacktestConfig,
    desk::Desk,
    error::BacktestError,
    report::{Report, Seen},
};
use ploy_domain::OrderEvent;
use ploy_recordings::{Content, Record, Recording};
use ploy_strategy_core::Strategy;

/// The backtester.
#[derive(Debug, Clone, Copy)]
pub struct Backtest;

impl Backtest {
    /// Runs the configured strategy over the recording.
    ///
    /// The recording may have been opened unchecked: a mistake anywhere in it ends the run without
    /// a report.
    ///
    /// # Errors
    /// [`BacktestError`]; there is no report of half a run.
    pub fn run(config: &BacktestConfig, recording: &Recording) -> Result<Report, BacktestError> {
        let strategy = ploy_strategies::build(&config.strategy, &config.params)?;
        Self::run_strategy(config, strategy, recording, &mut |_| {})
    }

    /// Runs a strategy that the caller made, and shows the caller every event of the account's
    /// log as it is written.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_strategy(
        config: &BacktestConfig,
        strategy: Box<dyn Strategy>,
        recording: &Recording,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<Report, BacktestError> {
        config.validate()?;
        let (recorded, ruled) = (recording.instrument(), config.instrument.id);
        if recorded != ruled {
            return Err(BacktestError::Instrument { recorded, ruled });
        }
        let mut run = Run {
            config,
            strategy: Some(strategy),
            desk: None,
            seen: None,
            sink,
        };
        match recording.content() {
            Content::Bars { has_volume, .. } => {
                let mut bars = recording.bars()?;
                while let Some(bar) = bars.read()? {
                    let (desk, sink) = run.desk_at(bar.start, bar.end)?;
                    desk.on_bar(bar, has_volume, sink)?;
                }
            }
            Content::Trades => {
                for record in recording.records()? {
                    if let Record::Trade(trade) = record? {
                        let (desk, sink) = run.desk_at(trade.ts_event, trade.ts_event)?;
                        desk.on_trade(&trade, sink)?;
                    }
                }
            }
        }
        let Run { desk, seen, .. } = run;
        match (desk, seen) {
            (Some(desk), Some(seen)) => Report::of(config, desk, (recording, seen)),
            _ => Err(ploy_recordings::RecordingError::Empty {
                path: recording.path().to_owned(),
            }
            .into()),
        }
    }
}

/// Who is shown every event.
type Sink<'a> = &'a mut dyn FnMut(&OrderEvent);

/// A run in progress. The desk opens with the first record, because the account's log begins at
/// its time.
struct Run<'a> {
    config: &'a BacktestConfig,
    strategy: Option<Box<dyn Strategy>>,
    desk: Option<Desk>,
    seen: Option<Seen>,
    sink: Sink<'a>,
}

impl Run<'_> {
    #[inline]
    fn desk_at(
        &mut self,
        start: ploy_domain::Timestamp,
        end: ploy_domain::Timestamp,
    ) -> Result<(&mut Desk, Sink<'_>), BacktestError> {
        if let Some(strategy) = self.strategy.take() {
            let mut desk = Desk::open(self.config, strategy, start)?;
            desk.start(start, self.sink)?;
            self.desk = Some(desk);
        }
        let seen = self.seen.get_or_insert(Seen {
            records: 0,
            first: start,
            last: end,
        });
        seen.records += 1;
        seen.last = end;
        match &mut self.desk {
            Some(desk) => Ok((desk, self.sink)),
            None => Err(BacktestError::Risk("the desk is not open".to_owned())),
        }
    }
}
