//! When each tick was published and when its order reached the venue's door.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Two times a tick; 0 while there is none.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    origin: Instant,
    published: Vec<AtomicU64>,
    sent: Vec<AtomicU64>,
    orders: AtomicU64,
}

impl Stopwatch {
    /// A stopwatch for so many ticks.
    pub(crate) fn new(ticks: usize) -> Self {
        let times = || (0..ticks).map(|_| AtomicU64::new(0)).collect();
        Self {
            origin: Instant::now(),
            published: times(),
            sent: times(),
            orders: AtomicU64::new(0),
        }
    }

    /// The tick is published now.
    pub(crate) fn published(&self, tick: usize) {
        self.stamp(&self.published, tick);
    }

    /// The order of the tick is at the venue's door now.
    pub(crate) fn sent(&self, tick: usize) {
        self.stamp(&self.sent, tick);
        self.orders.fetch_add(1, Ordering::AcqRel);
    }

    fn stamp(&self, times: &[AtomicU64], tick: usize) {
        let ns = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(time) = times.get(tick) {
            time.store(ns, Ordering::Release);
        }
    }

    /// How many orders have reached the door.
    pub(crate) fn orders(&self) -> u64 {
        self.orders.load(Ordering::Acquire)
    }

    /// How long every tick from `first` on took, of those that became an order.
    pub(crate) fn spans(&self, first: usize) -> Vec<Duration> {
        let pairs = self.published.iter().zip(&self.sent).skip(first);
        pairs
            .filter_map(|(published, sent)| {
                let sent = sent.load(Ordering::Acquire);
                let published = published.load(Ordering::Acquire);
                (sent > 0).then(|| Duration::from_nanos(sent.saturating_sub(published)))
            })
            .collect()
    }
}
