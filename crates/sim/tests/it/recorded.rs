//! Backtests on recorded markets, where they are at hand; on a small one otherwise.

use crate::script::TestFile;
use ploy_recordings::{Options, Recording};
use ploy_sim::{Backtest, BacktestConfig, Report, default_instrument};
use std::path::{Path, PathBuf};

/// A recorded market: under `PLOY_MARKET_DATA`, or `shared/data` beside one of the folders above.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where recorded markets lie"
)]
fn recorded(file: &str) -> Option<PathBuf> {
    let named = std::env::var("PLOY_MARKET_DATA").ok().map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    named
        .into_iter()
        .chain(above.map(|path| path.join("shared/data")))
        .map(|root| root.join(file))
        .find(|path| path.is_file())
}

fn backtest(path: &Path, zone: &str, notional: &str) -> Report {
    let id = "RECORDED.SIM".parse().unwrap();
    let mut options = Options::new(id);
    options.utc_offset = zone.parse().unwrap();
    let recording = Recording::open(path, &options).unwrap();
    let instrument = default_instrument(id).unwrap();
    let mut config = BacktestConfig::new("ma-cross", instrument, "100000".parse().unwrap());
    config
        .params
        .insert("notional".to_owned(), notional.to_owned());
    let report = Backtest::run(&config, &recording).unwrap();
    assert_eq!(report, Backtest::run(&config, &recording).unwrap());
    report
}

/// A market of trades: one every twenty seconds, in waves.
fn waves() -> TestFile {
    let row = |n: i64| {
        let price = 100.0 + (n as f64 / 300.0).sin() * 10.0;
        format!("{},{price:.4},5\n", 1_704_067_200 + n * 20)
    };
    let rows: String = (0..5_000).map(row).collect();
    TestFile::new(&format!("time,price,quantity\n{rows}"))
}

#[test]
fn trades_are_traded_on_like_bars() {
    let small = waves();
    let path = recorded("trades_xrpeth/XRP_ETH-trades.json.gz");
    let report = backtest(path.as_ref().unwrap_or(&small.0), "UTC", "1");
    assert!(report.warmed_up);
    assert!(report.trading.round_trips > 0, "{:?}", report.trading);
    assert_eq!(report.trading.denied, 0);
    if path.is_some() {
        assert_eq!(report.data.records, 12_477);
        assert_eq!(report.data.first, "2019-10-11T00:00:11.620000000Z");
    }
}

#[test]
fn a_year_of_an_index_without_volume_runs() {
    let small = waves();
    let path = recorded("nse_index_1m/NIFTY_2024.csv.gz");
    let report = backtest(path.as_ref().unwrap_or(&small.0), "IST", "1000");
    assert!(report.trading.round_trips > 0, "{:?}", report.trading);
    if path.is_some() {
        assert_eq!(report.data.records, 58_127);
        assert_eq!(report.daily_equity.len(), report.results.observations);
        assert!(report.results.sharpe.is_some());
    }
}

#[test]
fn a_thin_year_runs() {
    let small = waves();
    let path = recorded("ohlcv_1m_bitfinex/LTCUSD_2015.csv.gz");
    let report = backtest(path.as_ref().unwrap_or(&small.0), "UTC", "100");
    assert!(report.trading.fills > 0, "{:?}", report.trading);
    if path.is_some() {
        assert_eq!(report.data.records, 146_741);
    }
}
