//! The data of one instrument: decides which of the decoded facts are news, and which may be
//! published given the state of the book. Pure.

use crate::depth::{DepthInput, DepthOutput, DepthSync};
use ploy_domain::{Bar, BookDelta, FeedState, MarketEvent, Quote, Timestamp, Trade};
use ploy_venue_port::{DecodeCounts, Subscription};
use std::sync::Arc;

/// What to do about a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Publish it.
    Publish(MarketEvent),
    /// Publish the new state of this instrument's data.
    State(FeedState),
    /// Fetch a snapshot of the book.
    FetchSnapshot {
        /// To be given back with it.
        request: u64,
    },
}

/// The state of one instrument's data.
#[derive(Debug)]
pub(super) struct InstrumentData {
    subscription: Subscription,
    depth: DepthSync,
    /// Number and time of the newest trade, kept over connections.
    last_trade: Option<(u64, Timestamp)>,
    /// Whether a trade was seen on this connection.
    traded: bool,
    /// The newest best prices of this connection, held back while the book is not good.
    quote: Option<Quote>,
    counts: Arc<DecodeCounts>,
}

impl InstrumentData {
    pub(super) fn new(subscription: Subscription, counts: Arc<DecodeCounts>) -> Self {
        Self {
            depth: DepthSync::new(subscription.instrument),
            subscription,
            last_trade: None,
            traded: false,
            quote: None,
            counts,
        }
    }

    fn wants_depth(&self) -> bool {
        self.subscription.quotes || self.subscription.book
    }

    pub(super) fn on_connected(&mut self) -> Vec<Action> {
        self.traded = false;
        self.quote = None;
        if self.wants_depth() {
            self.on_depth(DepthInput::Connected, None)
        } else {
            vec![Action::State(FeedState::Good)]
        }
    }

    pub(super) fn on_disconnected(&mut self) -> Vec<Action> {
        if self.wants_depth() {
            self.on_depth(DepthInput::Disconnected, None)
        } else {
            vec![Action::State(FeedState::Disconnected)]
        }
    }

    pub(super) fn on_quiet(&mut self) -> Vec<Action> {
        self.on_depth(DepthInput::Quiet, None)
    }

    pub(super) fn on_bar(&self, bar: Bar) -> Vec<Action> {
        vec![Action::Publish(MarketEvent::Bar(bar))]
    }

    /// Drops a trade that was seen before. A number that falls while time goes on is no
    /// repetition: the venue has started to count anew.
    pub(super) fn on_trade(&mut self, trade: Trade) -> Vec<Action> {
        let id = trade.venue_trade_id;
        let last = self.last_trade;
        if last.is_some_and(|(last, at)| id <= last && trade.ts_event <= at) {
            self.counts.duplicate();
            return Vec::new();
        }
        let expected = last.map_or(id, |(last, _)| last.saturating_add(1));
        // Between connections a hole is no news: the break was announced.
        let lost = self.traded && id > expected;
        self.last_trade = Some((id, trade.ts_event));
        self.traded = true;
        let publish = Action::Publish(MarketEvent::Trade(trade));
        if lost && self.depth_is_good() {
            self.counts.trade_gap();
            return vec![
                Action::State(FeedState::Gapped),
                publish,
                Action::State(FeedState::Good),
            ];
        }
        vec![publish]
    }

    fn depth_is_good(&self) -> bool {
        !self.wants_depth() || self.depth.state() == FeedState::Good
    }

    pub(super) fn on_quote(&mut self, quote: Quote) -> Vec<Action> {
        if self
            .quote
            .is_some_and(|old| quote.update_id <= old.update_id)
        {
            self.counts.duplicate();
            return Vec::new();
        }
        self.quote = Some(quote);
        // A crossed quote means that the venue's own stream is not to be trusted now.
        if !self.subscription.quotes || !self.depth_is_good() || quote.is_crossed() {
            return Vec::new();
        }
        vec![Action::Publish(MarketEvent::Quote(quote))]
    }

    pub(super) fn on_difference(&mut self, delta: BookDelta) -> Vec<Action> {
        self.on_depth(DepthInput::Event(delta), None)
    }

    pub(super) fn on_snapshot(&mut self, request: u64, book: BookDelta) -> Vec<Action> {
        let at = book.ts_receive;
        self.on_depth(DepthInput::Snapshot { request, book }, Some(at))
    }

    fn on_depth(&mut self, input: DepthInput, at: Option<Timestamp>) -> Vec<Action> {
        let mut actions = Vec::new();
        for output in self.depth.handle(input) {
            match output {
                DepthOutput::NeedSnapshot { request } => {
                    actions.push(Action::FetchSnapshot { request });
                }
                DepthOutput::Book(delta) if self.subscription.book => {
                    actions.push(Action::Publish(MarketEvent::Book(delta)));
                }
                DepthOutput::Book(_) => {}
                DepthOutput::State(state) => {
                    actions.push(Action::State(state));
                    if state == FeedState::Good {
                        actions.extend(at.and_then(|at| self.first_quote(at)));
                    }
                }
                DepthOutput::Duplicate => self.counts.duplicate(),
            }
        }
        actions
    }

