//! Hands each frame to every stream, without ever waiting for one: a stream that is too slow finds
//! that it missed some.

use super::channel::Channel;
use crate::contract::Frame;
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::broadcast;

/// What streams are told.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// Something changed.
    Update {
        channel: Channel,
        sequence: u64,
        frame: Utf8Bytes,
    },
    /// A channel, or all of them, cannot be told now.
    Degraded {
        channel: Option<Channel>,
        frame: Utf8Bytes,
    },
    /// Nobody knows what was missed: start over.
    StartOver(&'static str),
}

/// The one source of frames. Each channel is published by one task only.
#[derive(Debug)]
pub(crate) struct Hub {
    items: broadcast::Sender<Item>,
    sequences: [AtomicU64; Channel::ALL.len()],
}

impl Hub {
    pub(crate) fn new(waiting_max: usize) -> Self {
        Self {
            items: broadcast::Sender::new(waiting_max),
            sequences: Default::default(),
        }
    }

    /// Everything from here on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Item> {
        self.items.subscribe()
    }

    /// Whether anybody would see an update.
    pub(crate) fn is_heard(&self) -> bool {
        self.items.receiver_count() > 0
    }

    /// The last update of a channel. What is asked from the services after this holds it.
    pub(crate) fn sequence(&self, channel: Channel) -> u64 {
        self.sequences[channel.index()].load(Ordering::Acquire)
    }

    pub(crate) fn publish(&self, channel: Channel, data: impl Serialize) {
        let sequence = self.sequences[channel.index()].fetch_add(1, Ordering::AcqRel) + 1;
        let frame = text(&Frame::Update {
            channel: channel.word().to_owned(),
            sequence,
            data,
        });
        self.send(Item::Update {
            channel,
            sequence,
            frame,
        });
    }

    pub(crate) fn degraded(&self, channel: Option<Channel>, reason: impl Into<String>) {
        let frame = degraded(channel, reason);
        self.send(Item::Degraded { channel, frame });
    }

    pub(crate) fn start_over(&self, reason: &'static str) {
        self.send(Item::StartOver(reason));
    }

    fn send(&self, item: Item) {
        // Without streams nobody misses it.
        drop(self.items.send(item));
    }
}

/// The frame that says that a channel cannot be told now.
pub(crate) fn degraded(channel: Option<Channel>, reason: impl Into<String>) -> Utf8Bytes {
    text(&Frame::<()>::Degraded {
        channel: channel.map(|channel| channel.word().to_owned()),
        reason: reason.into(),
    })
}

/// A frame as it is sent.
pub(crate) fn text<T: Serialize>(frame: &Frame<T>) -> Utf8Bytes {
    // Our own shapes hold texts, numbers and lists; they all serialise.
    serde_json::to_string(frame).unwrap_or_default().into()
}
