//! What ingestion needs to know, read once and resolved to domain types.

use ploy_chassis::config::{Settings, VenueSettings};
use std::{net::SocketAddr, time::Duration};

/// Every key of ingestion's section with its default.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The configuration of ingestion.
#[derive(Debug, Clone)]
pub struct Config {
    /// The venue whose market is followed.
    pub venue: VenueSettings,
    /// Where its gRPC listens.
    pub listen: SocketAddr,
    /// Where its probes and metrics listen.
    pub ops_listen: SocketAddr,
    /// How long an instrument may be silent before it is stale.
    pub stale_after: Duration,
}

impl Config {
    /// Reads it.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let venue = VenueSettings::read(s);
        let listen = s.parse("ingestion.listen", "ADDRESS:PORT");
        let ops_listen = s.parse("ingestion.ops_listen", "ADDRESS:PORT");
        let bounds = Duration::from_millis(100)..=Duration::from_secs(600);
        let stale_after = s.duration("ingestion.stale_after", bounds);
        Some(Self {
            venue: venue?,
            listen: listen?,
            ops_listen: ops_listen?,
            stale_after: stale_after?,
        })
    }
}
