//! Planted mistakes: each is refused as a whole, with its place.

use crate::files::{TestFile, gzip, open, options};
use ploy_recordings::{ColumnMap, Recording};
use proptest::prelude::*;

const GOOD: [&str; 4] = [
    "timestamp_ms,open,high,low,close,volume",
    "1704067200000,10,12,9,11,5",
    "1704067260000,11,12,9,11,5",
    "1704067320000,11,12,9,11,5",
];

/// What is said about [`GOOD`] with line `number` replaced, without the name of the file.
fn check(number: usize, line: &str) -> String {
    let mut lines = GOOD;
    lines[number - 1] = line;
    complaint(&lines.join("\n"))
}

fn complaint(text: &str) -> String {
    let file = TestFile::new(text.as_bytes());
    let error = Recording::open(&file.0, &options()).expect_err("it was accepted");
    let path = file.0.display().to_string();
    let said = error.to_string();
    assert!(said.starts_with(&path), "{said} does not name the file");
    said[path.len()..].to_owned()
}

#[test]
fn a_malformed_value_is_named_with_line_and_column() {
    assert_eq!(
        check(3, "1704067260000,11,12,9,banana,5"),
        ":3: column close must be a price above 0 and at most 92233720368 with at most 8 decimal places, was 'banana'"
    );
    assert!(
        check(4, "yesterday,11,12,9,11,5").starts_with(":4: column timestamp_ms must be a time")
    );
    assert!(check(2, "1704067200000,10,12,9,11,-5").starts_with(":2: column volume must be"));
    assert!(check(2, "1704067200000,,12,9,11,5").ends_with("was ''"));
    assert!(check(2, "1704067200000,0.123456789,12,9,11,5").ends_with("was '0.123456789'"));
    assert!(check(2, "1704067200000,1e20,12,9,11,5").ends_with("was '1e20'"));
}

#[test]
fn a_line_with_too_few_or_too_many_columns_is_refused() {
    assert_eq!(
        check(3, "1704067260000,11,12"),
        ":3: column low must be part of a line of 6 columns; this line has 3, was '1704067260000,11,12'"
    );
    assert!(check(4, "1704067320000,11,12,9,11,5,6").contains("this line has 7"));
}

#[test]
fn a_bar_that_does_not_enclose_its_prices_is_refused() {
    assert_eq!(
        check(3, "1704067260000,11,10.5,9,11,5"),
        ":3: column high must be at least 11, so that it encloses open and close, was '10.5'"
    );
    assert!(
        check(3, "1704067260000,11,12,11.5,11,5").starts_with(":3: column low must be at most 11,")
    );
}

#[test]
fn time_does_not_go_back() {
    let expected = ":4: column timestamp_ms must be at least 1m after the bar before, which began at \
                    2024-01-01T00:01:00.000000000Z, was '1704067200000'";
    assert_eq!(check(4, "1704067200000,11,12,9,11,5"), expected);
    assert!(check(4, "1704067260000,11,12,9,11,5").contains("at least 1m after"));
    let trades = "time,price,qty\n1704067260,1,1\n1704067200,1,1\n";
    assert!(complaint(trades).starts_with(":3: column time must be no earlier than"));
}

#[test]
fn a_header_without_what_is_needed_is_refused() {
    assert_eq!(
        check(1, "timestamp_ms,open,high,bottom,close,volume"),
        " has no column for low; its columns are timestamp_ms, open, high, bottom, close, volume"
    );
    assert!(
        check(1, "a,b,c,d,e,f").contains("is in no known format: its first line 'a,b,c,d,e,f'")
    );
    assert_eq!(complaint(""), " holds no data");
    assert_eq!(
        complaint(GOOD[0]),
        " does not show how long its bars are; say so with an interval"
    );
    assert!(complaint("PK\u{3}\u{4}whatever").contains("it is a zip archive; unpack it first"));
    assert!(complaint("hello\nworld\n").contains("no known format"));
}

#[test]
fn a_column_that_the_user_names_must_exist() {
    let mut options = options();
    options.columns = "close=Last".parse().unwrap();
    let error = open(&GOOD.join("\n"), &options).expect_err("it was accepted");
    assert!(
        error
            .to_string()
            .contains("no column for close, which should be 'Last'")
    );
    for wrong in ["close", "close=", "=x", "close=a+b", "time=a+b+c"] {
        assert!(wrong.parse::<ColumnMap>().is_err(), "{wrong}");
    }
    let error = "opne=a".parse::<ColumnMap>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("'opne' is nothing a column can mean; known are time,")
    );
}

#[test]
fn a_truncated_archive_is_refused() {
    let rows =
        (0..5_000).map(|n| format!("{},10,12,9,11,{n}\n", 1_704_067_200_000_i64 + n * 60_000));
    let whole = gzip(&format!("{}\n{}", GOOD[0], rows.collect::<String>()));
    let file = TestFile::new(&whole[..whole.len() / 2]);
    let error = Recording::open(&file.0, &options()).expect_err("it was accepted");
    assert!(
        error.to_string().contains("cannot be read at line"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Recording::open("/nowhere/at-all.csv", &options()).expect_err("it was accepted");
    assert_eq!(
        error.to_string(),
        "/nowhere/at-all.csv cannot be read at line 1"
    );
}

#[test]
fn broken_json_is_refused() {
    assert!(
        complaint("[[1704067200000,\"1\",null,\"sell\",0,1.0]]").starts_with(":1: column price")
    );
    let back = "[[1704067200000,\"1\",null,\"sell\",1,1],[1704067100000,\"2\",null,\"sell\",1,1]]";
    assert!(complaint(back).starts_with(":2: column timestamp must be no earlier"));
    assert!(complaint("[[1704067200000,\"1\"").contains("cannot be read"));
}

proptest! {
    /// Whatever a byte is overwritten with, the file is read or refused, and never half read.
    #[test]
    fn a_flipped_byte_never_breaks_the_reader(place in 0usize..120, byte in any::<u8>()) {
        let mut text = GOOD.join("\n").into_bytes();
        let place = place.min(text.len() - 1);
        text[place] = byte;
        let file = TestFile::new(&text);
        if let Ok(recording) = Recording::open(&file.0, &options()) {
            let records = recording.summary()?.records;
            prop_assert_eq!(recording.records()?.filter(Result::is_ok).count() as u64, records);
        }
    }
}
