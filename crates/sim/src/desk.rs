//! The desk: strategy instance, order core, risk core and venue of one account, and the order in
//! which they hear of each other. Events are booked by everyone before any effect is carried out,
//! as the services do it with their commits.

use crate::{
    config::BacktestConfig,
    digest::Digest,
    error::BacktestError,
    venue::{Moment, Venue},
    wallet::Wallet,
};
use ploy_domain::{
    AccountId, Bar, BookLevel, MarketEvent, Nanos, OrderEvent, OrderEventPayload, Price, Quantity,
    Quote, Reason, ReasonCode, StrategyId, Timestamp, TraceContext, Trade,
};
use ploy_orders_core::{
    AccountBook, Effect as OrderEffect, EgressGuard, Input as OrderInput, OrderCore, Output,
    QueryOutcome, Settings, VenueSnapshot,
};
use ploy_recordings::walk;
use ploy_risk_core::{
    CheckRequest, Effect as RiskEffect, Input as RiskInput, ResetRules, RiskCore,
    Settings as RiskSettings, TradingStates,
};
use ploy_strategy_core::{Effect, Input, Instance, InstanceConfig, Strategy};
use std::collections::{BTreeMap, VecDeque};

/// Marks ids of simulated orders.
const PREFIX: [u8; 2] = *b"pb";
/// How long a decision may take to reach the venue.
const ORDER_VALIDITY: Nanos = Nanos::from_secs(2);
/// Orders that have ended are asked about at most for the rest of the moment they ended in.
const TERMINAL_ORDERS_MAX: usize = 32;
const APPROVAL_TTL: Nanos = Nanos::from_millis(500);

/// What happened, in numbers.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) orders: u64,
    pub(crate) rejected: u64,
    pub(crate) denied: u64,
    pub(crate) denials: BTreeMap<&'static str, u64>,
    pub(crate) withheld: u64,
    pub(crate) events: u64,
}

/// One account and everything that trades for it.
#[derive(Debug)]
pub(crate) struct Desk {
    instance: Instance,
    orders: OrderCore,
    risk: RiskCore,
    venue: Venue,
    pub(crate) wallet: Wallet,
    pub(crate) counts: Counts,
    digest: Digest,
    instrument: ploy_domain::Instrument,
    fills: crate::config::FillModel,
    last_price: Option<Price>,
    inbox: VecDeque<OrderInput>,
    answers: Vec<OrderInput>,
    wishes: Vec<Effect>,
    output: Output,
    verdicts: Vec<RiskEffect>,
}

impl Desk {
    pub(crate) fn open(
        config: &BacktestConfig,
        strategy: Box<dyn Strategy>,
        at: Timestamp,
    ) -> Result<Self, BacktestError> {
        let account = AccountId::parse("main")?;
        let instrument = config.instrument.clone();
        let guard = EgressGuard {
            notional_max: config.limits.order_notional_max,
            orders_per_second_max: config.limits.order_rate_max,
            open_orders_max: config.limits.open_orders_max,
            identical_window: Nanos::ZERO,
        };
        let settings = Settings {
            epoch: 1,
            prefix: PREFIX,
            quarantine: Nanos::ZERO,
            guard,
        };
        let book = AccountBook::new(account, [instrument.clone()])
            .keeping_terminal_orders(TERMINAL_ORDERS_MAX);
        let (orders, output) = OrderCore::take_over(settings, book, at)?;
        let risk_settings = RiskSettings {
            armed: true,
            risk_epoch: 1,
            approval_ttl: APPROVAL_TTL,
            resets: ResetRules {
                hold: Nanos::ZERO,
                second_person: false,
            },
        };
        let mut desk = Self {
            instance: Instance::new(
                InstanceConfig {
                    id: StrategyId::parse(&config.strategy)?,
                    account,
                    instrument: instrument.clone(),
                    order_id_prefix: PREFIX,
                    order_validity: ORDER_VALIDITY,
                },
                strategy,
            ),
            orders,
            risk: RiskCore::new(
                risk_settings,
                config.limits.clone(),
                TradingStates::default(),
            ),
            venue: Venue::open(config, account)?,
            wallet: Wallet::new(instrument.clone(), config.cash),
            counts: Counts::default(),
            digest: Digest::default(),
            fills: config.fills,
            last_price: None,
            inbox: VecDeque::new(),
            answers: Vec::new(),
            wishes: Vec::new(),
            output,
            verdicts: Vec::new(),
            instrument: instrument.clone(),
        };
        let known = RiskInput::Instrument(instrument);
        desk.risk.handle(known, at, &mut desk.verdicts);
        Ok(desk)
    }

