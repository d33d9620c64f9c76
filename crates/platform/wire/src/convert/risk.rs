//! What risk is asked and says.

use super::{WireError, Word, bits, list, named, part, parts, text, unnamed};
use crate::{
    api::{
        CheckRequest, ExposureView, KillRequest, LimitsView, RiskState, ScopeState, StateChange,
    },
    proto::{self, risk_decision, scope},
};
use ploy_domain::{Approval, Nanos, Price, Quantity, RiskDecision, Scope, Timestamp};

impl From<&Scope> for proto::Scope {
    fn from(scope: &Scope) -> Self {
        let scope = match scope {
            Scope::Platform => scope::Scope::Platform(scope::Platform {}),
            Scope::Venue(id) => scope::Scope::Venue(id.to_string()),
            Scope::Account(id) => scope::Scope::Account(id.to_string()),
            Scope::Strategy(id) => scope::Scope::Strategy(id.to_string()),
            Scope::Instrument(id) => scope::Scope::Instrument(id.into()),
        };
        Self { scope: Some(scope) }
    }
}

impl TryFrom<proto::Scope> for Scope {
    type Error = WireError;
    fn try_from(message: proto::Scope) -> Result<Self, WireError> {
        Ok(match message.scope {
            None => return Err(WireError::missing("scope")),
            Some(scope::Scope::Platform(_)) => Self::Platform,
            Some(scope::Scope::Venue(id)) => Self::Venue(text("venue", &id)?),
            Some(scope::Scope::Account(id)) => Self::Account(text("account", &id)?),
            Some(scope::Scope::Strategy(id)) => Self::Strategy(text("strategy", &id)?),
            Some(scope::Scope::Instrument(id)) => Self::Instrument(part("instrument", Some(id))?),
        })
    }
}

impl From<&Approval> for proto::Approval {
    fn from(approval: &Approval) -> Self {
        Self {
            decision_id: approval.decision_id.to_string(),
            content_hash: approval.content_hash.to_be_bytes().to_vec(),
            limits_version: approval.limits_version,
            state_epoch: approval.state_epoch,
            risk_epoch: approval.risk_epoch,
            expires_at_ns: approval.expires_at.as_nanos(),
        }
    }
}

impl TryFrom<proto::Approval> for Approval {
    type Error = WireError;
    fn try_from(approval: proto::Approval) -> Result<Self, WireError> {
        Ok(Self {
            decision_id: text("decision_id", &approval.decision_id)?,
            content_hash: bits("content_hash", &approval.content_hash)?,
            limits_version: approval.limits_version,
            state_epoch: approval.state_epoch,
            risk_epoch: approval.risk_epoch,
            expires_at: Timestamp::from_nanos(approval.expires_at_ns),
        })
    }
}

impl From<&RiskDecision> for proto::RiskDecision {
    fn from(decision: &RiskDecision) -> Self {
        let verdict = match &decision.verdict {
            Ok(approval) => risk_decision::Verdict::Approved(approval.into()),
            Err(reasons) => risk_decision::Verdict::Denied(risk_decision::Denial {
                reasons: list(reasons),
            }),
        };
        Self {
            verdict: Some(verdict),
            reference_price_e8: decision.reference_price.map(Price::raw),
            reference_age_ns: decision.reference_age.map(Nanos::get),
            took_ns: decision.took.get(),
        }
    }
}

impl TryFrom<proto::RiskDecision> for RiskDecision {
    type Error = WireError;
    fn try_from(decision: proto::RiskDecision) -> Result<Self, WireError> {
        let verdict = match decision.verdict {
            None => return Err(WireError::missing("verdict")),
            Some(risk_decision::Verdict::Approved(approval)) => {
                Ok(part("approved", Some(approval))?)
            }
            Some(risk_decision::Verdict::Denied(denial)) => {
                Err(parts("denied.reasons", denial.reasons)?)
            }
        };
        Ok(Self {
            verdict,
            reference_price: decision.reference_price_e8.map(Price::from_raw),
            reference_age: decision.reference_age_ns.map(Nanos::new),
            took: Nanos::new(decision.took_ns),
        })
    }
}

impl From<&CheckRequest> for proto::CheckRequest {
    fn from(request: &CheckRequest) -> Self {
        Self {
            intent: Some((&request.intent).into()),
            head_seq: request.head_seq,
            epoch: request.epoch,
            account_ready: request.account_ready,
        }
    }
}

