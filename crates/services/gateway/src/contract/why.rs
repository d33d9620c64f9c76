//! Why an order is what it is: its whole story from the log, one line an event.

use super::OrderJson;
use ploy_domain::{OrderEvent, OrderEventPayload as P, Reason, Timestamp};
use ploy_wire::api::OrderView;
use serde::{Deserialize, Serialize};

/// The story of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyJson {
    /// How it stands.
    pub order: OrderJson,
    /// What became of it, from the decision on.
    pub story: Vec<WhyLineJson>,
}

/// One event of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyLineJson {
    /// Its place in the account's log.
    pub sequence: u64,
    /// When it was written down.
    pub at: String,
    /// How long after the decision that was, in microseconds.
    pub since_decision_us: i64,
    /// What happened, as in the log: `OrderJournaled` …
    pub event: String,
    /// On whose word: `platform`, `stream`, `rest`, `reconcile` …
    pub source: String,
    /// The fencing epoch of the leader that wrote it.
    pub epoch: u64,
    /// The numbers, as name and value.
    pub facts: Vec<FactJson>,
}

/// A number or a word of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactJson {
    /// Which.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl WhyJson {
    /// The story of `view`, whose events are in their order.
    #[must_use]
    pub fn new(view: OrderView, events: &[OrderEvent]) -> Self {
        let decided = view.created_at;
        Self {
            order: view.into(),
            story: events.iter().map(|event| line(event, decided)).collect(),
        }
    }
}

fn line(event: &OrderEvent, decided: Timestamp) -> WhyLineJson {
    WhyLineJson {
        sequence: event.seq,
        at: event.ts_write.to_string(),
        since_decision_us: (event.ts_write - decided).get() / 1_000,
        event: event.payload.kind().to_owned(),
        source: event.cause.source.word().to_owned(),
        epoch: event.epoch,
        facts: facts(&event.payload)
            .into_iter()
            .map(|(name, value)| FactJson {
                name: name.to_owned(),
                value,
            })
            .collect(),
    }
}

/// What an event says besides that it happened.
fn facts(payload: &P) -> Vec<(&'static str, String)> {
    match payload {
        P::Created(intent) => {
            let mut facts = vec![
                ("strategy", intent.strategy.to_string()),
                ("decided_at", intent.created_at.to_string()),
                ("valid_until", intent.valid_until.to_string()),
            ];
            let price = intent.decision_price;
            facts.extend(price.map(|price| ("decision_price", price.to_string())));
            facts
        }
        P::Adopted { venue_order_id, .. } | P::Accepted { venue_order_id, .. } => {
            vec![("venue_order_id", venue_order_id.to_string())]
        }
        P::Checked { approval, .. } => vec![
            ("decision_id", approval.decision_id.to_string()),
            ("limits_version", approval.limits_version.to_string()),
            ("trading_state_epoch", approval.state_epoch.to_string()),
            ("risk_epoch", approval.risk_epoch.to_string()),
            ("usable_until", approval.expires_at.to_string()),
        ],
        P::Denied { reasons, .. } => reasons.iter().map(reason).collect(),
        P::BecameUnknown { reason: why, .. }
        | P::Rejected { reason: why, .. }
        | P::CancelRequested { reason: why, .. }
        | P::CancelRefused { reason: why, .. }
        | P::Cancelled { reason: why, .. }
        | P::Expired { reason: why, .. }
        | P::AccountNotReady { reason: why } => vec![reason(why)],
        P::Filled(fill) => vec![
            ("quantity", fill.quantity.to_string()),
            ("price", fill.price.to_string()),
            ("fee", format!("{} {}", fill.fee, fill.fee_asset)),
            ("execution_id", fill.execution_id.to_string()),
            ("at_the_venue", fill.ts_event.to_string()),
        ],
        P::Deposited { asset, amount } => vec![("amount", format!("{amount} {asset}"))],
        P::Journaled { .. } | P::Submitted { .. } | P::Triggered { .. } | P::AccountReady => {
            Vec::new()
        }
    }
}

fn reason(reason: &Reason) -> (&'static str, String) {
    ("reason", reason.to_string())
}