    /// Reconciles the account with the venue, so that it may trade.
    pub(crate) fn start(
        &mut self,
        at: Timestamp,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        self.carry_out(at, sink)?;
        self.settle(at, sink)
    }

    /// A bar of the recording: its prices meet the orders, then the strategy sees it.
    #[inline]
    pub(crate) fn on_bar(
        &mut self,
        bar: &Bar,
        has_volume: bool,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        if !self.venue.is_idle() {
            self.walk(bar, has_volume, sink)?;
        }
        self.last_price = Some(bar.close);
        self.wallet.mark(bar.close, bar.end)?;
        self.instance
            .handle(Input::Bar(bar), bar.end, &mut self.wishes)?;
        if self.wishes.is_empty() {
            return Ok(());
        }
        self.settle(bar.end, sink)
    }

    /// A trade of the recording: it meets the orders, then the strategy sees it.
    pub(crate) fn on_trade(
        &mut self,
        trade: &Trade,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        let at = trade.ts_event;
        self.last_price = Some(trade.price);
        if !self.venue.is_idle() {
            let moment = Moment {
                price: trade.price,
                traded: Some(trade.quantity),
                at,
            };
            self.meet(&moment, sink)?;
        }
        self.wallet.mark(trade.price, at)?;
        self.instance
            .handle(Input::Trade(trade), at, &mut self.wishes)?;
        if self.wishes.is_empty() {
            return Ok(());
        }
        self.settle(at, sink)
    }

    fn walk(
        &mut self,
        bar: &Bar,
        has_volume: bool,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        let quarter = Nanos::new((bar.end - bar.start).get() / 4);
        let traded = has_volume.then(|| Quantity::from_raw(bar.volume.raw() / 4));
        let mut at = bar.start;
        for price in walk(bar) {
            if self.venue.is_idle() {
                break;
            }
            self.last_price = Some(price);
            self.meet(&Moment { price, traded, at }, sink)?;
            at = at.plus(quarter);
        }
        Ok(())
    }

    fn meet(
        &mut self,
        moment: &Moment,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        self.venue.trade(moment, &mut self.answers);
        self.inbox.extend(self.answers.drain(..));
        self.settle(moment.at, sink)
    }

    /// Lets everyone hear what follows from what, until nothing does.
    fn settle(
        &mut self,
        now: Timestamp,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        loop {
            self.take_wishes();
            let Some(input) = self.inbox.pop_front() else {
                return Ok(());
            };
            self.orders.handle(input, now, &mut self.output)?;
            self.carry_out(now, sink)?;
        }
    }

    fn take_wishes(&mut self) {
        for wish in self.wishes.drain(..) {
            match wish {
                Effect::Submit(intent) => self.inbox.push_back(OrderInput::Submit {
                    intent,
                    trace: TraceContext::NONE,
                }),
                Effect::Cancel(order_id) => self.inbox.push_back(OrderInput::Cancel {
                    order_id,
                    reason: Reason::bare(ReasonCode::CancelRequested),
                }),
                Effect::Withheld { .. } | Effect::TooManyActions { .. } => {
                    self.counts.withheld += 1;
                }
                // A run has one process and no disk: it cannot be interrupted and resumed.
                Effect::PersistSequence(_) => {}
            }
        }
    }

    /// Books the events everywhere, then carries out the effects.
    fn carry_out(
        &mut self,
        now: Timestamp,
        sink: &mut dyn FnMut(&OrderEvent),
    ) -> Result<(), BacktestError> {
        let mut output = std::mem::take(&mut self.output);
        for event in &output.events {
            self.book(event, now)?;
            sink(event);
        }
        for effect in output.effects.drain(..) {
            self.effect(effect, now)?;
        }
        output.events.clear();
        self.output = output;
        Ok(())
    }

    fn book(&mut self, event: &OrderEvent, now: Timestamp) -> Result<(), BacktestError> {
        self.verdicts.clear();
        self.risk
            .handle(RiskInput::Log(event), now, &mut self.verdicts);
        if let Some(trouble) = self.verdicts.first() {
            return Err(BacktestError::Risk(format!("{trouble:?}")));
        }
        if let OrderEventPayload::Filled(execution) = &event.payload {
            self.wallet.fill(execution)?;
        }
        self.count(event);
        self.instance
            .handle(Input::Order(event), now, &mut self.wishes)?;
        Ok(())
    }

