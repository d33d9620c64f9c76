//! The way out of a feed: numbers the messages of a connection, derives the state of the whole
//! feed from its instruments', and ends the connection when nobody keeps up with it.

use ploy_domain::{FeedState, FeedStatus, InstrumentId, MarketEvent, Timestamp, VenueId};
use ploy_venue_port::{FeedBody, FeedMessage, SessionEnd};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc::{self, error::SendTimeoutError};

/// A receiver that does not take a message for this long gets a fresh start instead of old news.
const SEND_DEADLINE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Outlet {
    venue: VenueId,
    sink: mpsc::Sender<FeedMessage>,
    epoch: u64,
    seq: u64,
    states: BTreeMap<InstrumentId, FeedState>,
    overall: FeedState,
    /// Whether anything was sent since the last tick.
    busy: bool,
}

impl Outlet {
    pub(super) fn new(
        venue: VenueId,
        instruments: impl Iterator<Item = InstrumentId>,
        sink: mpsc::Sender<FeedMessage>,
    ) -> Self {
        Self {
            venue,
            sink,
            epoch: 0,
            seq: 0,
            states: instruments
                .map(|id| (id, FeedState::Disconnected))
                .collect(),
            overall: FeedState::Disconnected,
            busy: false,
        }
    }

    /// Messages from here on belong to a new connection.
    pub(super) const fn begin(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.seq = 0;
    }

    pub(super) async fn publish(&mut self, event: MarketEvent) -> Result<(), SessionEnd> {
        self.seq += 1;
        self.busy = true;
        self.send(FeedBody::Event(event)).await
    }

    /// A new state of one instrument, and of the whole feed where that follows from it: the feed
    /// is as good as the worst of its instruments.
    pub(super) async fn state(
        &mut self,
        instrument: InstrumentId,
        state: FeedState,
        at: Timestamp,
    ) -> Result<(), SessionEnd> {
        self.states.insert(instrument, state);
        self.publish(self.status(Some(instrument), state, at))
            .await?;
        let overall = self.states.values().min().copied();
        let overall = overall.unwrap_or(FeedState::Disconnected);
        if overall != self.overall {
            self.overall = overall;
            self.publish(self.status(None, overall, at)).await?;
        }
        Ok(())
    }

    /// Called every second: says that the feed lives when it had nothing to say.
    pub(super) async fn tick(&mut self) -> Result<(), SessionEnd> {
        if std::mem::take(&mut self.busy) {
            return Ok(());
        }
        self.send(FeedBody::Heartbeat).await
    }

    fn status(
        &self,
        instrument: Option<InstrumentId>,
        state: FeedState,
        ts_event: Timestamp,
    ) -> MarketEvent {
        MarketEvent::Status(FeedStatus {
            venue: self.venue,
            instrument,
            state,
            feed_epoch: self.epoch,
            ts_event,
        })
    }

    async fn send(&self, body: FeedBody) -> Result<(), SessionEnd> {
        let message = FeedMessage {
            feed_epoch: self.epoch,
            seq: self.seq,
            body,
        };
        match self.sink.send_timeout(message, SEND_DEADLINE).await {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Timeout(_)) => Err(SessionEnd::Lost {
                detail: format!(
                    "the receiver took nothing for {} ms",
                    SEND_DEADLINE.as_millis()
                ),
            }),
            Err(SendTimeoutError::Closed(_)) => Err(SessionEnd::Stop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> [InstrumentId; 2] {
        ["BTCUSDT.SIM", "ETHUSDT.SIM"].map(|id| id.parse().unwrap())
    }

    fn outlet(capacity: usize) -> (Outlet, mpsc::Receiver<FeedMessage>) {
        let (sink, receiver) = mpsc::channel(capacity);
        let venue = VenueId::parse("SIM").unwrap();
        (Outlet::new(venue, ids().into_iter(), sink), receiver)
    }

    #[tokio::test]
    async fn the_feed_is_as_good_as_its_worst_instrument() {
        let (mut outlet, mut receiver) = outlet(16);
        outlet.begin(3);
        for (id, state) in [
            (0, FeedState::Good),
            (1, FeedState::Good),
            (0, FeedState::Gapped),
        ] {
            outlet
                .state(ids()[id], state, Timestamp::EPOCH)
                .await
                .unwrap();
        }
        let mut overall = Vec::new();
        let mut seqs = Vec::new();
        while let Ok(message) = receiver.try_recv() {
            assert_eq!(message.feed_epoch, 3);
            seqs.push(message.seq);
            match message.body {
                FeedBody::Event(MarketEvent::Status(status)) if status.instrument.is_none() => {
                    overall.push(status.state);
                }
                _ => {}
            }
        }
        assert_eq!(overall, [FeedState::Good, FeedState::Gapped]);
        assert_eq!(seqs, [1, 2, 3, 4, 5]);
    }

    #[tokio::test]
    async fn a_heartbeat_repeats_the_last_number() {
        let (mut outlet, mut receiver) = outlet(16);
        outlet
            .state(ids()[0], FeedState::Good, Timestamp::EPOCH)
            .await
            .unwrap();
        outlet.tick().await.unwrap();
        outlet.tick().await.unwrap();
        let first = receiver.recv().await.unwrap();
        let second = receiver.recv().await.unwrap();
        assert_eq!((first.seq, second.seq), (1, 1));
        assert_eq!(second.body, FeedBody::Heartbeat);
    }

    #[tokio::test]
    async fn nobody_listening_stops_the_feed() {
        let (mut outlet, receiver) = outlet(1);
        drop(receiver);
        assert_eq!(outlet.tick().await, Err(SessionEnd::Stop));
    }
}
