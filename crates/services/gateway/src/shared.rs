//! What every request shares.

use crate::{app::Deps, config::Config, http::quota::Quota, stream::Hub};
use ploy_chassis::Clock;
use ploy_domain::AccountId;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) deps: Deps,
    pub(crate) clock: Clock,
    pub(crate) quota: Quota,
    /// Places for requests.
    pub(crate) requests: Semaphore,
    /// Places for streams.
    streams: Arc<Semaphore>,
    pub(crate) hub: Hub,
    /// Connections, streams, and commands that outlive the connection they came by.
    pub(crate) tasks: TaskTracker,
    /// Tells streams to end.
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
    /// Makes request ids of different processes differ.
    born_ns: i64,
    requests_seen: AtomicU64,
}

impl Shared {
    pub(crate) fn new(config: Config, deps: Deps, clock: Clock) -> Self {
        let bounds = config.bounds;
        Self {
            quota: Quota::new(bounds.reads_per_second, bounds.mutations_per_second),
            requests: Semaphore::new(bounds.requests_max),
            streams: Arc::new(Semaphore::new(bounds.streams_max)),
            hub: Hub::new(bounds.stream_updates_max),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            started: clock.instant(),
            born_ns: clock.now().as_nanos(),
            requests_seen: AtomicU64::new(0),
            config,
            deps,
            clock,
        }
    }

    pub(crate) fn next_request_id(&self) -> String {
        let n = self.requests_seen.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{n:x}", self.born_ns)
    }

    /// A place for a stream, if there is one.
    pub(crate) fn try_stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// The account that is meant when none is named.
    pub(crate) fn default_account(&self) -> Option<AccountId> {
        self.config.accounts.first().copied()
    }
}
