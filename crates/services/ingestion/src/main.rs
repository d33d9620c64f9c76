//! The ingestion service as a process of its own.

use ploy_chassis::service::Service;
use ploy_ingestion::{
    config::{Config, DEFAULTS},
    standalone,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let service = Service {
        name: "ingestion",
        about: "Follows the market of a venue and publishes it",
        version: env!("CARGO_PKG_VERSION"),
        defaults: DEFAULTS,
    };
    service.run(Config::read, standalone::start)
}
