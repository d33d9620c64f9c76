//! Private servers and small tools for tests: NATS, PostgreSQL and Redis on free ports of the
//! loopback interface, each with its own directory, gone when the test is.
//!
//! Only ever a dev-dependency. Starting blocks the thread for a second or two at most; a missing
//! binary is installed from Debian's packages when that is possible.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod binaries;
mod nats;
mod postgres;
mod process;
mod program;
mod redis;
mod temp_dir;
mod wait;

pub use nats::NatsServer;
pub use postgres::PostgresServer;
pub use process::free_port;
pub use program::{Program, RunningProgram};
pub use redis::RedisServer;
pub use temp_dir::TempDir;
pub use wait::eventually;
