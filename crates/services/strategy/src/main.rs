//! The strategy service as a process of its own.

use ploy_chassis::service::Service;
use ploy_strategy::{
    config::{Config, DEFAULTS},
    standalone,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let service = Service {
        name: "strategy",
        about: "Runs strategies: market data in, orders out",
        version: env!("CARGO_PKG_VERSION"),
        defaults: DEFAULTS,
    };
    service.run(Config::read, standalone::start)
}
