//! Snapshots of books: asked for until there is one, within the limits.

use crate::{
    rest::{Call, Rest},
    sign::Params,
    wire::market::decode_snapshot,
};
use ploy_domain::{BookDelta, InstrumentId};
use ploy_venue_port::{Backoff, Priority, Retry, VenueError, now};
use reqwest::Method;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// A snapshot that was asked for.
pub(super) struct Fetched {
    pub(super) instrument: InstrumentId,
    pub(super) request: u64,
    pub(super) book: BookDelta,
}

/// The request's weight by the number of levels asked for (binance-spot §4).
const fn snapshot_weight(levels: u32) -> u32 {
    match levels {
        0..=100 => 5,
        101..=500 => 25,
        501..=1_000 => 50,
        _ => 250,
    }
}

/// Fetches the book of `instrument`, for as long as it takes; the connection's end drops it.
pub(super) async fn fetch(
    rest: Arc<Rest>,
    instrument: InstrumentId,
    levels: u32,
    request: u64,
) -> Fetched {
    let base = Duration::from_millis(500);
    let mut backoff = Backoff::new(base, Duration::from_secs(30), request);
    loop {
        let error = match snapshot(&rest, instrument, levels).await {
            Ok(book) => {
                return Fetched {
                    instrument,
                    request,
                    book,
                };
            }
            Err(error) => error,
        };
        let wait = match error.retry() {
            Retry::After(after) => after.max(backoff.next_delay()),
            Retry::Backoff | Retry::Never => backoff.next_delay(),
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(%instrument, %error, wait_ms, "no snapshot of the book");
        sleep(wait).await;
    }
}

async fn snapshot(
    rest: &Rest,
    instrument: InstrumentId,
    levels: u32,
) -> Result<BookDelta, VenueError> {
    let operation = "depth";
    let call = Call {
        operation,
        method: Method::GET,
        path: "/api/v3/depth",
        params: Params::new()
            .with("symbol", instrument.symbol())
            .with("limit", levels),
        signed: false,
        weight: snapshot_weight(levels),
        priority: Priority::Normal,
    };
    let answer = rest.ask(&call).await?.success(operation)?;
    decode_snapshot(&answer.body, instrument, now()).map_err(|error| VenueError::Protocol {
        operation,
        detail: error.to_string(),
    })
}
