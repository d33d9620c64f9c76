//! Cancels: the one venue write that may be repeated (ORD-18). A second request while one is
//! pending is a no-op; a cancel of an order that is not working yet waits until it is.

use crate::{
    book::BookError,
    core::{Effect, OrderCore, Output, Turn},
    venue::CancelOutcome,
};
use ploy_domain::{
    ClientOrderId, Intent, Order, OrderEventPayload as P, OrderState, Reason, Scope,
};

impl OrderCore {
    pub(crate) fn cancel(
        &mut self,
        order_id: ClientOrderId,
        reason: Reason,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        if self.awaiting_risk.contains_key(&order_id) {
            self.cancel_wanted.insert(order_id, reason);
            return Ok(());
        }
        let Some(state) = self.book.order(&order_id).map(Order::state) else {
            return Ok(());
        };
        match state {
            OrderState::Accepted
            | OrderState::Triggered
            | OrderState::PartiallyFilled
            | OrderState::PendingAmend
            | OrderState::Submitted => {
                let requested = P::CancelRequested { order_id, reason };
                self.write(requested, turn)?;
                self.doubts.end_doubt(&order_id);
                self.doubts.watch_cancel(order_id, turn.now);
                self.send_cancel(order_id, turn.out);
            }
            // Not known to work yet: it is cancelled as soon as it is.
            OrderState::Created
            | OrderState::Checked
            | OrderState::Journaled
            | OrderState::Unknown => {
                self.cancel_wanted.insert(order_id, reason);
            }
            OrderState::PendingCancel
            | OrderState::Denied
            | OrderState::Rejected
            | OrderState::Cancelled
            | OrderState::Expired
            | OrderState::Filled => {}
        }
        turn.out.effects.push(Effect::Answer(order_id));
        Ok(())
    }

    pub(crate) fn cancel_all(
        &mut self,
        scope: &Scope,
        reason: &Reason,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let working = self.book.working_orders().map(|order| &order.intent);
        let waiting = self.awaiting_risk.values().map(|(intent, _)| intent);
        let chosen: Vec<_> = working
            .chain(waiting)
            .filter(|intent| covers(scope, intent))
            .map(|intent| intent.order_id)
            .collect();
        let count = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
        for order_id in chosen {
            self.cancel(order_id, reason.clone(), turn)?;
        }
        turn.out.effects.push(Effect::CancelsRequested(count));
        Ok(())
    }

    pub(crate) fn send_cancel(&self, order_id: ClientOrderId, out: &mut Output) {
        if let Some(order) = self.book.order(&order_id) {
            out.effects.push(Effect::SendCancel {
                order_id,
                instrument: order.intent.instrument,
                venue_order_id: order.venue_order_id(),
            });
        }
    }

    pub(crate) fn cancel_sent(
        &mut self,
        order_id: ClientOrderId,
        outcome: CancelOutcome,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        match outcome {
            CancelOutcome::Cancelled(order) => self.evidence(order_id, &order, &[], turn),
            // Usually the order has ended by itself; only the venue's books say how.
            CancelOutcome::Refused(_) => {
                self.ask(order_id, turn.out);
                Ok(())
            }
            CancelOutcome::Unknown(_) => Ok(()),
        }
    }
}

fn covers(scope: &Scope, intent: &Intent) -> bool {
    match scope {
        Scope::Platform => true,
        Scope::Venue(venue) => intent.instrument.venue() == venue,
        Scope::Account(account) => intent.account == *account,
        Scope::Strategy(strategy) => intent.strategy == *strategy,
        Scope::Instrument(instrument) => intent.instrument == *instrument,
    }
}
