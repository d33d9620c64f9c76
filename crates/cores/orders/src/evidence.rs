//! What the venue says about an order, from whichever path: fills first, each booked once, then the
//! status, which never moves an order backwards (failure-model §5).

use crate::{
    book::BookError,
    core::{Alert, Effect, OrderCore, Output, Turn},
    venue::{Report, Standing, VenueFill, VenueOrder, VenueStatus},
};
use ploy_domain::{
    ClientOrderId, Execution, Intent, Order, OrderEventPayload as P, OrderIdParts, OrderKind,
    OrderState, TimeInForce, Timestamp, TraceContext,
};

impl OrderCore {
    pub(crate) fn reported(
        &mut self,
        report: Report,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        match report {
            Report::Order(order) => match self.identify(&order) {
                Some(order_id) => self.evidence(order_id, &order, &[], turn),
                None => {
                    self.look_closer(&order.status, turn);
                    Ok(())
                }
            },
            Report::Fill(fill) => match self.identify_fill(&fill) {
                Some(order_id) => self.fill(order_id, &fill, turn),
                // An order that is not in memory: only the venue's books and ours together say
                // whether this is news.
                None => {
                    turn.out.effects.push(Effect::Reconcile);
                    Ok(())
                }
            },
        }
    }

    /// A working order nobody here knows is taken over by reconciliation, which can see it whole.
    fn look_closer(&self, status: &VenueStatus, turn: &mut Turn<'_>) {
        if matches!(status, VenueStatus::Working | VenueStatus::Triggered) {
            turn.out.effects.push(Effect::Reconcile);
        }
    }

    /// Our id of a venue's order, when it is one of ours.
    pub(crate) fn identify(&self, order: &Standing) -> Option<ClientOrderId> {
        ClientOrderId::parse(&order.client_id)
            .ok()
            .filter(|id| self.book.order(id).is_some())
            .or_else(|| {
                self.book
                    .by_venue_id(order.instrument, order.venue_order_id)
            })
    }

    fn identify_fill(&self, fill: &VenueFill) -> Option<ClientOrderId> {
        let named = fill
            .client_id
            .as_deref()
            .and_then(|id| ClientOrderId::parse(id).ok());
        named
            .filter(|id| self.book.order(id).is_some())
            .or_else(|| self.book.by_venue_id(fill.instrument, fill.venue_order_id))
    }

    /// Everything one complete answer says about an order of ours.
    pub(crate) fn evidence(
        &mut self,
        order_id: ClientOrderId,
        order: &Standing,
        fills: &[VenueFill],
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        self.ensure_submitted(order_id, turn)?;
        for fill in fills {
            self.book_fill(order_id, fill, turn)?;
        }
        self.status(order_id, order, turn)?;
        self.settle(order_id, turn)
    }

    fn status(
        &mut self,
        order_id: ClientOrderId,
        venue: &Standing,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let Some(order) = self.book.order(&order_id) else {
            return Ok(());
        };
        let (state, filled) = (order.state(), order.filled());
        if state.is_terminal() {
            return Ok(());
        }
        let is_end = !matches!(venue.status, VenueStatus::Working | VenueStatus::Triggered);
        if venue.filled > filled && is_end {
            // ORD-19: an end is final only with the final filled quantity; the trades are read
            // first, and the answer brings the status again.
            self.ask(order_id, turn.out);
            self.doubts.watch_fills(order_id, turn.now);
            return Ok(());
        }
        let venue_order_id = venue.venue_order_id;
        let is_news = matches!(state, OrderState::Submitted | OrderState::Unknown);
        let payload = match &venue.status {
            VenueStatus::Working if is_news => P::Accepted {
                order_id,
                venue_order_id,
            },
            VenueStatus::Triggered if state == OrderState::Accepted || is_news => {
                if is_news {
                    let accepted = P::Accepted {
                        order_id,
                        venue_order_id,
                    };
                    self.write(accepted, turn)?;
                }
                P::Triggered { order_id }
            }
            // Filled is the sum of the fills, which were booked already.
            VenueStatus::Working | VenueStatus::Triggered | VenueStatus::Filled => return Ok(()),
            VenueStatus::Cancelled(reason) => P::Cancelled {
                order_id,
                reason: reason.clone(),
            },
            VenueStatus::Expired(reason) => P::Expired {
                order_id,
                reason: reason.clone(),
            },
            VenueStatus::Rejected(reason) => P::Rejected {
                order_id,
                reason: reason.clone(),
            },
        };
        self.write(payload, turn)
    }

