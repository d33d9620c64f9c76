//! The columns of a format in their order, and reading a line by them.

use crate::{
    clock::{Unit, UtcOffset},
    field::{Parse, Slot, Values, unquoted},
};
use std::{fmt, str::FromStr};

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Bars as Binance publishes them.
    BinanceKlines,
    /// Single trades as Binance publishes them.
    BinanceTrades,
    /// Aggregated trades as Binance publishes them.
    BinanceAggTrades,
    /// Bars under a header.
    Bars,
    /// Trades under a header.
    Trades,
    /// A JSON list of trades.
    JsonTrades,
}

impl Format {
    const ALL: [Self; 6] = [
        Self::BinanceKlines,
        Self::BinanceTrades,
        Self::BinanceAggTrades,
        Self::Bars,
        Self::Trades,
        Self::JsonTrades,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BinanceKlines => "binance-klines",
            Self::BinanceTrades => "binance-trades",
            Self::BinanceAggTrades => "binance-aggtrades",
            Self::Bars => "bars",
            Self::Trades => "trades",
            Self::JsonTrades => "json-trades",
        }
    }

    /// Whether its records are bars.
    #[must_use]
    pub const fn is_bars(self) -> bool {
        matches!(self, Self::BinanceKlines | Self::Bars)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Format {
    type Err = String;
    /// Parses the word; the error lists all of them.
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|format| format.word() == text);
        known.copied().ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("'{text}' is no format of recordings; known are {words}")
        })
    }
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) slot: Slot,
    pub(crate) parse: Parse,
}

impl Field {
    fn new(name: &str, slot: Slot, parse: Parse) -> Self {
        Self {
            name: name.to_owned(),
            slot,
            parse,
        }
    }
}

/// Which column, which value and what it should be; the reader adds file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) column: String,
    pub(crate) value: String,
    pub(crate) expected: String,
}

/// All columns.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) fields: Vec<Field>,
}

const AUTO: Parse = Parse::Instant(Unit::Auto);

impl Layout {
    fn of(columns: &[(&str, Slot, Parse)]) -> Self {
        let field = |(name, slot, parse): &(&str, Slot, Parse)| Field::new(name, *slot, *parse);
        Self {
            fields: columns.iter().map(field).collect(),
        }
    }

    /// Columns of which nothing is known but their names.
    pub(crate) fn unknown(names: &[String]) -> Self {
        let field = |name: &String| Field::new(name, Slot::Ignored, Parse::Skip);
        Self {
            fields: names.iter().map(field).collect(),
        }
    }

    pub(crate) fn klines() -> Self {
        Self::of(&[
            ("openTime", Slot::Time, AUTO),
            ("open", Slot::Open, Parse::Price),
            ("high", Slot::High, Parse::Price),
            ("low", Slot::Low, Parse::Price),
            ("close", Slot::Close, Parse::Price),
            ("volume", Slot::Volume, Parse::Volume),
            ("closeTime", Slot::CloseTime, AUTO),
            ("quoteVolume", Slot::Turnover, Parse::Volume),
            ("trades", Slot::Count, Parse::Count),
            ("takerBuyBase", Slot::Ignored, Parse::Skip),
            ("takerBuyQuote", Slot::Ignored, Parse::Skip),
            ("ignore", Slot::Ignored, Parse::Skip),
        ])
    }

    /// Trades with `columns` columns: spot files have a seventh, `isBestMatch`.
    pub(crate) fn trades(columns: usize) -> Self {
        let mut layout = Self::of(&[
            ("id", Slot::Id, Parse::Count),
            ("price", Slot::Price, Parse::Price),
            ("qty", Slot::Quantity, Parse::Quantity),
            ("quoteQty", Slot::Ignored, Parse::Skip),
            ("time", Slot::Time, AUTO),
            ("isBuyerMaker", Slot::Seller, Parse::BuyerMaker),
            ("isBestMatch", Slot::Ignored, Parse::Skip),
        ]);
        layout.fields.truncate(columns.max(6));
        layout
    }

    /// Aggregated trades with `columns` columns: spot files have an eighth, `isBestMatch`.
    pub(crate) fn agg_trades(columns: usize) -> Self {
        let mut layout = Self::of(&[
            ("aggId", Slot::Id, Parse::Count),
            ("price", Slot::Price, Parse::Price),
            ("qty", Slot::Quantity, Parse::Quantity),
            ("firstId", Slot::Ignored, Parse::Skip),
            ("lastId", Slot::Ignored, Parse::Skip),
            ("time", Slot::Time, AUTO),
            ("isBuyerMaker", Slot::Seller, Parse::BuyerMaker),
            ("isBestMatch", Slot::Ignored, Parse::Skip),
        ]);
        layout.fields.truncate(columns.max(7));
        layout
    }

    /// The elements of a JSON list; `read` is not used with it, its names are.
    pub(crate) fn json() -> Self {
        Self::of(&[
            ("timestamp", Slot::Time, AUTO),
            ("id", Slot::Id, Parse::Count),
            ("side", Slot::Seller, Parse::Side),
            ("price", Slot::Price, Parse::Price),
            ("amount", Slot::Quantity, Parse::Quantity),
        ])
    }

    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.fields.iter().any(|field| field.slot == slot)
    }

    /// Reads every column of a line.
    pub(crate) fn read(
        &self,
        line: &[u8],
        local: UtcOffset,
        values: &mut Values,
    ) -> Result<(), Fault> {
        let mut at = 0;
        for field in &self.fields {
            let Some(rest) = line.get(at..) else {
                return Err(self.miscounted(line, &field.name));
            };
            let Some((value, length)) = field.parse.read(rest, local) else {
                return Err(Fault {
                    column: field.name.clone(),
                    value: shown(rest),
                    expected: field.parse.expected().to_owned(),
                });
            };
            values.set(field.slot, value);
            at += length + 1;
        }
        if at == line.len() + 1 {
            Ok(())
        } else {
            Err(self.miscounted(line, "after the last"))
        }
    }

    /// The fault that a value, which reads well, does not fit the others.
    pub(crate) fn misfit(&self, line: &[u8], slot: Slot, expected: impl fmt::Display) -> Fault {
        let place = self.fields.iter().position(|field| field.slot == slot);
        let place = place.unwrap_or_default();
        let text = line.split(|b| *b == b',').nth(place).unwrap_or_default();
        Fault {
            column: self
                .fields
                .get(place)
                .map_or_else(String::new, |f| f.name.clone()),
            value: shown(text),
            expected: expected.to_string(),
        }
    }

    fn miscounted(&self, line: &[u8], column: &str) -> Fault {
        let columns = line.split(|b| *b == b',').count();
        let wanted = self.fields.len();
        Fault {
            column: column.to_owned(),
            value: String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned(),
            expected: format!("part of a line of {wanted} columns; this line has {columns}"),
        }
    }
}

/// The value at the start of `rest`, fit to be printed.
fn shown(rest: &[u8]) -> String {
    let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
    let text = unquoted(&rest[..end]);
    String::from_utf8_lossy(&text[..text.len().min(80)]).into_owned()
}
