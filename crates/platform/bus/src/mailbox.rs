//! The queue between a publisher and one subscriber: bounded, newest wins, loss is counted.

use crate::Message;
use futures_util::{Stream, task::AtomicWaker};
use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// A bounded queue with one reader. Pushing never waits.
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    reader: AtomicWaker,
    dropped: AtomicU64,
    capacity: usize,
}

struct Queue {
    messages: VecDeque<Message>,
    closed: bool,
}

impl Mailbox {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::new(Queue {
                messages: VecDeque::new(),
                closed: false,
            }),
            reader: AtomicWaker::new(),
            dropped: AtomicU64::new(0),
            capacity: capacity.max(1),
        })
    }

    /// Adds `message`, dropping the oldest if there is no room. Says whether one was dropped.
    pub(crate) fn push(&self, message: Message) -> bool {
        let mut queue = self.lock();
        if queue.closed {
            return false;
        }
        let full = queue.messages.len() >= self.capacity;
        if full {
            queue.messages.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queue.messages.push_back(message);
        drop(queue);
        self.reader.wake();
        full
    }

    /// Ends the queue: what waits can still be read.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.reader.wake();
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Option<Message>> {
        if let Some(found) = self.take() {
            return Poll::Ready(found);
        }
        self.reader.register(context.waker());
        // Looked at again, since a push between the first look and the registration wakes nobody.
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits until there is a message to take or the queue has ended, taking nothing.
    pub(crate) fn poll_filled(&self, context: &Context<'_>) -> Poll<()> {
        let filled = || {
            let queue = self.lock();
            queue.closed || !queue.messages.is_empty()
        };
        if filled() {
            return Poll::Ready(());
        }
        self.reader.register(context.waker());
        if filled() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// The oldest message; `Some(None)` at the end.
    pub(crate) fn take(&self) -> Option<Option<Message>> {
        let mut queue = self.lock();
        match queue.messages.pop_front() {
            Some(message) => Some(Some(message)),
            None if queue.closed => Some(None),
            None => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("capacity", &self.capacity)
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

/// Core messages of a pattern, in the order of each publisher and subject. A [`Stream`] as well.
/// Dropping it ends the subscription.
pub struct Subscription {
    mailbox: Arc<Mailbox>,
    unsubscribe: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Subscription {
    pub(crate) fn new(
        mailbox: Arc<Mailbox>,
        unsubscribe: impl FnOnce() + Send + Sync + 'static,
    ) -> Self {
        Self {
            mailbox,
            unsubscribe: Some(Box::new(unsubscribe)),
        }
    }

    /// The next message; `None` once the bus is closed. Safe to drop.
    pub async fn next(&mut self) -> Option<Message> {
        std::future::poll_fn(|context| self.mailbox.poll(context)).await
    }

    /// A message that waits already.
    pub fn try_next(&mut self) -> Option<Message> {
        self.mailbox.take().flatten()
    }

    /// How many messages this reader has lost by being slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.mailbox.dropped()
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.mailbox.poll(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.mailbox.close();
        if let Some(unsubscribe) = self.unsubscribe.take() {
            unsubscribe();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Subject;

    fn message(n: u8) -> Message {
        Message::new(Subject::new("a").unwrap(), vec![n])
    }

    #[tokio::test]
    async fn a_full_mailbox_loses_its_oldest_and_says_so() {
        let mailbox = Mailbox::new(2);
        let mut reader = Subscription::new(Arc::clone(&mailbox), || {});
        for n in 0..5 {
            mailbox.push(message(n));
        }
        assert_eq!(reader.dropped(), 3);
        assert_eq!(reader.next().await.unwrap().payload[0], 3);
        assert_eq!(reader.next().await.unwrap().payload[0], 4);
    }

    #[tokio::test]
    async fn a_closed_mailbox_is_read_to_its_end() {
        let mailbox = Mailbox::new(2);
        let mut reader = Subscription::new(Arc::clone(&mailbox), || {});
        mailbox.push(message(1));
        mailbox.close();
        mailbox.push(message(2));
        assert_eq!(reader.next().await.unwrap().payload[0], 1);
        assert!(reader.next().await.is_none());
    }
}
