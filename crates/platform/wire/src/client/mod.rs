//! The services across the network, behind the same traits as in this process.
//!
//! It decides how a connection is kept and how a call is bounded (RET-6). It never repeats a call:
//! only the caller knows whether that is safe.

mod execution;
mod ingestion;
mod risk;
mod strategy;

pub use execution::ExecutionClient;
pub use ingestion::IngestionClient;
pub use risk::RiskClient;
pub use strategy::StrategyClient;

use crate::{
    WireError,
    api::{ApiCode, ApiError, Call, Retry},
    metadata,
    status::from_status,
};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Endpoint},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);
const TCP_KEEPALIVE: Duration = Duration::from_secs(10);

/// The address of a service cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("'{address}' is not the address of a service; expected http://HOST:PORT")]
pub struct AddressError {
    /// The offending text.
    pub address: String,
    /// What is wrong with it.
    #[source]
    source: tonic::transport::Error,
}

/// A connection to `address` that is made with the first call and again whenever it was lost.
///
/// # Errors
/// [`AddressError`] when the text is no address.
pub fn connect(address: &str) -> Result<Channel, AddressError> {
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|source| AddressError {
        address: address.to_owned(),
        source,
    })?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .tcp_keepalive(Some(TCP_KEEPALIVE))
        .tcp_nodelay(true)
        .connect_lazy())
}

/// Sends one request and waits for its answer, no longer than the call's deadline.
async fn ask<Q, W, D, F>(
    message: Q,
    call: &Call,
    send: impl FnOnce(Request<Q>) -> F,
) -> Result<D, ApiError>
where
    F: Future<Output = Result<Response<W>, Status>>,
    D: TryFrom<W, Error = WireError>,
{
    let due = Instant::now() + call.deadline;
    match timeout_at(due, send(metadata::request(message, call))).await {
        Ok(Ok(answer)) => D::try_from(answer.into_inner()).map_err(|error| unreadable(&error)),
        Ok(Err(status)) if is_own_timeout(&status, due) => Err(late(call)),
        Ok(Err(status)) => Err(from_status(&status)),
        Err(_) => Err(late(call)),
    }
}

/// The transport cancels what has run out of time; the local clock and its own may differ a little.
fn is_own_timeout(status: &Status, due: Instant) -> bool {
    status.code() == Code::Cancelled && Instant::now() + Call::HOP >= due
}

fn late(call: &Call) -> ApiError {
    ApiError::deadline_exceeded(format!("no answer within {} ms", call.deadline.as_millis()))
}

/// The service did what it did, and said so in words that this version does not know.
fn unreadable(error: &WireError) -> ApiError {
    ApiError {
        code: ApiCode::Internal,
        message: format!("the answer cannot be read: {error}"),
        retry: Retry::Never,
    }
}
