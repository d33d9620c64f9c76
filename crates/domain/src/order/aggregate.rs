//! One order as the fold of its events: state, quantity filled and what it cost.
//!
//! It applies events that were decided elsewhere and refuses those that the state machine does not
//! allow; it never decides what to do next.

use super::{IllegalTransition, Intent, OrderState, Side, Step};
use crate::{
    event::OrderEventPayload,
    execution::Execution,
    ids::{ClientOrderId, VenueOrderId},
    money::{MoneyError, Price, Quantity},
    risk::{Approval, Reason},
    time::Timestamp,
};

/// An order and everything that became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What was wanted.
    pub intent: Intent,
    state: OrderState,
    resume: OrderState,
    version: u64,
    filled: Quantity,
    /// Σ price × quantity of all executions in units of 1e-16.
    filled_value: i128,
    venue_order_id: Option<VenueOrderId>,
    approval: Option<Approval>,
    reasons: Vec<Reason>,
    cancel_wanted: bool,
    late_fill: bool,
    updated_at: Timestamp,
}

/// Why an event cannot be applied to an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The state machine does not allow it.
    #[error("order {order_id}: event {event} is not allowed")]
    Illegal {
        /// Which order.
        order_id: ClientOrderId,
        /// Which event.
        event: &'static str,
        /// State and step.
        #[source]
        source: IllegalTransition,
    },
    /// The event is not about this order, or about no order.
    #[error("order {order_id}: event {event} does not belong to it")]
    Foreign {
        /// Which order.
        order_id: ClientOrderId,
        /// Which event.
        event: &'static str,
    },
    /// A quantity leaves the range.
    #[error("order {order_id}: filled quantity cannot be computed")]
    Money {
        /// Which order.
        order_id: ClientOrderId,
        /// What went wrong.
        #[source]
        source: MoneyError,
    },
}

impl Order {
    /// An order that has just been created.
    #[must_use]
    pub fn new(intent: Intent) -> Self {
        let updated_at = intent.created_at;
        Self {
            intent,
            state: OrderState::Created,
            resume: OrderState::Created,
            version: 1,
            filled: Quantity::ZERO,
            filled_value: 0,
            venue_order_id: None,
            approval: None,
            reasons: Vec::new(),
            cancel_wanted: false,
            late_fill: false,
            updated_at,
        }
    }

    /// An order that was found working at the venue.
    #[must_use]
    pub fn adopted(intent: Intent, venue_order_id: VenueOrderId) -> Self {
        let mut order = Self::new(intent);
        order.state = OrderState::Accepted;
        order.resume = OrderState::Accepted;
        order.venue_order_id = Some(venue_order_id);
        order
    }

