//! Trades one after the other, from lines or from a JSON list, in the order of time.

use crate::{
    error::RecordingError,
    field::{Slot, Values},
    json::Elements,
    layout::Fault,
    reader::{Source, io_error, malformed, time_of},
    recording::Shared,
};
use ploy_domain::{Price, Quantity, Side, Timestamp, Trade};
use std::sync::Arc;

/// Makes trades of values and keeps what the next one is compared with.
#[derive(Debug)]
struct TradeMaker {
    has_side: bool,
    has_id: bool,
    made: u64,
    before: Option<(Timestamp, Price, Side)>,
}

impl TradeMaker {
    fn new(shared: &Shared) -> Self {
        Self {
            has_side: shared.layout.has(Slot::Seller),
            has_id: shared.layout.has(Slot::Id),
            made: 0,
            before: None,
        }
    }

    /// The trade of `values`; the time it had to reach as error.
    fn make(&mut self, shared: &Shared, values: &Values) -> Result<Trade, Timestamp> {
        let at = Timestamp::from_nanos(time_of(shared, values));
        let price = Price::from_raw(values.get(Slot::Price));
        let side = match (self.has_side, values.get(Slot::Seller), self.before) {
            (true, 0, _) => Side::Buy,
            (true, ..) => Side::Sell,
            // The tick rule: a higher price was bought, a lower one sold, the same as before.
            (false, _, Some((_, last, _))) if price > last => Side::Buy,
            (false, _, Some((_, last, _))) if price < last => Side::Sell,
            (false, _, Some((.., side))) => side,
            (false, _, None) => Side::Buy,
        };
        if let Some((last, ..)) = self.before
            && at < last
        {
            return Err(last);
        }
        self.before = Some((at, price, side));
        self.made += 1;
        let id = values.get(Slot::Id).unsigned_abs();
        Ok(Trade {
            instrument: shared.instrument,
            price,
            quantity: Quantity::from_raw(values.get(Slot::Quantity)),
            aggressor: side,
            venue_trade_id: if self.has_id { id } else { self.made },
            ts_event: at,
            ts_receive: at,
        })
    }
}

fn went_back(last: Timestamp) -> String {
    format!("no earlier than the trade before, which was at {last}")
}

/// The trades of a file of lines.
#[derive(Debug)]
pub struct Trades {
    source: Source,
    maker: TradeMaker,
}

impl Trades {
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, RecordingError> {
        Ok(Self {
            maker: TradeMaker::new(&shared),
            source: Source::open(shared)?,
        })
    }
}

impl Iterator for Trades {
    type Item = Result<Trade, RecordingError>;
    fn next(&mut self) -> Option<Self::Item> {
        let Self { source, maker } = self;
        source.next(|shared, values, line| {
            maker
                .make(shared, values)
                .map_err(|last| shared.layout.misfit(line, Slot::Time, went_back(last)))
        })
    }
}

/// The trades of a JSON list.
#[derive(Debug)]
pub struct JsonTrades {
    shared: Arc<Shared>,
    elements: Elements,
    values: Values,
    maker: TradeMaker,
    failed: bool,
}

impl JsonTrades {
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, RecordingError> {
        let elements = Elements::open(&shared.path);
        Ok(Self {
            maker: TradeMaker::new(&shared),
            elements: elements.map_err(|source| io_error(&shared, 1, source))?,
            shared,
            values: Values::default(),
            failed: false,
        })
    }

    fn read(&mut self) -> Result<Option<Trade>, RecordingError> {
        let shared = &self.shared;
        let (number, element) = match self.elements.next() {
            Ok(Some(numbered)) => numbered,
            Ok(None) => return Ok(None),
            Err(error) => return Err(io_error(shared, self.elements.number(), error)),
        };
        element
            .read(&shared.layout, shared.local, &mut self.values)
            .and_then(|()| {
                self.maker.make(shared, &self.values).map_err(|last| Fault {
                    column: "timestamp".to_owned(),
                    value: element.text_of(&shared.layout, Slot::Time),
                    expected: went_back(last),
                })
            })
            .map(Some)
            .map_err(|fault| malformed(shared, number, fault))
    }
}

impl Iterator for JsonTrades {
    type Item = Result<Trade, RecordingError>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = self.read();
        self.failed = read.is_err();
        read.transpose()
    }
}
