//! Market stream payloads and the depth snapshot, decoded to canonical facts. Total: what is not
//! understood is a value, never a failure of the connection.

use super::{Decimal, Number, VenueTime, WireLevel, levels};
use ploy_domain::{
    Amount, Bar, BarFlags, BarInterval, BookDelta, BookLevel, InstrumentId, Price, Quantity, Quote,
    Side, Symbol, Timestamp, Trade, VenueId,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a frame of a combined market stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketFrame {
    /// A trade.
    Trade(Trade),
    /// New best prices. The venue gives them no time, so the venue's time is the receive time.
    Quote(Quote),
    /// Changed depth.
    Depth(BookDelta),
    /// A bar that is closed.
    Bar(Bar),
    /// A bar that is still being built.
    OpenBar,
    /// The venue is going to close the connection: connect again at once.
    Shutdown,
    /// The answer to a control message.
    Control,
    /// A payload that this adapter has no word for.
    Unknown,
}

/// A frame that is not in the documented form.
#[derive(Debug, thiserror::Error)]
#[error("market frame is malformed: {detail}")]
pub struct Undecodable {
    /// What is wrong with it.
    pub detail: String,
}

impl Undecodable {
    fn new(detail: impl std::fmt::Display) -> Self {
        Self {
            detail: detail.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    e: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct WireTrade<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    t: Number,
    p: Decimal<Price>,
    q: Decimal<Quantity>,
    #[serde(rename = "T")]
    time: VenueTime,
    /// Whether the buyer rested, so that the seller was the aggressor.
    m: bool,
}

#[derive(Deserialize)]
struct WireQuote<'a> {
    u: Number,
    #[serde(borrow)]
    s: Cow<'a, str>,
    b: Decimal<Price>,
    #[serde(rename = "B")]
    bid_quantity: Decimal<Quantity>,
    a: Decimal<Price>,
    #[serde(rename = "A")]
    ask_quantity: Decimal<Quantity>,
}

#[derive(Deserialize)]
struct WireDepth<'a> {
    #[serde(rename = "E")]
    time: VenueTime,
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(rename = "U")]
    first: Number,
    u: Number,
    b: Vec<WireLevel>,
    a: Vec<WireLevel>,
}

#[derive(Deserialize)]
struct WireKline<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    k: WireBar<'a>,
}

#[derive(Deserialize)]
struct WireBar<'a> {
    t: VenueTime,
    #[serde(borrow)]
    i: Cow<'a, str>,
    o: Decimal<Price>,
    h: Decimal<Price>,
    l: Decimal<Price>,
    c: Decimal<Price>,
    v: Decimal<Quantity>,
    q: Decimal<Amount>,
    n: u64,
    f: i64,
    #[serde(rename = "L")]
    last: i64,
    x: bool,
}

#[derive(Deserialize)]
struct WireSnapshot {
    #[serde(rename = "lastUpdateId")]
    last_update_id: Number,
    bids: Vec<WireLevel>,
    asks: Vec<WireLevel>,
}

/// Decodes a text frame of `venue` that was received at `ts_receive`.
///
/// # Errors
/// [`Undecodable`] when the frame is not in the documented form; count it and go on.
pub fn decode_frame(
    text: &str,
    venue: VenueId,
    ts_receive: Timestamp,
) -> Result<MarketFrame, Undecodable> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(Undecodable::new)?;
    let (Some(stream), Some(data)) = (envelope.stream, envelope.data) else {
        return Ok(match envelope.e.as_deref() {
            Some("serverShutdown") => MarketFrame::Shutdown,
            Some(_) => MarketFrame::Unknown,
            None => MarketFrame::Control,
        });
    };
    let reader = Reader {
        venue,
        ts_receive,
        data: data.get(),
    };
    match stream.split_once('@').map(|(_, kind)| kind) {
        Some("trade") => reader.trade(),
        Some("bookTicker") => reader.quote(),
        Some(kind) if kind == "depth" || kind.starts_with("depth@") => reader.depth(),
        Some(kind) if kind.starts_with("kline_") => reader.bar(),
        None if stream == "!serverShutdown" => Ok(MarketFrame::Shutdown),
        Some(_) | None => Ok(MarketFrame::Unknown),
    }
}