    /// Our id of it.
    #[must_use]
    pub const fn id(&self) -> ClientOrderId {
        self.intent.order_id
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> OrderState {
        self.state
    }

    /// How many events it has seen.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The sum of its unique executions; never falls.
    #[must_use]
    pub const fn filled(&self) -> Quantity {
        self.filled
    }

    /// What can still be filled, never below zero.
    #[must_use]
    pub fn leaves(&self) -> Quantity {
        let rest = self.intent.quantity.raw().saturating_sub(self.filled.raw());
        Quantity::from_raw(rest.max(0))
    }

    /// What it may still add to or take from the position: nothing once it is terminal.
    #[must_use]
    pub fn working_leaves(&self) -> Quantity {
        if self.state.is_terminal() {
            Quantity::ZERO
        } else {
            self.leaves()
        }
    }

    /// Whether more was filled than ordered.
    #[must_use]
    pub fn is_overfilled(&self) -> bool {
        self.filled > self.intent.quantity
    }

    /// Whether something was filled after the order had ended.
    #[must_use]
    pub const fn has_late_fill(&self) -> bool {
        self.late_fill
    }

    /// Σ price × quantity ÷ Σ quantity of its executions, to the nearest 1e-8.
    #[must_use]
    pub fn average_price(&self) -> Option<Price> {
        let filled = i128::from(self.filled.raw());
        if filled == 0 {
            return None;
        }
        i64::try_from((self.filled_value + filled / 2) / filled)
            .ok()
            .map(Price::from_raw)
    }

    /// The venue's id of it, once known.
    #[must_use]
    pub const fn venue_order_id(&self) -> Option<VenueOrderId> {
        self.venue_order_id
    }

    /// The approval it was journaled with.
    #[must_use]
    pub const fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// Why it was refused, doubted or ended; the newest event's reasons.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Whether a cancel was ever asked for.
    #[must_use]
    pub const fn cancel_wanted(&self) -> bool {
        self.cancel_wanted
    }

    /// When the last event happened.
    #[must_use]
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The signed quantity it could still move the position by.
    #[must_use]
    pub fn signed_working_leaves(&self) -> Quantity {
        let leaves = self.working_leaves().raw();
        Quantity::from_raw(if self.intent.side == Side::Buy {
            leaves
        } else {
            -leaves
        })
    }

    /// Applies an event about this order.
    ///
    /// # Errors
    /// [`ApplyError`]; the order is as it was.
    pub fn apply(&mut self, payload: &OrderEventPayload, at: Timestamp) -> Result<(), ApplyError> {
        let order_id = self.id();
        let event = payload.kind();
        let foreign = ApplyError::Foreign { order_id, event };
        if payload.order_id() != Some(order_id) {
            return Err(foreign);
        }
        if let OrderEventPayload::Filled(execution) = payload {
            self.fill(execution)?;
        } else {
            let step = payload.step().ok_or(foreign)?;
            self.advance(step).map_err(|source| ApplyError::Illegal {
                order_id,
                event,
                source,
            })?;
            self.remember(payload);
        }
        self.version += 1;
        self.updated_at = self.updated_at.max(at);
        Ok(())
    }

    fn advance(&mut self, step: Step) -> Result<(), IllegalTransition> {
        let next = self.state.after(step, self.resume)?;
        if matches!(step, Step::RequestCancel | Step::RequestAmend)
            && self.state != OrderState::PendingAmend
        {
            // An order that was only submitted resumes as working: a refused cancel proves that
            // the venue knows it.
            self.resume = match self.state {
                OrderState::Submitted => OrderState::Accepted,
                working => working,
            };
        }
        self.state = next;
        Ok(())
    }

    fn remember(&mut self, payload: &OrderEventPayload) {
        match payload {
            OrderEventPayload::Checked { approval, .. } => self.approval = Some(*approval),
            OrderEventPayload::Accepted { venue_order_id, .. } => {
                self.venue_order_id = Some(*venue_order_id);
                self.reasons.clear();
            }
            OrderEventPayload::Denied { reasons, .. } => self.reasons.clone_from(reasons),
            OrderEventPayload::CancelRequested { reason, .. } => {
                self.cancel_wanted = true;
                self.reasons = vec![reason.clone()];
            }
            OrderEventPayload::BecameUnknown { reason, .. }
            | OrderEventPayload::Rejected { reason, .. }
            | OrderEventPayload::CancelRefused { reason, .. }
            | OrderEventPayload::Cancelled { reason, .. }
            | OrderEventPayload::Expired { reason, .. } => self.reasons = vec![reason.clone()],
            OrderEventPayload::Created(_)
            | OrderEventPayload::Adopted { .. }
            | OrderEventPayload::Journaled { .. }
            | OrderEventPayload::Submitted { .. }
            | OrderEventPayload::Triggered { .. }
            | OrderEventPayload::Filled(_)
            | OrderEventPayload::Deposited { .. }
            | OrderEventPayload::AccountReady
            | OrderEventPayload::AccountNotReady { .. } => {}
        }
    }

    /// Books an execution. Fills after the end are real and booked too; so is an overfill.
    fn fill(&mut self, execution: &Execution) -> Result<(), ApplyError> {
        let order_id = self.id();
        let filled = self
            .filled
            .plus(execution.quantity)
            .map_err(|source| ApplyError::Money { order_id, source })?;
        let step = if filled >= self.intent.quantity {
            Step::FillRest
        } else {
            Step::FillPart
        };
        if self.state == OrderState::Filled {
            // An overfill: the venue is the truth, the state stays.
            self.late_fill = true;
        } else if self.state.is_terminal() {
            self.late_fill = true;
            self.advance_late(step)?;
        } else {
            let event = "OrderFilled";
            self.advance(step).map_err(|source| ApplyError::Illegal {
                order_id,
                event,
                source,
            })?;
        }
        self.filled = filled;
        self.filled_value +=
            i128::from(execution.price.raw()) * i128::from(execution.quantity.raw());
        self.venue_order_id = Some(execution.venue_order_id);
        Ok(())
    }

    /// A `Denied` order was proven not to have been sent; a fill of it contradicts the proof, is
    /// booked all the same, and the caller raises the alarm.
    fn advance_late(&mut self, step: Step) -> Result<(), ApplyError> {
        if self.state == OrderState::Denied {
            return Ok(());
        }
        let order_id = self.id();
        let event = "OrderFilled";
        self.advance(step).map_err(|source| ApplyError::Illegal {
            order_id,
            event,
            source,
        })
    }
}

#[cfg(test)]
mod tests;
