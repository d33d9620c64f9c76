//! Which path is answered by what, and who may ask.

mod accounts;
pub(crate) mod health;
mod markets;
mod orders;
mod risk;
mod strategies;
mod stream;

use crate::{
    http::{
        admit::{Access, Gate, admit},
        observe::observe,
    },
    input::BODY_MAX,
    problem::{Kind, Problem},
    shared::Shared,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{delete, get, post},
};
use ploy_chassis::health::router as probe_routes;
use std::sync::Arc;

/// All paths.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let deps = &shared.deps;
    let probes = probe_routes(
        deps.health.clone(),
        deps.liveness.clone(),
        deps.metrics.clone(),
    );
    let open = Router::new().route("/health", get(health::public));
    open.merge(behind(shared, Access::Read, reads()))
        .merge(behind(shared, Access::Mutation, mutations()))
        .merge(behind(shared, Access::Kill, kill()))
        .with_state(Arc::clone(shared))
        .merge(probes)
        .fallback(no_path)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(Arc::clone(shared), observe))
}

fn reads() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/markets", get(markets::list))
        .route("/api/v1/markets", get(markets::list))
        .route("/api/v1/account", get(accounts::one))
        .route("/api/v1/accounts", get(accounts::list))
        .route("/api/v1/orders", get(orders::list))
        .route("/api/v1/orders/{order_id}", get(orders::one))
        .route("/api/v1/orders/{order_id}/why", get(orders::why))
        .route("/api/v1/fills", get(accounts::fills))
        .route("/api/v1/positions", get(accounts::positions))
        .route("/api/v1/strategies", get(strategies::list))
        .route("/api/v1/risk", get(risk::state))
        .route("/api/v1/stream", get(stream::open))
}

fn mutations() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/v1/orders", post(orders::submit))
        .route("/api/v1/orders/{order_id}", delete(orders::cancel))
        .route("/api/v1/orders/cancel-all", post(orders::cancel_all))
        .route("/api/v1/risk/reset", post(risk::reset))
}

fn kill() -> Router<Arc<Shared>> {
    Router::new().route("/api/v1/risk/kill", post(risk::kill))
}

fn behind(
    shared: &Arc<Shared>,
    access: Access,
    routes: Router<Arc<Shared>>,
) -> Router<Arc<Shared>> {
    let gate = Gate {
        shared: Arc::clone(shared),
        access,
    };
    routes.route_layer(from_fn_with_state(gate, admit))
}

async fn no_path() -> Problem {
    Problem::new(Kind::NotFound, "no such path")
}

async fn no_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "the header Allow lists the methods")
}
