//! What is reported, and that it is the same every time.

use crate::script::{TestFile, buy, config, play, sell, still};
use ploy_recordings::{Options, Recording};
use ploy_sim::{Backtest, BacktestConfig, BacktestError, default_instrument};
use std::fmt::Write;

/// A market that goes up and down in waves, long enough for averages to cross.
fn waves(minutes: i64) -> TestFile {
    let mut text = String::from("time,open,high,low,close,volume\n");
    let close = |minute: i64| 10_000 + ((minute as f64 / 40.0).sin() * 500.0) as i64 + minute % 7;
    for minute in 0..minutes {
        let (open, close) = (close(minute - 1), close(minute));
        let (high, low) = (open.max(close) + 3, open.min(close) - 3);
        let time = 1_704_067_200 + minute * 60;
        writeln!(text, "{time},{open},{high},{low},{close},50").unwrap();
    }
    TestFile::new(&text)
}

fn ma_cross() -> BacktestConfig {
    let instrument = default_instrument("BTCUSDT.SIM".parse().unwrap()).unwrap();
    let mut config = BacktestConfig::new("ma-cross", instrument, "10000".parse().unwrap());
    for (name, value) in [("fast", "5"), ("slow", "15"), ("notional", "5000")] {
        config.params.insert(name.to_owned(), value.to_owned());
    }
    config
}

fn backtest(config: &BacktestConfig, file: &TestFile) -> Result<ploy_sim::Report, BacktestError> {
    let options = Options::new("BTCUSDT.SIM".parse().unwrap());
    Backtest::run(config, &Recording::open_unchecked(&file.0, &options)?)
}

#[test]
fn two_runs_give_the_same_bytes() {
    let file = waves(3_000);
    let json = || backtest(&ma_cross(), &file).unwrap().to_json().unwrap();
    let first = json();
    assert_eq!(first, json());
    assert!(first.contains("\"events_digest\""));
    let mut other = ma_cross();
    other.params.insert("fast".to_owned(), "6".to_owned());
    let other = backtest(&other, &file).unwrap();
    assert!(!first.contains(&other.events_digest));
}

#[test]
fn averages_cross_in_waves_and_every_wave_is_a_round_trip() {
    // Sixteen waves of 251 minutes.
    let report = backtest(&ma_cross(), &waves(4_016)).unwrap();
    assert!(report.warmed_up);
    assert!(
        (14..=17).contains(&report.trading.round_trips),
        "{:?}",
        report.trading
    );
    assert_eq!(report.trading.denied, 0);
    assert!(report.results.total_return > 0.0, "{:?}", report.results);
    assert_eq!(
        (report.data.records, report.results.observations),
        (4_016, 3)
    );
}

#[test]
fn no_ratio_is_given_for_a_few_days() {
    let report = backtest(&ma_cross(), &waves(3_000)).unwrap();
    let results = report.results;
    assert_eq!((results.sharpe, results.cagr), (None, None));
    assert!(report.definitions["sharpe"].contains("not under 20 days"));
}

#[test]
fn ratios_are_given_for_a_month() {
    let report = backtest(&ma_cross(), &waves(30 * 1_440)).unwrap();
    assert_eq!(report.results.observations, 30);
    assert_eq!(report.daily_equity.len(), 30);
    assert_eq!(report.daily_equity[0].day, "2024-01-01");
    assert_eq!(report.daily_equity[29].equity, report.results.final_equity);
    assert!(report.results.sharpe.is_some());
}

#[test]
fn a_fall_is_measured_from_its_peak() {
    let bars = [still(100), still(100), still(200), still(50), still(150)];
    let mut config = config();
    config.fills = ploy_sim::FillProfile::Optimistic.model();
    let report = play(&config, &[(0, buy("50"))], &bars).report;
    let fall = report.results.max_drawdown.unwrap();
    // 5000 in cash and 50 units that fall from 200 to 50.
    assert_eq!((fall.fraction, fall.amount.as_str()), (0.5, "7500"));
    assert_eq!(fall.recovered_at, None);
    assert_eq!(report.results.final_equity, "12500");
    assert_eq!(report.results.exposure, 0.8);
}

#[test]
fn a_strategy_that_does_nothing_ends_with_what_it_had() {
    let report = play(&config(), &[], &[still(100); 10]).report;
    let results = &report.results;
    assert_eq!(
        (results.final_equity.as_str(), results.total_return),
        ("10000", 0.0)
    );
    assert_eq!(results.max_drawdown, None);
    assert_eq!(results.profit_factor, None);
}

#[test]
fn a_mistake_at_the_end_of_the_data_leaves_no_report() {
    let file = waves(2_000);
    let mut text = std::fs::read_to_string(&file.0).unwrap();
    text += "1800000000,1,2,3,4,5\n";
    let broken = TestFile::new(&text);
    let error = backtest(&ma_cross(), &broken).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        source.contains(":2002: column high must be at least 4"),
        "{source}"
    );
}

#[test]
fn a_wrong_configuration_is_refused_before_anything_runs() {
    let file = waves(100);
    let refused = |change: fn(&mut BacktestConfig)| {
        let mut config = ma_cross();
        change(&mut config);
        let error = backtest(&config, &file).unwrap_err();
        std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
    };
    assert_eq!(
        refused(|c| c.strategy = "magic".to_owned()),
        "there is no strategy 'magic'; known are ma-cross"
    );
    assert_eq!(
        refused(|c| c.fee = ploy_domain::Bps::new(5_000)),
        "fee must be 0bp to 1000bp, was 5000bp"
    );
    assert_eq!(
        refused(|c| c.instrument.id = "ETHUSDT.SIM".parse().unwrap()),
        "the recording is of BTCUSDT.SIM, the trading rules are those of ETHUSDT.SIM"
    );
}

#[test]
fn the_table_names_what_people_ask_for() {
    let bars = [still(100), still(100), still(110), still(110)];
    let report = play(&config(), &[(0, buy("1")), (2, sell("1"))], &bars).report;
    let table = report.to_string();
    for line in [
        "trades          2",
        "round trips     1, 1 won",
        "final equity    10009.98",
    ] {
        assert!(table.contains(line), "{line} is not in\n{table}");
    }
}
