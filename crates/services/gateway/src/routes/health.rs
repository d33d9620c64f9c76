//! How the gateway and everything behind it does, for the public.

use crate::shared::Shared;
use axum::{Json, extract::State, response::IntoResponse};
use ploy_chassis::health::PublicHealth;
use std::sync::Arc;

/// What the public may know.
pub(crate) fn snapshot(shared: &Shared) -> PublicHealth {
    let uptime = shared
        .clock
        .instant()
        .saturating_duration_since(shared.started);
    let reports = shared.deps.health.reports();
    PublicHealth::of(&reports, env!("CARGO_PKG_VERSION"), uptime)
}

pub(super) async fn public(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let health = snapshot(&shared);
    (health.http_status(), Json(health))
}
