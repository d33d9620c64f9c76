//! The gateway as a process of its own.

use ploy_chassis::service::Service;
use ploy_gateway::{config, standalone};
use std::process::ExitCode;

const GATEWAY: Service = Service {
    name: "gateway",
    about: "The door for people and programs: HTTP and WebSocket",
    version: env!("CARGO_PKG_VERSION"),
    defaults: config::DEFAULTS,
};

fn main() -> ExitCode {
    GATEWAY.run(standalone::read, standalone::start)
}
