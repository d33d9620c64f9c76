//! Readers of recorded markets: bars and trades from files, streaming, in bounded memory.
//!
//! They decide what a file means and whether it makes sense: every number is parsed exactly, every
//! mistake names file, line, column and value, and [`Recording::open`] has seen the whole file
//! before it yields anything. What is done with the market is left to the reader.
//!
//! | format | source | looks like |
//! |---|---|---|
//! | [`Format::BinanceKlines`] | data.binance.vision `klines` | 12 columns, no header |
//! | [`Format::BinanceTrades`] | data.binance.vision `trades` | id, price, qty, quoteQty, time, isBuyerMaker, … |
//! | [`Format::BinanceAggTrades`] | data.binance.vision `aggTrades` | id, price, qty, first, last, time, isBuyerMaker, … |
//! | [`Format::Bars`] | anybody | a header that names time, open, high, low, close and perhaps volume |
//! | [`Format::Trades`] | anybody | a header that names time, price and quantity |
//! | [`Format::JsonTrades`] | freqtrade, ccxt | a list of arrays or objects |
//!
//! Any of them may be compressed with gzip. Times are seconds, milliseconds, microseconds or
//! nanoseconds since 1970, told apart value by value, or written out as dates.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod clock;
mod columns;
mod decimal;
mod error;
mod field;
mod json;
mod layout;
mod lines;
mod reader;
mod recording;
mod sniff;
mod trades;
mod walk;

pub use clock::{UtcOffset, UtcOffsetError};
pub use columns::{ColumnMap, ColumnMapError};
pub use error::{Malformed, RecordingError};
pub use layout::Format;
pub use reader::{Bars, Record, Records};
pub use recording::{Content, Options, Recording, Summary};
pub use walk::{walk, walk_trades};
