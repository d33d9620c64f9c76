//! Every format, in small.

use crate::files::{TestFile, gzip, open, options};
use ploy_domain::{BarInterval, Side, Timestamp};
use ploy_recordings::{Content, Format, Record, Recording};

const KLINES: &str = "\
1704067200000,42283.58000000,42298.62000000,42261.02000000,42298.61000000,35.92724000,1704067259999,1519032.25760480,1327,23.18766000,980394.66680230,0
1704067260000,42298.62000000,42320.00000000,42298.61000000,42320.00000000,21.16779000,1704067319999,895580.22166080,1348,13.47483000,570080.96684040,0
";
const TRADES: &str = "\
3358083181,42283.58000000,0.00091000,38.47805780,1704067200000,True,True
3358083182,42283.59000000,0.05000000,2114.17950000,1704067200001,False,True
";
const AGG_TRADES: &str = "\
2822543132,93576.00000000,0.00042000,4359103042,4359103042,1735689600031424,False,True
2822543133,93575.99000000,0.00100000,4359103043,4359103045,1735689600158432,True,True
";

fn bars(text: &str) -> Vec<ploy_domain::Bar> {
    let (_file, recording) = open(text, &options()).unwrap();
    recording.bars().unwrap().map(Result::unwrap).collect()
}

fn trades(text: &str) -> (Format, Vec<ploy_domain::Trade>) {
    let (_file, recording) = open(text, &options()).unwrap();
    let trade = |record| match record {
        Ok(Record::Trade(trade)) => trade,
        other => panic!("expected a trade, got {other:?}"),
    };
    let trades = recording.records().unwrap().map(trade).collect();
    (recording.format(), trades)
}

#[test]
fn binance_klines_are_bars() {
    let read = bars(KLINES);
    assert_eq!(read.len(), 2);
    let bar = read[0];
    assert_eq!(bar.interval, BarInterval::MINUTE);
    assert_eq!(
        bar.start,
        Timestamp::from_millis(1_704_067_200_000).unwrap()
    );
    let prices = [bar.open, bar.high, bar.low, bar.close].map(|price| price.to_string());
    assert_eq!(prices, ["42283.58", "42298.62", "42261.02", "42298.61"]);
    assert_eq!(
        (bar.volume.to_string(), bar.count),
        ("35.92724".into(), 1_327)
    );
    assert_eq!(bar.turnover.to_string(), "1519032.2576048");
}

#[test]
fn microseconds_are_told_from_milliseconds() {
    let micros = KLINES
        .replace("00000,4", "00000000,4")
        .replace("9999,", "9999999,");
    assert_eq!(bars(&micros), bars(KLINES));
}

#[test]
fn binance_trades_keep_id_and_aggressor() {
    let (format, read) = trades(TRADES);
    assert_eq!(format, Format::BinanceTrades);
    assert_eq!(read[0].aggressor, Side::Sell);
    assert_eq!(read[1].aggressor, Side::Buy);
    assert_eq!(read[1].venue_trade_id, 3_358_083_182);
    assert_eq!(
        read[1].ts_event,
        Timestamp::from_millis(1_704_067_200_001).unwrap()
    );
}

#[test]
fn binance_aggregated_trades_have_their_own_columns() {
    let (format, read) = trades(AGG_TRADES);
    assert_eq!(format, Format::BinanceAggTrades);
    assert_eq!(read[0].price.to_string(), "93576");
    assert_eq!(
        read[0].ts_event,
        Timestamp::from_micros(1_735_689_600_031_424).unwrap()
    );
    assert_eq!(
        (read[0].aggressor, read[1].aggressor),
        (Side::Buy, Side::Sell)
    );
}

#[test]
fn a_header_above_a_binance_file_is_understood() {
    let header = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,best\n";
    let (format, read) = trades(&format!("{header}{AGG_TRADES}"));
    assert_eq!((format, read), (Format::Trades, trades(AGG_TRADES).1));
    let header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore\n";
    assert_eq!(bars(&format!("{header}{KLINES}")), bars(KLINES));
}

#[test]
fn gzip_is_told_by_content_and_may_have_many_members() {
    let (first, second) = KLINES.split_at(KLINES.find('\n').unwrap() + 1);
    let file = TestFile::new(&[gzip(first), gzip(second)].concat());
    let recording = Recording::open(&file.0, &options()).unwrap();
    let read: Vec<_> = recording.bars().unwrap().map(Result::unwrap).collect();
    assert_eq!(read, bars(KLINES));
}

#[test]
fn columns_are_found_by_name_whatever_their_order() {
    let read = bars(
        "Close,LOW,High,Open,Time\n2,1,3,1.5,2024-01-31 00:00:00\n2,2,2,2,2024-01-31 00:02:00\n2,2,2,2,2024-01-31 00:03:00\n",
    );
    assert_eq!(read[0].high.to_string(), "3");
    assert_eq!(read[0].interval, BarInterval::MINUTE);
    assert!(read[1].flags.gap && !read[2].flags.gap);
}

#[test]
fn the_user_may_say_what_columns_mean() {
    let text = "Day,Clock,A,B,C,D\n20240131,09:15,10,12,9,11\n20240131,09:16,11,11,11,11\n";
    let mut options = options();
    options.columns = "time=Day+Clock,open=A,high=B,low=C,close=D"
        .parse()
        .unwrap();
    options.utc_offset = "IST".parse().unwrap();
    let (_file, recording) = open(text, &options).unwrap();
    let read: Vec<_> = recording.bars().unwrap().map(Result::unwrap).collect();
    assert_eq!(read[0].start.to_string(), "2024-01-31T03:45:00.000000000Z");
    let Content::Bars { has_volume, .. } = recording.content() else {
        panic!("expected bars");
    };
    assert!(!has_volume);
}

#[test]
fn columns_without_a_header_are_named_by_number() {
    let mut options = options();
    options.columns = "time=1,open=2,high=3,low=4,close=5".parse().unwrap();
    let text = "1704067200,1,2,1,2\n1704067260,2,2,2,2\n";
    let (_file, recording) = open(text, &options).unwrap();
    assert_eq!(recording.bars().unwrap().count(), 2);
}

#[test]
fn trades_without_a_side_follow_the_tick_rule() {
    let (_, read) =
        trades("time,price,size\n1704067200,5,1\n1704067201,4,1\n1704067201,4,1\n1704067202,6,1\n");
    let sides: Vec<_> = read.iter().map(|trade| trade.aggressor).collect();
    assert_eq!(sides, [Side::Buy, Side::Sell, Side::Sell, Side::Buy]);
    assert_eq!(read.last().unwrap().venue_trade_id, 4);
}

#[test]
fn the_same_recording_reads_the_same_twice() {
    let (_file, recording) = open(KLINES, &options()).unwrap();
    let all = || {
        recording
            .bars()
            .unwrap()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    };
    assert_eq!(all(), all());
    assert_eq!(recording.summary().unwrap().records, 2);
}
