//! What became of a request that can change something at the venue. "Nobody knows" is a value
//! that must be matched.

use crate::{
    order::{VenueExecution, VenueOrder, VenueOrderState},
    report::{OrderChange, OrderReport},
};
use ploy_domain::{InstrumentId, Quantity, Reason, Timestamp, VenueOrderId};
use std::time::Duration;

/// What became of a submit (failure-model §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmitOutcome {
    /// The venue has the order.
    Acknowledged(Box<Acknowledgement>),
    /// The venue's own semantics prove that the order does not exist: `Rejected`.
    Refused(Reason),
    /// Proven not to have left this machine: `Denied`.
    NotSent(Reason),
    /// Anything else: `Unknown`, to be resolved by query, never by sending again.
    Unknown(Reason),
    /// Not processed: the venue says that a limit was reached. No new order before `after`. An order
    /// that our own budget holds back is `NotSent`.
    RateLimited {
        /// How long the whole scope has to wait.
        after: Duration,
    },
}

/// The venue's answer to an order it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// What is traded.
    pub instrument: InstrumentId,
    /// The venue's id of the order.
    pub venue_order_id: VenueOrderId,
    /// The client id as the venue repeats it.
    pub client_order_id: String,
    /// Where the order stands after matching.
    pub state: VenueOrderState,
    /// Why it ended, if it ended at once.
    pub reason: Option<Reason>,
    /// How much is filled.
    pub filled: Quantity,
    /// Its fills, as far as the answer lists them.
    pub executions: Vec<VenueExecution>,
    /// The venue's time.
    pub ts_event: Timestamp,
}

impl Acknowledgement {
    /// The same facts as the private stream tells them, in its order: acceptance, fills, end. The
    /// caller then has one path for both, and whichever comes second is a duplicate.
    #[must_use]
    pub fn reports(&self) -> Vec<OrderReport> {
        let report = |change| OrderReport {
            instrument: self.instrument,
            venue_order_id: self.venue_order_id,
            client_order_id: self.client_order_id.clone(),
            change,
            state: self.state,
            filled: self.filled,
            ts_event: self.ts_event,
        };
        let mut changes = vec![OrderChange::Accepted];
        let fills = self.executions.iter().cloned().map(Box::new);
        changes.extend(fills.map(OrderChange::Filled));
        changes.extend(OrderChange::ended(self.state, self.reason.clone()));
        changes.into_iter().map(report).collect()
    }
}

/// What became of a cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled, with the final filled quantity of the answer; late fills may follow (ORD-19).
    Cancelled {
        /// The venue's id of the order.
        venue_order_id: VenueOrderId,
        /// How much was filled before.
        filled: Quantity,
        /// The venue's time.
        ts_event: Timestamp,
    },
    /// The venue knows no such open order: it ended, or never was. Ask which.
    NotOpen(Reason),
    /// The venue refused for another reason; the order is what it was.
    Refused(Reason),
    /// Proven not to have left this machine.
    NotSent(Reason),
    /// Nobody knows; may be repeated, and must be asked.
    Unknown(Reason),
    /// Not processed: a limit was reached.
    RateLimited {
        /// How long the whole scope has to wait.
        after: Duration,
    },
}

/// The complete and authenticated answer about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryAnswer {
    /// The venue has it.
    Found(Box<VenueOrder>),
    /// The venue says that it has none.
    NotFound,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ploy_domain::ReasonCode;

    fn acknowledgement(state: VenueOrderState) -> Acknowledgement {
        Acknowledgement {
            instrument: "BTCUSDT.SIM".parse().unwrap(),
            venue_order_id: "28".parse().unwrap(),
            client_order_id: "pd3v3dozeqtax56xztx".into(),
            state,
            reason: None,
            filled: Quantity::ZERO,
            executions: Vec::new(),
            ts_event: Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_resting_order_is_one_report() {
        let reports = acknowledgement(VenueOrderState::Accepted).reports();
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].change, OrderChange::Accepted);
    }

    #[test]
    fn an_order_that_ended_at_once_says_so_last() {
        let ended = Reason::bare(ReasonCode::TimeInForceEnded);
        let mut acknowledgement = acknowledgement(VenueOrderState::Expired);
        acknowledgement.reason = Some(ended.clone());
        let reports = acknowledgement.reports();
        assert_eq!(
            reports.last().map(|report| report.change.clone()),
            Some(OrderChange::Expired(ended))
        );
    }
}
