//! Bars per second of `ma-cross` through strategy, risk, order and matching core, reading a plain
//! CSV file of 500 000 bars.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ploy_recordings::{Options, Recording};
use ploy_sim::{Backtest, BacktestConfig, default_instrument};
use std::{fmt::Write, hint::black_box};

const BARS: u64 = 500_000;

/// A market that wanders: the same one in every run.
fn market() -> String {
    let mut text = String::from("timestamp_ms,open,close,high,low,volume\n");
    let (mut seed, mut price) = (42u64, 1_300_000i64);
    let mut random = move |below: i64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(seed >> 33).unwrap() % below
    };
    let cents = |n: i64| format!("{}.{:02}", n / 100, n % 100);
    for minute in 0..BARS {
        let open = price;
        price = (price + random(2_001) - 1_000).max(100_000);
        let (high, low) = (open.max(price) + random(300), open.min(price) - random(300));
        writeln!(
            text,
            "{},{},{},{},{},{}",
            1_514_764_800_000 + minute * 60_000,
            cents(open),
            cents(price),
            cents(high),
            cents(low),
            cents(random(100_000) + 1)
        )
        .unwrap();
    }
    text
}

fn backtest(c: &mut Criterion) {
    let path = std::env::temp_dir().join(format!("ploy-backtest-{}.csv", std::process::id()));
    std::fs::write(&path, market()).unwrap();
    let id = "BTCUSD.SIM".parse().unwrap();
    let recording = Recording::open_unchecked(&path, &Options::new(id)).unwrap();
    let instrument = default_instrument(id).unwrap();
    let config = BacktestConfig::new("ma-cross", instrument, "100000".parse().unwrap());
    let mut group = c.benchmark_group("backtest");
    group.throughput(Throughput::Elements(BARS));
    group.bench_function("ma-cross on 500 000 bars", |b| {
        b.iter(|| black_box(Backtest::run(&config, &recording).unwrap()));
    });
    group.finish();
    std::fs::remove_file(path).unwrap();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = backtest
}
criterion_main!(benches);