    fn count(&mut self, event: &OrderEvent) {
        self.counts.events += 1;
        match &event.payload {
            OrderEventPayload::Created(_) => self.counts.orders += 1,
            OrderEventPayload::Rejected { .. } => self.counts.rejected += 1,
            OrderEventPayload::Denied { reasons, .. } => {
                self.counts.denied += 1;
                let code = reasons.first().map_or("", |reason| reason.code.word());
                *self.counts.denials.entry(code).or_default() += 1;
            }
            _ => {}
        }
        self.digest.event(event);
    }

    fn effect(&mut self, effect: OrderEffect, now: Timestamp) -> Result<(), BacktestError> {
        match effect {
            OrderEffect::AskRisk {
                intent, head_seq, ..
            } => self.ask_risk(*intent, head_seq, now),
            OrderEffect::Send { intent, .. } => self.venue.send(intent, now),
            OrderEffect::SendCancel { order_id, .. } => self.venue.send_cancel(order_id, now),
            OrderEffect::Reconcile => {
                let snapshot = VenueSnapshot {
                    balances: self.venue.balances(),
                    ..VenueSnapshot::default()
                };
                self.inbox.push_back(OrderInput::Reconciled(snapshot));
            }
            OrderEffect::Query { order_id, .. } => {
                // Nothing is ever lost between this venue and the desk, so what was asked about
                // has been answered by the events before.
                let reason = Reason::bare(ReasonCode::OutcomeUnknown);
                self.inbox.push_back(OrderInput::Queried {
                    order_id,
                    outcome: QueryOutcome::Failed(reason),
                });
            }
            OrderEffect::Mismatch(order_id) => {
                return Err(BacktestError::Risk(format!("order {order_id} came twice")));
            }
            OrderEffect::Answer(_) | OrderEffect::CancelsRequested(_) | OrderEffect::Alert(_) => {}
        }
        Ok(())
    }

    fn ask_risk(&mut self, intent: ploy_domain::Intent, head_seq: u64, now: Timestamp) {
        let order_id = intent.order_id;
        if let Some(quote) = self.quote(now) {
            self.risk.handle(
                RiskInput::Market(&MarketEvent::Quote(quote)),
                now,
                &mut self.verdicts,
            );
        }
        let request = CheckRequest {
            intent,
            head_seq,
            epoch: self.orders.epoch(),
        };
        self.verdicts.clear();
        self.risk
            .handle(RiskInput::Check(&request), now, &mut self.verdicts);
        for verdict in self.verdicts.drain(..) {
            if let RiskEffect::Decided(decision) = verdict {
                self.inbox
                    .push_back(OrderInput::RiskAnswered { order_id, decision });
            }
        }
    }

    /// The market as it stands: the quotes that the house would make. Risk is shown it when it
    /// judges; what it saw in between would change no judgement.
    fn quote(&self, now: Timestamp) -> Option<Quote> {
        let price = self.last_price?;
        let tick = self.instrument.tick;
        let level = |price| BookLevel {
            price,
            quantity: self.instrument.quantity_max,
        };
        // A quote of no width would look crossed; it is shown a tick wide.
        let bid = self.fills.bid(price, tick)?;
        let ask = self.fills.ask(price, tick)?.max(bid.plus(tick).ok()?);
        Some(Quote {
            instrument: self.instrument.id,
            bid: Some(level(bid)),
            ask: Some(level(ask)),
            update_id: 0,
            ts_event: now,
            ts_receive: now,
        })
    }

    /// The hash of every event so far.
    pub(crate) const fn digest(&self) -> u128 {
        self.digest.finish()
    }

    pub(crate) const fn is_warm(&self) -> bool {
        self.instance.is_warm()
    }

    pub(crate) const fn last_price(&self) -> Option<Price> {
        self.last_price
    }

    /// Checks at the end that our books, the order core's ledger and the venue agree.
    pub(crate) fn check_balances(&self) -> Result<(), BacktestError> {
        for (asset, theirs) in self.venue.balances() {
            let ours = if asset == self.instrument.base {
                self.wallet.held().as_amount()
            } else {
                self.wallet.cash()
            };
            if ours != theirs {
                return Err(BacktestError::Unbalanced {
                    asset: asset.to_string(),
                    ours: ours.to_string(),
                    theirs: theirs.to_string(),
                });
            }
        }
        Ok(())
    }
}
