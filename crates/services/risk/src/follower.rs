//! Brings the order log to the judge, event by event, without gaps.

use crate::judge::Message;
use async_trait::async_trait;
use ploy_chassis::{
    BoxError,
    order_log::{LogConsumer, OrderLog},
};
use ploy_domain::{AccountId, OrderEvent};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// The way from the log to the judge's inbox.
#[derive(Debug)]
pub(crate) struct LogFollower {
    pub(crate) inbox: mpsc::Sender<Message>,
}

impl LogFollower {
    pub(crate) async fn follow(
        mut self,
        log: OrderLog,
        stop: CancellationToken,
    ) -> Result<(), BoxError> {
        log.follow(&mut self, stop).await
    }
}

/// Nobody judges here now: there is nothing to bring, and nothing to catch up with.
const NOBODY: u64 = u64::MAX;

#[async_trait]
impl LogConsumer for LogFollower {
    async fn position(&mut self, account: AccountId) -> Result<u64, BoxError> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Message::Position(account, reply)).await?;
        Ok(answer.await.unwrap_or(NOBODY))
    }

    async fn apply(&mut self, events: Vec<OrderEvent>) -> Result<(), BoxError> {
        Ok(self.inbox.send(Message::Log(events)).await?)
    }
}
