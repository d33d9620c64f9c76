//! How fast recordings are read, in rows per second.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ploy_recordings::{Options, Recording};
use std::{fmt::Write, hint::black_box};

const ROWS: u64 = 500_000;

fn read(c: &mut Criterion) {
    let mut text = String::from("timestamp_ms,open,close,high,low,volume\n");
    for n in 0..ROWS {
        let (time, price) = (1_514_764_800_000 + n * 60_000, 13_000 + n % 1_000);
        writeln!(
            text,
            "{time},{price},{price}.5,{price}.75,{price},{}.1332{:04}",
            n % 90,
            n % 10_000
        )
        .unwrap();
    }
    let path = std::env::temp_dir().join(format!("ploy-read-{}.csv", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let options = Options::new("BTCUSD.SIM".parse().unwrap());
    let recording = Recording::open_unchecked(&path, &options).unwrap();
    let mut group = c.benchmark_group("recordings");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("bars of a plain CSV file", |b| {
        b.iter(|| {
            let mut bars = recording.bars().unwrap();
            while let Some(bar) = bars.read().unwrap() {
                black_box(bar);
            }
        });
    });
    group.finish();
    std::fs::remove_file(path).unwrap();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = read
}
criterion_main!(benches);
