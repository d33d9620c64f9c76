//! The newest of every market, folded from the facts on the bus, told ten times a second at most.

use super::{channel::Channel, hub::Hub};
use crate::{
    contract::{LevelJson, QuoteJson, TickJson, feed_word},
    routes::health,
    shared::Shared,
};
use ploy_bus::{BusError, Message, Subscription};
use ploy_chassis::health::HealthChanges;
use ploy_domain::{InstrumentId, MarketEvent, Timestamp, VenueId};
use ploy_wire::{
    api::{Actor, Call},
    facts,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

const TELL_EVERY: Duration = Duration::from_millis(100);
const LOAD_DEADLINE: Duration = Duration::from_secs(1);

/// What moves, by instrument, and what has moved since it was told.
#[derive(Debug)]
pub(super) struct Markets {
    shared: Arc<Shared>,
    newest: BTreeMap<InstrumentId, QuoteJson>,
    moved: BTreeSet<InstrumentId>,
    connected: bool,
}

impl Markets {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            newest: BTreeMap::new(),
            moved: BTreeSet::new(),
            connected: true,
        }
    }

    /// Follows the market, the word that risk has changed, and the health of all.
    ///
    /// # Errors
    /// When the bus is closed.
    pub(super) async fn run(
        mut self,
        mut market: Subscription,
        (mut risk, risk_changed): (Subscription, &Notify),
        stop: &CancellationToken,
    ) -> Result<(), BusError> {
        let mut changes = self.shared.deps.health.changes();
        let mut tell = interval(TELL_EVERY);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                fact = market.next() => self.take(&fact.ok_or(BusError::Closed)?),
                change = risk.next() => {
                    change.ok_or(BusError::Closed)?;
                    risk_changed.notify_one();
                }
                () = self.healthy(&mut changes) => {}
                _ = tell.tick() => self.tell().await,
            }
        }
    }

    /// Waits for a change of health and tells it.
    async fn healthy(&self, changes: &mut HealthChanges) {
        if changes.next().await.is_none() {
            // The registry lives as long as the gateway does.
            return std::future::pending().await;
        }
        let hub = &self.shared.hub;
        hub.publish(Channel::Health, health::snapshot(&self.shared));
    }

    fn take(&mut self, message: &Message) {
        match facts::decode_market(&message.payload) {
            Ok(event) => self.fold(&event),
            Err(error) => tracing::warn!(%error, "a fact of the market cannot be read"),
        }
    }

    fn fold(&mut self, event: &MarketEvent) {
        match event {
            MarketEvent::Trade(trade) => {
                let market = self.moved(trade.instrument, trade.ts_receive);
                market.last_price = Some(trade.price.to_string());
            }
            MarketEvent::Quote(quote) => {
                let market = self.moved(quote.instrument, quote.ts_receive);
                market.bid = quote.bid.map(LevelJson::from);
                market.ask = quote.ask.map(LevelJson::from);
            }
            MarketEvent::Status(status) => {
                for instrument in self.concerned(status.instrument, status.venue) {
                    self.moved(instrument, status.ts_event).feed =
                        feed_word(status.state).to_owned();
                }
            }
            MarketEvent::Book(_) | MarketEvent::Bar(_) => {}
        }
    }

    fn concerned(&self, named: Option<InstrumentId>, venue: VenueId) -> Vec<InstrumentId> {
        match named {
            Some(instrument) => vec![instrument],
            None => {
                let known = self.newest.keys();
                known.filter(|id| *id.venue() == venue).copied().collect()
            }
        }
    }

    fn moved(&mut self, instrument: InstrumentId, at: Timestamp) -> &mut QuoteJson {
        self.moved.insert(instrument);
        let market = self.newest.entry(instrument).or_default();
        market.updated_at = Some(at.to_string());
        market
    }

    async fn tell(&mut self) {
        self.watch_bus();
        if !self.shared.hub.is_heard() {
            self.moved.clear();
            return;
        }
        if self.newest.values().any(|market| market.feed.is_empty()) || self.newest.is_empty() {
            self.load().await;
        }
        let moved = std::mem::take(&mut self.moved);
        let ticks: Vec<_> = moved.iter().filter_map(|id| self.tick(id)).collect();
        if !ticks.is_empty() {
            self.shared.hub.publish(Channel::Markets, ticks);
        }
    }

    fn tick(&self, instrument: &InstrumentId) -> Option<TickJson> {
        Some(TickJson {
            instrument: instrument.to_string(),
            last: self.newest.get(instrument)?.clone(),
        })
    }

    /// Learns how the markets stand; facts only say what changes.
    async fn load(&mut self) {
        let call = Call::new(Actor::GATEWAY, LOAD_DEADLINE);
        match self.shared.deps.ingestion.markets(call).await {
            Ok(markets) => {
                for market in &markets {
                    let known = self.newest.entry(market.instrument.id).or_default();
                    complete(known, market.into());
                }
                // What nobody serves is not shown.
                self.newest.retain(|_, market| !market.feed.is_empty());
            }
            Err(error) => tracing::debug!(%error, "the markets cannot be had"),
        }
    }

    fn watch_bus(&mut self) {
        let connected = self.shared.deps.bus.health().connected;
        let hub: &Hub = &self.shared.hub;
        match (self.connected, connected) {
            (true, false) => hub.degraded(None, "the bus is not connected"),
            (false, true) => {
                self.newest.clear();
                hub.start_over("the bus was away");
            }
            (true, true) | (false, false) => {}
        }
        self.connected = connected;
    }
}

/// Takes from `loaded` what no fact has told yet.
fn complete(known: &mut QuoteJson, loaded: QuoteJson) {
    if known.feed.is_empty() {
        known.feed = loaded.feed;
    }
    known.last_price = known.last_price.take().or(loaded.last_price);
    known.bid = known.bid.take().or(loaded.bid);
    known.ask = known.ask.take().or(loaded.ask);
    known.updated_at = known.updated_at.take().or(loaded.updated_at);
}
