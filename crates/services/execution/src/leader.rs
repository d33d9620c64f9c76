//! The owner of an account while it leads: takes what waits, lets the core decide, commits, and
//! only then acts and answers. Everything that waits at the same time shares one commit.

use crate::{
    account::{Desk, Journal, Message},
    asks::Asks,
    effects::Hands,
    metrics,
    rows::Commit,
    views,
};
use ploy_chassis::chain;
use ploy_domain::{ClientOrderId, OrderEvent, Timestamp};
use ploy_orders_core::{Effect, Input, OrderCore, Output};
use ploy_store::{LeaseState, lease::HeldLease};
use ploy_wire::api::{AccountView, ApiError, OrderView, PositionView};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How many messages share a commit.
const BATCH_MAX: usize = 128;
/// How long requests under way may take when the process stops (ORD-26).
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// How often the venue's books are read while nothing is wrong.
const READ_EVERY: Duration = Duration::from_secs(30);

/// Why an account is led no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The process stops; everything under way is settled or left for the successor.
    Stopped,
    /// Somebody else leads.
    LeaseLost,
    /// A commit failed or the core refused: memory may be ahead of disk and is thrown away.
    Rebuild,
}

type OrderReply = oneshot::Sender<Result<OrderView, ApiError>>;

/// The owner of an account.
#[derive(Debug)]
pub(crate) struct Leader {
    desk: Desk,
    core: OrderCore,
    waiting: BTreeMap<ClientOrderId, Vec<OrderReply>>,
    cancel_all: Vec<oneshot::Sender<Result<u32, ApiError>>>,
    hands: Hands,
    asks: Asks,
    first: Option<Output>,
    draining: bool,
}

impl Leader {
    pub(crate) fn new(desk: Desk, core: OrderCore, first: Output) -> Self {
        Self {
            hands: Hands::new(desk.clone()),
            asks: Asks::new(&desk, core.epoch()),
            desk,
            core,
            waiting: BTreeMap::new(),
            cancel_all: Vec::new(),
            first: Some(first),
            draining: false,
        }
    }

    /// Leads until something ends it. Whoever still waits then is told to ask again with the same
    /// key.
    pub(crate) async fn lead(
        mut self,
        inbox: &mut mpsc::Receiver<Message>,
        lease: &mut watch::Receiver<LeaseState>,
        stop: &CancellationToken,
    ) -> Ended {
        let streaming = self.hands.follow_private_stream();
        let ended = self.turns(inbox, lease, stop).await;
        streaming.cancel();
        self.hands.let_go();
        for reply in self.waiting.into_values().flatten() {
            drop(reply.send(Err(ApiError::unavailable("the account changes its leader"))));
        }
        ended
    }

