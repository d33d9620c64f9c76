//! The loop's hands: takes messages in, gives consecutive events to the consumer, fetches the rest.

use super::{
    LogConsumer, OrderLog, Poison, parking,
    track::{Arrival, Track, digest},
};
use crate::{BoxError, chain, metrics::name, trace};
use ploy_bus::{Message, Subscription};
use ploy_domain::{AccountId, OrderEvent};
use ploy_wire::{
    api::{Call, Head},
    facts, subjects,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Events given to the consumer at once.
const BATCH_MAX: usize = 64;
const REPLAY_PAGE: u32 = 500;
const REPLAY_DEADLINE: Duration = Duration::from_secs(2);

pub(super) struct Following<'a, C> {
    log: &'a OrderLog,
    consumer: &'a mut C,
    stop: CancellationToken,
    tracks: BTreeMap<AccountId, Track>,
    /// Consecutive events of one account that wait to be applied, with their digests.
    pending: Vec<(OrderEvent, u128)>,
}

impl<'a, C: LogConsumer> Following<'a, C> {
    pub(super) fn new(log: &'a OrderLog, consumer: &'a mut C, stop: CancellationToken) -> Self {
        let tracks = log.accounts.iter().map(|a| (*a, Track::default()));
        Self {
            tracks: tracks.collect(),
            log,
            consumer,
            stop,
            pending: Vec::new(),
        }
    }

    /// Takes a message and those that wait behind it.
    pub(super) async fn receive(&mut self, first: Message, rest: &mut Subscription) {
        self.take(&first).await;
        for _ in 1..BATCH_MAX {
            match rest.try_next() {
                Some(message) => self.take(&message).await,
                None => break,
            }
        }
        self.flush().await;
        self.tell().await;
    }

    /// Does what is overdue.
    pub(super) async fn look(&mut self) {
        for account in self.log.accounts.clone() {
            let Some(track) = self.tracks.get_mut(&account) else {
                continue;
            };
            if track.ask(Instant::now()) {
                self.ask(account).await;
            }
            let due = self
                .tracks
                .get(&account)
                .is_some_and(|t| t.is_due(Instant::now()));
            if due {
                self.heal(account, "head").await;
            }
        }
        self.tell().await;
    }

