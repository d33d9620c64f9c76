//! What risk goes by, and the kill switch.

use super::orders::{REASON_MAX, detached, read_scope};
use crate::{
    contract::{KillJson, RiskJson, ScopeStateJson},
    http::caller::Caller,
    input::{Body, Fields, OptionalKey, Query},
    problem::{Kind, Problem},
    shared::Shared,
};
use axum::{Json, extract::State};
use ploy_domain::{IdempotencyKey, Scope, TradingState};
use ploy_wire::api::{ApiError, CancelAll, CancelAllAnswer, KillRequest, RiskState, StateChange};
use std::{sync::Arc, time::Duration};

/// A kill that takes longer has failed: the caller has to know soon (failure-model §8.4).
const KILL_DEADLINE: Duration = Duration::from_secs(2);

pub(super) async fn state(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(fields): Query,
) -> Result<Json<RiskJson>, Problem> {
    fields.finish()?;
    let state = shared.deps.risk.state(caller.call()).await?;
    Ok(Json(state.into()))
}

/// What is to be stopped, and why.
#[derive(Debug, Clone)]
struct Trip {
    scope: Scope,
    reason: String,
    id: IdempotencyKey,
}

pub(super) async fn kill(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    OptionalKey(key): OptionalKey,
    Query(query): Query,
    Body(mut fields): Body,
) -> Result<Json<KillJson>, Problem> {
    query.finish()?;
    let (scope, reason) = (read_scope(&mut fields), reason(&mut fields));
    fields.finish()?;
    let trip = Trip {
        scope,
        reason: reason.unwrap_or_else(|| format!("kill by {}", caller.actor)),
        id: trip_id(key, &caller)?,
    };
    tracing::warn!(%scope, reason = trip.reason, trip_id = %trip.id, "kill switch");
    // Side by side: whichever answers has stopped trading.
    let (halted, cancelled) = tokio::join!(
        halt(&shared, &caller, trip.clone()),
        cancel(&shared, &caller, trip.clone())
    );
    told(trip, halted, cancelled).map(Json)
}

/// Loosens what was tightened: the first request is noted, a second one after the hold confirms it.
pub(super) async fn reset(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(query): Query,
    Body(mut fields): Body,
) -> Result<Json<RiskJson>, Problem> {
    query.finish()?;
    let scope = read_scope(&mut fields);
    let given: Option<String> = fields.required("reason", "why trading may go on");
    fields.finish()?;
    let reason = given.as_deref().map(plain).unwrap_or_default();
    let change = StateChange {
        scope,
        state: TradingState::Active,
        reason,
    };
    let risk = Arc::clone(&shared.deps.risk);
    let reset = |call| async move { risk.set_state(change, call).await };
    let state = detached(&shared, caller.call(), reset).await?;
    Ok(Json(state.into()))
}

/// Why, cut to what fits: a long explanation is no reason to go on trading.
fn reason(fields: &mut Fields) -> Option<String> {
    let reason: String = fields.optional("reason", "a text")?;
    Some(plain(&reason))
}

fn plain(reason: &str) -> String {
    let plain = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(REASON_MAX).collect()
}

/// The caller's name of the trip, or one made of the request id. A key that cannot be read is no
/// reason to go on trading.
fn trip_id(key: Option<IdempotencyKey>, caller: &Caller) -> Result<IdempotencyKey, Problem> {
    let own = || format!("kill-{}", caller.request_id).parse().ok();
    let cut = || caller.request_id.parse().ok();
    key.or_else(own)
        .or_else(cut)
        .ok_or_else(|| Problem::new(Kind::Internal, "the trip has no name"))
}

async fn halt(shared: &Shared, caller: &Caller, trip: Trip) -> Result<RiskState, ApiError> {
    let risk = Arc::clone(&shared.deps.risk);
    let request = KillRequest {
        scope: trip.scope,
        reason: trip.reason,
        trip_id: trip.id,
    };
    let call = caller.call().within(KILL_DEADLINE);
    let kill = |call| async move { risk.kill(request, call).await };
    detached(shared, call, kill).await
}

async fn cancel(shared: &Shared, caller: &Caller, trip: Trip) -> Result<CancelAllAnswer, ApiError> {
    let execution = Arc::clone(&shared.deps.execution);
    let command = CancelAll {
        scope: trip.scope,
        reason: format!("kill: {}", trip.reason),
    };
    let call = caller.call().within(KILL_DEADLINE);
    let cancel = |call| async move { execution.cancel_all(command, call).await };
    detached(shared, call, cancel).await
}

/// One success is a success; what failed is said.
fn told(
    trip: Trip,
    halted: Result<RiskState, ApiError>,
    cancelled: Result<CancelAllAnswer, ApiError>,
) -> Result<KillJson, Problem> {
    let (halt_error, cancel_error) = (text(&halted), text(&cancelled));
    if let (Err(halt), Err(cancel)) = (&halted, &cancelled) {
        tracing::error!(%halt, %cancel, "the kill switch reached neither risk nor execution");
        let detail = "the kill switch reached neither risk nor execution; trading may go on";
        return Err(Problem::new(Kind::Unavailable, detail)
            .retry_after(Duration::from_secs(1))
            .with("halt_error", halt_error)
            .with("cancel_error", cancel_error));
    }
    let states = halted.as_ref().map(|state| state.states.clone());
    let states = states.unwrap_or_default();
    Ok(KillJson {
        scope: trip.scope.to_string(),
        reason: trip.reason,
        trip_id: trip.id.to_string(),
        halted: halted.is_ok(),
        halt_error,
        cancels_requested: cancelled.ok().map(|answer| answer.requested),
        cancel_error,
        states: states.into_iter().map(ScopeStateJson::from).collect(),
    })
}

fn text<T>(answer: &Result<T, ApiError>) -> Option<String> {
    answer.as_ref().err().map(ToString::to_string)
}
