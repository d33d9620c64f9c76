//! Follows the order logs from where they stand when the gateway starts.

use super::{channel::Channel, hub::Hub};
use crate::shared::Shared;
use async_trait::async_trait;
use ploy_chassis::{
    BoxError,
    order_log::{LogConsumer, Standing},
};
use ploy_domain::{AccountId, OrderEvent};
use ploy_wire::api::{Actor, Call};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;

const HEAD_DEADLINE: Duration = Duration::from_secs(1);

/// Hands events on, in order and without gaps.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) shared: Arc<Shared>,
    pub(super) events: mpsc::Sender<Vec<OrderEvent>>,
    pub(super) positions: BTreeMap<AccountId, u64>,
}

#[async_trait]
impl LogConsumer for Follower {
    async fn position(&mut self, account: AccountId) -> Result<u64, BoxError> {
        if let Some(position) = self.positions.get(&account) {
            return Ok(*position);
        }
        // What happened before is in every snapshot.
        let call = Call::new(Actor::GATEWAY, HEAD_DEADLINE);
        let head = self.shared.deps.execution.head(account, call).await?;
        self.positions.insert(account, head.seq);
        Ok(head.seq)
    }

    async fn apply(&mut self, events: Vec<OrderEvent>) -> Result<(), BoxError> {
        let last = events.last().map(|event| (event.account, event.seq));
        self.events.send(events).await?;
        self.positions.extend(last);
        Ok(())
    }

    async fn standing(&mut self, account: AccountId, standing: Standing) {
        let reason = match standing {
            Standing::CaughtUp | Standing::Behind => return,
            Standing::Unreachable => format!("the log of account '{account}' cannot be reached"),
            Standing::Suspended => format!("the log of account '{account}' cannot be read"),
        };
        tell(&self.shared.hub, &reason);
    }
}

fn tell(hub: &Hub, reason: &str) {
    for channel in [Channel::Orders, Channel::Fills, Channel::Positions] {
        hub.degraded(Some(channel), reason);
    }
}
