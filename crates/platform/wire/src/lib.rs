//! The contract between Ploy's processes in Rust: the generated protocol, total conversions to and
//! from the domain, the encoding of facts, subjects, and the service traits with their clients and
//! servers.
//!
//! It decides how things are written down; what they mean is the domain's business, and how bytes
//! travel is the bus's and tonic's. Outwards every domain value can be written (`From`); inwards
//! nothing is believed (`TryFrom` with a [`WireError`] that names the field).
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

pub mod api;
pub mod client;
mod convert;
pub mod facts;
pub mod local;
mod metadata;
pub mod proto;
pub mod server;
mod status;
pub mod subjects;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod loopback;

pub use convert::WireError;
pub use status::{from_status, to_status};
