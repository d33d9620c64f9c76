//! The relay: carries the order log from the database to the bus, in order, until the bus has
//! acknowledged it (MSG-7 to MSG-10), and says every half second where each log ends (MSG-9).
//!
//! Decides when a row counts as published. What the rows mean is their writers' business, and a
//! bus that lost them is filled again from the database (MSG-20).

mod publishing;

use crate::{Clock, chain, metrics::name, resilience::Backoff};
use ploy_bus::{Bus, BusError, StreamSpec, SubjectError};
use ploy_domain::AccountId;
use ploy_store::{Store, StoreError};
use publishing::Publishing;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// A wake-up is a hint; the relay looks by itself this often (MSG-8).
const LOOK_EVERY: Duration = Duration::from_millis(250);
const HEAD_EVERY: Duration = Duration::from_millis(500);
const REGRESSION_EVERY: Duration = Duration::from_secs(5);
/// The ceilings of the waits after failures in a row double between these.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What the relay works with.
#[derive(Debug)]
pub struct Relay {
    /// The database that holds the log.
    pub store: Store,
    /// The bus that carries it.
    pub bus: Arc<dyn Bus>,
    /// Time of publication.
    pub clock: Clock,
    /// Rings after every commit.
    pub committed: Arc<Notify>,
    /// The accounts whose logs this process writes.
    pub accounts: Vec<AccountId>,
    /// The streams of the bus, declared again when it lost them.
    pub streams: Vec<StreamSpec>,
}

/// Why the relay cannot go on now. It tries again until it is stopped.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the order log cannot be read or marked")]
    Store(#[from] StoreError),
    #[error("the bus does not take the order log")]
    Bus(#[from] BusError),
    #[error("an account has no valid subject")]
    Subject(#[from] SubjectError),
}

impl Relay {
    /// Publishes until `stop`, then what is left, once.
    pub async fn run(self, stop: CancellationToken) {
        let committed = Arc::clone(&self.committed);
        // Any number will do: it only keeps several relays from waiting in step.
        let seed = self.clock.now().as_nanos().unsigned_abs();
        let mut publishing = Publishing::new(self);
        follow(&mut publishing, &committed, seed, &stop).await;
        if let Err(error) = publishing.drain().await {
            let error = chain(&error);
            tracing::warn!(
                error,
                "part of the order log is not published; it will be later"
            );
        }
    }
}

async fn follow(
    publishing: &mut Publishing,
    committed: &Notify,
    seed: u64,
    stop: &CancellationToken,
) {
    let mut look = interval(LOOK_EVERY);
    let mut heads = interval(HEAD_EVERY);
    let mut regression = interval(REGRESSION_EVERY);
    for ticker in [&mut look, &mut heads, &mut regression] {
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let mut pause = Pause {
        until: None,
        backoff: Backoff::new(BACKOFF.0, BACKOFF.1, seed),
    };
    loop {
        let done = tokio::select! {
            () = stop.cancelled() => return,
            () = committed.notified(), if pause.is_over() => publishing.publish().await,
            _ = look.tick() => match pause.is_over() {
                true => publishing.look().await,
                false => continue,
            },
            _ = heads.tick() => publishing.announce_heads().await,
            _ = regression.tick() => publishing.check_regression().await,
        };
        match done {
            Ok(()) if pause.is_over() => pause.end(),
            Ok(()) => {}
            Err(error) => pause.begin(&error),
        }
    }
}

/// The wait after a failure.
struct Pause {
    until: Option<Instant>,
    backoff: Backoff,
}

impl Pause {
    fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    fn begin(&mut self, error: &RelayError) {
        let first = self.backoff.failures() == 0;
        let wait = self.backoff.next_delay();
        let (error, wait_ms) = (chain(error), wait.as_millis());
        // The first failure is news, the others are the same one.
        if first {
            tracing::warn!(error, wait_ms, "the relay waits");
        } else {
            tracing::debug!(error, wait_ms, "the relay still waits");
        }
        metrics::counter!(name::RETRIES, "target" => "relay").increment(1);
        self.until = Some(Instant::now() + wait);
    }

    fn end(&mut self) {
        if self.until.take().is_some() {
            self.backoff.reset();
        }
    }
}
