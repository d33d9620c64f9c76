//! Why a backtest gives no report. There is no report of half a run.

use ploy_domain::{InstrumentId, MoneyError};

/// Why a backtest gives no report.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// The recording cannot be read or makes no sense.
    #[error("the recording cannot be used")]
    Recording(#[from] ploy_recordings::RecordingError),
    /// The strategy cannot be built.
    #[error("the strategy cannot be built")]
    Strategy(#[from] ploy_strategies::ParamError),
    /// The recording is of another instrument than the rules.
    #[error("the recording is of {recorded}, the trading rules are those of {ruled}")]
    Instrument {
        /// What was recorded.
        recorded: InstrumentId,
        /// What the rules are for.
        ruled: InstrumentId,
    },
    /// A number of the configuration is out of bounds.
    #[error("{name} must be {expected}, was {was}")]
    Config {
        /// Which number.
        name: &'static str,
        /// Its bounds.
        expected: &'static str,
        /// Its value.
        was: String,
    },
    /// The matching core refuses the rules.
    #[error("the simulated exchange cannot be opened")]
    Exchange(#[from] ploy_exchange_core::ConfigError),
    /// A name of the simulation is not valid.
    #[error("a name of the simulation is not valid")]
    Name(#[from] ploy_domain::TextError),
    /// The order core refuses an event.
    #[error("the books of the account are inconsistent")]
    Books(#[from] ploy_orders_core::BookError),
    /// The strategy instance cannot go on.
    #[error("the strategy instance cannot go on")]
    Instance(#[from] ploy_strategy_core::InstanceError),
    /// The risk core lost the account's log.
    #[error("risk cannot follow the account: {0}")]
    Risk(String),
    /// A number leaves the range.
    #[error("an amount leaves the range")]
    Money(#[from] MoneyError),
    /// What the account owns by our books is not what it owns at the exchange.
    #[error("{asset} does not add up: {ours} by our books, {theirs} at the exchange")]
    Unbalanced {
        /// Which asset.
        asset: String,
        /// By our books.
        ours: String,
        /// At the exchange.
        theirs: String,
    },
}
