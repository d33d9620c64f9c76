//! Who may come in, how many, and for how long. Every route is in exactly one group of access.

use super::{
    caller::{Caller, RequestId},
    observe::Peer,
    origin,
    quota::Class,
};
use crate::{
    problem::{Kind, Problem, field_error},
    shared::Shared,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ploy_chassis::trace;
use ploy_wire::api::Actor;
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Span;

/// How long the rest may wait that one who found the gateway full is told.
const FULL_RETRY: Duration = Duration::from_secs(1);
/// By this header a caller asks for an earlier end: milliseconds.
const TIMEOUT_HEADER: &str = "x-request-timeout-ms";
/// Who has shown the token.
const OPERATOR: &str = "operator:token";
/// Who reads without one.
const READER: &str = "operator:local";

/// What a group of routes lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Changes nothing; open where that is configured.
    Read,
    /// May change something.
    Mutation,
    /// Stops trading: never too often and never too many.
    Kill,
}

/// The gate of one group of routes.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) shared: Arc<Shared>,
    pub(crate) access: Access,
}

/// Lets a request in or not.
pub(crate) async fn admit(
    State(gate): State<Gate>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let shared = &gate.shared;
    if gate.access != Access::Kill {
        gate.within_quota(address(&request))?;
    }
    let actor = gate.actor(request.headers())?;
    Span::current().record("actor", actor.as_str());
    let _place = match gate.access {
        Access::Kill => None,
        Access::Read | Access::Mutation => Some(shared.requests.try_acquire().map_err(|_| {
            Problem::new(Kind::Unavailable, "the gateway is busy; nothing was done")
                .retry_after(FULL_RETRY)
        })?),
    };
    let timeout = timeout(request.headers(), shared.config.bounds.request_timeout)?;
    let caller = Caller {
        request_id: request_id(&request),
        actor,
        trace: trace_of(&request),
        due: Instant::now() + timeout,
    };
    request.extensions_mut().insert(caller);
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => Ok(response),
        Err(_) => {
            let detail = format!("no answer within {} ms", timeout.as_millis());
            Ok(Problem::new(Kind::DeadlineExceeded, detail).into_response())
        }
    }
}

impl Gate {
    fn within_quota(&self, address: IpAddr) -> Result<(), Problem> {
        let class = match self.access {
            Access::Read => Class::Read,
            Access::Mutation | Access::Kill => Class::Mutation,
        };
        let taken = self.shared.quota.take(address, class, Instant::now());
        taken.map_err(|wait| {
            let detail = "this address asks too often; nothing was done";
            Problem::new(Kind::RateLimited, detail).retry_after(wait)
        })
    }

    fn actor(&self, headers: &HeaderMap) -> Result<Actor, Problem> {
        if origin::is_foreign(headers) {
            let detail = "the request comes from a page of another origin";
            return Err(Problem::new(Kind::Forbidden, detail));
        }
        let config = &self.shared.config;
        let name = match bearer(headers) {
            Some(token) if config.token.matches(token) => OPERATOR,
            None if self.access == Access::Read
                && config.reads_open
                && origin::is_to_loopback(headers) =>
            {
                READER
            }
            Some(_) => return Err(unauthenticated("the token is not valid")),
            None => return Err(unauthenticated("send Authorization: Bearer TOKEN")),
        };
        Ok(Actor::parse(name).unwrap_or(Actor::UNKNOWN))
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(Kind::Unauthenticated, detail)
}

/// What follows `Bearer`; an empty text when the header is something else.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let text = value.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        Some(token.trim())
    } else {
        Some("")
    }
}

/// The caller's own limit, within the gateway's.
fn timeout(headers: &HeaderMap, max: Duration) -> Result<Duration, Problem> {
    let Some(value) = headers.get(TIMEOUT_HEADER) else {
        return Ok(max);
    };
    let ms = value.to_str().ok().and_then(|text| text.parse().ok());
    match ms.map(Duration::from_millis) {
        Some(timeout) if !timeout.is_zero() && timeout <= max => Ok(timeout),
        Some(_) | None => {
            let shown = String::from_utf8_lossy(value.as_bytes());
            let bound = format!("a whole number from 1 to {}", max.as_millis());
            let error = field_error("X-Request-Timeout-Ms", Some(shown), bound);
            Err(Problem::invalid(vec![error]))
        }
    }
}

fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}

fn request_id(request: &Request) -> String {
    let id = request.extensions().get::<RequestId>();
    id.map(|id| id.0.clone()).unwrap_or_default()
}

/// The place of the request's span, or what the caller sent when nobody collects traces.
fn trace_of(request: &Request) -> ploy_domain::TraceContext {
    let own = trace::of(&Span::current());
    if own.is_some() {
        own
    } else {
        super::observe::parent(request.headers())
    }
}
