//! How a bus is opened. Every bound of the port is here.

use std::{path::PathBuf, time::Duration};

/// Options of [`crate::open`]; the defaults are those of the failure model.
#[derive(Debug, Clone)]
pub struct BusOptions {
    /// Who connects: a service's name, seen in the server's connection list and canary subject.
    pub name: String,
    /// Deadline of connecting.
    pub connect_timeout: Duration,
    /// Deadline of requests, publish acknowledgements and flushes.
    pub request_timeout: Duration,
    /// Deadline of each question of a probe.
    pub probe_timeout: Duration,
    /// How often the connection is tested; three missed answers make it disconnected.
    pub ping_interval: Duration,
    /// Core messages that may wait for the connection before the oldest are dropped.
    pub publish_capacity: usize,
    /// Requests without answer after which the client is replaced, since it keeps an entry of each.
    pub unanswered_max: u64,
    /// A NATS credentials file.
    pub credentials_file: Option<PathBuf>,
    /// Certificates to trust besides the system's.
    pub root_certificates: Option<PathBuf>,
}

impl BusOptions {
    /// The defaults, for the service `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(2),
            probe_timeout: Duration::from_secs(1),
            ping_interval: Duration::from_secs(2),
            publish_capacity: 8_192,
            unanswered_max: 100_000,
            credentials_file: None,
            root_certificates: None,
        }
    }
}

impl Default for BusOptions {
    fn default() -> Self {
        Self::new("ploy")
    }
}
