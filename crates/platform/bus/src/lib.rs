//! Publish and consume: one port, [`Bus`], over the process's own memory or NATS JetStream.
//!
//! Decides how messages travel, which streams exist and how loss is made visible. Leaves the
//! meaning and encoding of payloads to `ploy-wire`, and correctness after a loss to the database:
//! nothing is correct *because* the bus kept, ordered or deduplicated it.
//!
//! Two ways to travel:
//! - **core**, at most once: [`Bus::publish`] and [`Bus::subscribe`]. A publisher never waits; a
//!   slow subscriber loses its oldest messages and sees how many.
//! - **durable**, at least once: [`Bus::append`] and [`Bus::consumer`], explicit acknowledgement.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod error;
mod mailbox;
mod memory;
mod message;
mod nats;
mod options;
mod port;
mod regression;
mod streams;
mod subject;

pub use error::{BusError, Retry};
pub use mailbox::Subscription;
pub use message::{Headers, Message};
pub use options::BusOptions;
pub use port::{
    Appended, Bus, BusHealth, Consumer, ConsumerSpec, Delivery, Probe, StartAt, StreamState,
};
pub use regression::{Regression, RegressionWatch};
pub use streams::{
    Discard, PLOY_ALERTS, PLOY_AUDIT, PLOY_BARS, PLOY_CANARY, PLOY_CONTROL, PLOY_DLQ, PLOY_FACTS,
    PLOY_ORDERS, PLOY_STREAMS, StreamSpec,
};
pub use subject::{Pattern, Subject, SubjectError};

use std::sync::Arc;

/// Opens the bus that `url` names: `memory:` (this process only) or `nats://host:port` (also
/// `tls://…`; several addresses separated by commas).
///
/// # Errors
/// [`BusError::Url`] for another scheme, [`BusError::Connect`] when no server answers in
/// [`BusOptions::connect_timeout`].
pub async fn open(url: &str, options: BusOptions) -> Result<Arc<dyn Bus>, BusError> {
    if url == "memory:" || url == "memory://" {
        return Ok(Arc::new(memory::MemoryBus::new(&options)));
    }
    if url.starts_with("nats://") || url.starts_with("tls://") {
        return Ok(Arc::new(nats::NatsBus::open(url, options).await?));
    }
    Err(BusError::Url {
        url: error::redacted(url),
        reason: "expected memory: or nats://host:port".to_owned(),
    })
}
