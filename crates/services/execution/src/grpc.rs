//! The gRPC face of execution: orders, fills, positions, and the log of an account, as `ploy.v1` describes them. Requests become
//! domain values in `ploy-wire`; who listens and with which limits is the chassis's matter.

use ploy_chassis::{grpc::GrpcServer, service::Base};
use ploy_wire::{api::ExecutionApi, server};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// A listener with `api` on it; its calls are tasks of `calls`.
pub(crate) fn server(base: &Base, api: Arc<dyn ExecutionApi>, calls: &TaskTracker) -> GrpcServer {
    GrpcServer::new(base.health.clone()).with(server::execution(api, calls.clone()))
}
