//! Core messages on their way out. The publisher never waits; while the connection is down the
//! oldest are dropped, so that no old tick is delivered as news after an outage.

use super::{connection::Connection, convert};
use crate::{Message, mailbox::Mailbox};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{sync::watch, task::JoinHandle};

#[derive(Debug)]
pub(super) struct Outbox {
    queue: Arc<Mailbox>,
    pushed: AtomicU64,
    /// Messages that left the queue, sent or dropped.
    gone: watch::Receiver<u64>,
    sender: JoinHandle<()>,
}

impl Outbox {
    pub(super) fn start(connection: Arc<Connection>, capacity: usize) -> Self {
        let queue = Mailbox::new(capacity);
        let (progress, gone) = watch::channel(0);
        let sender = tokio::spawn(send(connection, Arc::clone(&queue), progress));
        Self {
            queue,
            pushed: AtomicU64::new(0),
            gone,
            sender,
        }
    }

    pub(super) fn push(&self, message: Message) {
        self.pushed.fetch_add(1, Ordering::Relaxed);
        self.queue.push(message);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Waits until all messages pushed so far were handed to the client or dropped.
    pub(super) async fn drained(&self) {
        let goal = self.pushed.load(Ordering::Relaxed);
        let mut gone = self.gone.clone();
        // An error means that the sender ended, and nothing more will leave.
        drop(
            gone.wait_for(|sent| sent + self.queue.dropped() >= goal)
                .await,
        );
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.queue.close();
        self.sender.abort();
    }
}

async fn send(connection: Arc<Connection>, queue: Arc<Mailbox>, progress: watch::Sender<u64>) {
    let mut connected = connection.connected();
    loop {
        // A message is taken only once it can leave: it must not grow old in the client's queue.
        std::future::poll_fn(|context| queue.poll_filled(context)).await;
        if connected.wait_for(|up| *up).await.is_err() {
            return;
        }
        let message = match queue.take() {
            Some(Some(message)) => message,
            Some(None) => return,
            None => continue,
        };
        let client = connection.client();
        let subject = message.subject.to_string();
        let sent = if message.headers.is_empty() {
            client.publish(subject, message.payload).await
        } else {
            let headers = convert::to_nats(&message.headers);
            client
                .publish_with_headers(subject, headers, message.payload)
                .await
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "a core message was not sent");
        }
        progress.send_modify(|count| *count += 1);
    }
}
