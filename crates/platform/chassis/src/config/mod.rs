//! Configuration in layers: the defaults in the program, one file, the environment, the command line.
//!
//! Decides what a value is, where it came from and whether its key is known; reports every mistake
//! at once. What the values mean is for each service's `config.rs`, which reads them like this:
//!
//! ```
//! use ploy_chassis::config::{Settings, Sources};
//! use std::time::Duration;
//!
//! struct Config { symbols: Vec<String>, stale_after: Duration }
//!
//! const DEFAULTS: &str = r#"
//! [ingestion]
//! symbols = ["BTCUSDT"]
//! stale_after = "3s"
//! "#;
//!
//! let sources = Sources::none().with_variable("PLOY_INGESTION__STALE_AFTER", "5s");
//! let mut settings = Settings::load(&[DEFAULTS], &sources);
//! let config = settings.resolve(|s| {
//!     let symbols = s.list("ingestion.symbols", "symbols", 1..=100);
//!     let stale_after = s.duration(
//!         "ingestion.stale_after",
//!         Duration::from_millis(100)..=Duration::from_secs(60),
//!     );
//!     Some(Config { symbols: symbols?, stale_after: stale_after? })
//! });
//! assert_eq!(config.unwrap().stale_after, Duration::from_secs(5));
//! ```
//!
//! The defaults are the schema: they name every key. A key without a default value says what it is:
//! `"<unset>"`, or `"<secret>"` for what must never be shown and may also be given as a file, in
//! `…_file`. An array or an empty table is open: its inside is checked by the type it is read into.

mod common;
mod duration;
mod layers;
mod mistake;
mod print;
mod secret;
mod settings;
mod sources;
mod typed;
mod venue;

pub use common::{COMMON_DEFAULTS, Common, LogFormat, LogSettings, Mode, TelemetrySettings};
pub use duration::{format_duration, parse_duration};
pub use mistake::{ConfigError, Layer, Mistake};
pub use secret::Secret;
pub use settings::Settings;
pub use sources::Sources;
pub use venue::VenueSettings;

/// The sections of the services. Each service ignores those of the others, so that one file serves
/// all of them.
pub const SECTIONS: [&str; 6] = [
    "gateway",
    "ingestion",
    "strategy",
    "risk",
    "execution",
    "exchange",
];

#[cfg(test)]
mod tests;
