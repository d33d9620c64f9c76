//! Strategy: the runner of strategy instances.

use super::{ApiError, Call};
use async_trait::async_trait;
use ploy_domain::{AccountId, InstrumentId, StrategyId, Timestamp};
use std::fmt::{self, Debug};

/// Where a strategy instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StrategyState {
    /// It needs more history before it decides.
    WarmingUp,
    /// It decides.
    Running,
    /// It sees no data, or its account is not ready; it goes on by itself.
    Suspended,
    /// It was stopped and does not go on by itself.
    Stopped,
}

impl StrategyState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::WarmingUp => "warming_up",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for StrategyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A strategy instance as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyView {
    /// The instance.
    pub id: StrategyId,
    /// Which strategy: `ma-cross`.
    pub kind: String,
    /// What it trades.
    pub instrument: InstrumentId,
    /// With which account.
    pub account: AccountId,
    /// Its parameters, in the order of their names.
    pub params: Vec<(String, String)>,
    /// Where it stands.
    pub state: StrategyState,
    /// Why, or what it waits for, for people.
    pub detail: String,
    /// How many decisions it made.
    pub decisions: u64,
    /// When it made the last one.
    pub last_decision_at: Option<Timestamp>,
}

/// What the strategy service offers.
#[async_trait]
pub trait StrategyApi: Debug + Send + Sync {
    /// All instances.
    ///
    /// # Errors
    /// [`ApiError`] when they cannot be told.
    async fn strategies(&self, call: Call) -> Result<Vec<StrategyView>, ApiError>;
}