    /// What changes here because the order is no longer in doubt, or has ended.
    pub(crate) fn settle(
        &mut self,
        order_id: ClientOrderId,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let Some(order) = self.book.order(&order_id) else {
            return Ok(());
        };
        let state = order.state();
        if state.is_terminal() {
            self.doubts.end(&order_id);
            self.cancel_wanted.remove(&order_id);
        } else if state.is_open() {
            if state != OrderState::PendingCancel {
                self.doubts.end_doubt(&order_id);
            }
            if let Some(reason) = self.cancel_wanted.remove(&order_id) {
                return self.cancel(order_id, reason, turn);
            }
        }
        Ok(())
    }

    fn fill(
        &mut self,
        order_id: ClientOrderId,
        fill: &VenueFill,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        self.ensure_submitted(order_id, turn)?;
        self.book_fill(order_id, fill, turn)?;
        self.settle(order_id, turn)
    }

    /// Books the fills of a complete reading; orders that nobody here knows are taken over.
    pub(crate) fn fills(
        &mut self,
        fills: &[VenueFill],
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        for fill in fills {
            let order_id = match self.identify_fill(fill) {
                Some(order_id) => Some(order_id),
                None if self.may_be_ours(fill, turn) => None,
                None => self.adopt_for(fill, turn)?,
            };
            if let Some(order_id) = order_id {
                self.fill(order_id, fill, turn)?;
            }
        }
        Ok(())
    }

    /// Whether a fill that names no order of ours may belong to one whose venue id is not known
    /// yet. Then nothing is concluded: that order is asked about, and the books are read again.
    fn may_be_ours(&self, fill: &VenueFill, turn: &mut Turn<'_>) -> bool {
        let nameless = |order: &&Order| {
            let intent = &order.intent;
            order.venue_order_id().is_none()
                && (intent.instrument, intent.side) == (fill.instrument, fill.side)
        };
        let candidates: Vec<_> = self
            .book
            .working_orders()
            .filter(nameless)
            .map(Order::id)
            .collect();
        for order_id in &candidates {
            self.ask(*order_id, turn.out);
        }
        if !candidates.is_empty() {
            turn.out.effects.push(Effect::Reconcile);
        }
        !candidates.is_empty()
    }

    /// Books a fill once. An exact repeat changes nothing; a contradiction is set aside and told.
    fn book_fill(
        &mut self,
        order_id: ClientOrderId,
        fill: &VenueFill,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let owner = self.book.by_venue_id(fill.instrument, fill.venue_order_id);
        if owner.is_some_and(|owner| owner != order_id) {
            let detail = format!("execution_id={} owner={owner:?}", fill.execution_id);
            alert(turn.out, "fill_contradiction", Some(order_id), detail);
            return Ok(());
        }
        let Some(entry) = self.book.entry(&order_id) else {
            return Ok(());
        };
        let execution = Execution {
            account: *self.book.account(),
            order_id,
            strategy: entry.order.intent.strategy,
            instrument: fill.instrument,
            side: fill.side,
            price: fill.price,
            quantity: fill.quantity,
            fee: fill.fee,
            fee_asset: fill.fee_asset,
            liquidity: fill.liquidity,
            venue_order_id: fill.venue_order_id,
            execution_id: fill.execution_id,
            ts_event: fill.ts_event,
        };
        if let Some(known) = entry.executions.get(&execution.key()) {
            let differs = (known.price, known.quantity, known.fee, known.side)
                != (
                    execution.price,
                    execution.quantity,
                    execution.fee,
                    execution.side,
                );
            if differs {
                let detail = format!("execution_id={} kept={known:?}", fill.execution_id);
                alert(turn.out, "fill_contradiction", Some(order_id), detail);
            }
            return Ok(());
        }
        let was = entry.order.state();
        self.write(P::Filled(Box::new(execution)), turn)?;
        if was.is_terminal() {
            let detail = format!("execution_id={} state={was}", fill.execution_id);
            alert(turn.out, "late_fill", Some(order_id), detail);
        }
        if self.book.order(&order_id).is_some_and(Order::is_overfilled) {
            let detail = format!("execution_id={}", fill.execution_id);
            alert(turn.out, "overfill", Some(order_id), detail);
        }
        Ok(())
    }

