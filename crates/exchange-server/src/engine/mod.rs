//! The engine task: sole owner of the venue. It runs jobs one after another, writes their records,
//! and only then answers them and tells the streams.

mod accounts;
mod checks;
mod klines;
mod listed;
mod memory;
mod observe;
pub(crate) mod order;
mod publish;
mod report;
pub(crate) mod requests;
mod restore;
mod tape;
mod ticker;
pub(crate) mod venue;

pub(crate) use accounts::DAY;
pub(crate) use checks::{BAND_DOWN_DIVISOR, BAND_UP};
pub(crate) use klines::Interval;
pub(crate) use listed::AVERAGE_MINUTES;
pub(crate) use publish::{MarketMessage, UserMessage};
pub(crate) use restore::HOUSE;
pub use restore::OpenError;

use crate::{api::error::ApiError, clock, ledger::LedgerError};
use ploy_domain::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use venue::Venue;

/// Jobs waiting for the engine.
const QUEUE: usize = 1_024;
/// Jobs whose records are written together.
const BATCH: usize = 64;
/// Messages that a subscriber may be behind before it is disconnected.
const BACKLOG: usize = 8_192;
/// How long a caller waits for room in the queue, and for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

type Reply = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce(&mut Venue, Timestamp) -> Reply + Send>;

/// A handle to the engine.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    jobs: mpsc::Sender<Job>,
    market: broadcast::Sender<Arc<MarketMessage>>,
    user: broadcast::Sender<Arc<UserMessage>>,
}

/// The engine before it runs.
pub(crate) struct EngineTask {
    venue: Venue,
    jobs: mpsc::Receiver<Job>,
    engine: Engine,
    syncing: Option<JoinHandle<()>>,
}

impl Engine {
    /// A handle, and the task that must run for it to work.
    pub(crate) fn new(venue: Venue) -> (Self, EngineTask) {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let engine = Self {
            jobs: sender,
            market: broadcast::Sender::new(BACKLOG),
            user: broadcast::Sender::new(BACKLOG),
        };
        let task = EngineTask {
            venue,
            jobs,
            engine: engine.clone(),
            syncing: None,
        };
        (engine, task)
    }

    /// Runs `work` on the venue and answers its result once all it did is written.
    pub(crate) async fn run<T, W>(&self, work: W) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Venue, Timestamp) -> T + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move |venue, now| {
            let outcome = work(venue, now);
            // A caller that went away does not need its answer.
            Box::new(move || drop(answer.send(outcome)))
        });
        match timeout(PATIENCE, self.jobs.send(job)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(ApiError::overloaded()),
        }
        match timeout(PATIENCE, result).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) | Err(_) => Err(ApiError::timeout()),
        }
    }

    /// All market messages from now on.
    pub(crate) fn market(&self) -> broadcast::Receiver<Arc<MarketMessage>> {
        self.market.subscribe()
    }

    /// All events of accounts from now on.
    pub(crate) fn user(&self) -> broadcast::Receiver<Arc<UserMessage>> {
        self.user.subscribe()
    }
}

impl std::fmt::Debug for EngineTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineTask").finish_non_exhaustive()
    }
}

impl EngineTask {
    /// Runs until `stop`. An unwritable ledger ends it at once: nothing is answered that is not
    /// recorded.
    pub(crate) async fn run_until(mut self, stop: CancellationToken) -> Result<(), LedgerError> {
        let mut beats = 0_u64;
        let mut clock_beat = interval(Duration::from_millis(100));
        clock_beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let mut replies = Vec::new();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = clock_beat.tick() => {
                    beats += 1;
                    self.prepare();
                    self.venue.beat(beats, clock::now());
                    if beats.is_multiple_of(10) {
                        self.sync();
                    }
                }
                Some(job) = self.jobs.recv() => {
                    self.prepare();
                    replies.push(job(&mut self.venue, clock::now()));
                    while replies.len() < BATCH && let Ok(job) = self.jobs.try_recv() {
                        replies.push(job(&mut self.venue, clock::now()));
                    }
                }
            }
            self.venue.write()?;
            self.publish();
            replies.into_iter().for_each(|reply| reply());
        }
        self.close().await
    }

    fn prepare(&mut self) {
        self.venue.outbox().market_wanted = self.engine.market.receiver_count() > 0;
    }

    fn publish(&mut self) {
        let outbox = self.venue.outbox();
        for message in outbox.user.drain(..) {
            // Nobody listening is no error.
            drop(self.engine.user.send(message));
        }
        for message in outbox.market.drain(..) {
            drop(self.engine.market.send(message));
        }
    }

    /// Makes what was written durable, beside the engine; one at a time.
    fn sync(&mut self) {
        if self
            .syncing
            .as_ref()
            .is_some_and(|task| !task.is_finished())
        {
            return;
        }
        if let Some(file) = self.venue.sync_handle() {
            let path = self.venue.ledger_path().to_owned();
            self.syncing = Some(tokio::task::spawn_blocking(move || {
                if let Err(error) = file.sync_data() {
                    tracing::error!(path = %path.display(), %error, "cannot sync the ledger");
                }
            }));
        }
    }

    async fn close(mut self) -> Result<(), LedgerError> {
        self.venue.mark(clock::now());
        self.venue.write()?;
        if let Some(task) = self.syncing.take() {
            // A panic of the sync is logged by the runtime; the next line syncs again.
            drop(task.await);
        }
        self.sync();
        if let Some(task) = self.syncing.take() {
            drop(task.await);
        }
        Ok(())
    }
}
