//! The settings of the venue that ingestion and execution share.

use super::Settings;
use ploy_domain::{Symbol, VenueId};

/// Which venue, where it is and what is traded there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueSettings {
    /// Its id, the second half of every instrument.
    pub id: VenueId,
    /// `http://host:port` of the built-in exchange, or `binance:`.
    pub url: String,
    /// The venue's own names of the instruments.
    pub symbols: Vec<Symbol>,
}

impl VenueSettings {
    /// Reads them.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let id = s.parse("venue.id", "a venue in capitals such as SIM");
        let url = s.url("venue.url", &["http", "https", "binance"]);
        let symbols = s.list("venue.symbols", "symbols such as BTCUSDT", 1..=1_000);
        Some(Self {
            id: id?,
            url: url?,
            symbols: symbols?,
        })
    }
}
