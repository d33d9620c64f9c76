//! What is noted about every request, and what every answer carries: the request id, the span, the
//! log line, the counters, the problem's last members, and the headers against browsers' guesses.

use super::caller::RequestId;
use crate::{
    problem::{Kind, Problem},
    shared::Shared,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ploy_chassis::{metrics::name, trace};
use ploy_domain::{TraceContext, text::Text};
use std::{net::SocketAddr, sync::Arc, time::Instant};
use tracing::{Instrument, Span, field::Empty};

/// The longest URL, in bytes (SEC-22).
const URL_MAX: usize = 4 << 10;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// On every answer (SEC-33).
const FIXED: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// The far side of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What is known of a request before it is answered.
struct Seen<'a> {
    method: &'static str,
    route: &'a str,
}

/// Answers a request and notes it.
pub(crate) async fn observe(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers(), &shared);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = request.uri().path().to_owned();
    let seen = Seen {
        method: method_word(request.method()),
        // A path that nobody serves must not become a label.
        route: route.as_ref().map_or("unmatched", MatchedPath::as_str),
    };
    let span = tracing::info_span!(
        "request",
        request_id = id,
        method = seen.method,
        route = seen.route,
        actor = Empty,
        status = Empty,
    );
    trace::link_parent(&span, &parent(request.headers()));
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = if request.uri().to_string().len() > URL_MAX {
        let detail = format!("a URL has at most {URL_MAX} bytes");
        Problem::new(Kind::UrlTooLong, detail).into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    let _entered = span.enter();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        metrics::counter!(name::API_ERRORS, "code" => problem.kind.word()).increment(1);
        response = problem.render(&id, &path);
    }
    complete(&mut response, &id);
    note(&seen, &response, began);
    response
}

fn complete(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in FIXED {
        headers.entry(name).or_insert(value);
    }
}

fn note(seen: &Seen<'_>, response: &Response, began: Instant) {
    let (status, took) = (response.status(), began.elapsed());
    let labels = [
        ("method", seen.method.to_owned()),
        ("route", seen.route.to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::histogram!(name::API_LATENCY_SECONDS, &labels).record(took.as_secs_f64());
    Span::current().record("status", status.as_u16());
    let (method, route, status) = (seen.method, seen.route, status.as_u16());
    let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::warn!(method, route, status, latency_ms, "request failed");
    } else if method == "GET" {
        tracing::debug!(method, route, status, latency_ms, "request");
    } else {
        tracing::info!(method, route, status, latency_ms, "request");
    }
}

/// The caller's own id, when it is one, or a new one.
fn request_id(headers: &HeaderMap, shared: &Shared) -> String {
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let given = given.and_then(|text| text.parse::<Text<64>>().ok());
    given.map_or_else(|| shared.next_request_id(), |id| id.to_string())
}

/// The trace that the caller says the request belongs to.
pub(super) fn parent(headers: &HeaderMap) -> TraceContext {
    let given = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    given
        .and_then(TraceContext::parse)
        .unwrap_or(TraceContext::NONE)
}

/// The method as a label: anything may be sent, few words may become one.
fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
