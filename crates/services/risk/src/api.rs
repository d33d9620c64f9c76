//! The risk service as others call it.

use crate::judge::Message;
use async_trait::async_trait;
use ploy_domain::{RiskDecision, TradingState};
use ploy_wire::api::{ApiError, Call, CheckRequest, KillRequest, RiskApi, RiskState, StateChange};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// The door to the judge.
#[derive(Debug, Clone)]
pub struct RiskService {
    pub(crate) inbox: mpsc::Sender<Message>,
    pub(crate) leading: watch::Receiver<bool>,
}

impl RiskService {
    async fn ask<T>(
        &self,
        deadline: Duration,
        message: impl FnOnce(oneshot::Sender<Result<T, ApiError>>) -> Message,
    ) -> Result<T, ApiError> {
        if !*self.leading.borrow() {
            return Err(ApiError::unavailable("risk is not led by this process now"));
        }
        let gone = |_| ApiError::unavailable("risk changes its leader");
        let (reply, answer) = oneshot::channel();
        let asked = async {
            let sent = self.inbox.send(message(reply)).await;
            sent.map_err(|_| ApiError::unavailable("risk is shutting down"))?;
            answer.await.map_err(gone)?
        };
        let late = |_| {
            let ms = deadline.as_millis();
            ApiError::deadline_exceeded(format!("risk did not answer in {ms} ms"))
        };
        tokio::time::timeout(deadline, asked).await.map_err(late)?
    }
}

#[async_trait]
impl RiskApi for RiskService {
    async fn check(&self, request: CheckRequest, call: Call) -> Result<RiskDecision, ApiError> {
        let trace = call.trace;
        let request = Box::new(request);
        let check = |reply| Message::Check {
            request,
            trace,
            reply,
            is_caught_up: false,
        };
        self.ask(call.deadline, check).await
    }

    async fn set_state(&self, change: StateChange, call: Call) -> Result<RiskState, ApiError> {
        let actor = call.actor.to_string();
        if change.state == TradingState::Active {
            let reset = |reply| Message::Reset {
                scope: change.scope,
                reason: change.reason,
                actor,
                reply,
            };
            return self.ask(call.deadline, reset).await;
        }
        let tighten = |reply| Message::Tighten {
            scope: change.scope,
            state: change.state,
            kill: false,
            reason: change.reason,
            actor,
            trip_id: String::new(),
            reply,
        };
        self.ask(call.deadline, tighten).await
    }

    async fn kill(&self, request: KillRequest, call: Call) -> Result<RiskState, ApiError> {
        let actor = call.actor.to_string();
        let kill = |reply| Message::Tighten {
            scope: request.scope,
            state: TradingState::Halted,
            kill: true,
            reason: request.reason,
            actor,
            trip_id: request.trip_id.to_string(),
            reply,
        };
        self.ask(call.deadline, kill).await
    }

    async fn state(&self, call: Call) -> Result<RiskState, ApiError> {
        self.ask(call.deadline, Message::State).await
    }
}
