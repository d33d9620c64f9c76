//! A durable consumer of a stream in memory: waits for messages and takes answers.

use super::SharedLog;
use crate::{
    BusError, Consumer, ConsumerSpec, Delivery,
    port::{Acker, Settlement},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

#[derive(Debug)]
pub(super) struct MemoryConsumer {
    shared: Arc<SharedLog>,
    spec: ConsumerSpec,
}

impl MemoryConsumer {
    pub(super) const fn new(shared: Arc<SharedLog>, spec: ConsumerSpec) -> Self {
        Self { shared, spec }
    }

    fn take(&self, max: usize) -> Vec<Delivery> {
        let handed = self
            .shared
            .lock()
            .take(&self.spec.name, max, Instant::now());
        let delivery = |handed: super::log::Handed| Delivery {
            message: handed.message,
            delivered_count: handed.delivered,
            acker: Box::new(MemoryAcker {
                shared: Arc::clone(&self.shared),
                consumer: self.spec.name.clone(),
                sequence: handed.sequence,
            }),
        };
        handed.into_iter().map(delivery).collect()
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError> {
        let deadline = Instant::now() + wait;
        loop {
            // Registered before looking, so that an append in between is not missed.
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let batch = self.take(max);
            if !batch.is_empty() || Instant::now() >= deadline {
                return Ok(batch);
            }
            let due = self.shared.lock().next_due(&self.spec.name);
            tokio::select! {
                () = changed => {}
                () = sleep_until(due.map_or(deadline, |due| due.min(deadline))) => {}
            }
        }
    }

    async fn recreate(&mut self) -> Result<(), BusError> {
        self.shared.lock().restart_consumer(&self.spec);
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryAcker {
    shared: Arc<SharedLog>,
    consumer: String,
    sequence: u64,
}

#[async_trait]
impl Acker for MemoryAcker {
    async fn settle(&self, how: Settlement) -> Result<(), BusError> {
        self.shared
            .lock()
            .settle(&self.consumer, self.sequence, how, Instant::now());
        self.shared.changed.notify_waiters();
        Ok(())
    }
}
