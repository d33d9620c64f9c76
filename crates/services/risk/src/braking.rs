//! Trading states: tightened at once and durable before they are answered, loosened by the rules of
//! a reset, told to everybody; and the cancels that follow a kill.

use crate::{
    judge::{Judge, REPLAY_DEADLINE},
    metrics,
    store::Change,
};
use ploy_chassis::trace;
use ploy_domain::{Scope, TradingState};
use ploy_risk_core::{Effect, Input, ResetAnswer, StateEntry};
use ploy_store::StoreError;
use ploy_wire::{
    api::{Actor, ApiError, Call, CancelAll, ExposureView, LimitsView, RiskState, ScopeState},
    facts,
};
use std::{sync::Arc, time::Duration};

/// A cancel-all that execution did not take is repeated at this pace until it does.
const CANCEL_AGAIN: Duration = Duration::from_secs(1);

impl Judge {
    pub(crate) async fn tighten(&mut self, wanted: Tightening) -> Result<RiskState, ApiError> {
        let Tightening {
            scope,
            state,
            kill,
            reason,
            actor,
            trip_id,
        } = wanted;
        let now = self.clock.now();
        let mut effects = Vec::new();
        // Memory first: from here on nothing of the scope is approved (KIL-4).
        let input = Input::Tighten {
            scope,
            state,
            kill,
            reason: &reason,
        };
        self.core.handle(input, now, &mut effects);
        let is_news = effects.contains(&Effect::StatesChanged);
        if is_news {
            tracing::warn!(%scope, %state, kill, reason, actor, "trading state tightened");
            let change = Change {
                epoch: self.core.states().epoch(),
                scope,
                entry: StateEntry {
                    state,
                    killed: kill,
                    reason: reason.clone(),
                    since: now,
                },
                actor,
                trip_id,
            };
            self.unrecorded.insert(scope, change);
        }
        // Orders are cancelled whatever the database says.
        if effects.contains(&Effect::CancelAll(scope)) {
            self.cancel_all(scope, reason);
        }
        if is_news {
            self.publish_state();
        }
        self.record_all().await?;
        Ok(self.state())
    }

    /// Loosens a scope once the rules of a reset are met, and says what is missing otherwise.
    pub(crate) async fn reset(
        &mut self,
        scope: Scope,
        reason: &str,
        actor: &str,
    ) -> Result<RiskState, ApiError> {
        let (now, mut effects) = (self.clock.now(), Vec::new());
        self.core
            .handle(Input::Reset { scope, actor }, now, &mut effects);
        let answer = effects.into_iter().find_map(|effect| match effect {
            Effect::Reset(answer) => Some(answer),
            _ => None,
        });
        match answer {
            Some(ResetAnswer::Confirmed { requested_by }) => {
                let by = format!("requested by {requested_by}, confirmed by {actor}");
                self.lift(scope, reason, by).await?;
                Ok(self.state())
            }
            Some(ResetAnswer::NothingToLift) => Ok(self.state()),
            Some(ResetAnswer::Held { until, by_another }) => {
                let who = if by_another { " by somebody else" } else { "" };
                let message = format!(
                    "the reset of {scope} is noted; it takes effect when it is asked for again{who}, \
                     from {until} on"
                );
                tracing::warn!(%scope, reason, actor, %until, "a reset is asked for");
                // Nobody's library may repeat it: a repetition confirms.
                Err(ApiError::failed_precondition(message))
            }
            Some(ResetAnswer::Refused(reasons)) => {
                let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
                let message = format!("{scope} stays as it is: {}", reasons.join("; "));
                Err(ApiError::failed_precondition(message))
            }
            None => Err(ApiError::internal("the core did not answer a reset")),
        }
    }

    /// Makes a confirmed reset durable, and only then lets trading go on.
    async fn lift(&mut self, scope: Scope, reason: &str, by: String) -> Result<(), ApiError> {
        let now = self.clock.now();
        tracing::warn!(%scope, reason, by, "trading state is to be loosened");
        let change = Change {
            epoch: self.core.states().epoch() + 1,
            scope,
            entry: StateEntry {
                state: TradingState::Active,
                killed: false,
                reason: reason.to_owned(),
                since: now,
            },
            actor: by,
            trip_id: String::new(),
        };
        self.record_all().await?;
        self.record(change).await.map_err(|error| {
            tracing::error!(%error, "a reset is confirmed and not recorded");
            ApiError::unavailable("the reset could not be recorded and has no effect; repeat it")
        })?;
        self.core.handle(Input::Lift(scope), now, &mut Vec::new());
        if let Some(cancelling) = self.cancelling.remove(&scope) {
            cancelling.cancel();
        }
        self.publish_state();
        Ok(())
    }

