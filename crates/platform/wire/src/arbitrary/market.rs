//! Market facts.

use super::{amount, few, ids, price, quantity, timestamp, word};
use ploy_domain::{
    Bar, BarFlags, BarInterval, BookDelta, BookLevel, FeedStatus, MarketEvent, Quote, Trade,
};
use proptest::{option, prelude::*};

pub(crate) fn level() -> impl Strategy<Value = BookLevel> {
    (price(), quantity()).prop_map(|(price, quantity)| BookLevel { price, quantity })
}

prop_compose! {
    fn trade()(
        instrument in ids::instrument(),
        (price, quantity, aggressor) in (price(), quantity(), word()),
        venue_trade_id: u64,
        (ts_event, ts_receive) in (timestamp(), timestamp()),
    ) -> Trade {
        Trade { instrument, price, quantity, aggressor, venue_trade_id, ts_event, ts_receive }
    }
}

prop_compose! {
    fn quote()(
        instrument in ids::instrument(),
        (bid, ask) in (option::of(level()), option::of(level())),
        update_id: u64,
        (ts_event, ts_receive) in (timestamp(), timestamp()),
    ) -> Quote {
        Quote { instrument, bid, ask, update_id, ts_event, ts_receive }
    }
}

prop_compose! {
    fn delta()(
        instrument in ids::instrument(),
        (first_update_id, last_update_id) in any::<(u64, u64)>(),
        (bids, asks) in (few(level()), few(level())),
        is_snapshot: bool,
        (ts_event, ts_receive) in (timestamp(), timestamp()),
    ) -> BookDelta {
        BookDelta {
            instrument, first_update_id, last_update_id, bids, asks, is_snapshot, ts_event,
            ts_receive,
        }
    }
}

prop_compose! {
    fn bar()(
        instrument in ids::instrument(),
        interval in (1_i64..=86_400).prop_map(|secs| BarInterval::from_secs(secs).unwrap()),
        (start, end) in (timestamp(), timestamp()),
        (open, high, low, close) in (price(), price(), price(), price()),
        (volume, turnover) in (quantity(), amount()),
        (count, first_seq, last_seq, revision) in any::<(u64, u64, u64, u32)>(),
        (complete, gap, stale) in any::<(bool, bool, bool)>(),
    ) -> Bar {
        Bar {
            instrument, interval, start, end, open, high, low, close, volume, turnover, count,
            first_seq, last_seq, flags: BarFlags { complete, gap, stale }, revision,
        }
    }
}

prop_compose! {
    fn status()(
        (venue, instrument) in (ids::venue(), option::of(ids::instrument())),
        (state, feed_epoch) in (word(), any::<u64>()),
        ts_event in timestamp(),
    ) -> FeedStatus {
        FeedStatus { venue, instrument, state, feed_epoch, ts_event }
    }
}

pub(crate) fn event() -> impl Strategy<Value = MarketEvent> {
    prop_oneof![
        trade().prop_map(MarketEvent::Trade),
        quote().prop_map(MarketEvent::Quote),
        delta().prop_map(MarketEvent::Book),
        bar().prop_map(MarketEvent::Bar),
        status().prop_map(MarketEvent::Status),
    ]
}
