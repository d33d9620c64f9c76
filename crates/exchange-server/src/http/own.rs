//! The exchange's own paths: health and fault injection.

use super::{Shared, faults::FaultPlan};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /ploy/health`: whether the engine answers.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let alive = shared
        .api
        .engine
        .run(|venue, now| {
            let symbols = venue.listed.iter();
            let prices = symbols.map(|listed| {
                let price = listed.last_price.map(|price| price.to_string());
                json!({"symbol": listed.symbol, "last_price": price})
            });
            json!({
                "status": "ok", "time": now.to_string(),
                "instruments": prices.collect::<Vec<_>>(),
            })
        })
        .await;
    match alive {
        Ok(body) => Json(body).into_response(),
        Err(refusal) => {
            let body = json!({"status": "down", "reason": refusal.message});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// `GET /ploy/faults`: the plan in force.
pub(super) async fn read_faults(State(shared): State<Arc<Shared>>) -> Json<FaultPlan> {
    Json(shared.faults.plan())
}

/// `POST /ploy/faults`: puts another plan in force.
pub(super) async fn set_faults(
    State(shared): State<Arc<Shared>>,
    body: axum::body::Bytes,
) -> Result<Json<FaultPlan>, (StatusCode, Json<Value>)> {
    let plan: FaultPlan = serde_json::from_slice(&body).map_err(|error| {
        let body = json!({"error": error.to_string()});
        (StatusCode::BAD_REQUEST, Json(body))
    })?;
    shared.faults.set(plan);
    tracing::info!(?plan, "faults are injected from now on");
    Ok(Json(plan))
}

/// `POST /ploy/disconnect`: ends every socket, as a failing network would.
pub(super) async fn disconnect(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.sockets_cut.notify_waiters();
    tracing::info!(
        sockets = shared.sockets.len(),
        "all sockets are disconnected"
    );
    StatusCode::NO_CONTENT
}