    /// Records what is in force and not durable yet; whoever asked is told when that fails, and it
    /// is tried again at every chance.
    pub(crate) async fn record_all(&mut self) -> Result<(), ApiError> {
        while let Some((scope, change)) = self.unrecorded.first_key_value() {
            let (scope, change) = (*scope, change.clone());
            self.record(change).await.map_err(|error| {
                tracing::error!(%error, %scope, "a trading state is in force but not recorded");
                ApiError::unavailable("the state is in force but could not be recorded; repeat it")
            })?;
            self.unrecorded.remove(&scope);
        }
        Ok(())
    }

    async fn record(&self, change: Change) -> Result<(), StoreError> {
        let shard = (self.lease.claim.shard.clone(), self.lease.epoch);
        self.store.record(change, shard).await
    }

    /// A kill that was in force before a restart still cancels.
    pub(crate) fn resume_kills(&mut self) {
        let entries = self.core.states().entries();
        let killed: Vec<_> = entries
            .filter(|(_, entry)| entry.killed)
            .map(|(scope, entry)| (*scope, entry.reason.clone()))
            .collect();
        for (scope, reason) in killed {
            self.cancel_all(scope, reason);
        }
        let tightest = self
            .core
            .states()
            .entries()
            .map(|(_, entry)| entry.state)
            .max();
        metrics::tightest(tightest.unwrap_or_default());
    }

    /// Has execution cancel everything in the scope, repeated until it takes the command, the scope
    /// is active again, or another judges.
    fn cancel_all(&mut self, scope: Scope, reason: String) {
        let (execution, stop) = (Arc::clone(&self.execution), self.leading.child_token());
        if let Some(before) = self.cancelling.insert(scope, stop.clone()) {
            before.cancel();
        }
        self.tasks.spawn(async move {
            loop {
                let command = CancelAll {
                    scope,
                    reason: format!("kill {reason}"),
                };
                let call = Call::new(Actor::RISK, REPLAY_DEADLINE);
                match execution.cancel_all(command, call).await {
                    Ok(answer) => {
                        tracing::warn!(%scope, requested = answer.requested, "orders cancelled");
                        return;
                    }
                    Err(error) => tracing::error!(%scope, %error, "cancel-all not taken yet"),
                }
                let pause = stop
                    .run_until_cancelled(tokio::time::sleep(CANCEL_AGAIN))
                    .await;
                if pause.is_none() {
                    return;
                }
            }
        });
    }

    fn publish_state(&self) {
        let tightest = self
            .core
            .states()
            .entries()
            .map(|(_, entry)| entry.state)
            .max();
        metrics::tightest(tightest.unwrap_or_default());
        let epoch = self.core.states().epoch();
        let now = self.clock.now();
        let fact = facts::RiskStateChanged {
            event_id: facts::RiskStateChanged::id(epoch, now),
            epoch,
            producer_epoch: self.lease.epoch.unsigned_abs(),
            ts_event: now,
            trace: trace::current(),
            states: self.state().states,
            limits_version: self.core.limits().version,
        };
        let bus = Arc::clone(&self.bus);
        self.tasks.spawn(async move {
            let subject = match ploy_bus::Subject::new(ploy_wire::subjects::RISK_STATE) {
                Ok(subject) => subject,
                Err(error) => {
                    tracing::error!(%error, "the subject of risk states is not valid");
                    return;
                }
            };
            let message = ploy_bus::Message::new(subject, facts::encode_risk_state(&fact));
            if let Err(error) = bus.append(&fact.event_id.to_string(), message).await {
                tracing::warn!(%error, "a trading state was not published; readers ask for it");
            }
        });
    }

    pub(crate) fn state(&self) -> RiskState {
        let states = self.core.states();
        let scope_state = |(scope, entry): (&Scope, &StateEntry)| ScopeState {
            scope: *scope,
            state: entry.state,
            reason: entry.reason.clone(),
            since: entry.since,
        };
        let limits = self.core.limits();
        let values = limits
            .named()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let lines = self
            .core
            .accounts()
            .flat_map(|(_, account)| account.lines());
        RiskState {
            epoch: states.epoch(),
            states: states.entries().map(scope_state).collect(),
            limits: LimitsView {
                version: limits.version,
                values: values.collect(),
            },
            exposures: lines
                .map(|((instrument, strategy), line)| ExposureView {
                    instrument,
                    strategy,
                    position: line.position,
                    open_buy: line.open_buy,
                    open_sell: line.open_sell,
                    reserved_buy: line.reserved_buy,
                    reserved_sell: line.reserved_sell,
                })
                .collect(),
        }
    }
}

/// A wish to tighten a scope.
pub(crate) struct Tightening {
    pub(crate) scope: Scope,
    pub(crate) state: TradingState,
    pub(crate) kill: bool,
    pub(crate) reason: String,
    pub(crate) actor: String,
    pub(crate) trip_id: String,
}