    async fn turns(
        &mut self,
        inbox: &mut mpsc::Receiver<Message>,
        lease: &mut watch::Receiver<LeaseState>,
        stop: &CancellationToken,
    ) -> Ended {
        if let Some(output) = self.first.take()
            && let Err(ended) = self.settle(output, lease).await
        {
            return ended;
        }
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut deadline: Option<tokio::time::Instant> = None;
        let first = tokio::time::Instant::now() + READ_EVERY;
        let mut readings = tokio::time::interval_at(first, READ_EVERY);
        readings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // A task ends after its result is in the inbox: an empty one was read to the end.
            if self.is_settled() && inbox.is_empty() {
                return Ended::Stopped;
            }
            tokio::select! {
                biased;
                changed = lease.changed() => {
                    let is_ours = lease.borrow().lease().map(|held| held.epoch.unsigned_abs());
                    if changed.is_err() || is_ours != Some(self.core.epoch()) {
                        return Ended::LeaseLost;
                    }
                }
                () = stop.cancelled(), if !self.draining => {
                    self.draining = true;
                    deadline = Some(tokio::time::Instant::now() + SETTLE_MAX);
                }
                () = sleep_until(deadline) => return Ended::Stopped,
                () = self.hands.settled(), if self.draining && !self.hands.is_idle() => {}
                answer = self.asks.next(), if !self.asks.is_empty() => {
                    batch.extend(answer.map(happened));
                    self.gather(&mut batch, inbox);
                    if let Err(ended) = self.turn(&mut batch, lease).await {
                        return ended;
                    }
                }
                count = inbox.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        return Ended::Stopped;
                    }
                    self.gather(&mut batch, inbox);
                    if let Err(ended) = self.turn(&mut batch, lease).await {
                        return ended;
                    }
                }
                () = self.hands.wake_at(self.core.next_wake()) => {
                    batch.push(happened(Input::Woken));
                    if let Err(ended) = self.turn(&mut batch, lease).await {
                        return ended;
                    }
                }
                _ = readings.tick() => self.hands.act(Effect::Reconcile, None, Instant::now()),
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.draining && self.hands.is_idle() && self.asks.is_empty()
    }

    /// What else waits shares the commit.
    fn gather(&mut self, batch: &mut Vec<Message>, inbox: &mut mpsc::Receiver<Message>) {
        while batch.len() < BATCH_MAX
            && let Some(answer) = self.asks.ready()
        {
            batch.push(happened(answer));
        }
        while batch.len() < BATCH_MAX
            && let Ok(message) = inbox.try_recv()
        {
            batch.push(message);
        }
    }

    async fn turn(
        &mut self,
        batch: &mut Vec<Message>,
        lease: &watch::Receiver<LeaseState>,
    ) -> Result<(), Ended> {
        let now = self.desk.clock.now();
        let mut output = Output::default();
        for message in batch.drain(..) {
            if let Some(input) = self.receive(message) {
                self.decide(input, now, &mut output)?;
            }
        }
        self.settle(output, lease).await
    }

    fn decide(&mut self, input: Input, now: Timestamp, out: &mut Output) -> Result<(), Ended> {
        self.core.handle(input, now, out).map_err(|error| {
            let account = self.desk.setup.account;
            tracing::error!(%account, error = %chain(&error), "the core refused an input");
            metrics::core_refused();
            Ended::Rebuild
        })
    }

    /// Answers what needs no decision and turns the rest into inputs of the core.
    fn receive(&mut self, message: Message) -> Option<Input> {
        match message {
            Message::Submit { reply, .. } if self.draining => {
                drop(reply.send(Err(ApiError::unavailable("execution is shutting down"))));
                None
            }
            Message::Submit {
                intent,
                trace,
                reply,
            } => {
                self.waiting.entry(intent.order_id).or_default().push(reply);
                Some(Input::Submit { intent, trace })
            }
            Message::Cancel {
                order_id,
                reason,
                reply,
            } => {
                if !self.knows(&order_id) {
                    let unknown = ApiError::not_found(format!("order {order_id} is not open"));
                    drop(reply.send(Err(unknown)));
                    return None;
                }
                self.waiting.entry(order_id).or_default().push(reply);
                Some(Input::Cancel { order_id, reason })
            }
            Message::CancelAll {
                scope,
                reason,
                reply,
            } => {
                self.cancel_all.push(reply);
                Some(Input::CancelAll { scope, reason })
            }
            Message::Order { order_id, reply } => {
                let view = self.core.book().order(&order_id).map(views::order);
                drop(reply.send(view));
                None
            }
            Message::Positions(reply) => {
                self.tell_positions(reply);
                None
            }
            Message::Account(reply) => {
                self.tell_account(reply);
                None
            }
            Message::Happened(input) => Some(*input),
            seen @ (Message::StreamUp { .. }
            | Message::StreamLost { .. }
            | Message::Read { .. }) => self.saw(seen),
        }
    }

    /// Something of the venue's books. What an earlier leadership saw is old: only the books as they
    /// are now count (REC-1).
    fn saw(&mut self, seen: Message) -> Option<Input> {
        let own = self.hands.leadership();
        match seen {
            Message::StreamUp { of } if of == own => {
                self.hands.stream_up();
                None
            }
            Message::StreamLost { of, reason } if of == own => Some(Input::StreamLost(reason)),
            Message::Read { of, reading } if of == own => {
                self.hands.account_read(reading).map(Input::Reconciled)
            }
            _ => None,
        }
    }

    fn knows(&self, order_id: &ClientOrderId) -> bool {
        self.core.book().order(order_id).is_some() || self.core.is_awaiting_risk(order_id)
    }

    fn tell_account(&self, reply: oneshot::Sender<AccountView>) {
        let venue = self.desk.setup.broker.declaration().venue;
        drop(reply.send(views::account(&self.core, venue)));
    }

    fn tell_positions(&self, reply: oneshot::Sender<Result<Vec<PositionView>, ApiError>>) {
        let positions = views::positions(&self.core, &self.desk.marks);
        drop(reply.send(positions.map_err(|error| ApiError::internal(error.to_string()))));
    }

    /// Commits what was decided, then acts and answers.
    async fn settle(
        &mut self,
        output: Output,
        lease: &watch::Receiver<LeaseState>,
    ) -> Result<(), Ended> {
        let began = Instant::now();
        self.commit(&output.events, began).await?;
        let lease = lease.borrow().lease().cloned();
        for effect in output.effects {
            self.act(effect, lease.as_ref(), began);
        }
        // Orders first: the readers of the log are told when nothing waits to leave.
        if !output.events.is_empty() {
            metrics::events(&output.events, self.core.book());
            self.desk.committed.notify_one();
        }
        Ok(())
    }

    async fn commit(&mut self, events: &[OrderEvent], began: Instant) -> Result<(), Ended> {
        let account = self.desk.setup.account;
        match &self.desk.journal {
            Journal::Volatile(log) => log.append(account, events),
            Journal::Durable(store) => {
                let shard = Desk::shard(&account);
                let Some(commit) = Commit::of(events, self.core.book(), &shard) else {
                    return Ok(());
                };
                if let Err(error) = store.commit(commit).await {
                    tracing::error!(%account, error = %chain(&error), "commit failed");
                    metrics::commit_failed(&error);
                    return Err(Ended::Rebuild);
                }
                metrics::committed(began.elapsed());
            }
        }
        Ok(())
    }

    fn act(&mut self, effect: Effect, lease: Option<&HeldLease>, began: Instant) {
        match effect {
            Effect::Answer(order_id) => {
                let replies = self.waiting.remove(&order_id).unwrap_or_default();
                let view = self.core.book().order(&order_id).map(views::order);
                let answer =
                    view.ok_or_else(|| ApiError::not_found(format!("order {order_id} is unknown")));
                for reply in replies {
                    drop(reply.send(answer.clone()));
                }
            }
            Effect::Mismatch(order_id) => {
                let newest = self.waiting.get_mut(&order_id).and_then(Vec::pop);
                let message = format!("order {order_id} exists with other content");
                if let Some(reply) = newest {
                    drop(reply.send(Err(ApiError::idempotency_mismatch(message))));
                }
            }
            Effect::CancelsRequested(count) => {
                for reply in self.cancel_all.drain(..) {
                    drop(reply.send(Ok(count)));
                }
            }
            Effect::AskRisk {
                intent,
                head_seq,
                trace,
            } => self.asks.ask(*intent, head_seq, trace),
            other => self.hands.act(other, lease, began),
        }
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn happened(input: Input) -> Message {
    Message::Happened(Box::new(input))
}
