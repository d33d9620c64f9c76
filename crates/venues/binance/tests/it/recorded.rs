//! The book against the venue's own best prices, over recorded sessions.

use crate::frames;
use ploy_domain::{Book, BookDelta, BookLevel, FeedState, InstrumentId, Side, Timestamp};
use ploy_venue_binance::{
    DepthInput, DepthOutput, DepthSync, MarketFrame, decode_frame, decode_snapshot,
};
use std::{collections::BTreeMap, path::Path};

/// What came of a session.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    frames: u64,
    malformed: u64,
    unknown: u64,
    trades: u64,
    /// Differences after which the book was good and a best price was known.
    compared: u64,
    equal: u64,
    gaps: u64,
    snapshots: u64,
}

/// Replays a session. A reader who has nothing but the outputs of the synchronisation keeps a
/// book, and its best levels after each difference are kept for the comparison.
struct Replay {
    sync: DepthSync,
    reader: Book,
    wanted: Option<u64>,
    bests: Vec<Best>,
    quotes: Vec<Best>,
    tally: Tally,
}

/// The best levels as of an update number.
type Best = (u64, Option<BookLevel>, Option<BookLevel>);

impl Replay {
    fn new(instrument: InstrumentId) -> Self {
        let mut sync = DepthSync::new(instrument);
        sync.handle(DepthInput::Connected);
        Self {
            sync,
            reader: Book::new(instrument),
            wanted: None,
            bests: Vec::new(),
            quotes: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn line(&mut self, line: &str, rewrite: impl Fn(&str) -> Option<String>) {
        let (time, json) = line.split_once(' ').unwrap();
        self.frame(json, Timestamp::from_nanos(time.parse().unwrap()), rewrite);
    }

    fn frame(&mut self, json: &str, at: Timestamp, rewrite: impl Fn(&str) -> Option<String>) {
        self.tally.frames += 1;
        let instrument = self.reader.quote(at, at).instrument;
        if json.starts_with("{\"lastUpdateId\"") {
            let book = decode_snapshot(json.as_bytes(), instrument, at).unwrap();
            self.tally.snapshots += 1;
            self.offer_snapshot(book);
            return;
        }
        let rewritten = rewrite(json);
        let json = rewritten.as_deref().unwrap_or(json);
        match decode_frame(json, *instrument.venue(), at) {
            Ok(MarketFrame::Depth(delta)) => self.handle(DepthInput::Event(delta)),
            Ok(MarketFrame::Quote(quote)) => {
                self.quotes.push((quote.update_id, quote.bid, quote.ask));
            }
            Ok(MarketFrame::Trade(_)) => self.tally.trades += 1,
            Ok(MarketFrame::Unknown) => self.tally.unknown += 1,
            Ok(_) => {}
            Err(_) => self.tally.malformed += 1,
        }
    }

    fn offer_snapshot(&mut self, book: BookDelta) {
        if let Some(request) = self.wanted {
            self.handle(DepthInput::Snapshot { request, book });
        }
    }

    fn handle(&mut self, input: DepthInput) {
        for output in self.sync.handle(input) {
            match output {
                DepthOutput::NeedSnapshot { request } => self.wanted = Some(request),
                DepthOutput::Book(delta) => {
                    assert_eq!(self.reader.apply(&delta), Ok(true));
                    if !delta.is_snapshot {
                        let (bid, ask) = (Side::Buy, Side::Sell);
                        let best = (self.reader.best(bid), self.reader.best(ask));
                        self.bests.push((delta.last_update_id, best.0, best.1));
                    }
                }
                DepthOutput::State(state) => {
                    self.tally.gaps += u64::from(state == FeedState::Gapped);
                }
                DepthOutput::Duplicate => {}
            }
        }
    }

    /// Compares each book with the newest best price whose update number is not above its own.
    /// The two streams are not in step, so this waits for the end.
    fn compare(&mut self) {
        let (mut quotes, mut newest) = (self.quotes.iter().peekable(), None);
        for (u, bid, ask) in &self.bests {
            while let Some(quote) = quotes.next_if(|quote| quote.0 <= *u) {
                newest = Some((quote.1, quote.2));
            }
            if let Some(best) = newest {
                self.tally.compared += 1;
                self.tally.equal += u64::from(best == (*bid, *ask));
            }
        }
    }
}

fn replay(lines: &[String], rewrite: impl Fn(&str) -> Option<String> + Copy) -> (Tally, FeedState) {
    let mut replay = Replay::new("BTCUSDT.BINANCE".parse().unwrap());
    for line in lines {
        replay.line(line, rewrite);
    }
    replay.compare();
    (replay.tally, replay.sync.state())
}

fn as_it_is(_: &str) -> Option<String> {
    None
}

/// Futures number the difference before (`pu`) instead of starting where it ended; written as
/// spot would, the same rules hold.
fn futures_as_spot(json: &str) -> Option<String> {
    let mut frame: serde_json::Value = serde_json::from_str(json).ok()?;
    let data = frame.get_mut("data")?;
    let previous = data.get("pu")?.as_u64()?;
    data["U"] = (previous + 1).into();
    Some(frame.to_string())
}

/// The recorded files, or nothing where they are not at hand.
fn recorded(files: &[&str]) -> Option<Vec<String>> {
    let folder = frames::data_folder()?.join("binance_frames");
    eprintln!("recorded data from {}", folder.display());
    Some(frames::lines(&folder, files))
}

#[test]
fn the_spot_book_shows_the_venues_best_prices_after_every_difference() {
    let files = ["spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"];
    let real = recorded(&files);
    let (compared_min, differing_max) = if real.is_some() {
        (6_493, 2)
    } else {
        (1_990, 0)
    };
    let lines = real.unwrap_or_else(|| {
        eprintln!("no recorded data: synthetic frames");
        frames::synthetic(2_000)
    });
    let (tally, state) = replay(&lines, as_it_is);
    eprintln!(
        "spot BTCUSDT: {} of {} equal; {tally:?}",
        tally.equal, tally.compared
    );
    assert_eq!(state, FeedState::Good);
    assert_eq!((tally.malformed, tally.unknown, tally.gaps), (0, 0, 0));
    assert!(tally.compared >= compared_min, "{tally:?}");
    assert!(tally.equal + differing_max >= tally.compared, "{tally:?}");
}

#[test]
fn the_same_rules_keep_the_futures_books() {
    for symbol in ["btcusdt", "ethusdt"] {
        let files = ["20240718", "20240719"].map(|day| format!("usdm_{symbol}_{day}.gz"));
        let files = [files[0].as_str(), files[1].as_str()];
        let Some(lines) = recorded(&files) else {
            eprintln!("no recorded data: synthetic frames");
            let (tally, state) = replay(&frames::synthetic(500), futures_as_spot);
            assert_eq!((state, tally.equal), (FeedState::Good, tally.compared));
            continue;
        };
        let (tally, state) = replay(&lines, futures_as_spot);
        eprintln!(
            "usdm {symbol}: {} of {} equal; {tally:?}",
            tally.equal, tally.compared
        );
        assert_eq!(state, FeedState::Good);
        assert_eq!((tally.malformed, tally.gaps), (0, 0));
        assert!(
            tally.compared >= 8_900 && tally.equal == tally.compared,
            "{tally:?}"
        );
    }
}

#[test]
fn without_a_snapshot_no_book_is_ever_good() {
    let lines = recorded(&["spot_btcusdt_20230405.gz"]).unwrap_or_else(|| {
        eprintln!("no recorded data: synthetic frames");
        let lines = frames::synthetic(500).into_iter();
        lines
            .filter(|line| !line.contains("lastUpdateId"))
            .collect()
    });
    let (tally, state) = replay(&lines, as_it_is);
    eprintln!("spot without snapshot: {tally:?}");
    assert_eq!(state, FeedState::Synchronising);
    assert_eq!(
        (tally.malformed, tally.snapshots, tally.compared),
        (0, 0, 0)
    );
    assert!(tally.frames > 500, "{tally:?}");
}

#[test]
fn a_lost_difference_is_a_gap_and_a_repeated_one_is_not() {
    let lines = frames::synthetic(300);
    let depths: Vec<_> = (0..lines.len())
        .filter(|n| lines[*n].contains("depthUpdate"))
        .collect();
    let mut broken = lines.clone();
    broken.remove(depths[100]);
    let (tally, state) = replay(&broken, as_it_is);
    assert_eq!((tally.gaps, state), (1, FeedState::Gapped));
    let mut repeated = lines.clone();
    repeated.insert(depths[100] + 1, lines[depths[100]].clone());
    let (tally, state) = replay(&repeated, as_it_is);
    assert_eq!((tally.gaps, state), (0, FeedState::Good));
}

/// Snapshots and frames of four symbols: receive time in seconds, symbol, JSON.
fn recorded_events(folder: &Path) -> Vec<(f64, String, String)> {
    let mut events = Vec::new();
    for line in frames::lines(folder, &["BINANCE.http.0.0.gz"]) {
        let Some((url, answer)) = line.split_once(" -> ") else {
            continue;
        };
        let (time, json) = answer.split_once(": ").unwrap();
        let symbol = url
            .split_once("symbol=")
            .unwrap()
            .1
            .split('&')
            .next()
            .unwrap();
        events.push((
            time.parse::<f64>().unwrap(),
            symbol.to_owned(),
            json.to_owned(),
        ));
    }
    assert_eq!(events.len(), 4);
    for line in frames::lines(folder, &["BINANCE.ws.1.0.gz"]) {
        let Some((time, json)) = line
            .split_once(": ")
            .filter(|(time, _)| time.parse::<f64>().is_ok())
        else {
            continue;
        };
        let symbol = json
            .split_once("\"stream\":\"")
            .unwrap()
            .1
            .split('@')
            .next()
            .unwrap();
        events.push((
            time.parse().unwrap(),
            symbol.to_ascii_uppercase(),
            json.to_owned(),
        ));
    }
    events
}

/// Snapshots and streams of four symbols on one connection, as a feed sees them.
#[test]
fn several_books_on_one_connection_stay_apart() {
    let Some(folder) = frames::data_folder() else {
        eprintln!("no recorded data: one synthetic book");
        let (tally, _) = replay(&frames::synthetic(200), as_it_is);
        assert_eq!((tally.gaps, tally.equal), (0, tally.compared));
        return;
    };
    let folder = folder.join("exchange_frames");
    eprintln!("recorded data from {}", folder.display());
    let mut events = recorded_events(&folder);
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut replays: BTreeMap<String, Replay> = BTreeMap::new();
    for (_, symbol, json) in events {
        let id: InstrumentId = format!("{symbol}.BINANCE").parse().unwrap();
        let replay = replays.entry(symbol).or_insert_with(|| Replay::new(id));
        replay.frame(&json, Timestamp::EPOCH, as_it_is);
    }
    for (symbol, replay) in &mut replays {
        replay.compare();
        eprintln!("{symbol}: {:?}", replay.tally);
        assert_eq!(
            (replay.tally.malformed, replay.tally.gaps),
            (0, 0),
            "{symbol}"
        );
        assert_eq!(replay.tally.snapshots, 1, "{symbol}");
        assert_eq!(replay.tally.equal, replay.tally.compared, "{symbol}");
    }
    assert_eq!(replays.len(), 4);
}
