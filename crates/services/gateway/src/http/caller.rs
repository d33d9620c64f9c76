//! What a handler knows about the request besides its content.

use crate::problem::{Kind, Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use ploy_domain::TraceContext;
use ploy_wire::api::{Actor, Call};
use std::time::{Duration, Instant};

/// The identity of a request, by which the log speaks of it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Who asks, until when, and as part of which trace.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) request_id: String,
    pub(crate) actor: Actor,
    pub(crate) trace: TraceContext,
    pub(crate) due: Instant,
}

impl Caller {
    /// A call to a service with what is left of the request's time.
    pub(crate) fn call(&self) -> Call {
        let left = self.due.saturating_duration_since(Instant::now());
        let left = left.saturating_sub(Call::HOP).max(Duration::from_millis(1));
        Call::new(self.actor.clone(), left).traced(self.trace)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        // Every route is behind admission; one that is not must not answer.
        caller.ok_or_else(|| Problem::new(Kind::Internal, "the route admits nobody"))
    }
}
