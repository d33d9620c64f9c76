//! The inside listener of a service: `/health/live`, `/health/ready` and `/metrics`.

use super::{HealthRegistry, Liveness, Report};
use crate::metrics::Metrics;
use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use serde::Serialize;
use std::{future::IntoFuture, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open connections may hold up the end.
const END: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
struct Sources {
    registry: HealthRegistry,
    liveness: Liveness,
    metrics: Metrics,
}

/// The routes.
pub fn router(registry: HealthRegistry, liveness: Liveness, metrics: Metrics) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(scrape))
        .with_state(Sources {
            registry,
            liveness,
            metrics,
        })
}

/// Serves the routes until `stop` is cancelled.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let server = axum::serve(listener, routes)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    tokio::select! {
        ended = server => ended,
        () = async { stop.cancelled().await; tokio::time::sleep(END).await } => Ok(()),
    }
}

#[derive(Debug, Serialize)]
struct Live {
    alive: bool,
}

async fn live(State(sources): State<Sources>) -> impl IntoResponse {
    let alive = sources.liveness.is_alive();
    (status(alive), Json(Live { alive }))
}

#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    checks: Vec<ReadyCheck>,
}

#[derive(Debug, Serialize)]
struct ReadyCheck {
    dependency: String,
    required: bool,
    status: super::Status,
    since: String,
    latency_ms: Option<u64>,
    reason: Option<String>,
}

impl From<Report> for ReadyCheck {
    fn from(report: Report) -> Self {
        Self {
            dependency: report.dependency.name.into_owned(),
            required: report.dependency.required,
            status: report.status,
            since: report.since.to_string(),
            latency_ms: report.latency_ms,
            reason: report.reason,
        }
    }
}

async fn ready(State(sources): State<Sources>) -> impl IntoResponse {
    let ready = sources.registry.is_ready() && sources.liveness.is_alive();
    let reports = sources.registry.reports();
    let checks = reports.into_iter().map(ReadyCheck::from).collect();
    (status(ready), Json(Ready { ready, checks }))
}

async fn scrape(State(sources): State<Sources>) -> impl IntoResponse {
    let format = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], sources.metrics.render())
}

const fn status(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
