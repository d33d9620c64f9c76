//! `ploy`: the platform in one process, backtests, and the client of a running gateway.

mod backtest;
mod bench;
mod cli;
mod client;
mod config_check;
mod source;
mod up;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