    /// The best prices at the moment a snapshot made the book good: the newest of what the stream said
    /// and what the book shows.
    fn first_quote(&self, at: Timestamp) -> Option<Action> {
        let book = self.depth.book().filter(|_| self.subscription.quotes)?;
        let held = self
            .quote
            .filter(|quote| quote.update_id >= book.update_id());
        let quote = held.unwrap_or_else(|| book.quote(at, at));
        (!quote.is_crossed()).then_some(Action::Publish(MarketEvent::Quote(quote)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::{BookLevel, Price, Quantity, Side};

    fn data() -> InstrumentData {
        let subscription = Subscription::full("BTCUSDT.SIM".parse().unwrap());
        InstrumentData::new(subscription, Arc::default())
    }

    fn level(price: i64) -> BookLevel {
        BookLevel {
            price: Price::from_int(price).unwrap(),
            quantity: Quantity::from_int(1).unwrap(),
        }
    }

    fn depth(first: u64, last: u64, is_snapshot: bool) -> BookDelta {
        BookDelta {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            first_update_id: first,
            last_update_id: last,
            bids: vec![level(99)],
            asks: vec![level(101)],
            is_snapshot,
            ts_event: Timestamp::EPOCH,
            ts_receive: Timestamp::EPOCH,
        }
    }

    fn quote(update_id: u64, bid: i64) -> Quote {
        Quote {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            bid: Some(level(bid)),
            ask: Some(level(101)),
            update_id,
            ts_event: Timestamp::EPOCH,
            ts_receive: Timestamp::EPOCH,
        }
    }

    fn trade(id: u64, ms: i64) -> Trade {
        Trade {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            price: Price::from_int(100).unwrap(),
            quantity: Quantity::from_int(1).unwrap(),
            aggressor: Side::Buy,
            venue_trade_id: id,
            ts_event: Timestamp::from_millis(ms).unwrap(),
            ts_receive: Timestamp::EPOCH,
        }
    }

    fn good() -> InstrumentData {
        let mut data = data();
        data.on_connected();
        data.on_difference(depth(10, 12, false));
        data.on_snapshot(1, depth(12, 12, true));
        assert_eq!(data.depth.state(), FeedState::Good);
        data
    }

    fn published_quotes(actions: &[Action]) -> Vec<u64> {
        let quotes = actions.iter().filter_map(|action| match action {
            Action::Publish(MarketEvent::Quote(quote)) => Some(quote.update_id),
            _ => None,
        });
        quotes.collect()
    }

    #[test]
    fn quotes_wait_until_the_book_is_good() {
        let mut data = data();
        data.on_connected();
        assert_eq!(data.on_quote(quote(11, 99)), []);
        data.on_difference(depth(10, 12, false));
        assert_eq!(data.on_quote(quote(13, 99)), []);
        let actions = data.on_snapshot(1, depth(12, 12, true));
        assert_eq!(published_quotes(&actions), [13]);
        assert_eq!(published_quotes(&data.on_quote(quote(14, 98))), [14]);
    }

    #[test]
    fn old_and_crossed_quotes_are_not_published() {
        let mut data = good();
        assert_eq!(published_quotes(&data.on_quote(quote(20, 99))), [20]);
        assert_eq!(data.on_quote(quote(19, 98)), []);
        assert_eq!(data.on_quote(quote(21, 101)), []);
    }

    #[test]
    fn a_good_book_without_a_quote_yields_its_own() {
        let mut data = data();
        data.on_connected();
        data.on_difference(depth(10, 12, false));
        assert_eq!(
            published_quotes(&data.on_snapshot(1, depth(12, 12, true))),
            [12]
        );
    }

    #[test]
    fn repeated_trades_are_dropped_over_a_reconnect() {
        let mut data = good();
        assert_eq!(data.on_trade(trade(5, 100)).len(), 1);
        assert_eq!(data.on_trade(trade(5, 100)), []);
        data.on_disconnected();
        data.on_connected();
        assert_eq!(data.on_trade(trade(5, 100)), []);
        assert_eq!(data.on_trade(trade(9, 200)).len(), 1);
        assert_eq!(data.counts.stats().duplicates, 2);
    }

    #[test]
    fn a_hole_in_the_trades_is_announced() {
        let mut data = good();
        data.on_trade(trade(5, 100));
        let actions = data.on_trade(trade(8, 101));
        assert_eq!(actions[0], Action::State(FeedState::Gapped));
        assert_eq!(actions[2], Action::State(FeedState::Good));
        assert_eq!(data.counts.stats().trade_gaps, 1);
    }

    #[test]
    fn trades_of_a_venue_that_counts_anew_are_news() {
        let mut data = good();
        data.on_trade(trade(1_000, 100));
        assert_eq!(data.on_trade(trade(1, 200)).len(), 1);
        assert_eq!(data.on_trade(trade(2, 200)).len(), 1);
    }

    #[test]
    fn trades_alone_need_no_book() {
        let mut subscription = Subscription::full("BTCUSDT.SIM".parse().unwrap());
        (subscription.quotes, subscription.book) = (false, false);
        let mut data = InstrumentData::new(subscription, Arc::default());
        assert_eq!(data.on_connected(), [Action::State(FeedState::Good)]);
        assert_eq!(data.on_quiet(), []);
        assert_eq!(
            data.on_disconnected(),
            [Action::State(FeedState::Disconnected)]
        );
    }
}
