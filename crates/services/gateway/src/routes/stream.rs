//! The door to the live stream.

use crate::{
    http::caller::Caller,
    input::Query,
    problem::{Kind, Problem},
    shared::Shared,
    stream::{self, Channels},
};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use ploy_chassis::scope;
use std::{sync::Arc, time::Duration};

/// The largest message of a client, in bytes (SEC-25).
const MESSAGE_MAX: usize = 64 << 10;
/// What may wait to be written to a client, in bytes, before writing fails.
const WAITING_MAX: usize = 4 << 20;
const FULL_RETRY: Duration = Duration::from_secs(5);

pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Query(mut fields): Query,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let channels: Option<Channels> = fields.optional("channels", Channels::BOUND);
    fields.finish()?;
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("open this path as a WebSocket: {}", rejection.body_text());
        Problem::new(Kind::Validation, detail)
    })?;
    let place = shared.try_stream().ok_or_else(|| {
        Problem::new(Kind::Unavailable, "there are too many streams").retry_after(FULL_RETRY)
    })?;
    // Counted from here on, so that the gateway waits for it when it ends.
    let counted = shared.tasks.token();
    let (shared, channels) = (Arc::clone(&shared), channels.unwrap_or_default());
    let upgrade = upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .max_write_buffer_size(WAITING_MAX);
    Ok(upgrade.on_upgrade(move |socket| {
        scope::within("gateway", async move {
            stream::serve(socket, shared, channels, caller).await;
            drop((place, counted));
        })
    }))
}
