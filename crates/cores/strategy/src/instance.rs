//! One running strategy: who trades what for which account, and the sequence of its decisions.
//!
//! It decides when a strategy is asked and what becomes of its answer. Whether an order may be
//! sent is risk's business, sending it execution's; making effects durable in their order is the
//! shell's.

use crate::{
    action::{Action, Actions, OrderRequest},
    bars::{BarError, BarSeries},
    contract::{Effect, Input, InstanceConfig, InstanceError, Snapshot},
    strategy::{Blocked, Context, Strategy},
    tracker::Tracker,
};
use ploy_domain::{
    Bar, ClientOrderId, FeedState, FeedStatus, Intent, OrderEvent, OrderIdParts, Position, Price,
    StrategyId, Timestamp, Trade,
};

/// One running strategy.
#[derive(Debug)]
pub struct Instance {
    config: InstanceConfig,
    strategy: Box<dyn Strategy>,
    bars: Option<BarSeries>,
    tracker: Tracker,
    decision_sequence: u64,
    warm_up_left: usize,
    last_price: Option<Price>,
    feed: FeedState,
    paused: bool,
    actions: Actions,
}

impl Instance {
    /// An instance without a past.
    #[must_use]
    pub fn new(config: InstanceConfig, strategy: Box<dyn Strategy>) -> Self {
        Self::restore(config, strategy, Snapshot::default())
    }

    /// An instance that continues from a snapshot. Feed it history with [`Self::warm_up`], the
    /// rest of the account's log with [`Self::replay`], then call [`Self::resume`].
    #[must_use]
    pub fn restore(
        config: InstanceConfig,
        strategy: Box<dyn Strategy>,
        snapshot: Snapshot,
    ) -> Self {
        let session = config.instrument.session.clone();
        let mut tracker = Tracker::new(config.account, config.id);
        tracker.resume_from(snapshot.account_seq, snapshot.position, snapshot.orders);
        for intent in snapshot.pending {
            tracker.sent(intent);
        }
        Self {
            bars: strategy
                .interval()
                .map(|interval| BarSeries::new(interval, session)),
            warm_up_left: strategy.warm_up_bars(),
            config,
            strategy,
            tracker,
            decision_sequence: snapshot.decision_sequence,
            last_price: None,
            // The shell reports trouble; risk checks the freshness of every price once more.
            feed: FeedState::Good,
            paused: false,
            actions: Actions::with_room(),
        }
    }

