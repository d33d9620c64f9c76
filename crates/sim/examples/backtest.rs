//! Runs `ma-cross` over a file and prints the report, the time it took and the peak memory:
//! `cargo run --release -p ploy-sim --example backtest -- FILE [REPETITIONS]`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "an example talks to a person"
)]

use ploy_recordings::{Options, Recording};
use ploy_sim::{Backtest, BacktestConfig, default_instrument};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("which file?");
    let repetitions: u32 = arguments.next().map_or(1, |n| n.parse().unwrap());
    let id = "RECORDED.SIM".parse().unwrap();
    let instrument = default_instrument(id).unwrap();
    let config = BacktestConfig::new("ma-cross", instrument, "100000".parse().unwrap());
    for _ in 0..repetitions {
        let started = Instant::now();
        let recording = Recording::open_unchecked(&path, &Options::new(id)).unwrap();
        let report = Backtest::run(&config, &recording).unwrap();
        let took = started.elapsed();
        println!("{report}");
        println!(
            "{:.0} records/s in {took:.3?}",
            report.data.records as f64 / took.as_secs_f64()
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or_default());
}
