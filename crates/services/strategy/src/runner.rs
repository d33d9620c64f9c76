//! One instance from lease to lease: rebuilt from the order log, fed with the market, its decisions
//! made durable and handed to execution.

use crate::{
    app::InstanceSetup,
    store::Decisions,
    submit::{self, HandedOver},
};
use async_trait::async_trait;
use ploy_bus::{Bus, Pattern, Subscription};
use ploy_chassis::{
    BoxError, Clock, chain,
    metrics::name,
    order_log::{LogConsumer, OrderLog},
    scope, spawn_begun, trace,
};
use ploy_domain::{
    AccountId, ClientOrderId, Intent, MarketEvent, OrderEvent, OrderEventPayload, Timestamp,
    TraceContext,
};
use ploy_store::{LeaseState, lease::HeldLease};
use ploy_strategy_core::{Effect, Input, Instance, Snapshot};
use ploy_wire::{
    api::{Actor, Call, CancelOrder, ExecutionApi, StrategyState, StrategyView},
    facts, subjects,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

/// How many market facts may wait; an instance never works through a backlog of old ticks.
const MARKET_MAX: usize = 1_024;
const INBOX_MAX: usize = 1_024;
/// How often bars that are over are closed without a trade.
const TIME_EVERY: Duration = Duration::from_millis(250);
/// The pause before an instance that failed is rebuilt.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const SUBMIT_DEADLINE: Duration = Duration::from_secs(2);

/// What an instance is told besides market facts.
#[derive(Debug)]
enum Message {
    Position(oneshot::Sender<u64>),
    Log(Vec<OrderEvent>),
    NotSubmitted(ClientOrderId),
}

/// One instance and what it works with.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) setup: InstanceSetup,
    pub(crate) decisions: Decisions,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) execution: Arc<dyn ExecutionApi>,
    pub(crate) clock: Clock,
    pub(crate) view: watch::Sender<StrategyView>,
}

/// An instance while it is led here.
struct Running<'a> {
    runner: &'a Runner,
    instance: Instance,
    lease: HeldLease,
    inbox: mpsc::Sender<Message>,
    tasks: TaskTracker,
    effects: Vec<Effect>,
}

impl Runner {
    /// The name of the instance's lease.
    pub(crate) fn shard(setup: &InstanceSetup) -> String {
        format!("strategy/{}", setup.config.id)
    }

