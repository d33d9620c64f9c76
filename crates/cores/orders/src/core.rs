//! The closed set of inputs of an account, and the state that every input works on.

use crate::{
    book::{AccountBook, BookError},
    doubt::Doubts,
    guard::{EgressGuard, EgressHistory},
    reconcile::VenueSnapshot,
    venue::{CancelOutcome, QueryOutcome, Report, SendOutcome},
};
use ploy_domain::{
    AccountId, Cause, ClientOrderId, EventId, InstrumentId, Intent, Nanos, OrderEvent,
    OrderEventPayload, OrderState, Reason, ReasonCode, RiskDecision, Scope, Source, StrategyId,
    Timestamp, TraceContext, VenueOrderId,
};
use std::collections::BTreeMap;

/// Everything that can happen to an account.
#[derive(Debug, Clone)]
pub enum Input {
    /// Somebody wants to trade.
    Submit {
        /// The order.
        intent: Box<Intent>,
        /// The trace of the decision.
        trace: TraceContext,
    },
    /// Risk answered; an unanswered question is a denial with `RISK_UNAVAILABLE`.
    RiskAnswered {
        /// Which order.
        order_id: ClientOrderId,
        /// What risk said.
        decision: RiskDecision,
    },
    /// The venue answered an order, or did not.
    Sent {
        /// Which order.
        order_id: ClientOrderId,
        /// What became of it.
        outcome: SendOutcome,
    },
    /// Somebody wants an order cancelled.
    Cancel {
        /// Which order.
        order_id: ClientOrderId,
        /// By whom or what.
        reason: Reason,
    },
    /// Everything open in the scope is to be cancelled.
    CancelAll {
        /// Which orders.
        scope: Scope,
        /// By whom or what.
        reason: Reason,
    },
    /// The venue answered a cancel, or did not.
    CancelSent {
        /// Which order.
        order_id: ClientOrderId,
        /// What became of it.
        outcome: CancelOutcome,
    },
    /// The venue answered a question about an order, or did not.
    Queried {
        /// Which order.
        order_id: ClientOrderId,
        /// What it said.
        outcome: QueryOutcome,
    },
    /// The private stream spoke.
    Reported(Report),
    /// The private stream is gone; fills may be missed.
    StreamLost(Reason),
    /// Open orders, fills and balances were read, complete.
    Reconciled(VenueSnapshot),
    /// The time of [`OrderCore::next_wake`] has come.
    Woken,
}

/// What the shell must do after the events were committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask risk, naming the head of the log and the fencing epoch.
    AskRisk {
        /// The order.
        intent: Box<Intent>,
        /// The account's last event.
        head_seq: u64,
        /// The trace of the decision.
        trace: TraceContext,
    },
    /// Send the order, once, if lease and time still allow it.
    Send {
        /// The order.
        intent: Box<Intent>,
        /// When its journal record was made.
        journaled_at: Timestamp,
        /// The trace of the decision.
        trace: TraceContext,
    },
    /// Send a cancel.
    SendCancel {
        /// Which order.
        order_id: ClientOrderId,
        /// What it trades.
        instrument: InstrumentId,
        /// The venue's id, once known.
        venue_order_id: Option<VenueOrderId>,
    },
    /// Ask the venue about an order: by id, in the open orders and in the trades.
    Query {
        /// Which order.
        order_id: ClientOrderId,
        /// What it trades.
        instrument: InstrumentId,
        /// The venue's id, once known.
        venue_order_id: Option<VenueOrderId>,
    },
    /// Answer everybody who waits for this order.
    Answer(ClientOrderId),
    /// The request repeats an order id with other content; nothing was done.
    Mismatch(ClientOrderId),
    /// How many cancels a cancel-all asked for.
    CancelsRequested(u32),
    /// Read open orders, fills and balances, complete, and come back with them.
    Reconcile,
    /// Tell people.
    Alert(Alert),
}

