//! The owner of the risk core while this process leads: market facts and the order log go in,
//! decisions come out; trading states are durable before they are answered.

use crate::{
    braking::Tightening,
    metrics,
    store::{Change, RiskStore},
};
use ploy_bus::{Bus, Subscription};
use ploy_chassis::{Clock, trace};
use ploy_domain::{
    AccountId, MarketEvent, OrderEvent, Reason, ReasonCode, RiskDecision, Scope, TraceContext,
    TradingState,
};
use ploy_risk_core::{CheckRequest as CoreRequest, Effect, Input, RiskCore};
use ploy_store::{LeaseState, lease::HeldLease};
use ploy_wire::{
    api::{Actor, ApiError, Call, CheckRequest, ExecutionApi, RiskState},
    facts,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many questions and facts may wait for the judge.
pub(crate) const INBOX_MAX: usize = 4_096;
/// After a start nothing is approved for this long: older approvals are used or dead by then
/// (RSK-4).
const SETTLING: Duration = Duration::from_secs(2);
/// How long a page of a replay may take.
pub(crate) const REPLAY_DEADLINE: Duration = Duration::from_secs(2);
/// A state that could not be recorded is tried again at this pace.
const RECORD_AGAIN: Duration = Duration::from_secs(1);
const REPLAY_PAGE: u32 = 1_000;

type Reply<T> = oneshot::Sender<Result<T, ApiError>>;

/// What can be asked of the judge, and what it is told.
#[derive(Debug)]
pub(crate) enum Message {
    Check {
        request: Box<CheckRequest>,
        trace: TraceContext,
        reply: Reply<RiskDecision>,
        /// Whether the log was already fetched for this check.
        is_caught_up: bool,
    },
    Tighten {
        scope: Scope,
        state: TradingState,
        kill: bool,
        reason: String,
        actor: String,
        trip_id: String,
        reply: Reply<RiskState>,
    },
    Reset {
        scope: Scope,
        reason: String,
        actor: String,
        reply: Reply<RiskState>,
    },
    State(Reply<RiskState>),
    /// Events of an account's log, in order.
    Log(Vec<OrderEvent>),
    /// How far the log of an account was applied.
    Position(AccountId, oneshot::Sender<u64>),
}

/// The owner of the core.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) core: RiskCore,
    pub(crate) store: RiskStore,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) execution: Arc<dyn ExecutionApi>,
    pub(crate) clock: Clock,
    pub(crate) lease: HeldLease,
    pub(crate) inbox: mpsc::Sender<Message>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) since: Instant,
    /// Ends with this leadership.
    pub(crate) leading: CancellationToken,
    /// Changes that are in force and not durable yet.
    pub(crate) unrecorded: BTreeMap<Scope, Change>,
    /// Cancel-alls under way.
    pub(crate) cancelling: BTreeMap<Scope, CancellationToken>,
}

