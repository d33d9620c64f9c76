//! The one port: REST under `/api/v3`, market streams under `/ws` and `/stream`, the WebSocket API
//! under `/ws-api/v3`, and the exchange's own `/ploy` paths.

pub(crate) mod connection;
pub(crate) mod faults;
mod limits;
mod own;
mod rest;
mod streams;
mod ws_api;

use crate::api::dispatch::Api;
use axum::{
    Router,
    routing::{any, get, post},
};
use faults::Faults;
use limits::WeightWindows;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) api: Api,
    pub(crate) weights: WeightWindows,
    pub(crate) faults: Faults,
    pub(crate) stop: CancellationToken,
    /// Sockets that outlive their HTTP request.
    pub(crate) sockets: TaskTracker,
    /// Ends every socket that is open now, without goodbye.
    pub(crate) sockets_cut: Notify,
}

impl Shared {
    pub(crate) fn new(api: Api, stop: CancellationToken) -> Self {
        Self {
            weights: WeightWindows::new(api.config.limits.weight_per_minute),
            faults: Faults::new(api.config.seed),
            api,
            stop,
            sockets: TaskTracker::new(),
            sockets_cut: Notify::new(),
        }
    }
}

/// All paths.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/api/v3/{*path}", any(rest::serve))
        .route("/ws", get(streams::raw))
        .route("/ws/{*names}", get(streams::raw_named))
        .route("/stream", get(streams::combined))
        .route("/ws-api/v3", get(ws_api::open))
        .route("/ploy/health", get(own::health));
    if shared.api.config.fault_injection {
        router = router
            .route("/ploy/faults", get(own::read_faults).post(own::set_faults))
            .route("/ploy/disconnect", post(own::disconnect));
    }
    router.with_state(shared)
}
