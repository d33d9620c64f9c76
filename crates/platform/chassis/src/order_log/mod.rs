//! Following the order log by sequence: duplicates dropped, gaps healed by replay, a lost last
//! message noticed by the heartbeat of the log's head (MSG-11 to MSG-17).
//!
//! Decides which event comes next for a consumer and where it is fetched. What an event does, and
//! that position and effect are written in one transaction, is the consumer's business. The bus's own
//! sequences are never looked at, so any bus will do, and none at all is only slower.

mod following;
mod parking;
mod track;

use crate::BoxError;
use async_trait::async_trait;
use following::Following;
use ploy_bus::{Bus, BusError, Pattern};
use ploy_domain::{AccountId, OrderEvent};
use ploy_wire::api::{Actor, ExecutionApi};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How many messages may wait; what is lost beyond that is a gap like any other.
const WAITING_MAX: usize = 4_096;
/// How often the accounts are looked at for what is overdue.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Somebody who folds order logs.
#[async_trait]
pub trait LogConsumer: Send {
    /// The last event of `account` that was applied; 0 before the first.
    ///
    /// # Errors
    /// Any; asked again later.
    async fn position(&mut self, account: AccountId) -> Result<u64, BoxError>;

    /// Applies events of one account, the first of which follows the position without a gap: the
    /// effect and the new position in one transaction.
    ///
    /// # Errors
    /// [`Poison`] for an event that can never be applied: it is parked, and the account is suspended
    /// for this consumer, since a hole in the log cannot be skipped. Any other error is taken as
    /// passing: the events come again from the position, after a while.
    async fn apply(&mut self, events: Vec<OrderEvent>) -> Result<(), BoxError>;

    /// Learns that the consumer's standing with an account has changed.
    async fn standing(&mut self, account: AccountId, standing: Standing) {
        let _ = (account, standing);
    }
}

/// Where a consumer stands with the log of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// At the head, as far as the owner of the log says.
    CaughtUp,
    /// Events are missing and being fetched.
    Behind,
    /// Neither heartbeat nor owner can be heard: nobody knows.
    Unreachable,
    /// An event could not be applied; nothing more is until the consumer starts anew.
    Suspended,
}

/// An event that can never be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// Its sequence.
    pub seq: u64,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} cannot be applied: {}", self.seq, self.reason)
    }
}

impl std::error::Error for Poison {}

/// The order logs of some accounts.
#[derive(Debug)]
pub struct OrderLog {
    /// Where new events are heard of.
    pub bus: Arc<dyn Bus>,
    /// Where missing events are fetched.
    pub execution: Arc<dyn ExecutionApi>,
    /// Whose logs are followed.
    pub accounts: Vec<AccountId>,
    /// Who follows.
    pub actor: Actor,
}

impl OrderLog {
    /// Follows the logs until `stop`.
    ///
    /// # Errors
    /// [`BusError`] when the subscription cannot be made or the bus was closed.
    pub async fn follow<C: LogConsumer>(
        &self,
        consumer: &mut C,
        stop: CancellationToken,
    ) -> Result<(), BoxError> {
        // Events and heads in one subscription keep their order.
        let pattern = Pattern::new("ploy.orders.>")?;
        let mut messages = self.bus.subscribe(pattern, WAITING_MAX).await?;
        let mut following = Following::new(self, consumer, stop.clone());
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                message = messages.next() => match message {
                    Some(message) => following.receive(message, &mut messages).await,
                    None => return Err(BusError::Closed.into()),
                },
                _ = look.tick() => following.look().await,
            }
        }
    }
}