    pub(crate) async fn run(
        self,
        mut lease: watch::Receiver<LeaseState>,
        stop: CancellationToken,
    ) -> Result<(), BoxError> {
        let strategy = self.setup.config.id;
        loop {
            let held = match stop.run_until_cancelled(leadership(&mut lease)).await {
                Some(Some(held)) => held,
                Some(None) | None => return Ok(()),
            };
            tracing::info!(%strategy, epoch = held.epoch, "runs the instance");
            let ended = self.lead(held, &mut lease, &stop).await;
            self.view
                .send_modify(|view| view.state = StrategyState::Suspended);
            if stop.is_cancelled() {
                return Ok(());
            }
            match ended {
                Ok(()) => tracing::warn!(%strategy, "lease lost; another runs the instance"),
                // Memory may be ahead of the database: the instance is rebuilt from the log.
                Err(error) => {
                    tracing::error!(%strategy, error = %chain(&*error), "the instance starts over");
                    metrics::counter!(name::STRATEGY_RESTARTS).increment(1);
                    let pause = tokio::time::sleep(RESTART_PAUSE);
                    if stop.run_until_cancelled(pause).await.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn lead(
        &self,
        held: HeldLease,
        lease: &mut watch::Receiver<LeaseState>,
        stop: &CancellationToken,
    ) -> Result<(), BoxError> {
        let config = self.setup.config.clone();
        let instrument = config.instrument.id;
        let decision_sequence = self.decisions.last(&config.id).await?;
        let strategy = ploy_strategies::build(&self.setup.kind, &self.setup.params)?;
        let snapshot = Snapshot {
            decision_sequence,
            ..Snapshot::default()
        };
        let (inbox, mut messages) = mpsc::channel(INBOX_MAX);
        let mut running = Running {
            runner: self,
            instance: Instance::restore(config, strategy, snapshot),
            lease: held,
            inbox: inbox.clone(),
            tasks: TaskTracker::new(),
            effects: Vec::new(),
        };
        let mut market = self
            .market(&subjects::all_of_instrument(&instrument))
            .await?;
        let mut status = self.market(&status_subject(&instrument)).await?;
        let following = stop.child_token();
        let follower = tokio::spawn(scope::within(
            "strategy",
            follow(self.log(), Follower { inbox }, following.clone()),
        ));
        let ended = running
            .turns(lease, stop, &mut messages, (&mut market, &mut status))
            .await;
        following.cancel();
        running.tasks.close();
        running.tasks.wait().await;
        follower.await??;
        ended
    }

    fn log(&self) -> OrderLog {
        OrderLog {
            bus: Arc::clone(&self.bus),
            execution: Arc::clone(&self.execution),
            accounts: vec![self.setup.config.account],
            actor: Actor::STRATEGY,
        }
    }

    async fn market(&self, pattern: &str) -> Result<Subscription, BoxError> {
        Ok(self
            .bus
            .subscribe(Pattern::new(pattern)?, MARKET_MAX)
            .await?)
    }
}

fn status_subject(instrument: &ploy_domain::InstrumentId) -> String {
    subjects::Subject::FeedStatus {
        venue: *instrument.venue(),
    }
    .to_string()
}

impl Running<'_> {
    async fn turns(
        &mut self,
        lease: &mut watch::Receiver<LeaseState>,
        stop: &CancellationToken,
        messages: &mut mpsc::Receiver<Message>,
        (market, status): (&mut Subscription, &mut Subscription),
    ) -> Result<(), BoxError> {
        let mut time = tokio::time::interval(TIME_EVERY);
        time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                changed = lease.changed() => {
                    let epoch = lease.borrow().lease().map(|held| held.epoch);
                    if changed.is_err() || epoch != Some(self.lease.epoch) {
                        return Ok(());
                    }
                }
                message = messages.recv() => match message {
                    Some(message) => self.receive(message).await?,
                    None => return Ok(()),
                },
                fact = market.next() => match fact {
                    Some(fact) => self.market(&fact.payload).await?,
                    None => return Ok(()),
                },
                fact = status.next() => match fact {
                    Some(fact) => self.market(&fact.payload).await?,
                    None => return Ok(()),
                },
                _ = time.tick() => {
                    let now = self.runner.clock.now();
                    self.handle(Input::Time, now, now).await?;
                    self.show();
                }
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), BoxError> {
        match message {
            Message::Position(reply) => {
                // Whoever asked may be gone; then nobody needs the answer.
                let _ = reply.send(self.instance.account_seq());
            }
            Message::Log(events) => {
                for event in &events {
                    self.order_event(event).await?;
                }
            }
            Message::NotSubmitted(order_id) => {
                let now = self.runner.clock.now();
                self.handle(Input::NotSubmitted(order_id), now, now).await?;
            }
        }
        Ok(())
    }

    /// A fill ends the trace that its tick began.
    async fn order_event(&mut self, event: &OrderEvent) -> Result<(), BoxError> {
        let id = self.runner.setup.config.id;
        if let OrderEventPayload::Filled(fill) = &event.payload
            && fill.strategy == id
        {
            let span = tracing::info_span!(
                "strategy.fill",
                strategy = %id,
                order_id = %fill.order_id,
                price = %fill.price,
                quantity = %fill.quantity
            );
            trace::link_parent(&span, &event.trace);
            span.in_scope(|| tracing::debug!("filled"));
        }
        let now = self.runner.clock.now();
        self.handle(Input::Order(event), now, event.ts_write).await
    }

    async fn market(&mut self, payload: &[u8]) -> Result<(), BoxError> {
        let event = match facts::decode_market(payload) {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "a market fact cannot be read");
                return Ok(());
            }
        };
        let now = self.runner.clock.now();
        match &event {
            MarketEvent::Trade(trade) => {
                self.handle(Input::Trade(trade), now, trade.ts_receive)
                    .await
            }
            MarketEvent::Quote(quote) => {
                self.handle(Input::Quote(quote), now, quote.ts_receive)
                    .await
            }
            MarketEvent::Status(status) => {
                self.handle(Input::Feed(status), now, status.ts_event).await
            }
            // The instance builds its own bars from trades: the same live and in a backtest.
            MarketEvent::Bar(_) | MarketEvent::Book(_) => Ok(()),
        }
    }

    /// `received` is when what led to this input reached the platform: a decision's trace begins
    /// there.
    async fn handle(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
        received: Timestamp,
    ) -> Result<(), BoxError> {
        let mut effects = std::mem::take(&mut self.effects);
        self.instance.handle(input, now, &mut effects)?;
        if !effects.is_empty() {
            self.act(&mut effects, now, received).await?;
        }
        effects.clear();
        self.effects = effects;
        Ok(())
    }

    async fn act(
        &mut self,
        effects: &mut Vec<Effect>,
        now: Timestamp,
        received: Timestamp,
    ) -> Result<(), BoxError> {
        let strategy = self.runner.setup.config.id;
        let tick = trace::past("tick", (received, now), &TraceContext::NONE, &[]);
        for effect in effects.drain(..) {
            match effect {
                Effect::PersistSequence(sequence) => {
                    let fence = (self.lease.claim.shard.clone(), self.lease.epoch);
                    self.runner
                        .decisions
                        .record(strategy, sequence, fence, now)
                        .await?;
                    self.decided(sequence, now);
                }
                Effect::Submit(intent) => {
                    let took = self.runner.clock.now() - received;
                    let took = Duration::from_nanos(took.get().max(0).unsigned_abs());
                    metrics::histogram!(name::DECISION_LATENCY_SECONDS).record(took.as_secs_f64());
                    self.submit(*intent, &tick);
                }
                Effect::Cancel(order_id) => self.cancel(order_id),
                Effect::Withheld { blocked, .. } => {
                    let reason = blocked.word();
                    metrics::counter!(name::STRATEGY_WITHHELD, "reason" => reason).increment(1);
                    tracing::debug!(%strategy, reason, "an order is withheld");
                }
                Effect::TooManyActions { dropped } => {
                    tracing::error!(%strategy, dropped, "the strategy wants too much at once");
                }
            }
        }
        Ok(())
    }

    fn submit(&self, intent: Intent, tick: &TraceContext) {
        let (execution, clock) = (
            Arc::clone(&self.runner.execution),
            self.runner.clock.clone(),
        );
        let (inbox, strategy) = (self.inbox.clone(), self.runner.setup.config.id);
        let order_id = intent.order_id;
        let span = tracing::info_span!(
            "strategy.submit",
            %strategy,
            %order_id,
            side = %intent.side,
            quantity = %intent.quantity
        );
        trace::link_parent(&span, tick);
        let call = Call::new(Actor::STRATEGY, SUBMIT_DEADLINE).traced(trace::of(&span));
        metrics::counter!(name::STRATEGY_DECISIONS).increment(1);
        let work = async move {
            match submit::submit(&*execution, intent, call, &clock).await {
                HandedOver::Taken(view) => {
                    tracing::info!(%strategy, %order_id, state = %view.state, "order handed over");
                }
                HandedOver::NotTaken(error) => {
                    tracing::warn!(%strategy, %order_id, %error, "order not taken");
                    drop(inbox.send(Message::NotSubmitted(order_id)).await);
                }
                HandedOver::Unclear(error) => {
                    tracing::warn!(%strategy, %order_id, %error, "nobody says whether it was taken");
                }
            }
        };
        let work = scope::within("strategy", work.instrument(span));
        spawn_begun(&self.tasks, work);
    }

    fn cancel(&self, order_id: ClientOrderId) {
        let execution = Arc::clone(&self.runner.execution);
        let account = self.runner.setup.config.account;
        let reason = self.runner.setup.config.id.to_string();
        self.tasks.spawn(async move {
            let command = CancelOrder {
                account,
                order_id,
                reason,
            };
            if let Err(error) = submit::cancel(&*execution, command).await {
                tracing::warn!(%order_id, %error, "cancel not taken");
            }
        });
    }

    fn decided(&self, sequence: u64, now: Timestamp) {
        self.runner.view.send_modify(|view| {
            view.decisions = sequence;
            view.last_decision_at = Some(now);
        });
    }

    fn show(&self) {
        let (state, detail) = match (self.instance.is_warm(), self.instance.blocked()) {
            (false, _) => {
                let left = self.instance.warm_up_left();
                (StrategyState::WarmingUp, format!("{left} bars to go"))
            }
            (true, Some(blocked)) => (StrategyState::Suspended, blocked.word().to_owned()),
            (true, None) => (StrategyState::Running, String::new()),
        };
        self.runner.view.send_if_modified(|view| {
            let changed = view.state != state || view.detail != detail;
            (view.state, view.detail) = (state, detail);
            changed
        });
    }
}

/// The way from the log to the instance's inbox.
struct Follower {
    inbox: mpsc::Sender<Message>,
}

async fn follow(
    log: OrderLog,
    mut follower: Follower,
    stop: CancellationToken,
) -> Result<(), BoxError> {
    match log.follow(&mut follower, stop.clone()).await {
        // The instance has ended and hears nothing any more.
        Err(_) if follower.inbox.is_closed() || stop.is_cancelled() => Ok(()),
        Err(error) => {
            tracing::error!(error = %chain(&*error), "the order log cannot be followed");
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

#[async_trait]
impl LogConsumer for Follower {
    async fn position(&mut self, _account: AccountId) -> Result<u64, BoxError> {
        let (reply, answer) = oneshot::channel();
        self.inbox
            .send(Message::Position(reply))
            .await
            .map_err(|_| "the instance ended")?;
        Ok(answer.await?)
    }

    async fn apply(&mut self, events: Vec<OrderEvent>) -> Result<(), BoxError> {
        self.inbox
            .send(Message::Log(events))
            .await
            .map_err(|_| "the instance ended")?;
        Ok(())
    }
}

async fn leadership(lease: &mut watch::Receiver<LeaseState>) -> Option<HeldLease> {
    loop {
        if let Some(held) = lease.borrow_and_update().lease().cloned() {
            return Some(held);
        }
        lease.changed().await.ok()?;
    }
}