/// Something a person should know, with the order it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// A stable word: `late_fill`, `overfill`, `fill_contradiction`, `absent`, `adopted` …
    pub kind: &'static str,
    /// The order, if it is about one.
    pub order_id: Option<ClientOrderId>,
    /// The numbers.
    pub detail: String,
}

/// What one input led to.
#[derive(Debug, Default)]
pub struct Output {
    /// To be committed, in this order, before any effect.
    pub events: Vec<OrderEvent>,
    /// To be done after the commit, in this order.
    pub effects: Vec<Effect>,
}

/// One pass through the core: when it happens, on whose word, and where its results go.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) now: Timestamp,
    pub(crate) source: Source,
    pub(crate) out: &'a mut Output,
}

impl Input {
    /// On whose word the input stands.
    const fn source(&self) -> Source {
        match self {
            Self::Submit { .. }
            | Self::RiskAnswered { .. }
            | Self::Cancel { .. }
            | Self::CancelAll { .. }
            | Self::StreamLost(_)
            | Self::Woken => Source::Platform,
            Self::Sent { .. } | Self::CancelSent { .. } => Source::Rest,
            Self::Reported(_) => Source::Stream,
            Self::Queried { .. } | Self::Reconciled(_) => Source::Reconcile,
        }
    }
}

/// What does not change while the core lives.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The fencing epoch of this leader.
    pub epoch: u64,
    /// The two characters that mark our order ids.
    pub prefix: [u8; 2],
    /// How long an absent order must stay absent before it counts as rejected (ORD-16).
    pub quarantine: Nanos,
    /// The last guard before the journal.
    pub guard: EgressGuard,
}

/// One account under one leader.
#[derive(Debug)]
pub struct OrderCore {
    pub(crate) settings: Settings,
    pub(crate) book: AccountBook,
    pub(crate) awaiting_risk: BTreeMap<ClientOrderId, (Intent, TraceContext)>,
    pub(crate) cancel_wanted: BTreeMap<ClientOrderId, Reason>,
    pub(crate) doubts: Doubts,
    pub(crate) egress: EgressHistory,
    pub(crate) highest_risk_epoch: u64,
    pub(crate) mismatch: Option<Reason>,
    ready: bool,
    not_ready_reason: Reason,
}

impl OrderCore {
    /// Takes over an account whose books were rebuilt from its log: nothing is accepted until it
    /// is reconciled, and every journaled order without an answer is unknown (REC-1, ORD-26).
    ///
    /// # Errors
    /// [`BookError`] when the books refuse an event that a restart must write.
    pub fn take_over(
        settings: Settings,
        book: AccountBook,
        now: Timestamp,
    ) -> Result<(Self, Output), BookError> {
        let reason = Reason::new(ReasonCode::AccountNotReconciled, "cause=start");
        let mut core = Self {
            settings,
            book,
            awaiting_risk: BTreeMap::new(),
            cancel_wanted: BTreeMap::new(),
            doubts: Doubts::default(),
            egress: EgressHistory::default(),
            highest_risk_epoch: 0,
            mismatch: None,
            ready: false,
            not_ready_reason: reason.clone(),
        };
        let mut out = Output::default();
        let mut turn = Turn {
            now,
            source: Source::Platform,
            out: &mut out,
        };
        core.write(OrderEventPayload::AccountNotReady { reason }, &mut turn)?;
        let working: Vec<_> = core
            .book
            .working_orders()
            .map(|o| (o.id(), o.state(), o.intent.created_at))
            .collect();
        for (order_id, state, since) in working {
            match state {
                OrderState::Journaled | OrderState::Submitted => {
                    let reason = Reason::bare(ReasonCode::CrashAfterJournal);
                    let doubt = OrderEventPayload::BecameUnknown { order_id, reason };
                    core.write(doubt, &mut turn)?;
                    core.doubts.begin(order_id, now);
                }
                OrderState::Unknown => core.doubts.begin(order_id, since.max(now)),
                OrderState::PendingCancel => core.doubts.watch_cancel(order_id, now),
                OrderState::Created
                | OrderState::Checked
                | OrderState::Accepted
                | OrderState::Triggered
                | OrderState::PartiallyFilled
                | OrderState::PendingAmend
                | OrderState::Denied
                | OrderState::Rejected
                | OrderState::Cancelled
                | OrderState::Expired
                | OrderState::Filled => {}
            }
        }
        out.effects.push(Effect::Reconcile);
        Ok((core, out))
    }

