//! What a venue promises about identity, visibility and limits (failure-model ORD-15). The
//! resolver of unknown outcomes reads this and knows no venue's name.

use ploy_domain::VenueId;
use std::time::Duration;

/// For how long the venue refuses a client id that was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdUniqueness {
    /// For ever.
    Ever,
    /// Within a trading session.
    Session,
    /// Only while an order with it is open.
    OpenOnly,
    /// Not at all.
    None,
}

/// Within what an execution id is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExecutionIdScope {
    /// Everywhere at the venue.
    Venue,
    /// Within an instrument.
    Instrument,
    /// Within an order.
    Order,
}

/// One limit of a venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// What it counts: `request_weight`, `orders`.
    pub scope: &'static str,
    /// How much fits into a window.
    pub limit: u32,
    /// The length of the window.
    pub window: Duration,
}

/// What a venue promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueDeclaration {
    /// Which venue.
    pub venue: VenueId,
    /// For how long a client id is taken.
    pub id_uniqueness: IdUniqueness,
    /// Whether an order can be asked for by client id.
    pub query_by_client_id: bool,
    /// For how long an order that exists may be missing in queries.
    pub visibility_lag: Duration,
    /// How far back closed orders and executions can be asked for.
    pub history_depth: Duration,
    /// After which the venue refuses a request that is still under way.
    pub receive_window: Option<Duration>,
    /// Whether the venue cancels open orders when the connection ends.
    pub cancel_on_disconnect: bool,
    /// The venue's dead-man timer, if it has one.
    pub dead_man_timer: Option<Duration>,
    /// Within what an execution id is unique.
    pub execution_id_scope: ExecutionIdScope,
    /// Every limit the adapter keeps.
    pub rate_limits: Vec<RateLimit>,
}

impl VenueDeclaration {
    /// How long after a send "not found" proves nothing: max(10 s, 2 × visibility lag, receive
    /// window + 5 s) (ORD-16).
    #[must_use]
    pub fn quarantine(&self) -> Duration {
        let window = self.receive_window.unwrap_or_default() + Duration::from_secs(5);
        Duration::from_secs(10)
            .max(self.visibility_lag * 2)
            .max(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarantine(lag: u64, window: u64) -> u64 {
        let declaration = VenueDeclaration {
            venue: "SIM".parse().unwrap(),
            id_uniqueness: IdUniqueness::OpenOnly,
            query_by_client_id: true,
            visibility_lag: Duration::from_secs(lag),
            history_depth: Duration::from_secs(86_400),
            receive_window: Some(Duration::from_secs(window)),
            cancel_on_disconnect: false,
            dead_man_timer: None,
            execution_id_scope: ExecutionIdScope::Instrument,
            rate_limits: Vec::new(),
        };
        declaration.quarantine().as_secs()
    }

    #[test]
    fn the_quarantine_is_the_longest_of_three_doubts() {
        assert_eq!(quarantine(2, 2), 10);
        assert_eq!(quarantine(60, 2), 120);
        assert_eq!(quarantine(2, 60), 65);
    }
}
