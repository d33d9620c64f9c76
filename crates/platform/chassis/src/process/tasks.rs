//! A set of named tasks: catches how each ends and says which are still running.

use super::ending::{TaskEnd, TaskFailure};
use crate::BoxError;
use futures_util::FutureExt;
use std::{
    any::Any,
    borrow::Cow,
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a task may return.
pub trait TaskOutcome: Send {
    /// The failure, if it is one.
    fn into_failure(self) -> Option<BoxError>;
}

impl TaskOutcome for () {
    fn into_failure(self) -> Option<BoxError> {
        None
    }
}

impl<E: Into<BoxError> + Send> TaskOutcome for Result<(), E> {
    fn into_failure(self) -> Option<BoxError> {
        self.err().map(Into::into)
    }
}

type Names = Arc<Mutex<BTreeMap<u64, Cow<'static, str>>>>;

/// Tasks that end together.
#[derive(Debug, Default)]
pub(super) struct TaskSet {
    tracker: TaskTracker,
    abort: CancellationToken,
    running: Names,
    next_id: std::sync::atomic::AtomicU64,
}

impl TaskSet {
    /// Starts `task`. `report` learns of every end but a good one after `may_end` is cancelled.
    pub(super) fn spawn<F>(
        &self,
        name: Cow<'static, str>,
        may_end: CancellationToken,
        task: F,
        report: impl FnOnce(TaskFailure) + Send + 'static,
    ) where
        F: Future + Send + 'static,
        F::Output: TaskOutcome,
    {
        let id = self
            .next_id
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        lock(&self.running).insert(id, name.clone());
        let (running, abort) = (Arc::clone(&self.running), self.abort.clone());
        self.tracker.spawn(async move {
            let task = AssertUnwindSafe(Box::pin(task)).catch_unwind();
            let end = tokio::select! {
                ended = task => classify(ended, may_end.is_cancelled()),
                // Its name stays among the running: that is how the summary knows it.
                () = abort.cancelled() => return,
            };
            lock(&running).remove(&id);
            if let Some(end) = end {
                report(TaskFailure {
                    task: name.into_owned(),
                    end,
                });
            }
        });
    }

    pub(super) fn tracker(&self) -> TaskTracker {
        self.tracker.clone()
    }

    /// Drops every named task of the set.
    pub(super) fn abort(&self) {
        self.abort.cancel();
    }

    /// Waits until all have ended, at most `limit`; then drops the rest and returns their names.
    pub(super) async fn end_within(&self, limit: Duration) -> Vec<String> {
        self.tracker.close();
        if tokio::time::timeout(limit, self.tracker.wait())
            .await
            .is_err()
        {
            self.abort();
        }
        let running = lock(&self.running);
        running.values().map(|name| name.to_string()).collect()
    }
}

fn lock(names: &Names) -> std::sync::MutexGuard<'_, BTreeMap<u64, Cow<'static, str>>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

fn classify(
    ended: Result<impl TaskOutcome, Box<dyn Any + Send>>,
    may_end: bool,
) -> Option<TaskEnd> {
    match ended {
        Err(panic) => Some(TaskEnd::Panicked(panic_text(panic.as_ref()))),
        Ok(outcome) => match outcome.into_failure() {
            Some(error) => Some(TaskEnd::Failed(crate::chain(error.as_ref()))),
            None => (!may_end).then_some(TaskEnd::Early),
        },
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
