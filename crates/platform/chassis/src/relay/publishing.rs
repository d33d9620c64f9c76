//! How far each log has come, and each step of the relay.

use super::{Relay, RelayError};
use crate::metrics::name;
use futures_util::{StreamExt, stream::FuturesOrdered};
use ploy_bus::{Appended, BusError, Message, PLOY_ORDERS, RegressionWatch, Subject};
use ploy_domain::{AccountId, Nanos, Timestamp};
use ploy_store::event_log::{self, EventRow};
use ploy_wire::{api::Head, facts, subjects};
use std::{collections::BTreeMap, sync::Arc};

/// Rows read at once, and in flight to the bus.
const IN_FLIGHT_MAX: usize = 256;
/// Batches of one account before the others have their turn.
const TURN_BATCHES: usize = 16;

/// How far the log of an account has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// Acknowledged by the bus.
    published: i64,
    /// Written down as such.
    marked: i64,
}

pub(super) struct Publishing {
    relay: Relay,
    progress: BTreeMap<AccountId, Progress>,
    watch: RegressionWatch,
}

impl Publishing {
    pub(super) fn new(relay: Relay) -> Self {
        Self {
            relay,
            progress: BTreeMap::new(),
            watch: RegressionWatch::default(),
        }
    }

    /// The last effort before the end.
    pub(super) async fn drain(&mut self) -> Result<(), RelayError> {
        self.publish().await?;
        self.mark().await
    }

    /// Publishes, writes down what was acknowledged, and says what is left.
    pub(super) async fn look(&mut self) -> Result<(), RelayError> {
        let published = self.publish().await;
        // What was acknowledged before a failure counts.
        self.mark().await?;
        self.report().await?;
        published
    }

    /// Publishes every row that the bus has not acknowledged. A bus without our stream came back
    /// empty: it is filled again at once.
    pub(super) async fn publish(&mut self) -> Result<(), RelayError> {
        match self.publish_all().await {
            Err(RelayError::Bus(BusError::NoStream { .. })) => self.check_regression().await,
            done => done,
        }
    }

    /// Account by account, in order.
    async fn publish_all(&mut self) -> Result<(), RelayError> {
        for account in self.relay.accounts.clone() {
            for _ in 0..TURN_BATCHES {
                if self.publish_batch(&account).await? < IN_FLIGHT_MAX {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn publish_batch(&mut self, account: &AccountId) -> Result<usize, RelayError> {
        let rows = self.next_rows(account).await?;
        let subject = subjects::Subject::Orders { account: *account };
        let subject = Subject::new(&subject.to_string())?;
        // Ordered: an acknowledgement counts only when all before it came.
        let mut acks = FuturesOrdered::new();
        for row in &rows {
            let message = Message::new(subject.clone(), row.payload.clone());
            let (bus, seq, id) = (Arc::clone(&self.relay.bus), row.seq, row.event_id.clone());
            acks.push_back(async move { (seq, bus.append(&id, message).await) });
        }
        let mut acknowledged = Vec::with_capacity(rows.len());
        let mut failure = None;
        while let Some((seq, ack)) = acks.next().await {
            match ack {
                Ok(appended) => acknowledged.push((seq, appended)),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        drop(acks);
        for (seq, appended) in &acknowledged {
            self.acknowledged(account, *seq, appended);
        }
        if let Some(error) = failure {
            return Err(error.into());
        }
        Ok(rows.len())
    }

    async fn next_rows(&self, account: &AccountId) -> Result<Vec<EventRow>, RelayError> {
        let (store, limit) = (&self.relay.store, IN_FLIGHT_MAX as u32);
        let rows = match self.progress.get(account) {
            Some(progress) => {
                event_log::read(store, account.as_str(), progress.published + 1, limit).await
            }
            None => event_log::unpublished(store, account.as_str(), limit).await,
        };
        Ok(rows?)
    }

    fn acknowledged(&mut self, account: &AccountId, seq: i64, appended: &Appended) {
        self.watch.acknowledged(appended);
        let progress = self.progress.entry(*account).or_default();
        progress.published = progress.published.max(seq);
        if appended.duplicate {
            metrics::counter!(name::DUPLICATES, "kind" => "published").increment(1);
        } else {
            metrics::counter!(name::RELAY_PUBLISHED).increment(1);
        }
    }

    /// Writes down what was acknowledged. Rarely, because a mark that was lost only leads to a
    /// repetition, which every consumer drops.
    async fn mark(&mut self) -> Result<(), RelayError> {
        let now = self.relay.clock.now().as_nanos();
        for (account, progress) in &mut self.progress {
            if progress.published > progress.marked {
                let up_to = progress.published;
                event_log::mark_published(&self.relay.store, account.as_str(), up_to, now).await?;
                progress.marked = up_to;
            }
        }
        Ok(())
    }

    async fn report(&self) -> Result<(), RelayError> {
        let backlog = event_log::backlog(&self.relay.store).await?;
        let oldest = backlog.oldest_ts_write_ns.map(Timestamp::from_nanos);
        let age = oldest.map_or(Nanos::ZERO, |oldest| self.relay.clock.now() - oldest);
        #[expect(
            clippy::cast_precision_loss,
            reason = "gauges of a count and of an age"
        )]
        let (events, seconds) = (backlog.events as f64, age.get().max(0) as f64 / 1e9);
        metrics::gauge!(name::RELAY_BACKLOG).set(events);
        metrics::gauge!(name::RELAY_OLDEST_SECONDS).set(seconds);
        Ok(())
    }

    /// Says where each log ends, so that a lost last message is noticed too.
    pub(super) async fn announce_heads(&self) -> Result<(), RelayError> {
        for account in &self.relay.accounts {
            let head = event_log::head(&self.relay.store, account.as_str()).await?;
            let head = Head {
                account: *account,
                seq: head.seq.unsigned_abs(),
                epoch: head.epoch.unsigned_abs(),
            };
            let subject = subjects::Subject::OrdersHead { account: *account }.to_string();
            let message = Message::new(Subject::new(&subject)?, facts::encode_head(&head));
            self.relay.bus.publish(message)?;
        }
        Ok(())
    }

    /// A stream that is gone, new, or shorter than what it acknowledged has lost facts: all of them
    /// are published again, and whoever has them drops them.
    pub(super) async fn check_regression(&mut self) -> Result<(), RelayError> {
        let reason = match self.relay.bus.stream_state(PLOY_ORDERS.name).await {
            Ok(state) => match self.watch.check(&state) {
                Ok(()) => return Ok(()),
                Err(regression) => regression.to_string(),
            },
            Err(error @ BusError::UnknownStream { .. }) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        tracing::error!(
            reason,
            "the bus lost part of the order log; it is published again"
        );
        metrics::counter!(name::BUS_REGRESSIONS).increment(1);
        self.relay.bus.declare(&self.relay.streams).await?;
        for account in &self.relay.accounts {
            event_log::publish_again(&self.relay.store, account.as_str(), 1).await?;
        }
        self.progress.clear();
        let state = self.relay.bus.stream_state(PLOY_ORDERS.name).await?;
        // The stream as it is now is what the next check compares with.
        let _ = self.watch.check(&state);
        Ok(())
    }
}
