//! Market frames for the book tests: recorded ones where they are at hand, else made up in the
//! same form from a seed.

use flate2::read::GzDecoder;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// The folder of recorded market data: `PLOY_MARKET_DATA`, or `shared/data` above this crate.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration to ask"
)]
pub(crate) fn data_folder() -> Option<PathBuf> {
    if let Ok(folder) = std::env::var("PLOY_MARKET_DATA") {
        return Some(PathBuf::from(folder)).filter(|folder| folder.is_dir());
    }
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|folder| folder.is_dir())
}

/// The lines of gzipped files, one after the other.
pub(crate) fn lines(folder: &Path, files: &[&str]) -> Vec<String> {
    let read = |file: &&str| {
        let path = folder.join(file);
        let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        BufReader::new(GzDecoder::new(file))
            .lines()
            .map(|line| line.unwrap())
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(read).collect()
}

/// A session in the form of the recorded spot files: `<receive time in ns> <JSON>`, with a
/// snapshot in the middle of the stream, and best prices after each change.
pub(crate) fn synthetic(events: u64) -> Vec<String> {
    let mut venue = Synthetic::new();
    let mut lines = Vec::new();
    for n in 0..events {
        let first = venue.update_id + 1;
        let changes = 1 + venue.draw(4);
        let mut touched = BTreeMap::new();
        for _ in 0..changes {
            let (is_bid, price, quantity) = venue.change();
            touched.insert((is_bid, price), quantity);
            lines.push(venue.line(&venue.book_ticker()));
        }
        let side = |wanted: bool| {
            let levels = touched.iter().filter(|((is_bid, _), _)| *is_bid == wanted);
            let levels = levels.map(|((_, price), quantity)| level(*price, *quantity));
            levels.collect::<Vec<_>>().join(",")
        };
        let depth = format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{},"s":"BTCUSDT","U":{first},"u":{},"b":[{}],"a":[{}]}}}}"#,
            1_723_161_255_208 + n * 100,
            venue.update_id,
            side(true),
            side(false)
        );
        lines.push(venue.line(&depth));
        if n == 3 {
            lines.push(venue.line(&venue.snapshot()));
        }
    }
    lines
}

fn level(price: i64, quantity: u64) -> String {
    format!(
        r#"["{}.{:02}000000","{quantity}.00000000"]"#,
        price / 100,
        price % 100
    )
}

struct Synthetic {
    bids: BTreeMap<i64, u64>,
    asks: BTreeMap<i64, u64>,
    update_id: u64,
    seed: u64,
    clock: std::cell::Cell<u64>,
}

impl Synthetic {
    fn new() -> Self {
        Self {
            bids: (1..=20).map(|n| (6_000_000 - n, 5)).collect(),
            asks: (1..=20).map(|n| (6_000_000 + n, 5)).collect(),
            update_id: 1_000,
            seed: 42,
            clock: std::cell::Cell::new(1_723_161_253_937_085_768),
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    /// Sets one level that does not cross the other side; both sides keep a level.
    fn change(&mut self) -> (bool, i64, u64) {
        self.update_id += 1;
        let is_bid = self.draw(2) == 0;
        let offset = 1 + self.draw(20) as i64;
        let quantity = self.draw(4);
        let best_ask = *self.asks.first_key_value().unwrap().0;
        let best_bid = *self.bids.last_key_value().unwrap().0;
        let price = if is_bid {
            best_ask - offset
        } else {
            best_bid + offset
        };
        let side = if is_bid {
            &mut self.bids
        } else {
            &mut self.asks
        };
        let quantity = if side.len() < 5 {
            quantity + 1
        } else {
            quantity
        };
        if quantity == 0 {
            side.remove(&price);
        } else {
            side.insert(price, quantity);
        }
        (is_bid, price, quantity)
    }

    fn book_ticker(&self) -> String {
        let text = |(price, quantity): (&i64, &u64)| level(*price, *quantity);
        let bid = text(self.bids.last_key_value().unwrap()).replace(['[', ']'], "");
        let ask = text(self.asks.first_key_value().unwrap()).replace(['[', ']'], "");
        let (bid, bid_quantity) = bid.split_once(',').unwrap();
        let (ask, ask_quantity) = ask.split_once(',').unwrap();
        format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{},"s":"BTCUSDT","b":{bid},"B":{bid_quantity},"a":{ask},"A":{ask_quantity}}}}}"#,
            self.update_id
        )
    }

    fn snapshot(&self) -> String {
        let side = |levels: &mut dyn Iterator<Item = (&i64, &u64)>| {
            let levels: Vec<_> = levels
                .map(|(price, quantity)| level(*price, *quantity))
                .collect();
            levels.join(",")
        };
        format!(
            r#"{{"lastUpdateId":{},"bids":[{}],"asks":[{}]}}"#,
            self.update_id,
            side(&mut self.bids.iter().rev()),
            side(&mut self.asks.iter())
        )
    }

    fn line(&self, json: &str) -> String {
        self.clock.set(self.clock.get() + 1_000_000);
        format!("{} {json}", self.clock.get())
    }
}
