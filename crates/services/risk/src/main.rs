//! The risk service as a process of its own.

use ploy_chassis::service::Service;
use ploy_risk::{
    config::{Config, DEFAULTS},
    standalone,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let service = Service {
        name: "risk",
        about: "Judges every order, holds limits and the kill switch",
        version: env!("CARGO_PKG_VERSION"),
        defaults: DEFAULTS,
    };
    service.run(Config::read, standalone::start)
}
