//! The execution service as a process of its own.

use ploy_chassis::service::Service;
use ploy_execution::{
    config::{Config, DEFAULTS},
    standalone,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let service = Service {
        name: "execution",
        about: "Owns accounts: journals orders, sends them, books what the venue says",
        version: env!("CARGO_PKG_VERSION"),
        defaults: DEFAULTS,
    };
    service.run(Config::read, standalone::start)
}
