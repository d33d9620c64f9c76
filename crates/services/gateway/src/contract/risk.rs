//! What risk goes by, and what a kill did, as the API shows them.

use ploy_wire::api::{ExposureView, LimitsView, RiskState, ScopeState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything risk goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskJson {
    /// The version of the trading states.
    pub epoch: u64,
    /// The states in force; a scope that is not listed is active.
    pub states: Vec<ScopeStateJson>,
    /// The limits in force.
    pub limits: LimitsJson,
    /// Exposure by instrument and strategy.
    pub exposures: Vec<ExposureJson>,
}

/// A trading state that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeStateJson {
    /// `platform`, `venue:ID`, `account:ID`, `strategy:ID` or `instrument:SYMBOL.VENUE`.
    pub scope: String,
    /// `active`, `reducing`, `cancel_only` or `halted`.
    pub state: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: String,
}

/// The limits in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsJson {
    /// Rises with each change.
    pub version: u64,
    /// Values by name.
    pub values: BTreeMap<String, String>,
}

/// What a strategy holds of an instrument, and what its orders could still add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureJson {
    /// Of what.
    pub instrument: String,
    /// By whom.
    pub strategy: String,
    /// Signed position.
    pub position: String,
    /// Open in buy orders.
    pub open_buy: String,
    /// Open in sell orders.
    pub open_sell: String,
    /// Approved for buying, not yet seen in the log.
    pub reserved_buy: String,
    /// Approved for selling, not yet seen in the log.
    pub reserved_sell: String,
}

impl From<RiskState> for RiskJson {
    fn from(state: RiskState) -> Self {
        Self {
            epoch: state.epoch,
            states: state.states.into_iter().map(ScopeStateJson::from).collect(),
            limits: state.limits.into(),
            exposures: state
                .exposures
                .into_iter()
                .map(ExposureJson::from)
                .collect(),
        }
    }
}

impl From<ScopeState> for ScopeStateJson {
    fn from(state: ScopeState) -> Self {
        Self {
            scope: state.scope.to_string(),
            state: state.state.word().to_owned(),
            reason: state.reason,
            since: state.since.to_string(),
        }
    }
}

impl From<LimitsView> for LimitsJson {
    fn from(limits: LimitsView) -> Self {
        Self {
            version: limits.version,
            values: limits.values.into_iter().collect(),
        }
    }
}

impl From<ExposureView> for ExposureJson {
    fn from(view: ExposureView) -> Self {
        Self {
            instrument: view.instrument.to_string(),
            strategy: view.strategy.to_string(),
            position: view.position.to_string(),
            open_buy: view.open_buy.to_string(),
            open_sell: view.open_sell.to_string(),
            reserved_buy: view.reserved_buy.to_string(),
            reserved_sell: view.reserved_sell.to_string(),
        }
    }
}

/// What a trip of the kill switch did. Risk and execution are told side by side: one of them is
/// enough to stop trading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillJson {
    /// What was stopped.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Names the trip; the same trip twice is one trip.
    pub trip_id: String,
    /// Whether risk has put HALTED in force.
    pub halted: bool,
    /// Why it has not.
    pub halt_error: Option<String>,
    /// Cancels of open orders that execution has journaled; `null` when it could not be told.
    pub cancels_requested: Option<u32>,
    /// Why it could not.
    pub cancel_error: Option<String>,
    /// The trading states now in force, when risk answered.
    pub states: Vec<ScopeStateJson>,
}

/// What a cancel of everything did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAllJson {
    /// Whose orders.
    pub scope: String,
    /// Cancels that were journaled.
    pub requested: u32,
}
