//! When each tick was published and when its order reached the venue's door, by the clock that the
//! order log is stamped with.

use ploy_chassis::Clock;
use ploy_domain::{Nanos, Timestamp};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Two times a tick; 0 while there is none.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    clock: Clock,
    published: Vec<AtomicI64>,
    sent: Vec<AtomicI64>,
    orders: AtomicU64,
}

impl Stopwatch {
    /// A stopwatch for so many ticks.
    pub(crate) fn new(ticks: usize) -> Self {
        let times = || (0..ticks).map(|_| AtomicI64::new(0)).collect();
        Self {
            clock: Clock::system(),
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

    fn stamp(&self, times: &[AtomicI64], tick: usize) {
        if let Some(time) = times.get(tick) {
            time.store(self.clock.now().as_nanos(), Ordering::Release);
        }
    }

    /// How many orders have reached the door.
    pub(crate) fn orders(&self) -> u64 {
        self.orders.load(Ordering::Acquire)
    }

    /// When a tick was published and its order sent, if it became one.
    pub(crate) fn times(&self, tick: usize) -> Option<(Timestamp, Timestamp)> {
        let read = |times: &[AtomicI64]| {
            let at = times.get(tick)?.load(Ordering::Acquire);
            (at > 0).then(|| Timestamp::from_nanos(at))
        };
        Some((read(&self.published)?, read(&self.sent)?))
    }

    /// How long every tick from `first` on took, of those that became an order.
    pub(crate) fn spans(&self, first: usize) -> Vec<Nanos> {
        let ticks = first..self.published.len();
        ticks
            .filter_map(|tick| self.times(tick))
            .map(|(published, sent)| sent - published)
            .collect()
    }
}