    /// Folds one input into the state.
    ///
    /// # Errors
    /// [`BookError`] when an event does not fit the books: the core is then to be rebuilt from the
    /// log, and what was added to `out` by this input is to be dropped.
    pub fn handle(
        &mut self,
        input: Input,
        now: Timestamp,
        out: &mut Output,
    ) -> Result<(), BookError> {
        let turn = &mut Turn {
            now,
            source: input.source(),
            out,
        };
        match input {
            Input::Submit { intent, trace } => self.submit(*intent, trace, turn),
            Input::RiskAnswered { order_id, decision } => {
                self.risk_answered(order_id, decision, turn)
            }
            Input::Sent { order_id, outcome } => self.sent(order_id, outcome, turn),
            Input::Cancel { order_id, reason } => self.cancel(order_id, reason, turn),
            Input::CancelAll { scope, reason } => self.cancel_all(&scope, &reason, turn),
            Input::CancelSent { order_id, outcome } => self.cancel_sent(order_id, outcome, turn),
            Input::Queried { order_id, outcome } => self.queried(order_id, outcome, turn),
            Input::Reported(report) => self.reported(report, turn),
            Input::StreamLost(reason) => self.stream_lost(reason, turn),
            Input::Reconciled(snapshot) => self.reconciled(snapshot, turn),
            Input::Woken => self.woken(turn),
        }
    }

    /// The books.
    #[must_use]
    pub const fn book(&self) -> &AccountBook {
        &self.book
    }

    /// The fencing epoch of this leader.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.settings.epoch
    }

    /// Whether the account is reconciled, else why not.
    ///
    /// # Errors
    /// The reason.
    pub fn readiness(&self) -> Result<(), Reason> {
        if self.ready {
            Ok(())
        } else {
            Err(self.not_ready_reason.clone())
        }
    }

    /// An order that waits for risk: it has no record yet.
    #[must_use]
    pub fn is_awaiting_risk(&self, order_id: &ClientOrderId) -> bool {
        self.awaiting_risk.contains_key(order_id)
    }

    /// When to say [`Input::Woken`] next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.doubts.next_due()
    }

    pub(crate) fn set_ready(&mut self, readiness: Result<(), Reason>) {
        match readiness {
            Ok(()) => self.ready = true,
            Err(reason) => {
                self.ready = false;
                self.not_ready_reason = reason;
            }
        }
    }

    /// Makes the next event of the log, applies it and queues it for the commit.
    pub(crate) fn write(
        &mut self,
        payload: OrderEventPayload,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let trace = payload
            .order_id()
            .map_or(TraceContext::NONE, |id| self.book.trace(&id));
        self.write_traced(payload, trace, turn)
    }

    pub(crate) fn write_traced(
        &mut self,
        payload: OrderEventPayload,
        trace: TraceContext,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let account: AccountId = *self.book.account();
        let seq = self.book.head_seq() + 1;
        let ts_event = match &payload {
            OrderEventPayload::Filled(execution) => execution.ts_event,
            _ => turn.now,
        };
        let event = OrderEvent {
            account,
            seq,
            event_id: EventId::derive(&account, seq, turn.now),
            epoch: self.settings.epoch,
            ts_event,
            ts_write: turn.now,
            cause: Cause {
                source: turn.source,
                event: turn.out.events.last().map(|event| event.event_id),
            },
            trace,
            payload,
        };
        self.book.apply(&event)?;
        turn.out.events.push(event);
        Ok(())
    }

    /// The strategy that owns what nobody here ordered.
    pub(crate) fn external_strategy() -> Option<StrategyId> {
        StrategyId::parse("external").ok()
    }
}

#[cfg(test)]
mod tests;
