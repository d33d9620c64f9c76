//! Risk: the judge of every order and the keeper of trading states.

use super::{ApiError, Call};
use async_trait::async_trait;
use ploy_domain::{
    IdempotencyKey, InstrumentId, Intent, Quantity, RiskDecision, Scope, StrategyId, Timestamp,
    TradingState,
};
use std::fmt::Debug;

/// An order to be judged, and what its account's log looked like when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRequest {
    /// The order.
    pub intent: Intent,
    /// The last sequence of the account's log; risk must have applied it (RSK-1).
    pub head_seq: u64,
    /// The fencing epoch of the asking execution service.
    pub epoch: u64,
    /// Whether the account is reconciled with its venue.
    pub account_ready: bool,
}

/// A trading state to be put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// For what.
    pub scope: Scope,
    /// The new state.
    pub state: TradingState,
    /// Why, for people.
    pub reason: String,
}

/// A kill switch to be tripped: the scope becomes halted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillRequest {
    /// For what.
    pub scope: Scope,
    /// Why, for people.
    pub reason: String,
    /// Names the trip; the same trip twice is one trip.
    pub trip_id: IdempotencyKey,
}

/// A trading state that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeState {
    /// For what.
    pub scope: Scope,
    /// The state.
    pub state: TradingState,
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// The limits in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitsView {
    /// Rises with each change.
    pub version: u64,
    /// Names and values, in the order of the names.
    pub values: Vec<(String, String)>,
}

/// What a strategy holds of an instrument, and what its orders could still add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExposureView {
    /// Of what.
    pub instrument: InstrumentId,
    /// By whom.
    pub strategy: StrategyId,
    /// Signed position.
    pub position: Quantity,
    /// Open in buy orders.
    pub open_buy: Quantity,
    /// Open in sell orders.
    pub open_sell: Quantity,
    /// Approved for buying, not yet seen in the log.
    pub reserved_buy: Quantity,
    /// Approved for selling, not yet seen in the log.
    pub reserved_sell: Quantity,
}

/// Everything risk goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskState {
    /// The version of the trading states; rises with each change.
    pub epoch: u64,
    /// The states in force; a scope that is not listed is active.
    pub states: Vec<ScopeState>,
    /// The limits in force.
    pub limits: LimitsView,
    /// Exposure by instrument and strategy.
    pub exposures: Vec<ExposureView>,
}

/// What the risk service offers.
#[async_trait]
pub trait RiskApi: Debug + Send + Sync {
    /// Judges an order; an approval reserves its exposure. Never retried (failure-model §10.2).
    ///
    /// # Errors
    /// [`ApiError`] when there is no verdict, which means no order.
    async fn check(&self, request: CheckRequest, call: Call) -> Result<RiskDecision, ApiError>;

    /// Puts a trading state in force. Tightening is immediate; loosening is a reset and follows its
    /// rules.
    ///
    /// # Errors
    /// [`ApiError`] with `FailedPrecondition` when the state may not be loosened now.
    async fn set_state(&self, change: StateChange, call: Call) -> Result<RiskState, ApiError>;

    /// Trips the kill switch of a scope. Idempotent by trip.
    ///
    /// # Errors
    /// [`ApiError`] when it is not certain that the switch is in force.
    async fn kill(&self, request: KillRequest, call: Call) -> Result<RiskState, ApiError>;

    /// States, limits and exposures.
    ///
    /// # Errors
    /// [`ApiError`] when they cannot be told.
    async fn state(&self, call: Call) -> Result<RiskState, ApiError>;
}
