//! One client's stream: snapshots first, then updates; one that falls behind starts over, one that
//! stays behind is closed.

use super::{
    channel::{Channel, Channels},
    hub::{self, Item},
    snapshot,
};
use crate::{contract::Frame, http::caller::Caller, shared::Shared};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use ploy_wire::api::Actor;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{interval_at, timeout},
};

const PING_EVERY: Duration = Duration::from_secs(15);
/// Pings in a row that may stay unanswered.
const PINGS_UNANSWERED_MAX: u32 = 2;
/// How often channels without a snapshot are tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long one frame may take to be written.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Gaps within a minute after which a client counts as too slow.
const GAPS_MAX: usize = 5;
const GAPS_WINDOW: Duration = Duration::from_secs(60);

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client is gone.
    Gone,
    /// We close it, with a code and a reason.
    Closed(u16, &'static str),
}

impl End {
    const STOPPING: Self = Self::Closed(close_code::AWAY, "the gateway stops");
    const SLOW: Self = Self::Closed(close_code::POLICY, "the client is too slow");
    const SILENT: Self = Self::Closed(close_code::POLICY, "pings are not answered");
    const TALKATIVE: Self = Self::Closed(close_code::UNSUPPORTED, "the stream takes no messages");
}

struct Session {
    socket: WebSocket,
    shared: Arc<Shared>,
    channels: Channels,
    actor: Actor,
    updates: Receiver<Item>,
    /// The sequence of each channel's snapshot, once it was sent.
    floors: [Option<u64>; Channel::ALL.len()],
    gaps: Vec<Instant>,
    unanswered: u32,
}

/// Serves a client until it goes or has to.
pub(crate) async fn serve(
    socket: WebSocket,
    shared: Arc<Shared>,
    channels: Channels,
    caller: Caller,
) {
    let request_id = caller.request_id;
    tracing::debug!(request_id, "a stream begins");
    let mut session = Session {
        updates: shared.hub.subscribe(),
        floors: Default::default(),
        gaps: Vec::new(),
        unanswered: 0,
        actor: caller.actor,
        socket,
        shared,
        channels,
    };
    let Err(end) = session.run().await;
    tracing::debug!(request_id, ?end, "a stream ends");
    session.close(end).await;
}

/// Streams end, but never by themselves.
enum Never {}

impl Session {
    async fn run(&mut self) -> Result<Never, End> {
        let stop = self.shared.stop.clone();
        let start = tokio::time::Instant::now();
        let mut ping = interval_at(start + PING_EVERY, PING_EVERY);
        let mut look = interval_at(start + LOOK_EVERY, LOOK_EVERY);
        self.tell_snapshots().await?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Err(End::STOPPING),
                message = self.socket.recv() => self.hear(message)?,
                item = self.updates.recv() => self.tell(item).await?,
                _ = ping.tick() => self.ping().await?,
                _ = look.tick() => self.tell_snapshots().await?,
            }
        }
    }

    fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match message {
            None | Some(Err(_) | Ok(Message::Close(_))) => Err(End::Gone),
            Some(Ok(Message::Pong(_))) => {
                self.unanswered = 0;
                Ok(())
            }
            // Answered by the socket itself.
            Some(Ok(Message::Ping(_))) => Ok(()),
            Some(Ok(Message::Text(_) | Message::Binary(_))) => Err(End::TALKATIVE),
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.unanswered >= PINGS_UNANSWERED_MAX {
            return Err(End::SILENT);
        }
        self.unanswered += 1;
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    async fn tell(&mut self, item: Result<Item, RecvError>) -> Result<(), End> {
        match item {
            Ok(Item::Update {
                channel,
                sequence,
                frame,
            }) => match self.floors[channel.index()] {
                Some(floor) if sequence > floor => self.send(Message::Text(frame)).await,
                // In the snapshot already, or there will be one.
                Some(_) | None => Ok(()),
            },
            Ok(Item::Degraded { channel, frame }) => {
                if channel.is_none_or(|channel| self.channels.has(channel)) {
                    self.send(Message::Text(frame)).await?;
                }
                Ok(())
            }
            Ok(Item::StartOver(reason)) => self.start_over(None, reason).await,
            Err(RecvError::Lagged(missed)) => {
                self.note_gap()?;
                self.start_over(Some(missed), "the client was too slow")
                    .await
            }
            Err(RecvError::Closed) => Err(End::STOPPING),
        }
    }

    /// Counts a gap that the client caused.
    fn note_gap(&mut self) -> Result<(), End> {
        let now = Instant::now();
        self.gaps.retain(|at| now.duration_since(*at) < GAPS_WINDOW);
        self.gaps.push(now);
        if self.gaps.len() > GAPS_MAX {
            Err(End::SLOW)
        } else {
            Ok(())
        }
    }

    async fn start_over(&mut self, missed: Option<u64>, reason: &str) -> Result<(), End> {
        let gap = Frame::<()>::Gap {
            missed,
            reason: reason.to_owned(),
        };
        self.send(Message::Text(hub::text(&gap))).await?;
        // What waits is older than the snapshots that follow.
        self.updates = self.updates.resubscribe();
        self.floors = Default::default();
        self.tell_snapshots().await
    }

    /// Sends the snapshots that were not sent yet.
    async fn tell_snapshots(&mut self) -> Result<(), End> {
        let missing = |channel: &Channel| self.floors[channel.index()].is_none();
        let missing: Vec<_> = self.channels.each().filter(missing).collect();
        for channel in missing {
            let frame: Utf8Bytes = match snapshot::take(channel, &self.shared, &self.actor).await {
                Ok((sequence, frame)) => {
                    self.floors[channel.index()] = Some(sequence);
                    frame
                }
                Err(error) => hub::degraded(Some(channel), error.to_string()),
            };
            self.send(Message::Text(frame)).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::SLOW),
        }
    }

    /// Says why, if the client can still hear it.
    async fn close(mut self, end: End) {
        if let End::Closed(code, reason) = end {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let close = self.socket.send(Message::Close(Some(frame)));
            drop(timeout(CLOSE_TIMEOUT, close).await);
        }
    }
}
