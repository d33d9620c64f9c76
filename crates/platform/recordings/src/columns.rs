//! Finding the columns of a header by their names, or by what the user says they are.

use crate::{
    clock::Unit,
    error::RecordingError,
    field::{Parse, Slot},
    layout::Layout,
};
use std::{path::Path, str::FromStr};

/// What a column can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Role {
    name: &'static str,
    slot: Slot,
    parse: Parse,
    /// Other names of it, in lower case without blanks and underscores.
    synonyms: &'static [&'static str],
}

const fn role(
    name: &'static str,
    slot: Slot,
    parse: Parse,
    synonyms: &'static [&'static str],
) -> Role {
    Role {
        name,
        slot,
        parse,
        synonyms,
    }
}

const TIME: Role = role(
    "time",
    Slot::Time,
    Parse::Instant(Unit::Auto),
    &[
        "timestamp",
        "timestampms",
        "timestampus",
        "timestampns",
        "opentime",
        "datetime",
        "transacttime",
        "time",
        "ts",
        "unix",
        "unixtime",
        "epoch",
        "starttime",
        "start",
        "date",
    ],
);
const BARS: &[Role] = &[
    role("open", Slot::Open, Parse::Price, &["o", "openprice"]),
    role("high", Slot::High, Parse::Price, &["h", "highprice"]),
    role("low", Slot::Low, Parse::Price, &["l", "lowprice"]),
    role("close", Slot::Close, Parse::Price, &["c", "closeprice"]),
];
const BARS_OPTIONAL: &[Role] = &[
    role(
        "volume",
        Slot::Volume,
        Parse::Volume,
        &["vol", "v", "basevolume"],
    ),
    role(
        "close_time",
        Slot::CloseTime,
        Parse::Instant(Unit::Auto),
        &["endtime"],
    ),
    role(
        "turnover",
        Slot::Turnover,
        Parse::Volume,
        &["quotevolume", "quoteassetvolume"],
    ),
    role(
        "count",
        Slot::Count,
        Parse::Count,
        &["trades", "numberoftrades", "tradecount"],
    ),
];
const TRADES: &[Role] = &[
    role("price", Slot::Price, Parse::Price, &["p", "rate"]),
    role(
        "quantity",
        Slot::Quantity,
        Parse::Quantity,
        &["qty", "q", "amount", "size"],
    ),
];
const TRADES_OPTIONAL: &[Role] = &[
    role(
        "side",
        Slot::Seller,
        Parse::Side,
        &["takerside", "aggressor"],
    ),
    role(
        "is_buyer_maker",
        Slot::Seller,
        Parse::BuyerMaker,
        &["buyermaker"],
    ),
    role(
        "id",
        Slot::Id,
        Parse::Count,
        &["tradeid", "aggtradeid", "aggid", "tid"],
    ),
];

/// What the user says about columns: `time=Date+Time,open=Open`. Empty means that names decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnMap(Vec<(&'static str, Vec<String>)>);

/// The text is no mapping of columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnMapError {
    /// A part is not `role=column`.
    #[error("'{0}' names no column; write for example time=Date+Time,open=Open")]
    Syntax(String),
    /// Nobody knows the role.
    #[error("'{given}' is nothing a column can mean; known are {known}")]
    UnknownRole {
        /// What was given.
        given: String,
        /// What there is.
        known: String,
    },
}

fn roles() -> impl Iterator<Item = &'static Role> {
    [&TIME]
        .into_iter()
        .chain(BARS)
        .chain(BARS_OPTIONAL)
        .chain(TRADES)
        .chain(TRADES_OPTIONAL)
}

impl FromStr for ColumnMap {
    type Err = ColumnMapError;
    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let mut map = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let syntax = || ColumnMapError::Syntax(part.to_owned());
            let (given, columns) = part.split_once('=').ok_or_else(syntax)?;
            let columns: Vec<String> = columns.split('+').map(|c| c.trim().to_owned()).collect();
            if columns.iter().any(String::is_empty) || columns.len() > 2 {
                return Err(syntax());
            }
            let found = roles().find(|role| role.name == normal(given));
            let role = found.ok_or_else(|| ColumnMapError::UnknownRole {
                given: given.trim().to_owned(),
                known: roles().map(|role| role.name).collect::<Vec<_>>().join(", "),
            })?;
            if columns.len() == 2 && role.slot != Slot::Time {
                return Err(syntax());
            }
            map.push((role.name, columns));
        }
        Ok(Self(map))
    }
}

impl ColumnMap {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, role: &Role) -> Option<&[String]> {
        let found = self.0.iter().find(|(name, _)| *name == role.name);
        found.map(|(_, columns)| columns.as_slice())
    }

    fn speaks_of(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.of(role).is_some())
    }
}

