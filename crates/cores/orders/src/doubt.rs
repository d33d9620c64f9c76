//! Doubt and its end: when the venue is asked about an order, how often, and what counts as proof
//! that an order does not exist (ORD-11 to ORD-16).

use crate::{
    book::BookError,
    core::{OrderCore, Turn},
    evidence::alert,
    venue::QueryOutcome,
};
use ploy_domain::{
    ClientOrderId, Nanos, Order, OrderEventPayload as P, OrderState, Reason, ReasonCode, Timestamp,
};
use std::collections::BTreeMap;

/// When the venue is asked, counted from the beginning of the doubt (ORD-12).
const ASK_AFTER: [Nanos; 6] = [
    Nanos::from_millis(500),
    Nanos::from_secs(1),
    Nanos::from_secs(2),
    Nanos::from_secs(4),
    Nanos::from_secs(8),
    Nanos::from_secs(15),
];
/// How often it is asked after that.
const ASK_EVERY: Nanos = Nanos::from_secs(30);
/// How soon it is asked again when it did not answer.
const ASK_AGAIN: Nanos = Nanos::from_secs(5);
/// A pending cancel is repeated at this pace (ORD-18) …
const CANCEL_EVERY: Nanos = Nanos::from_secs(1);
/// … this often, before the order is asked about instead.
const CANCELS_MAX: u32 = 10;
/// Complete readings without the order that prove its absence …
const READINGS_MIN: u32 = 3;
/// … each at least this much after the one before.
const READING_GAP: Nanos = Nanos::from_secs(2);

#[derive(Debug, Clone)]
struct Watch {
    since: Timestamp,
    due: Timestamp,
    asked: usize,
    cancels: u32,
    readings: u32,
    last_reading: Option<Timestamp>,
}

impl Watch {
    fn starting(now: Timestamp, first: Nanos) -> Self {
        Self {
            since: now,
            due: now.plus(first),
            asked: 0,
            cancels: 0,
            readings: 0,
            last_reading: None,
        }
    }
}

/// The orders that somebody must look after, and when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doubts {
    watches: BTreeMap<ClientOrderId, Watch>,
}

impl Doubts {
    /// An order became unknown.
    pub(crate) fn begin(&mut self, order_id: ClientOrderId, now: Timestamp) {
        self.watches
            .insert(order_id, Watch::starting(now, ASK_AFTER[0]));
    }

    /// A cancel is on its way.
    pub(crate) fn watch_cancel(&mut self, order_id: ClientOrderId, now: Timestamp) {
        self.watches
            .entry(order_id)
            .or_insert_with(|| Watch::starting(now, CANCEL_EVERY));
    }

    /// Fills are known to be missing; the order was asked about just now.
    pub(crate) fn watch_fills(&mut self, order_id: ClientOrderId, now: Timestamp) {
        self.watches
            .entry(order_id)
            .or_insert_with(|| Watch::starting(now, ASK_AFTER[1]));
    }

    /// The order is not in doubt any more.
    pub(crate) fn end_doubt(&mut self, order_id: &ClientOrderId) {
        self.watches.remove(order_id);
    }

    /// The order has ended.
    pub(crate) fn end(&mut self, order_id: &ClientOrderId) {
        self.watches.remove(order_id);
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.watches.values().map(|watch| watch.due).min()
    }

    fn due(&mut self, now: Timestamp) -> Vec<(ClientOrderId, u32)> {
        let mut due = Vec::new();
        for (order_id, watch) in self
            .watches
            .iter_mut()
            .filter(|(_, watch)| watch.due <= now)
        {
            due.push((*order_id, watch.cancels));
            watch.asked += 1;
            watch.due = match ASK_AFTER.get(watch.asked) {
                Some(after) => watch.since.plus(*after).max(now.plus(ASK_AFTER[0])),
                None => now.plus(ASK_EVERY),
            };
        }
        due
    }

