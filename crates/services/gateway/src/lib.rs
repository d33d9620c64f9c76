//! The gateway: the one door for people and their programs. HTTP and WebSocket outside, the traits
//! of `ploy-wire` inside.
//!
//! Decides who may come in, whether a request makes sense, and what an answer looks like. Whether an
//! order is allowed is risk's decision, what became of it execution's; the gateway keeps nothing.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod app;
pub mod config;
pub mod contract;
mod http;
mod input;
mod probes;
mod problem;
mod routes;
mod shared;
pub mod standalone;
mod stream;

pub use app::{App, BuildError, Deps};
pub use config::{Bounds, Config, Peers};
