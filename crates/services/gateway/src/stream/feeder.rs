//! Keeps the hub fed for as long as the gateway lives, whatever becomes of the bus meanwhile.

use super::{books::Books, follower::Follower, markets::Markets};
use crate::shared::Shared;
use ploy_bus::{BusError, Pattern, Subscription};
use ploy_chassis::{chain, order_log::OrderLog};
use ploy_wire::{
    api::Actor,
    subjects::{ALL_MARKET, RISK_STATE},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Batches of events that may wait to be told.
const BATCHES_MAX: usize = 64;
/// Facts of the market that may wait; only the newest count.
const MARKET_MAX: usize = 4_096;
/// Pause before the bus is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Turns what happens into frames.
#[derive(Debug)]
pub(crate) struct Feeder {
    shared: Arc<Shared>,
    /// Told when the trading states have changed.
    risk_changed: Arc<Notify>,
}

impl Feeder {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            risk_changed: Arc::default(),
        }
    }

    /// Runs until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let (sender, events) = mpsc::channel(BATCHES_MAX);
        let books = Books::new(Arc::clone(&self.shared), Arc::clone(&self.risk_changed));
        tokio::join!(
            self.follow_log(sender, &stop),
            self.follow_market(&stop),
            books.run(events, &stop),
        );
    }

    async fn follow_log(
        &self,
        events: mpsc::Sender<Vec<ploy_domain::OrderEvent>>,
        stop: &CancellationToken,
    ) {
        let deps = &self.shared.deps;
        let log = OrderLog {
            bus: Arc::clone(&deps.bus),
            execution: Arc::clone(&deps.execution),
            accounts: self.shared.config.accounts.clone(),
            actor: Actor::GATEWAY,
        };
        let mut follower = Follower {
            shared: Arc::clone(&self.shared),
            events,
            positions: BTreeMap::new(),
        };
        while let Err(error) = log.follow(&mut follower, stop.clone()).await {
            if self
                .wait(stop, "the order log", &chain(error.as_ref()))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    async fn follow_market(&self, stop: &CancellationToken) {
        loop {
            let error = match self.subscriptions().await {
                Ok((market, risk)) => {
                    let markets = Markets::new(Arc::clone(&self.shared));
                    match markets.run(market, (risk, &self.risk_changed), stop).await {
                        Ok(()) => return,
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            if self
                .wait(stop, "the market", &chain(&error))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    async fn subscriptions(&self) -> Result<(Subscription, Subscription), BusError> {
        let pattern = |text| Pattern::new(text).map_err(|_| BusError::Closed);
        let bus = &self.shared.deps.bus;
        let market = bus.subscribe(pattern(ALL_MARKET)?, MARKET_MAX).await?;
        let risk = bus.subscribe(pattern(RISK_STATE)?, 1).await?;
        Ok((market, risk))
    }

    /// Says that something cannot be followed, and waits a little; `None` when the gateway stops.
    async fn wait(&self, stop: &CancellationToken, what: &str, error: &str) -> Option<()> {
        tracing::warn!(error, "{what} cannot be followed");
        let reason = format!("{what} cannot be followed now");
        self.shared.hub.degraded(None, reason);
        stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await?;
        self.shared.hub.start_over("the bus was away");
        Some(())
    }
}