    async fn take(&mut self, message: &Message) {
        match message.subject.as_str().parse() {
            Ok(subjects::Subject::Orders { account }) if self.tracks.contains_key(&account) => {
                match facts::decode_order_event(&message.payload) {
                    Ok(event) => self.offer(event, digest(&message.payload)).await,
                    // The database has the event; the gap that it leaves here is healed by replay.
                    Err(error) => parking::park_unreadable(self.log, message, &error).await,
                }
            }
            Ok(subjects::Subject::OrdersHead { account }) if self.tracks.contains_key(&account) => {
                match facts::decode_head(&message.payload) {
                    Ok(head) => self.head(head).await,
                    Err(error) => tracing::warn!(%account, %error, "a heartbeat cannot be read"),
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    async fn offer(&mut self, event: OrderEvent, digest: u128) {
        let account = event.account;
        if !self.tracks.get(&account).is_some_and(Track::is_open) {
            return;
        }
        let Some(last) = self.last_taken(account).await else {
            return;
        };
        let Some(track) = self.tracks.get_mut(&account) else {
            return;
        };
        match track.arrival(last, event.seq, digest) {
            Arrival::Next => self.pending.push((event, digest)),
            Arrival::Duplicate => {
                metrics::counter!(name::DUPLICATES, "kind" => "order_event").increment(1);
            }
            Arrival::Forged => {
                track.suspend();
                parking::park_forged(self.log, &event).await;
            }
            Arrival::Gap => {
                self.flush().await;
                self.heal(account, "gap").await;
            }
        }
    }

    /// The sequence of the last event of `account` that was taken, applied or not.
    async fn last_taken(&mut self, account: AccountId) -> Option<u64> {
        match self.pending.last() {
            Some((event, _)) if event.account == account => return Some(event.seq),
            Some(_) => {
                self.flush().await;
            }
            None => {}
        }
        self.position(account).await
    }

    async fn position(&mut self, account: AccountId) -> Option<u64> {
        match self.consumer.position(account).await {
            Ok(position) => {
                if let Some(track) = self.tracks.get_mut(&account) {
                    track.at(position);
                }
                Some(position)
            }
            Err(error) => {
                self.failed(account, "the position is not known", &error);
                None
            }
        }
    }

    /// Applies what is pending. Says whether all of it was.
    async fn flush(&mut self) -> bool {
        let pending = std::mem::take(&mut self.pending);
        let Some((first, _)) = pending.first() else {
            return true;
        };
        let account = first.account;
        let span = tracing::info_span!("consume", consumer = %self.log.actor, seq = first.seq);
        trace::link_parent(&span, &first.trace);
        let digests: Vec<_> = pending.iter().map(|(e, digest)| (e.seq, *digest)).collect();
        let events = pending.into_iter().map(|(event, _)| event).collect();
        match self.consumer.apply(events).instrument(span).await {
            Ok(()) => {
                if let Some(track) = self.tracks.get_mut(&account) {
                    for (seq, digest) in digests {
                        track.applied(seq, digest);
                    }
                }
                true
            }
            Err(error) => {
                self.refused(account, &error).await;
                false
            }
        }
    }

    async fn refused(&mut self, account: AccountId, error: &BoxError) {
        let Some(poison) = error.downcast_ref::<Poison>() else {
            return self.failed(account, "events cannot be applied now", error);
        };
        if let Some(track) = self.tracks.get_mut(&account) {
            track.suspend();
        }
        let event = self.page(account, poison.seq).await.ok();
        let event = event.as_ref().and_then(|page| page.first());
        parking::park_poison(self.log, account, poison, event).await;
    }

    fn failed(&mut self, account: AccountId, what: &str, error: &BoxError) {
        tracing::warn!(%account, consumer = %self.log.actor, error = chain(error.as_ref()), "{what}");
        metrics::counter!(name::RETRIES, "target" => "order_log").increment(1);
        if let Some(track) = self.tracks.get_mut(&account) {
            track.failed(Instant::now());
        }
    }

    async fn head(&mut self, head: Head) {
        self.flush().await;
        let open = self.tracks.get(&head.account).is_some_and(Track::is_open);
        if open && self.position(head.account).await.is_some() {
            self.heard(&head);
        }
    }

    fn heard(&mut self, head: &Head) {
        if let Some(track) = self.tracks.get_mut(&head.account) {
            track.heard(head.seq, Instant::now());
        }
    }

    /// Asks the owner of a silent log for its head.
    async fn ask(&mut self, account: AccountId) {
        let call = Call::new(self.log.actor.clone(), REPLAY_DEADLINE);
        match self.log.execution.head(account, call).await {
            Ok(head) => {
                if self.position(account).await.is_some() {
                    self.heard(&head);
                }
            }
            Err(error) => {
                tracing::debug!(%account, %error, "the log's owner does not answer");
                if let Some(track) = self.tracks.get_mut(&account) {
                    track.unanswered();
                }
            }
        }
    }

    /// Fetches events from the position on until the owner has no more.
    async fn heal(&mut self, account: AccountId, cause: &'static str) {
        metrics::counter!(name::CONSUMER_GAPS, "consumer" => self.log.actor.to_string(), "cause" => cause)
            .increment(1);
        while !self.stop.is_cancelled() {
            let Some(position) = self.position(account).await else {
                return;
            };
            match self.page(account, position.saturating_add(1)).await {
                Ok(events) if events.is_empty() => {
                    if let Some(track) = self.tracks.get_mut(&account) {
                        track.healed();
                    }
                    return;
                }
                Ok(events) => {
                    let digested = events.into_iter().map(|event| {
                        let digest = digest(&facts::encode_order_event(&event));
                        (event, digest)
                    });
                    self.pending = digested.collect();
                    if !self.flush().await {
                        return;
                    }
                }
                Err(error) => return self.failed(account, "events cannot be fetched", &error),
            }
        }
    }

    /// One page of the log, checked to be what was asked for.
    async fn page(&self, account: AccountId, from: u64) -> Result<Vec<OrderEvent>, BoxError> {
        let call = Call::new(self.log.actor.clone(), REPLAY_DEADLINE);
        let replay = self
            .log
            .execution
            .replay(account, from, REPLAY_PAGE, call)
            .await;
        let events = replay?;
        let gapless = events
            .iter()
            .zip(from..)
            .all(|(event, seq)| event.seq == seq && event.account == account);
        if gapless {
            Ok(events)
        } else {
            Err(format!("the replay of {account} from {from} has holes").into())
        }
    }

    /// Tells the consumer where it stands, if that is new.
    async fn tell(&mut self) {
        let lag = self.tracks.values().map(Track::lag).max();
        #[expect(clippy::cast_precision_loss, reason = "a gauge of a count")]
        metrics::gauge!(name::CONSUMER_LAG_SEQ, "consumer" => self.log.actor.to_string())
            .set(lag.unwrap_or_default() as f64);
        let changes: Vec<_> = self
            .tracks
            .iter_mut()
            .filter_map(|(account, track)| Some((*account, track.changed()?)))
            .collect();
        for (account, standing) in changes {
            tracing::info!(%account, consumer = %self.log.actor, ?standing, "standing with the order log");
            self.consumer.standing(account, standing).await;
        }
    }
}
