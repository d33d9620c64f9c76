//! A thread outside the runtime that sees whether the runtime still ticks (ASY-6).

use crate::{Process, metrics::name};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::Duration,
};

/// How the runtime is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watchdog {
    /// How often the runtime has to tick.
    pub tick: Duration,
    /// Missed ticks in a row after which it counts as stuck.
    pub misses_max: u32,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            misses_max: 3,
        }
    }
}

/// Whether the runtime ticks. Cloning shares it. Whoever sends orders looks here before.
#[derive(Debug, Clone)]
pub struct Liveness(Arc<AtomicBool>);

impl Liveness {
    /// A runtime that nobody watches, for tests and tools.
    #[must_use]
    pub fn unwatched() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Whether it ticks.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Watchdog {
    /// Starts to watch the runtime of `process`, until that ends.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self, process: &Process) -> std::io::Result<Liveness> {
        let beats = Arc::new(AtomicU64::new(0));
        let liveness = Liveness::unwatched();
        // Its drop ends the thread.
        let (alive, ended) = channel::<()>();
        let (seen, stop) = (Arc::clone(&beats), process.settling());
        process.spawn_support("watchdog beat", async move {
            let mut ticks = tokio::time::interval(self.tick / 4);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                seen.fetch_add(1, Ordering::Relaxed);
            }
            drop(alive);
        });
        let told = liveness.clone();
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || self.watch(&beats, &told, &ended))?;
        Ok(liveness)
    }

    fn watch(self, beats: &AtomicU64, liveness: &Liveness, ended: &Receiver<()>) {
        let (mut last, mut misses) = (0, 0);
        while ended.recv_timeout(self.tick) == Err(RecvTimeoutError::Timeout) {
            let now = beats.load(Ordering::Relaxed);
            misses = if now == last { misses + 1 } else { 0 };
            last = now;
            let alive = misses < self.misses_max;
            let was_alive = liveness.0.swap(alive, Ordering::Relaxed);
            match (was_alive, alive) {
                (true, false) => {
                    metrics::counter!(name::REACTOR_STALLS).increment(1);
                    tracing::error!(misses, "the runtime is stuck");
                }
                (false, true) => tracing::warn!("the runtime ticks again"),
                (true, true) | (false, false) => {}
            }
        }
    }
}
