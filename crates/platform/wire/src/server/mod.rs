//! Services for callers across the network: any implementation of a trait of [`crate::api`] as the
//! generated service.
//!
//! It decides how a request becomes a call and an answer a message. Listening, TLS and health are
//! the chassis's.

mod execution;
mod ingestion;
mod risk;
mod strategy;

pub use execution::ExecutionServer;
pub use ingestion::IngestionServer;
pub use risk::RiskServer;
pub use strategy::StrategyServer;

use crate::{
    WireError,
    api::{ApiError, Call, ExecutionApi, IngestionApi, RiskApi, StrategyApi},
    local::Local,
    metadata,
    proto::{
        execution_service_server::ExecutionServiceServer,
        ingestion_service_server::IngestionServiceServer, risk_service_server::RiskServiceServer,
        strategy_service_server::StrategyServiceServer,
    },
    status::to_status,
};
use std::sync::Arc;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};

/// The largest message in either direction, in bytes.
pub const MESSAGE_MAX: usize = 1024 * 1024;
/// The largest answer to a replay, in bytes.
pub const REPLAY_MAX: usize = 4 * MESSAGE_MAX;

/// `api` as a gRPC service; its calls are tasks of `tasks`.
#[must_use]
pub fn risk(api: Arc<dyn RiskApi>, tasks: TaskTracker) -> RiskServiceServer<RiskServer> {
    RiskServiceServer::new(RiskServer(Local::new(api, tasks)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX)
}

/// `api` as a gRPC service; its calls are tasks of `tasks`.
#[must_use]
pub fn execution(
    api: Arc<dyn ExecutionApi>,
    tasks: TaskTracker,
) -> ExecutionServiceServer<ExecutionServer> {
    ExecutionServiceServer::new(ExecutionServer(Local::new(api, tasks)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(REPLAY_MAX)
}

/// `api` as a gRPC service; its calls are tasks of `tasks`.
#[must_use]
pub fn strategy(
    api: Arc<dyn StrategyApi>,
    tasks: TaskTracker,
) -> StrategyServiceServer<StrategyServer> {
    StrategyServiceServer::new(StrategyServer(Local::new(api, tasks)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX)
}

/// `api` as a gRPC service; its calls are tasks of `tasks`.
#[must_use]
pub fn ingestion(
    api: Arc<dyn IngestionApi>,
    tasks: TaskTracker,
) -> IngestionServiceServer<IngestionServer> {
    IngestionServiceServer::new(IngestionServer(Local::new(api, tasks)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX)
}

/// Reads a request, makes the call and writes its answer.
async fn answer<Q, D, A, W, F>(
    request: Request<Q>,
    read: impl FnOnce(Q) -> Result<D, WireError>,
    run: impl FnOnce(D, Call) -> F,
) -> Result<Response<W>, Status>
where
    F: Future<Output = Result<A, ApiError>>,
    W: for<'a> From<&'a A>,
{
    let outcome = async {
        let call = metadata::call(request.metadata())?;
        run(read(request.into_inner())?, call).await
    };
    match outcome.await {
        Ok(answer) => Ok(Response::new(W::from(&answer))),
        Err(error) => Err(to_status(&error)),
    }
}

/// Reads a request that says nothing.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the form of every reader of requests"
)]
fn nothing<Q>(_: Q) -> Result<(), WireError> {
    Ok(())
}