/// Lower case, only letters and digits; underscores stay in roles' own names.
fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase()
}

fn bare(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.collect::<String>().to_ascii_lowercase()
}

/// A header and what is said about it.
pub(crate) struct Header<'a> {
    pub(crate) path: &'a Path,
    pub(crate) names: &'a [String],
    pub(crate) map: &'a ColumnMap,
}

impl Header<'_> {
    /// Whether it looks like bars, so that a missing column is a mistake in bars.
    pub(crate) fn suggests_bars(&self) -> bool {
        self.map.speaks_of(BARS) || BARS.iter().filter(|role| self.find(role).is_some()).count() > 1
    }

    /// Whether it looks like trades.
    pub(crate) fn suggests_trades(&self) -> bool {
        self.map.speaks_of(TRADES) || TRADES.iter().any(|role| self.find(role).is_some())
    }

    pub(crate) fn bars(&self) -> Result<Layout, RecordingError> {
        self.layout(BARS, BARS_OPTIONAL)
    }

    pub(crate) fn trades(&self) -> Result<Layout, RecordingError> {
        self.layout(TRADES, TRADES_OPTIONAL)
    }

    fn layout(&self, needed: &[Role], optional: &[Role]) -> Result<Layout, RecordingError> {
        let mut layout = Layout::unknown(self.names);
        self.place_time(&mut layout)?;
        for role in needed {
            let place = self.place(role)?;
            let place = place.ok_or_else(|| self.missing(role.name))?;
            assign(&mut layout, place, (role.slot, role.parse));
        }
        for role in optional {
            if let Some(place) = self.place(role)?
                && !layout.has(role.slot)
            {
                let unit = unit_of(&self.names[place]);
                let parse = match role.parse {
                    Parse::Instant(_) => Parse::Instant(unit),
                    other => other,
                };
                assign(&mut layout, place, (role.slot, parse));
            }
        }
        Ok(layout)
    }

    fn place_time(&self, layout: &mut Layout) -> Result<(), RecordingError> {
        let pair = match self.map.of(&TIME) {
            Some([date, time]) => Some((self.named("time", date)?, self.named("time", time)?)),
            Some(_) => None,
            None => self.find_bare("date").zip(self.find_bare("time")),
        };
        if let Some((date, time)) = pair {
            assign(layout, date, (Slot::Date, Parse::Date));
            assign(layout, time, (Slot::TimeOfDay, Parse::TimeOfDay));
            return Ok(());
        }
        let place = self.place(&TIME)?.ok_or_else(|| self.missing(TIME.name))?;
        let unit = unit_of(&self.names[place]);
        assign(layout, place, (Slot::Time, Parse::Instant(unit)));
        Ok(())
    }

    /// The column of a role: as the user says, else by its names.
    fn place(&self, role: &Role) -> Result<Option<usize>, RecordingError> {
        match self.map.of(role) {
            Some([column, ..]) => self.named(role.name, column).map(Some),
            Some([]) | None => Ok(self.find(role)),
        }
    }

    fn named(&self, role: &str, column: &str) -> Result<usize, RecordingError> {
        let found = self
            .names
            .iter()
            .position(|name| normal(name) == normal(column));
        found.ok_or_else(|| self.missing(&format!("{role}, which should be '{column}'")))
    }

    fn find(&self, role: &Role) -> Option<usize> {
        self.find_bare(&bare(role.name))
            .or_else(|| role.synonyms.iter().find_map(|name| self.find_bare(name)))
    }

    fn find_bare(&self, wanted: &str) -> Option<usize> {
        self.names.iter().position(|name| bare(name) == wanted)
    }

    fn missing(&self, wanted: &str) -> RecordingError {
        RecordingError::MissingColumn {
            path: self.path.to_owned(),
            wanted: wanted.to_owned(),
            have: self.names.join(", "),
        }
    }
}

fn assign(layout: &mut Layout, place: usize, (slot, parse): (Slot, Parse)) {
    if let Some(field) = layout.fields.get_mut(place) {
        field.slot = slot;
        field.parse = parse;
    }
}

/// The unit that a column's name ends with.
fn unit_of(name: &str) -> Unit {
    match normal(name).rsplit_once('_') {
        Some((_, "s" | "sec")) => Unit::Nanos(1_000_000_000),
        Some((_, "ms")) => Unit::Nanos(1_000_000),
        Some((_, "us")) => Unit::Nanos(1_000),
        Some((_, "ns")) => Unit::Nanos(1),
        _ => Unit::Auto,
    }
}
