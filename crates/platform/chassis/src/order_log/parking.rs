//! Dead letters: what a consumer can never handle is kept where people find it, counted and logged
//! as an alert (MSG-3, MSG-15, MSG-17).

use super::{OrderLog, Poison};
use crate::metrics::name;
use ploy_bus::{Headers, Message, Subject};
use ploy_domain::{AccountId, OrderEvent};
use ploy_wire::{WireError, facts};

/// A message that is no event. Which one it should have been is not known.
pub(super) async fn park_unreadable(log: &OrderLog, message: &Message, error: &WireError) {
    tracing::error!(consumer = %log.actor, subject = %message.subject, %error, "an order event cannot be read");
    let id = super::track::digest(&message.payload);
    let letter = Letter {
        id: format!("{}:{id:032x}", log.actor),
        payload: message.payload.clone(),
        reason: error.to_string(),
    };
    letter.park(log).await;
}

/// An event that the consumer can never apply.
pub(super) async fn park_poison(
    log: &OrderLog,
    account: AccountId,
    poison: &Poison,
    event: Option<&OrderEvent>,
) {
    tracing::error!(consumer = %log.actor, %account, seq = poison.seq, reason = poison.reason, "an order event cannot be applied; the account is suspended here");
    if let Some(event) = event {
        Letter::of(log, event, poison.reason.clone())
            .park(log)
            .await;
    }
}

/// An event that we know with other content: damaged or forged.
pub(super) async fn park_forged(log: &OrderLog, event: &OrderEvent) {
    tracing::error!(consumer = %log.actor, account = %event.account, seq = event.seq, event_id = %event.event_id, "an order event came again with other content; the account is suspended here");
    let reason = "known with other content".to_owned();
    Letter::of(log, event, reason).park(log).await;
}

struct Letter {
    id: String,
    payload: bytes::Bytes,
    reason: String,
}

impl Letter {
    fn of(log: &OrderLog, event: &OrderEvent, reason: String) -> Self {
        Self {
            id: format!("{}:{}", log.actor, event.event_id),
            payload: facts::encode_order_event(event),
            reason,
        }
    }

    /// Best effort: the database has the event in any case.
    async fn park(self, log: &OrderLog) {
        let consumer = log
            .actor
            .as_str()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        metrics::counter!(name::DEAD_LETTERS, "consumer" => consumer.clone()).increment(1);
        let subject = match Subject::new(&format!("ploy.dlq.PLOY_ORDERS.{consumer}")) {
            Ok(subject) => subject,
            Err(error) => return tracing::error!(%error, "a dead letter has no subject"),
        };
        let message = Message {
            subject,
            headers: Headers::new().with("Ploy-Reason", &self.reason),
            payload: self.payload,
        };
        if let Err(error) = log.bus.append(&self.id, message).await {
            tracing::warn!(%error, "a dead letter is only in the log of the database");
        }
    }
}
