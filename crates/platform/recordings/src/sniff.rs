//! Telling what a file is from its first line.

use crate::{
    columns::{ColumnMap, Header},
    error::RecordingError,
    field::unquoted,
    layout::{Format, Layout},
};
use std::path::Path;

/// What the first line says.
#[derive(Debug)]
pub(crate) struct Sniffed {
    pub(crate) format: Format,
    pub(crate) layout: Layout,
    /// Whether the first line is a header and no data.
    pub(crate) header: bool,
}

/// Decides from the first line of `path`, what the user says about columns, and the format the
/// user names, if any.
pub(crate) fn sniff(
    path: &Path,
    first: &[u8],
    (format, map): (Option<Format>, &ColumnMap),
) -> Result<Sniffed, RecordingError> {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let unknown = |reason: String| RecordingError::UnknownFormat {
        path: path.to_owned(),
        reason,
    };
    if first.starts_with(b"PK\x03\x04") {
        return Err(unknown("it is a zip archive; unpack it first".to_owned()));
    }
    let json = matches!(first.trim_ascii_start().first(), Some(b'[' | b'{'));
    if format == Some(Format::JsonTrades) || (format.is_none() && json) {
        return Ok(Sniffed {
            format: Format::JsonTrades,
            layout: Layout::json(),
            header: false,
        });
    }
    let cells: Vec<String> = first
        .split(|b| *b == b',')
        .map(|cell| String::from_utf8_lossy(unquoted(cell)).into_owned())
        .collect();
    let header = !cells[0].starts_with(|c: char| c.is_ascii_digit());
    // Columns of a file without a header are named by their number.
    let names = if header {
        cells.clone()
    } else {
        (1..=cells.len()).map(|n| n.to_string()).collect()
    };
    let named = Header {
        path,
        names: &names,
        map,
    };
    let (format, layout) = match format {
        Some(format) => (format, layout_of(format, &named)?),
        None if (header || !map.is_empty()) && named.suggests_bars() => {
            (Format::Bars, named.bars()?)
        }
        None if (header || !map.is_empty()) && named.suggests_trades() => {
            (Format::Trades, named.trades()?)
        }
        None => {
            let format = by_shape(&cells).ok_or_else(|| {
                let shown: String = String::from_utf8_lossy(first).chars().take(100).collect();
                unknown(format!(
                    "its first line '{shown}' has neither the columns of a Binance file nor a \
                     header with open, high, low and close or with price and quantity; name the \
                     columns, for example time=Date+Time,open=Open"
                ))
            })?;
            (format, layout_of(format, &named)?)
        }
    };
    Ok(Sniffed {
        format,
        layout,
        header,
    })
}

fn layout_of(format: Format, header: &Header<'_>) -> Result<Layout, RecordingError> {
    let columns = header.names.len();
    match format {
        Format::BinanceKlines => Ok(Layout::klines()),
        Format::BinanceTrades => Ok(Layout::trades(columns)),
        Format::BinanceAggTrades => Ok(Layout::agg_trades(columns)),
        Format::Bars => header.bars(),
        Format::Trades => header.trades(),
        Format::JsonTrades => Ok(Layout::json()),
    }
}

/// The Binance format with as many columns, told by where the flag stands.
fn by_shape(cells: &[String]) -> Option<Format> {
    let is_flag = |place: usize| {
        let cell = cells.get(place).map(|cell| cell.to_ascii_lowercase());
        matches!(cell.as_deref(), Some("true" | "false"))
    };
    match cells.len() {
        12 => Some(Format::BinanceKlines),
        6 | 7 if is_flag(5) => Some(Format::BinanceTrades),
        7 | 8 if is_flag(6) => Some(Format::BinanceAggTrades),
        _ => None,
    }
}