impl TryFrom<proto::CheckRequest> for CheckRequest {
    type Error = WireError;
    fn try_from(request: proto::CheckRequest) -> Result<Self, WireError> {
        Ok(Self {
            intent: part("intent", request.intent)?,
            head_seq: request.head_seq,
            epoch: request.epoch,
            account_ready: request.account_ready,
        })
    }
}

impl From<&StateChange> for proto::SetStateRequest {
    fn from(change: &StateChange) -> Self {
        Self {
            scope: Some((&change.scope).into()),
            state: change.state.number(),
            reason: change.reason.clone(),
        }
    }
}

impl TryFrom<proto::SetStateRequest> for StateChange {
    type Error = WireError;
    fn try_from(change: proto::SetStateRequest) -> Result<Self, WireError> {
        Ok(Self {
            scope: part("scope", change.scope)?,
            state: Word::of("state", change.state)?,
            reason: change.reason,
        })
    }
}

impl From<&KillRequest> for proto::KillRequest {
    fn from(request: &KillRequest) -> Self {
        Self {
            scope: Some((&request.scope).into()),
            reason: request.reason.clone(),
            trip_id: request.trip_id.to_string(),
        }
    }
}

impl TryFrom<proto::KillRequest> for KillRequest {
    type Error = WireError;
    fn try_from(request: proto::KillRequest) -> Result<Self, WireError> {
        Ok(Self {
            scope: part("scope", request.scope)?,
            reason: request.reason,
            trip_id: text("trip_id", &request.trip_id)?,
        })
    }
}

impl From<&ScopeState> for proto::ScopeState {
    fn from(state: &ScopeState) -> Self {
        Self {
            scope: Some((&state.scope).into()),
            state: state.state.number(),
            reason: state.reason.clone(),
            since_ns: state.since.as_nanos(),
        }
    }
}

impl TryFrom<proto::ScopeState> for ScopeState {
    type Error = WireError;
    fn try_from(state: proto::ScopeState) -> Result<Self, WireError> {
        Ok(Self {
            scope: part("scope", state.scope)?,
            state: Word::of("state", state.state)?,
            reason: state.reason,
            since: Timestamp::from_nanos(state.since_ns),
        })
    }
}

impl From<&LimitsView> for proto::Limits {
    fn from(limits: &LimitsView) -> Self {
        Self {
            version: limits.version,
            values: named(&limits.values),
        }
    }
}

impl TryFrom<proto::Limits> for LimitsView {
    type Error = WireError;
    fn try_from(limits: proto::Limits) -> Result<Self, WireError> {
        Ok(Self {
            version: limits.version,
            values: unnamed(limits.values),
        })
    }
}

impl From<&ExposureView> for proto::Exposure {
    fn from(exposure: &ExposureView) -> Self {
        Self {
            instrument: Some((&exposure.instrument).into()),
            strategy: exposure.strategy.to_string(),
            position_e8: exposure.position.raw(),
            open_buy_e8: exposure.open_buy.raw(),
            open_sell_e8: exposure.open_sell.raw(),
            reserved_buy_e8: exposure.reserved_buy.raw(),
            reserved_sell_e8: exposure.reserved_sell.raw(),
        }
    }
}

impl TryFrom<proto::Exposure> for ExposureView {
    type Error = WireError;
    fn try_from(exposure: proto::Exposure) -> Result<Self, WireError> {
        Ok(Self {
            instrument: part("instrument", exposure.instrument)?,
            strategy: text("strategy", &exposure.strategy)?,
            position: Quantity::from_raw(exposure.position_e8),
            open_buy: Quantity::from_raw(exposure.open_buy_e8),
            open_sell: Quantity::from_raw(exposure.open_sell_e8),
            reserved_buy: Quantity::from_raw(exposure.reserved_buy_e8),
            reserved_sell: Quantity::from_raw(exposure.reserved_sell_e8),
        })
    }
}

impl From<&RiskState> for proto::RiskState {
    fn from(state: &RiskState) -> Self {
        Self {
            epoch: state.epoch,
            states: list(&state.states),
            limits: Some((&state.limits).into()),
            exposures: list(&state.exposures),
        }
    }
}

impl TryFrom<proto::RiskState> for RiskState {
    type Error = WireError;
    fn try_from(state: proto::RiskState) -> Result<Self, WireError> {
        Ok(Self {
            epoch: state.epoch,
            states: parts("states", state.states)?,
            limits: part("limits", state.limits)?,
            exposures: parts("exposures", state.exposures)?,
        })
    }
}
