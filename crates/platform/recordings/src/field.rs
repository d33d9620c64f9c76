//! One column of a line: what it means and how it is read.

use crate::{
    clock::{self, Unit, UtcOffset},
    decimal::{self, NumberFault},
};

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Ignored,
    Time,
    Date,
    TimeOfDay,
    Open,
    High,
    Low,
    Close,
    Volume,
    CloseTime,
    Turnover,
    Count,
    Price,
    Quantity,
    Seller,
    Id,
}

/// The values of a line, by slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values([i64; 16]);

impl Values {
    pub(crate) const fn get(&self, slot: Slot) -> i64 {
        self.0[slot as usize]
    }

    pub(crate) const fn set(&mut self, slot: Slot, value: i64) {
        self.0[slot as usize] = value;
    }
}

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parse {
    /// Not at all.
    Skip,
    /// Nanoseconds since 1970, from a count or a date with time.
    Instant(Unit),
    /// A local date.
    Date,
    /// A local time of day.
    TimeOfDay,
    /// A price above zero, exactly.
    Price,
    /// A quantity above zero, exactly.
    Quantity,
    /// A quantity of zero or more. Sums that somebody made with floats are rounded to 1e-8.
    Volume,
    /// A whole number.
    Count,
    /// `True` when the buyer rested, so that the seller was the aggressor.
    BuyerMaker,
    /// `buy` or `sell`, the side of the aggressor.
    Side,
}

impl Parse {
    /// What a value of this kind looks like.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Skip => "anything",
            Self::Instant(_) => "a time since 1970 or a date with time such as 2024-01-31 09:15:00",
            Self::Date => "a date such as 20240131 or 2024-01-31",
            Self::TimeOfDay => "a time of day such as 09:15 or 09:15:30",
            Self::Price => "a price above 0 and at most 92233720368 with at most 8 decimal places",
            Self::Quantity => {
                "a quantity above 0 and at most 92233720368 with at most 8 decimal places"
            }
            Self::Volume => "a quantity of 0 to 92233720368",
            Self::Count => "a whole number of at most 18 digits",
            Self::BuyerMaker => "True or False",
            Self::Side => "buy or sell",
        }
    }

    /// Reads the value at the start of `rest`, which ends at a comma or at the end of the line.
    /// Answers the value and how many bytes it took; `None` when it is not what is expected.
    #[inline(always)]
    pub(crate) fn read(self, rest: &[u8], local: UtcOffset) -> Option<(i64, usize)> {
        let quick = match self {
            Self::Price | Self::Quantity => decimal::plain(rest).filter(|(value, _)| *value > 0),
            Self::Volume => decimal::plain(rest),
            Self::Count => decimal::integer(rest),
            Self::Instant(unit) => decimal::integer(rest)
                .filter(|(_, length)| *length != DATE_DIGITS)
                .and_then(|(count, length)| Some((clock::since_1970(count, unit)?, length))),
            Self::Skip | Self::Date | Self::TimeOfDay | Self::BuyerMaker | Self::Side => None,
        };
        if let Some((value, length)) = quick
            && matches!(rest.get(length), None | Some(b','))
        {
            return Some((value, length));
        }
        self.read_slowly(rest, local)
    }

    /// Reads what is not plain digits up to the comma.
    #[inline(never)]
    fn read_slowly(self, rest: &[u8], local: UtcOffset) -> Option<(i64, usize)> {
        let length = memchr::memchr(b',', rest).unwrap_or(rest.len());
        let value = self.read_text(unquoted(rest.get(..length)?), local)?;
        Some((value, length))
    }

    /// Reads the whole of `text`.
    pub(crate) fn read_text(self, text: &[u8], local: UtcOffset) -> Option<i64> {
        let number = |round| decimal::exact(text, round);
        match self {
            Self::Skip => Some(0),
            Self::Price | Self::Quantity => number(false).ok().filter(|value| *value > 0),
            Self::Volume => number(true).ok().filter(|value| *value >= 0),
            Self::Count => whole(text),
            Self::Instant(unit) => instant(text, unit, local),
            Self::Date => clock::date(text),
            Self::TimeOfDay => clock::time_of_day(text),
            Self::BuyerMaker => match text.to_ascii_lowercase().as_slice() {
                b"true" | b"1" => Some(1),
                b"false" | b"0" => Some(0),
                _ => None,
            },
            Self::Side => match text.to_ascii_lowercase().as_slice() {
                b"sell" | b"s" | b"ask" => Some(1),
                b"buy" | b"b" | b"bid" => Some(0),
                _ => None,
            },
        }
    }
}

/// A whole number of eight digits is a date (20240131), not the year 1970.
const DATE_DIGITS: usize = 8;

fn instant(text: &[u8], unit: Unit, local: UtcOffset) -> Option<i64> {
    match whole(text) {
        Some(_) if text.len() == DATE_DIGITS && unit == Unit::Auto => clock::date_time(text, local),
        Some(count) => clock::since_1970(count, unit),
        // Seconds with a fraction.
        None => match decimal::exact(text, false) {
            Ok(raw) if raw > 0 => raw.checked_mul(10),
            Ok(_) | Err(NumberFault::Syntax | NumberFault::Precision | NumberFault::Range) => {
                clock::date_time(text, local)
            }
        },
    }
}

fn whole(text: &[u8]) -> Option<i64> {
    decimal::integer(text)
        .filter(|(_, length)| *length == text.len())
        .map(|(value, _)| value)
}

/// Without blanks and quotation marks around it.
pub(crate) fn unquoted(text: &[u8]) -> &[u8] {
    let trimmed = text.trim_ascii();
    trimmed
        .strip_prefix(b"\"")
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parse: Parse, rest: &str) -> Option<(i64, usize)> {
        parse.read(rest.as_bytes(), UtcOffset::UTC)
    }

    #[test]
    fn a_value_ends_at_the_comma() {
        assert_eq!(read(Parse::Price, "12.5,7"), Some((1_250_000_000, 4)));
        assert_eq!(read(Parse::Volume, "2.9e-7,x"), Some((29, 6)));
        assert_eq!(read(Parse::Price, " \"3\" "), Some((300_000_000, 5)));
        assert_eq!(read(Parse::Price, "3x"), None);
        assert_eq!(read(Parse::Price, "0"), None);
        assert_eq!(read(Parse::Volume, "-1"), None);
    }

    #[test]
    fn instants_come_in_many_forms() {
        let day = 1_706_659_200_000_000_000;
        for text in [
            "1706659200",
            "1706659200000",
            "1706659200.000",
            "20240131",
            "2024-01-31",
            "2024-01-31T00:00:00Z",
        ] {
            assert_eq!(
                read(Parse::Instant(Unit::Auto), text).map(|(at, _)| at),
                Some(day),
                "{text}"
            );
        }
    }

    #[test]
    fn the_aggressor_is_read_from_either_word() {
        assert_eq!(read(Parse::BuyerMaker, "True,"), Some((1, 4)));
        assert_eq!(read(Parse::Side, "sell"), Some((1, 4)));
        assert_eq!(read(Parse::Side, "BUY"), Some((0, 3)));
        assert_eq!(read(Parse::Side, "maybe"), None);
    }
}