    /// Takes over an order that works at the venue without a record here.
    pub(crate) fn adopt(
        &mut self,
        order: &VenueOrder,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let standing = &order.standing;
        if !matches!(
            standing.status,
            VenueStatus::Working | VenueStatus::Triggered
        ) {
            return Ok(());
        }
        let Some(intent) = self.foreign_intent(order, turn.now) else {
            return Ok(());
        };
        let venue_order_id = standing.venue_order_id;
        let detail = format!(
            "venue_order_id={venue_order_id} client_id={}",
            standing.client_id
        );
        alert(turn.out, "adopted", Some(intent.order_id), detail);
        let adopted = P::Adopted {
            intent: Box::new(intent),
            venue_order_id,
        };
        self.write_traced(adopted, TraceContext::NONE, turn)
    }

    fn adopt_for(
        &mut self,
        fill: &VenueFill,
        turn: &mut Turn<'_>,
    ) -> Result<Option<ClientOrderId>, BookError> {
        let order = VenueOrder {
            standing: Standing {
                client_id: fill.client_id.clone().unwrap_or_default(),
                venue_order_id: fill.venue_order_id,
                instrument: fill.instrument,
                filled: fill.quantity,
                status: VenueStatus::Working,
                ts_event: fill.ts_event,
            },
            side: fill.side,
            kind: OrderKind::Market,
            quantity: fill.quantity,
            time_in_force: TimeInForce::Gtc,
        };
        self.adopt(&order, turn)?;
        Ok(self.book.by_venue_id(fill.instrument, fill.venue_order_id))
    }

    /// The intent of an order that was not ours, or that we lost: its id is the one it carries, if
    /// that is one of ours, else derived from the venue's id, so that a second look finds it again.
    fn foreign_intent(&self, order: &VenueOrder, now: Timestamp) -> Option<Intent> {
        let account = *self.book.account();
        let standing = &order.standing;
        self.book.instrument(&standing.instrument)?;
        let ours = ClientOrderId::parse(&standing.client_id)
            .ok()
            .filter(|id| id.as_str().as_bytes().starts_with(&self.settings.prefix));
        let decision = format!("{}:{}", standing.instrument, standing.venue_order_id);
        let order_id = ours.unwrap_or_else(|| {
            ClientOrderId::derive(&OrderIdParts {
                prefix: self.settings.prefix,
                account: &account,
                origin: "external",
                decision: &decision,
                leg: 0,
            })
        });
        Some(Intent {
            order_id,
            account,
            strategy: Self::external_strategy()?,
            instrument: standing.instrument,
            side: order.side,
            kind: order.kind,
            quantity: order.quantity,
            time_in_force: order.time_in_force,
            reduce_only: false,
            decision_price: None,
            created_at: standing.ts_event.min(now),
            valid_until: now,
        })
    }

    pub(crate) fn ask(&self, order_id: ClientOrderId, out: &mut Output) {
        if let Some(order) = self.book.order(&order_id) {
            out.effects.push(Effect::Query {
                order_id,
                instrument: order.intent.instrument,
                venue_order_id: order.venue_order_id(),
            });
        }
    }
}

pub(crate) fn alert(
    out: &mut Output,
    kind: &'static str,
    order_id: Option<ClientOrderId>,
    detail: String,
) {
    out.effects.push(Effect::Alert(Alert {
        kind,
        order_id,
        detail,
    }));
}