impl Judge {
    /// Judges until the lease or the process ends.
    pub(crate) async fn judge(
        mut self,
        messages: &mut mpsc::Receiver<Message>,
        market: &mut Subscription,
        lease: &mut watch::Receiver<LeaseState>,
    ) {
        self.resume_kills();
        let stop = self.stop.clone();
        // Cancels that nobody took are the next leader's business.
        let _until_here = self.leading.clone().drop_guard();
        let mut again = tokio::time::interval(RECORD_AGAIN);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = lease.changed() => {
                    let epoch = lease.borrow().lease().map(|held| held.epoch);
                    if changed.is_err() || epoch != Some(self.lease.epoch) {
                        tracing::warn!("lease lost; another judges");
                        return;
                    }
                }
                message = messages.recv() => match message {
                    Some(message) => self.receive(message).await,
                    None => return,
                },
                fact = market.next() => match fact {
                    Some(fact) => self.market(&fact.payload),
                    None => return,
                },
                _ = again.tick(), if !self.unrecorded.is_empty() => {
                    // Whoever asked was told already.
                    let _ = self.record_all().await;
                }
            }
        }
    }

    fn market(&mut self, payload: &[u8]) {
        match facts::decode_market(payload) {
            Ok(event) => self.market_event(&event),
            Err(error) => tracing::warn!(%error, "a market fact cannot be read"),
        }
    }

    fn market_event(&mut self, event: &MarketEvent) {
        let mut effects = Vec::new();
        self.core
            .handle(Input::Market(event), self.clock.now(), &mut effects);
    }

    async fn receive(&mut self, message: Message) {
        match message {
            Message::Check {
                request,
                trace,
                reply,
                is_caught_up,
            } => {
                let behind = self.core.last_seq(&request.intent.account) < request.head_seq;
                if behind && !is_caught_up {
                    self.catch_up_then(request, trace, reply);
                } else {
                    drop(reply.send(Ok(self.check(&request, &trace))));
                }
            }
            Message::Tighten {
                scope,
                state,
                kill,
                reason,
                actor,
                trip_id,
                reply,
            } => {
                let wanted = Tightening {
                    scope,
                    state,
                    kill,
                    reason,
                    actor,
                    trip_id,
                };
                let answer = self.tighten(wanted).await;
                drop(reply.send(answer));
            }
            Message::Reset {
                scope,
                reason,
                actor,
                reply,
            } => {
                let answer = self.reset(scope, &reason, &actor).await;
                drop(reply.send(answer));
            }
            Message::State(reply) => drop(reply.send(Ok(self.state()))),
            Message::Log(events) => self.log(&events),
            Message::Position(account, reply) => {
                // Whoever asked may be gone; then nobody needs the answer.
                let _ = reply.send(self.core.last_seq(&account));
            }
        }
    }

    fn check(&mut self, request: &CheckRequest, parent: &TraceContext) -> RiskDecision {
        let order_id = request.intent.order_id;
        let span = tracing::info_span!("risk.decide", service.component = "risk", %order_id);
        trace::link_parent(&span, parent);
        let _entered = span.entered();
        if self.since.elapsed() < SETTLING {
            let reason = Reason::new(ReasonCode::RiskUnavailable, "cause=start");
            return denied(reason);
        }
        let began = Instant::now();
        let core_request = CoreRequest {
            intent: request.intent.clone(),
            head_seq: request.head_seq,
            epoch: request.epoch,
        };
        let mut effects = Vec::with_capacity(1);
        self.core
            .handle(Input::Check(&core_request), self.clock.now(), &mut effects);
        let decision = effects.into_iter().find_map(|effect| match effect {
            Effect::Decided(decision) => Some(decision),
            _ => None,
        });
        let took = began.elapsed();
        let mut decision =
            decision.unwrap_or_else(|| denied(Reason::bare(ReasonCode::RiskUnavailable)));
        decision.took = ploy_domain::Nanos::new(i64::try_from(took.as_nanos()).unwrap_or(i64::MAX));
        metrics::decided(&decision, took);
        if let Err(reasons) = &decision.verdict {
            let reason = reasons.first().map(ToString::to_string);
            tracing::info!(%order_id, reason, "order denied");
        }
        decision
    }

    /// Fetches what is missing of the log and judges then (RSK-1).
    fn catch_up_then(
        &self,
        request: Box<CheckRequest>,
        trace: TraceContext,
        reply: Reply<RiskDecision>,
    ) {
        let account = request.intent.account;
        let missing = Missing {
            account,
            from_seq: self.core.last_seq(&account) + 1,
            up_to: Some(request.head_seq),
        };
        let (inbox, execution) = (self.inbox.clone(), Arc::clone(&self.execution));
        self.tasks.spawn(async move {
            fetch(&*execution, missing, &inbox).await;
            let check = Message::Check {
                request,
                trace,
                reply,
                is_caught_up: true,
            };
            drop(inbox.send(check).await);
        });
    }

    fn log(&mut self, events: &[OrderEvent]) {
        let now = self.clock.now();
        let mut effects = Vec::new();
        for event in events {
            self.core.handle(Input::Log(event), now, &mut effects);
        }
        for effect in effects {
            match effect {
                Effect::Duplicate => metrics::duplicate(),
                Effect::Replay { account, from_seq } => {
                    metrics::gap();
                    let (inbox, execution) = (self.inbox.clone(), Arc::clone(&self.execution));
                    let missing = Missing {
                        account,
                        from_seq,
                        up_to: None,
                    };
                    self.tasks.spawn(async move {
                        fetch(&*execution, missing, &inbox).await;
                    });
                    return;
                }
                Effect::LogBroken { account, error } => {
                    metrics::log_broken();
                    tracing::error!(%account, %error, "the order log contradicts itself");
                }
                Effect::Decided(_)
                | Effect::StatesChanged
                | Effect::Reset(_)
                | Effect::CancelAll(_) => {}
            }
        }
    }
}

/// A part of an account's log that was not heard.
#[derive(Debug, Clone, Copy)]
struct Missing {
    account: AccountId,
    from_seq: u64,
    /// The last event that is needed; all there are when nobody says.
    up_to: Option<u64>,
}

/// Brings what is missing of a log into the inbox.
async fn fetch(execution: &dyn ExecutionApi, missing: Missing, inbox: &mpsc::Sender<Message>) {
    let Missing {
        account,
        mut from_seq,
        up_to,
    } = missing;
    while up_to.is_none_or(|last| from_seq <= last) {
        let call = Call::new(Actor::RISK, REPLAY_DEADLINE);
        match execution.replay(account, from_seq, REPLAY_PAGE, call).await {
            Ok(events) => {
                let Some(last) = events.last() else { return };
                // A page may be shorter than asked for: only an empty one is the end.
                from_seq = last.seq + 1;
                if inbox.send(Message::Log(events)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%account, from_seq, %error, "the log cannot be replayed");
                return;
            }
        }
    }
}

fn denied(reason: Reason) -> RiskDecision {
    RiskDecision {
        verdict: Err(vec![reason]),
        reference_price: None,
        reference_age: None,
        took: ploy_domain::Nanos::ZERO,
    }
}