    /// What has to survive a restart.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (orders, pending) = self.tracker.split();
        Snapshot {
            decision_sequence: self.decision_sequence,
            account_seq: self.tracker.seq(),
            position: *self.tracker.position(),
            orders,
            pending,
        }
    }

    /// Who trades what.
    #[must_use]
    pub const fn config(&self) -> &InstanceConfig {
        &self.config
    }

    /// What it holds.
    #[must_use]
    pub const fn position(&self) -> &Position {
        self.tracker.position()
    }

    /// Its orders that are not terminal.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.tracker.open_orders()
    }

    /// The last event of the account's log that it has seen.
    #[must_use]
    pub const fn account_seq(&self) -> u64 {
        self.tracker.seq()
    }

    /// The last decision that led to an order.
    #[must_use]
    pub const fn decision_sequence(&self) -> u64 {
        self.decision_sequence
    }

    /// Whether it has seen enough history to decide.
    #[must_use]
    pub const fn is_warm(&self) -> bool {
        self.warm_up_left == 0
    }

    /// Bars still missing before its first decision.
    #[must_use]
    pub const fn warm_up_left(&self) -> usize {
        self.warm_up_left
    }

    /// Why a new order would be withheld now.
    #[must_use]
    pub fn blocked(&self) -> Option<Blocked> {
        if self.paused {
            Some(Blocked::Paused)
        } else if self.feed != FeedState::Good {
            Some(Blocked::FeedNotGood)
        } else {
            self.tracker.blocked()
        }
    }

    /// Trades that came too late to change any bar.
    #[must_use]
    pub fn late_trades(&self) -> u64 {
        self.bars.as_ref().map_or(0, BarSeries::late_trades)
    }

    /// Takes a closed bar of history. The strategy learns from it and decides nothing.
    ///
    /// # Errors
    /// [`InstanceError::Bar`].
    pub fn warm_up(&mut self, bar: &Bar) -> Result<(), InstanceError> {
        let Some(bars) = &mut self.bars else {
            return Ok(());
        };
        if bars.is_wanted(bar) {
            if bars.accept(bar) {
                self.learn(bar);
            }
            return Ok(());
        }
        let overdue = bars.on_time(bar.start);
        let closed = bars.on_part(bar).map_err(bar_error(self.config.id))?;
        for bar in overdue.into_iter().chain(closed) {
            self.learn(&bar);
        }
        Ok(())
    }

    /// Takes an event of the account's log that happened before this instance ran. The strategy
    /// is not asked.
    ///
    /// # Errors
    /// [`InstanceError::Track`].
    pub fn replay(&mut self, event: &OrderEvent) -> Result<(), InstanceError> {
        self.track(event).map(drop)
    }

    /// Ends a restart, after the log was replayed to its head: repeats, under the same ids, the
    /// orders that the log does not know and that are still valid, and forgets the rest.
    pub fn resume(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.tracker.drop_expired(now);
        let (_, pending) = self.tracker.split();
        effects.extend(pending.into_iter().map(|i| Effect::Submit(Box::new(i))));
    }

    /// Decides on an input at `now` and appends what is to be done.
    ///
    /// # Errors
    /// [`InstanceError`]; a gap in the log wants a replay, anything else ends the instance.
    pub fn handle(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), InstanceError> {
        match input {
            Input::Trade(trade) => self.on_trade(trade, now, effects)?,
            Input::Quote(quote) => {
                self.ask(now, effects, |strategy, context, actions| {
                    strategy.on_quote(quote, context, actions);
                });
            }
            Input::Bar(bar) => self.on_bar(bar, now, effects)?,
            Input::Feed(status) => self.on_feed(status, now, effects),
            Input::Order(event) => {
                if self.track(event)? {
                    self.ask(now, effects, |strategy, context, actions| {
                        strategy.on_order(event, context, actions);
                    });
                }
            }
            Input::NotSubmitted(order_id) => self.tracker.not_sent(order_id),
            Input::Time => {
                if let Some(bar) = self.bars.as_mut().and_then(|bars| bars.on_time(now)) {
                    self.last_price = Some(bar.close);
                    self.deliver(&bar, now, effects);
                }
            }
            Input::Pause => self.paused = true,
            Input::Resume => self.paused = false,
        }
        Ok(())
    }

    fn on_trade(
        &mut self,
        trade: &Trade,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), InstanceError> {
        if let Some(bars) = &mut self.bars {
            let closed = bars.on_trade(trade).map_err(bar_error(self.config.id))?;
            if let Some(bar) = closed {
                self.last_price = Some(bar.close);
                self.deliver(&bar, now, effects);
            }
        }
        self.last_price = Some(trade.price);
        self.ask(now, effects, |strategy, context, actions| {
            strategy.on_trade(trade, context, actions);
        });
        Ok(())
    }

    fn on_bar(
        &mut self,
        bar: &Bar,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), InstanceError> {
        self.last_price = Some(bar.close);
        let Some(bars) = &mut self.bars else {
            return Ok(());
        };
        if bars.is_wanted(bar) {
            if bars.accept(bar) {
                self.deliver(bar, now, effects);
            }
            return Ok(());
        }
        let overdue = bars.on_time(bar.start);
        let closed = bars.on_part(bar).map_err(bar_error(self.config.id))?;
        for bar in overdue.into_iter().chain(closed) {
            self.deliver(&bar, now, effects);
        }
        Ok(())
    }

    fn on_feed(&mut self, status: &FeedStatus, now: Timestamp, effects: &mut Vec<Effect>) {
        let instrument = &self.config.instrument.id;
        let concerns = status.venue == *instrument.venue()
            && status.instrument.is_none_or(|i| i == *instrument);
        if !concerns || status.state == self.feed {
            return;
        }
        let was_good = self.feed == FeedState::Good;
        self.feed = status.state;
        if was_good {
            self.ask(now, effects, |strategy, context, actions| {
                strategy.on_stale(status.state, context, actions);
            });
        }
    }

    /// Shows a closed bar to the strategy.
    #[inline]
    fn deliver(&mut self, bar: &Bar, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.feed != FeedState::Good && !bar.flags.stale {
            let mut stale = *bar;
            stale.flags.stale = true;
            return self.deliver(&stale, now, effects);
        }
        if self.is_warm() {
            self.ask(now, effects, |strategy, context, actions| {
                strategy.on_bar(bar, context, actions);
            });
        } else {
            self.learn(bar);
        }
    }

    fn learn(&mut self, bar: &Bar) {
        self.last_price = Some(bar.close);
        self.strategy.warm_up(bar);
        self.warm_up_left = self.warm_up_left.saturating_sub(1);
    }

    fn track(&mut self, event: &OrderEvent) -> Result<bool, InstanceError> {
        self.tracker
            .apply(event, &self.config.instrument)
            .map_err(|source| InstanceError::Track {
                strategy: self.config.id,
                source,
            })
    }

    /// Asks the strategy, once it is warm, and carries out its answer.
    fn ask(
        &mut self,
        now: Timestamp,
        effects: &mut Vec<Effect>,
        question: impl FnOnce(&mut dyn Strategy, &Context<'_>, &mut Actions),
    ) {
        if !self.is_warm() {
            return;
        }
        let blocked = self.blocked();
        let context = Context {
            now,
            instrument: &self.config.instrument,
            position: self.tracker.position(),
            last_price: self.last_price,
            open_orders: self.tracker.open_orders(),
            blocked,
        };
        question(self.strategy.as_mut(), &context, &mut self.actions);
        if self.actions.as_slice().is_empty() {
            return;
        }
        let actions = std::mem::take(&mut self.actions);
        self.carry_out(&actions, blocked, (now, effects));
        self.actions = actions;
        self.actions.clear();
    }

    fn carry_out(
        &mut self,
        actions: &Actions,
        blocked: Option<Blocked>,
        (now, effects): (Timestamp, &mut Vec<Effect>),
    ) {
        let mut leg = 0;
        for action in actions.as_slice() {
            match (action, blocked) {
                (Action::Cancel(order_id), _) => {
                    // A second cancel while one is pending is a no-op (trading-semantics §1.8).
                    let order = self.tracker.order(*order_id);
                    if order.is_some_and(|order| !order.cancel_wanted()) {
                        effects.push(Effect::Cancel(*order_id));
                    }
                }
                (Action::Submit(request), Some(blocked)) => effects.push(Effect::Withheld {
                    blocked,
                    request: *request,
                }),
                (Action::Submit(request), None) => {
                    if leg == 0 {
                        self.decision_sequence += 1;
                        effects.push(Effect::PersistSequence(self.decision_sequence));
                    }
                    let intent = self.intent(request, leg, now);
                    self.tracker.sent(intent.clone());
                    effects.push(Effect::Submit(Box::new(intent)));
                    leg += 1;
                }
            }
        }
        if actions.refused() > 0 {
            effects.push(Effect::TooManyActions {
                dropped: actions.refused(),
            });
        }
    }

    fn intent(&self, request: &OrderRequest, leg: u32, now: Timestamp) -> Intent {
        let config = &self.config;
        Intent {
            order_id: ClientOrderId::derive(&OrderIdParts {
                prefix: config.order_id_prefix,
                account: &config.account,
                origin: config.id.as_str(),
                decision: &self.decision_sequence.to_string(),
                leg,
            }),
            account: config.account,
            strategy: config.id,
            instrument: config.instrument.id,
            side: request.side,
            kind: request.kind,
            quantity: request.quantity,
            time_in_force: request.time_in_force,
            reduce_only: request.reduce_only,
            decision_price: request.decision_price,
            created_at: now,
            valid_until: now.plus(config.order_validity),
        }
    }
}

fn bar_error(strategy: StrategyId) -> impl FnOnce(BarError) -> InstanceError {
    move |source| InstanceError::Bar { strategy, source }
}

#[cfg(test)]
mod tests;
