//! Recorded markets, where they are at hand; the same statements about small ones otherwise.

use crate::files::{TestFile, options, recorded};
use ploy_domain::{Bar, BarAggregator, BarInterval, Nanos, Session};
use ploy_recordings::{Content, Options, Record, Recording};
use std::{ffi::OsStr, path::Path};

/// The bars of `trades`, made by the domain's aggregator.
fn aggregate(trades: &Recording, interval: BarInterval) -> Vec<Bar> {
    let mut aggregator = BarAggregator::new(interval, Session::Always, Nanos::ZERO);
    let mut bars = Vec::new();
    for record in trades.records().unwrap() {
        let Record::Trade(trade) = record.unwrap() else {
            panic!("expected trades");
        };
        bars.extend(aggregator.on_trade(&trade).unwrap());
    }
    bars.extend(aggregator.current().copied());
    bars
}

/// Asserts that the bars of the trades in one file are those in the other.
fn check(trades: &Path, bars: &Path, interval: &str) -> usize {
    let interval = interval.parse().unwrap();
    let made = aggregate(&Recording::open(trades, &options()).unwrap(), interval);
    let published = Recording::open(bars, &options()).unwrap();
    assert!(matches!(published.content(), Content::Bars { interval: i, .. } if i == interval));
    let numbers = |bar: Bar| {
        (
            bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume,
        )
    };
    let published = published.bars().unwrap().map(|bar| numbers(bar.unwrap()));
    let made: Vec<_> = made.into_iter().map(numbers).collect();
    assert_eq!(made, published.collect::<Vec<_>>());
    made.len()
}

#[test]
fn bars_made_of_trades_equal_the_published_bars() {
    if let Some(folder) = recorded("trades_xrpeth") {
        for trades in ["XRP_ETH-trades.json.gz", "XRP_OLD-trades.json.gz"] {
            let trades = folder.join(trades);
            assert_eq!(
                check(&trades, &folder.join("XRP_ETH-1m.csv.gz"), "1m"),
                2_469
            );
            assert_eq!(check(&trades, &folder.join("XRP_ETH-5m.csv.gz"), "5m"), 706);
        }
        return;
    }
    let trades = TestFile::new(b"[[1570752011620,\"1\",null,\"sell\",0.00141342,23.0,0],[1570752028907,\"2\",null,\"buy\",0.0015,2,0],[1570752060001,\"3\",null,\"buy\",0.0014,1,0]]");
    let bars = TestFile::new(b"timestamp_ms,open,high,low,close,volume\n1570752000000,0.00141342,0.0015,0.00141342,0.0015,25.0\n1570752060000,0.0014,0.0014,0.0014,0.0014,1\n");
    assert_eq!(check(&trades.0, &bars.0, "1m"), 2);
}

/// How many bars the file holds, their length in minutes and the first and last time.
fn describe(path: &Path, options: &Options) -> (u64, String, String, String) {
    let recording = Recording::open(path, options).unwrap_or_else(|error| panic!("{error}"));
    let summary = recording.summary().unwrap();
    let Content::Bars { interval, .. } = recording.content() else {
        panic!("expected bars");
    };
    let minute = |at: ploy_domain::Timestamp| at.to_string()[..16].to_owned();
    (
        summary.records,
        interval.to_string(),
        minute(summary.first),
        minute(summary.last),
    )
}

#[test]
fn a_year_of_crypto_bars_loads() {
    let Some(folder) = recorded("ohlcv_1m_bitfinex") else {
        let small = TestFile::new(b"timestamp_ms,open,close,high,low,volume\n1514764800000,13763,13753,13788,13752.18233851,2.9e-7\n1514764860000,13763,13772,13773,13741,15.53608162\n");
        let found = describe(&small.0, &options());
        assert_eq!((found.0, found.1.as_str()), (2, "1m"));
        return;
    };
    for (name, rows, last) in [
        ("BTCUSD_2018.csv.gz", 520_499, "2018-12-31T23:59"),
        ("ETHUSD_2018.csv.gz", 508_048, "2018-12-31T23:59"),
        ("LTCUSD_2015.csv.gz", 146_741, "2015-12-31T23:38"),
    ] {
        let found = describe(&folder.join(name), &options());
        assert_eq!(
            (found.0, found.1.as_str(), found.3.as_str()),
            (rows, "1m", last)
        );
    }
    let files = std::fs::read_dir(folder).unwrap();
    for file in files.map(|file| file.unwrap().path()) {
        assert!(describe(&file, &options()).0 > 0, "{}", file.display());
    }
}

#[test]
fn a_year_of_index_bars_loads_in_indian_time() {
    let mut options = options();
    options.utc_offset = "Asia/Kolkata".parse().unwrap();
    let Some(folder) = recorded("nse_index_1m") else {
        let small = TestFile::new(b"Instrument,Date,Time,Open,High,Low,Close\nNIFTY,20090101,09:55,2976.10,2985.00,2976.10,2979.50\nNIFTY,20090101,09:56,2979.50,2983.00,2976.00,2983.00\n");
        assert_eq!(describe(&small.0, &options).2, "2009-01-01T04:25");
        return;
    };
    let row =
        |rows, first: &str, last: &str| (rows, "1m".to_owned(), first.to_owned(), last.to_owned());
    assert_eq!(
        describe(&folder.join("NIFTY_2009.csv.gz"), &options),
        row(76_897, "2009-01-01T04:25", "2009-12-31T10:00")
    );
    assert_eq!(
        describe(&folder.join("NIFTY_2024.csv.gz"), &options),
        row(58_127, "2024-01-01T03:45", "2024-08-23T09:59")
    );
}

#[test]
fn a_feed_that_is_no_recording_of_bars_or_trades_is_refused() {
    // Ticks of last price and day volume have neither prices of bars nor sizes of trades.
    let ticks = recorded("nse_ticks").map(|folder| {
        let mut files = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().path());
        files
            .find(|f| f.extension() == Some(OsStr::new("gz")))
            .unwrap()
    });
    let small = TestFile::new(b"timestamp,ltp,volume\n2021-04-22 09:22:10,1348.65,783959\n");
    let error = Recording::open(ticks.as_ref().unwrap_or(&small.0), &options()).unwrap_err();
    assert!(error.to_string().contains("no known format"), "{error}");
}
