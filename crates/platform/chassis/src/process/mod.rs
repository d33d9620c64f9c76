//! The life of a process: its tasks, what stops it, and how it ends in at most 20 s (10 s to drain
//! the work, 10 s to settle; telemetry has 5 s after that, failure-model §10.1).
//!
//! Decides that a task that ends early or panics stops the process: a restart is cheaper than a
//! half-dead service (ASY-3). What a task does with the stop is its own matter.

mod ending;
mod signals;
mod tasks;

pub use ending::{ExitSummary, StopReason, TaskEnd, TaskFailure};
pub use tasks::TaskOutcome;

use crate::{Clock, scope};
use ending::Verdict;
use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};
use tasks::TaskSet;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the two phases of an orderly end may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// For the work: finish what was accepted.
    pub work: Duration,
    /// For what the work stands on: publish the rest, give leases back.
    pub support: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            work: Duration::from_secs(10),
            support: Duration::from_secs(10),
        }
    }
}

/// A process, or one service's view of it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Process {
    shared: Arc<Shared>,
    service: &'static str,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    drain: Drain,
    /// Accept nothing new.
    stop: CancellationToken,
    /// The work is done: finish too.
    settle: CancellationToken,
    work: TaskSet,
    support: TaskSet,
    verdict: Verdict,
}

impl Process {
    /// The process `name`, which is also the name of its service.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self::with_drain(name, Drain::default())
    }

    /// The process `name` with other bounds for its end.
    #[must_use]
    pub fn with_drain(name: &'static str, drain: Drain) -> Self {
        let shared = Shared {
            started: Clock::system().instant(),
            drain,
            stop: CancellationToken::new(),
            settle: CancellationToken::new(),
            work: TaskSet::default(),
            support: TaskSet::default(),
            verdict: Verdict::default(),
        };
        Self {
            shared: Arc::new(shared),
            service: name,
        }
    }

    /// The same process as `service` sees it: the logs and spans of its tasks carry that name.
    #[must_use]
    pub fn for_service(&self, service: &'static str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            service,
        }
    }

    /// Whose view this is.
    #[must_use]
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// How long the process has lived.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.shared.started.elapsed()
    }

    /// Cancelled when the process shall end: accept nothing new, finish what was accepted.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// Cancelled when the work has ended: what it stood on finishes too.
    #[must_use]
    pub fn settling(&self) -> CancellationToken {
        self.shared.settle.clone()
    }

    /// Where requests are run as tasks of the work without names; they may end whenever they are
    /// done. The end of the process waits for them.
    #[must_use]
    pub fn requests(&self) -> TaskTracker {
        self.shared.work.tracker()
    }

    /// Starts a task of the work. It has to end soon after [`Self::stopping`]; when it ends before,
    /// fails or panics, the process stops.
    pub fn spawn_named<F>(&self, name: impl Into<Cow<'static, str>>, task: F)
    where
        F: Future + Send + 'static,
        F::Output: TaskOutcome,
    {
        self.spawn_in(&self.shared.work, name.into(), self.stopping(), task);
    }

    /// Starts a task that the work stands on (relay, lease, listeners of health). It has to end soon
    /// after [`Self::settling`]; when it ends before, fails or panics, the process stops.
    pub fn spawn_support<F>(&self, name: impl Into<Cow<'static, str>>, task: F)
    where
        F: Future + Send + 'static,
        F::Output: TaskOutcome,
    {
        self.spawn_in(&self.shared.support, name.into(), self.settling(), task);
    }

    /// Starts a task of the work that may end whenever it is done, such as one request. It stops the
    /// process only by panicking or failing.
    pub fn spawn_brief<F>(&self, name: impl Into<Cow<'static, str>>, task: F)
    where
        F: Future + Send + 'static,
        F::Output: TaskOutcome,
    {
        let may_end = CancellationToken::new();
        may_end.cancel();
        self.spawn_in(&self.shared.work, name.into(), may_end, task);
    }

    fn spawn_in<F>(
        &self,
        set: &TaskSet,
        name: Cow<'static, str>,
        may_end: CancellationToken,
        task: F,
    ) where
        F: Future + Send + 'static,
        F::Output: TaskOutcome,
    {
        let process = self.clone();
        let report = move |failure: TaskFailure| process.failed(failure);
        set.spawn(name, may_end, scope::within(self.service, task), report);
    }

    fn failed(&self, failure: TaskFailure) {
        tracing::error!(task = %failure.task, reason = %failure.end, "a task failed; the process stops");
        let reason = StopReason::TaskFailed(failure.task.clone());
        self.shared.verdict.failed(failure);
        self.stop(reason);
    }

    /// Begins the end. The first reason stays.
    pub fn stop(&self, reason: StopReason) {
        self.shared.verdict.decide(reason);
        self.shared.stop.cancel();
    }

    /// Waits for the stop, then ends all tasks: first the work, then what it stands on, each within
    /// its bound. What has not ended then is dropped and named in the summary.
    pub async fn run_until_ended(&self) -> ExitSummary {
        let shared = &self.shared;
        shared.stop.cancelled().await;
        let began = Instant::now();
        tracing::info!(reason = %shared.verdict.reason(), "stopping: finishing what was accepted");
        let mut abandoned = shared.work.end_within(shared.drain.work).await;
        shared.settle.cancel();
        abandoned.extend(shared.support.end_within(shared.drain.support).await);
        let summary = ExitSummary {
            reason: shared.verdict.reason(),
            failures: shared.verdict.failures(),
            abandoned,
            uptime: self.uptime(),
            drained_in: began.elapsed(),
        };
        summary.log();
        summary
    }
}

#[cfg(test)]
mod tests;
