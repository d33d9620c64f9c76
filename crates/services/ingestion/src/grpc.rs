//! The gRPC face of ingestion: markets and their instruments, as `ploy.v1` describes them. Requests become
//! domain values in `ploy-wire`; who listens and with which limits is the chassis's matter.

use ploy_chassis::{grpc::GrpcServer, service::Base};
use ploy_wire::{api::IngestionApi, server};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// A listener with `api` on it; its calls are tasks of `calls`.
pub(crate) fn server(base: &Base, api: Arc<dyn IngestionApi>, calls: &TaskTracker) -> GrpcServer {
    GrpcServer::new(base.health.clone()).with(server::ingestion(api, calls.clone()))
}
