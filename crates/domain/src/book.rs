//! An L2 book: absolute quantity per price. It decides whether an update fits and whether the
//! result makes sense; who feeds it and what happens after a gap is the feed's business.

use crate::{
    ids::InstrumentId,
    market::{BookDelta, BookLevel, Quote},
    money::{Price, Quantity},
    order::Side,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// The aggregated depth of one instrument.
#[derive(Debug, Clone)]
pub struct Book {
    instrument: InstrumentId,
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
    update_id: u64,
}

/// Why an update was not applied, or what it left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Updates are missing between the book and the delta.
    #[error("book is at update {have} but the next delta starts at {got}; updates were lost")]
    Gap {
        /// The last update in the book.
        have: u64,
        /// The first update of the delta.
        got: u64,
    },
    /// The best bid is at or above the best ask.
    #[error("best bid {bid} is not below best ask {ask} after update {update_id}")]
    Crossed {
        /// Best bid.
        bid: Price,
        /// Best ask.
        ask: Price,
        /// After which update.
        update_id: u64,
    },
}

impl Book {
    /// An empty book, before any update.
    #[must_use]
    pub const fn new(instrument: InstrumentId) -> Self {
        Self {
            instrument,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            update_id: 0,
        }
    }

    /// The last update applied.
    #[must_use]
    pub const fn update_id(&self) -> u64 {
        self.update_id
    }

    /// Applies a snapshot or a delta; a delta that is wholly known already changes nothing and
    /// answers `false`.
    ///
    /// # Errors
    /// [`BookError::Gap`] leaves the book as it was; [`BookError::Crossed`] leaves the update in,
    /// and the book is not to be used until the next snapshot.
    pub fn apply(&mut self, delta: &BookDelta) -> Result<bool, BookError> {
        if delta.is_snapshot {
            self.bids.clear();
            self.asks.clear();
        } else if delta.last_update_id <= self.update_id {
            return Ok(false);
        } else if delta.first_update_id > self.update_id + 1 {
            return Err(BookError::Gap {
                have: self.update_id,
                got: delta.first_update_id,
            });
        }
        delta
            .bids
            .iter()
            .for_each(|level| set(&mut self.bids, *level));
        delta
            .asks
            .iter()
            .for_each(|level| set(&mut self.asks, *level));
        self.update_id = delta.last_update_id;
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(ask)) if bid.price >= ask.price => Err(BookError::Crossed {
                bid: bid.price,
                ask: ask.price,
                update_id: self.update_id,
            }),
            _ => Ok(true),
        }
    }

    /// The best level of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<BookLevel> {
        let (price, quantity) = match side {
            Side::Buy => self.bids.last_key_value()?,
            Side::Sell => self.asks.first_key_value()?,
        };
        Some(BookLevel {
            price: *price,
            quantity: *quantity,
        })
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = BookLevel> + '_ {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        let both = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        both.map(|(price, quantity)| BookLevel {
            price: *price,
            quantity: *quantity,
        })
    }

    /// The best prices as a quote with the given times.
    #[must_use]
    pub fn quote(&self, ts_event: Timestamp, ts_receive: Timestamp) -> Quote {
        Quote {
            instrument: self.instrument,
            bid: self.best(Side::Buy),
            ask: self.best(Side::Sell),
            update_id: self.update_id,
            ts_event,
            ts_receive,
        }
    }
}

fn set(side: &mut BTreeMap<Price, Quantity>, level: BookLevel) {
    if level.quantity.is_zero() {
        side.remove(&level.price);
    } else {
        side.insert(level.price, level.quantity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(price: i64, quantity: i64) -> BookLevel {
        BookLevel {
            price: Price::from_int(price).unwrap(),
            quantity: Quantity::from_int(quantity).unwrap(),
        }
    }

    fn delta(ids: (u64, u64), bids: Vec<BookLevel>, asks: Vec<BookLevel>) -> BookDelta {
        BookDelta {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            first_update_id: ids.0,
            last_update_id: ids.1,
            bids,
            asks,
            is_snapshot: false,
            ts_event: Timestamp::EPOCH,
            ts_receive: Timestamp::EPOCH,
        }
    }

    fn seeded() -> Book {
        let mut book = Book::new("BTCUSDT.SIM".parse().unwrap());
        let snapshot = BookDelta {
            is_snapshot: true,
            ..delta(
                (10, 10),
                vec![level(99, 1), level(98, 2)],
                vec![level(101, 3)],
            )
        };
        assert_eq!(book.apply(&snapshot), Ok(true));
        book
    }

    #[test]
    fn deltas_replace_add_and_remove_levels() {
        let mut book = seeded();
        book.apply(&delta(
            (11, 12),
            vec![level(99, 0), level(97, 5)],
            vec![level(100, 1)],
        ))
        .unwrap();
        assert_eq!(book.best(Side::Buy), Some(level(98, 2)));
        assert_eq!(book.best(Side::Sell), Some(level(100, 1)));
        assert_eq!(
            book.levels(Side::Buy).collect::<Vec<_>>(),
            [level(98, 2), level(97, 5)]
        );
    }

    #[test]
    fn an_old_delta_changes_nothing_and_a_gap_is_refused() {
        let mut book = seeded();
        assert_eq!(
            book.apply(&delta((9, 10), vec![level(99, 9)], vec![])),
            Ok(false)
        );
        assert_eq!(book.best(Side::Buy), Some(level(99, 1)));
        let gap = book.apply(&delta((12, 13), vec![], vec![]));
        assert_eq!(gap, Err(BookError::Gap { have: 10, got: 12 }));
        assert_eq!(book.update_id(), 10);
    }

    #[test]
    fn a_crossed_book_is_reported() {
        let crossed = seeded().apply(&delta((11, 11), vec![level(101, 1)], vec![]));
        assert!(matches!(
            crossed,
            Err(BookError::Crossed { update_id: 11, .. })
        ));
    }
}
