//! From a feed to the bus: every fact is published as it came, the newest of each instrument is
//! remembered for questions, and silence is announced.

use crate::{metrics::FeedMetrics, watchdog::Watchdog};
use ploy_bus::{Bus, Message, Subject};
use ploy_chassis::{BoxError, Clock};
use ploy_domain::{
    FeedState, FeedStatus, Instrument, InstrumentId, MarketEvent, Timestamp, VenueId,
};
use ploy_venue_port::{FeedBody, FeedMessage};
use ploy_wire::{api::MarketView, facts, subjects};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How often silence is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The newest of every instrument, shared with whoever asks; locked only for a look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Newest(Arc<RwLock<BTreeMap<InstrumentId, MarketView>>>);

impl Newest {
    pub(crate) fn of(instruments: &[Instrument]) -> Self {
        let view = |instrument: &Instrument| MarketView {
            instrument: instrument.clone(),
            feed: FeedState::Disconnected,
            last_price: None,
            bid: None,
            ask: None,
            updated_at: None,
        };
        let views = instruments
            .iter()
            .map(|instrument| (instrument.id, view(instrument)));
        Self(Arc::new(RwLock::new(views.collect())))
    }

    pub(crate) fn all(&self) -> Vec<MarketView> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    fn note(&self, event: &MarketEvent) {
        let mut views = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            MarketEvent::Trade(trade) => {
                if let Some(view) = views.get_mut(&trade.instrument) {
                    view.last_price = Some(trade.price);
                    view.updated_at = Some(trade.ts_receive);
                }
            }
            MarketEvent::Quote(quote) => {
                if let Some(view) = views.get_mut(&quote.instrument) {
                    (view.bid, view.ask) = (quote.bid, quote.ask);
                    view.updated_at = Some(quote.ts_receive);
                }
            }
            MarketEvent::Status(status) => {
                let chosen = views.values_mut().filter(|view| {
                    let id = view.instrument.id;
                    *id.venue() == status.venue && status.instrument.is_none_or(|i| i == id)
                });
                chosen.for_each(|view| view.feed = status.state);
            }
            MarketEvent::Book(_) | MarketEvent::Bar(_) => {}
        }
    }
}

/// One feed on its way to the bus.
#[derive(Debug)]
pub(crate) struct Pump {
    pub(crate) venue: VenueId,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) newest: Newest,
    pub(crate) watchdog: Watchdog,
    pub(crate) clock: Clock,
    pub(crate) epoch: u64,
    pub(crate) metrics: FeedMetrics,
}

impl Pump {
    pub(crate) async fn run(
        mut self,
        mut feed: mpsc::Receiver<FeedMessage>,
        stop: CancellationToken,
    ) -> Result<(), BoxError> {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                message = feed.recv() => match message {
                    Some(message) => self.receive(message)?,
                    None => return Ok(()),
                },
                _ = look.tick() => self.announce_silence()?,
            }
        }
    }

    fn receive(&mut self, message: FeedMessage) -> Result<(), BoxError> {
        self.epoch = message.feed_epoch;
        let FeedBody::Event(event) = message.body else {
            return Ok(());
        };
        if let MarketEvent::Status(status) = &event {
            self.watchdog
                .claimed(status.instrument.as_ref(), status.state);
        } else if let Some(instrument) = event.instrument()
            && let Some(state) = self.watchdog.heard(instrument, self.clock.instant())
        {
            let instrument = *instrument;
            tracing::info!(%instrument, "feed is heard again");
            self.announce(instrument, state)?;
        }
        self.publish(&event)
    }

    fn publish(&self, event: &MarketEvent) -> Result<(), BoxError> {
        self.newest.note(event);
        self.metrics.published(event, self.clock.now());
        let subject = Subject::new(&subjects::Subject::of(event).to_string())?;
        self.bus
            .publish(Message::new(subject, facts::encode_market(event)))?;
        Ok(())
    }

    fn announce_silence(&mut self) -> Result<(), BoxError> {
        for instrument in self.watchdog.newly_stale(self.clock.instant()) {
            self.metrics.fell_silent();
            tracing::warn!(%instrument, "feed is stale");
            self.announce(instrument, FeedState::Stale)?;
        }
        Ok(())
    }

    fn announce(&self, instrument: InstrumentId, state: FeedState) -> Result<(), BoxError> {
        let ts_event: Timestamp = self.clock.now();
        let (venue, feed_epoch) = (self.venue, self.epoch);
        let instrument = Some(instrument);
        let status = FeedStatus {
            venue,
            instrument,
            state,
            feed_epoch,
            ts_event,
        };
        self.publish(&MarketEvent::Status(status))
    }
}
