//! The frames of the WebSocket stream.

use serde::{Deserialize, Serialize};

/// One frame. Sequences count the updates of one channel of one gateway process, without gaps: a
/// snapshot holds everything up to its sequence, the next update is one more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Frame<T> {
    /// How things stand; the first frame of every channel.
    Snapshot {
        /// `markets`, `orders`, `fills`, `positions`, `risk` or `health`.
        channel: String,
        /// The last update it holds.
        sequence: u64,
        /// Items as in the list of the same name.
        data: T,
    },
    /// What changed: whole items that replace those of the same identity.
    Update {
        /// Of which channel.
        channel: String,
        /// Its place.
        sequence: u64,
        /// The items.
        data: T,
    },
    /// Updates were lost for this client; snapshots of all its channels follow.
    Gap {
        /// How many, when it is known.
        missed: Option<u64>,
        /// Why.
        reason: String,
    },
    /// A channel cannot be told now; the last items stand, older every second.
    Degraded {
        /// Which channel; `null` for all.
        channel: Option<String>,
        /// Why.
        reason: String,
    },
}