/// Decodes the answer to a request for the depth of `instrument`.
///
/// # Errors
/// [`Undecodable`] when the answer is not in the documented form.
pub fn decode_snapshot(
    body: &[u8],
    instrument: InstrumentId,
    ts_receive: Timestamp,
) -> Result<BookDelta, Undecodable> {
    let wire: WireSnapshot = serde_json::from_slice(body).map_err(Undecodable::new)?;
    Ok(BookDelta {
        instrument,
        first_update_id: wire.last_update_id.0,
        last_update_id: wire.last_update_id.0,
        bids: levels(&wire.bids),
        asks: levels(&wire.asks),
        is_snapshot: true,
        ts_event: ts_receive,
        ts_receive,
    })
}

struct Reader<'a> {
    venue: VenueId,
    ts_receive: Timestamp,
    data: &'a str,
}

impl<'a> Reader<'a> {
    fn read<T: Deserialize<'a>>(&self) -> Result<T, Undecodable> {
        serde_json::from_str(self.data).map_err(Undecodable::new)
    }

    fn instrument(&self, symbol: &str) -> Result<InstrumentId, Undecodable> {
        let symbol = Symbol::parse(symbol).map_err(Undecodable::new)?;
        Ok(InstrumentId::new(symbol, self.venue))
    }

    fn trade(&self) -> Result<MarketFrame, Undecodable> {
        let wire: WireTrade<'_> = self.read()?;
        Ok(MarketFrame::Trade(Trade {
            instrument: self.instrument(&wire.s)?,
            price: wire.p.0,
            quantity: wire.q.0,
            aggressor: if wire.m { Side::Sell } else { Side::Buy },
            venue_trade_id: wire.t.0,
            ts_event: wire.time.0,
            ts_receive: self.ts_receive,
        }))
    }

    fn quote(&self) -> Result<MarketFrame, Undecodable> {
        let wire: WireQuote<'_> = self.read()?;
        let side = |price: Decimal<Price>, quantity: Decimal<Quantity>| {
            quantity.0.is_positive().then_some(BookLevel {
                price: price.0,
                quantity: quantity.0,
            })
        };
        Ok(MarketFrame::Quote(Quote {
            instrument: self.instrument(&wire.s)?,
            bid: side(wire.b, wire.bid_quantity),
            ask: side(wire.a, wire.ask_quantity),
            update_id: wire.u.0,
            ts_event: self.ts_receive,
            ts_receive: self.ts_receive,
        }))
    }

    fn depth(&self) -> Result<MarketFrame, Undecodable> {
        let wire: WireDepth<'_> = self.read()?;
        if wire.first > wire.u {
            return Err(Undecodable::new(format_args!(
                "U {} is above u {}",
                wire.first.0, wire.u.0
            )));
        }
        Ok(MarketFrame::Depth(BookDelta {
            instrument: self.instrument(&wire.s)?,
            first_update_id: wire.first.0,
            last_update_id: wire.u.0,
            bids: levels(&wire.b),
            asks: levels(&wire.a),
            is_snapshot: false,
            ts_event: wire.time.0,
            ts_receive: self.ts_receive,
        }))
    }

    fn bar(&self) -> Result<MarketFrame, Undecodable> {
        let wire: WireKline<'_> = self.read()?;
        if !wire.k.x {
            return Ok(MarketFrame::OpenBar);
        }
        let interval: BarInterval = wire.k.i.parse().map_err(Undecodable::new)?;
        let start = wire.k.t.0;
        // −1 where the interval has no trade.
        let number = |id: i64| u64::try_from(id).unwrap_or_default();
        Ok(MarketFrame::Bar(Bar {
            instrument: self.instrument(&wire.s)?,
            interval,
            start,
            end: start.plus(interval.length()),
            open: wire.k.o.0,
            high: wire.k.h.0,
            low: wire.k.l.0,
            close: wire.k.c.0,
            volume: wire.k.v.0,
            turnover: wire.k.q.0,
            count: wire.k.n,
            first_seq: number(wire.k.f),
            last_seq: number(wire.k.last),
            flags: BarFlags {
                complete: true,
                ..BarFlags::default()
            },
            revision: 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<MarketFrame, Undecodable> {
        let venue = VenueId::parse("SIM").unwrap();
        decode_frame(text, venue, Timestamp::from_nanos(7))
    }

    fn level(price: &str, quantity: &str) -> BookLevel {
        BookLevel {
            price: price.parse().unwrap(),
            quantity: quantity.parse().unwrap(),
        }
    }

    #[test]
    fn a_trade_names_its_aggressor() {
        let text = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1735689600200,"s":"BTCUSDT","t":12345,"p":"25000.10000000","q":"0.01000000","T":1735689600123,"m":true,"M":true,"new":{"field":[1]}}}"#;
        let MarketFrame::Trade(trade) = decode(text).unwrap() else {
            panic!("no trade");
        };
        assert_eq!(trade.instrument.to_string(), "BTCUSDT.SIM");
        assert_eq!(
            (trade.aggressor, trade.venue_trade_id),
            (Side::Sell, 12_345)
        );
        assert_eq!(trade.ts_event.as_millis(), 1_735_689_600_123);
        assert_eq!(trade.ts_receive, Timestamp::from_nanos(7));
    }

    #[test]
    fn an_empty_side_of_a_quote_is_none() {
        let text = r#"{"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"25000.1","B":"31.21","a":"0.00000000","A":"0.00000000"}}"#;
        let MarketFrame::Quote(quote) = decode(text).unwrap() else {
            panic!("no quote");
        };
        assert_eq!(quote.bid, Some(level("25000.1", "31.21")));
        assert_eq!((quote.ask, quote.update_id), (None, 400_900_217));
    }

    #[test]
    fn depth_keeps_removals_and_its_range() {
        let text = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","0.00000000"]]}}"#;
        let MarketFrame::Depth(delta) = decode(text).unwrap() else {
            panic!("no depth");
        };
        assert_eq!((delta.first_update_id, delta.last_update_id), (157, 160));
        assert_eq!(delta.bids, [level("0.0024", "10")]);
        assert_eq!(delta.asks, [level("0.0026", "0")]);
    }

    #[test]
    fn only_a_closed_bar_is_a_bar() {
        let bar = |closed: bool| {
            format!(
                r#"{{"stream":"btcusdt@kline_1m","data":{{"e":"kline","E":1,"s":"BTCUSDT","k":{{"t":1735689600000,"T":1735689659999,"s":"BTCUSDT","i":"1m","f":-1,"L":-1,"o":"1.0","c":"1.0","h":"1.0","l":"1.0","v":"0","n":0,"x":{closed},"q":"0","V":"0","Q":"0","B":"0"}}}}}}"#
            )
        };
        assert_eq!(decode(&bar(false)).unwrap(), MarketFrame::OpenBar);
        let MarketFrame::Bar(closed) = decode(&bar(true)).unwrap() else {
            panic!("no bar");
        };
        assert_eq!(closed.end.as_millis(), 1_735_689_660_000);
        assert!(closed.flags.complete);
    }

    #[test]
    fn what_is_not_a_fact_is_told_apart() {
        assert_eq!(
            decode(r#"{"result":null,"id":1}"#).unwrap(),
            MarketFrame::Control
        );
        assert_eq!(
            decode(r#"{"e":"serverShutdown","E":1}"#).unwrap(),
            MarketFrame::Shutdown
        );
        let combined = r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#;
        assert_eq!(decode(combined).unwrap(), MarketFrame::Shutdown);
        let foreign = r#"{"stream":"btcusdt@somethingNew","data":{"e":"x"}}"#;
        assert_eq!(decode(foreign).unwrap(), MarketFrame::Unknown);
    }

    #[test]
    fn malformed_frames_are_errors_and_nothing_else() {
        for text in [
            "",
            "null",
            "[]",
            "{",
            r#"{"stream":"btcusdt@trade","data":{}}"#,
            r#"{"stream":"btcusdt@trade","data":null}"#,
            r#"{"stream":"btcusdt@depth","data":{"E":1,"s":"BTCUSDT","U":5,"u":4,"b":[],"a":[]}}"#,
            r#"{"stream":"btcusdt@trade","data":{"s":"BTC USDT","t":1,"p":"1","q":"1","T":1,"m":true}}"#,
            r#"{"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":1,"p":1.5,"q":"1","T":1,"m":true}}"#,
        ] {
            let frame = decode(text);
            assert!(
                matches!(frame, Err(_) | Ok(MarketFrame::Control)),
                "{text}: {frame:?}"
            );
        }
    }
}