    fn cancel_repeated(&mut self, order_id: &ClientOrderId, now: Timestamp) {
        if let Some(watch) = self.watches.get_mut(order_id) {
            watch.cancels += 1;
            watch.due = now.plus(CANCEL_EVERY);
        }
    }

    /// Cancels went unanswered long enough: the order is asked about, then they begin again.
    fn cancels_start_over(&mut self, order_id: &ClientOrderId, now: Timestamp) {
        if let Some(watch) = self.watches.get_mut(order_id) {
            watch.cancels = 0;
            watch.due = now.plus(CANCEL_EVERY);
        }
    }

    /// Counts a complete reading without the order; answers whether absence is proven.
    fn absent(&mut self, order_id: &ClientOrderId, now: Timestamp, not_before: Timestamp) -> bool {
        let Some(watch) = self.watches.get_mut(order_id) else {
            return false;
        };
        if watch
            .last_reading
            .is_none_or(|last| now - last >= READING_GAP)
        {
            watch.readings += 1;
            watch.last_reading = Some(now);
        }
        // The next reading is made when it can prove something, not when its turn would come.
        let useful = now.plus(READING_GAP).max(watch.due.min(not_before));
        watch.due = watch.due.min(useful);
        watch.readings >= READINGS_MIN && now >= not_before
    }

    /// A question was not answered: it is repeated before its turn would come.
    fn unanswered(&mut self, order_id: &ClientOrderId, now: Timestamp) {
        if let Some(watch) = self.watches.get_mut(order_id) {
            watch.due = watch.due.min(now.plus(ASK_AGAIN));
        }
    }

    fn found(&mut self, order_id: &ClientOrderId) {
        if let Some(watch) = self.watches.get_mut(order_id) {
            watch.readings = 0;
            watch.last_reading = None;
        }
    }
}

impl OrderCore {
    /// Asks about every order whose time has come, or repeats its cancel.
    pub(crate) fn woken(&mut self, turn: &mut Turn<'_>) -> Result<(), BookError> {
        for (order_id, cancels) in self.doubts.due(turn.now) {
            let state = self.book.order(&order_id).map(Order::state);
            let is_cancelling = state == Some(OrderState::PendingCancel);
            if is_cancelling && cancels < CANCELS_MAX {
                self.doubts.cancel_repeated(&order_id, turn.now);
                self.send_cancel(order_id, turn.out);
                continue;
            }
            if is_cancelling {
                self.doubts.cancels_start_over(&order_id, turn.now);
            }
            self.ask(order_id, turn.out);
        }
        Ok(())
    }

    pub(crate) fn queried(
        &mut self,
        order_id: ClientOrderId,
        outcome: QueryOutcome,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        match outcome {
            QueryOutcome::Found { order, fills } => {
                self.doubts.found(&order_id);
                self.evidence(order_id, &order, &fills, turn)
            }
            QueryOutcome::Absent => self.absent(order_id, turn),
            // A failed question says nothing (G-4).
            QueryOutcome::Failed(_) => {
                self.doubts.unanswered(&order_id, turn.now);
                Ok(())
            }
        }
    }

    fn absent(&mut self, order_id: ClientOrderId, turn: &mut Turn<'_>) -> Result<(), BookError> {
        let Some(order) = self.book.order(&order_id) else {
            return Ok(());
        };
        if order.state() != OrderState::Unknown {
            return Ok(());
        }
        // The order may have been sent as late as it was last touched.
        let not_before = order.updated_at().plus(self.settings.quarantine);
        if !self.doubts.absent(&order_id, turn.now, not_before) {
            return Ok(());
        }
        let reason = Reason::new(ReasonCode::Absent, format_args!("readings={READINGS_MIN}"));
        alert(turn.out, "absent", Some(order_id), reason.to_string());
        self.write(P::Rejected { order_id, reason }, turn)?;
        self.settle(order_id, turn)
    }
}
