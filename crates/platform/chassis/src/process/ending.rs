//! Why a process ends, what failed, and what it leaves behind.

use std::{
    fmt,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Why the process stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// A signal of the system.
    Signal(&'static str),
    /// Somebody asked for it.
    Requested(String),
    /// This task failed.
    TaskFailed(String),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(name) => f.write_str(name),
            Self::Requested(by) => f.write_str(by),
            Self::TaskFailed(task) => write!(f, "task '{task}' failed"),
        }
    }
}

/// How a task ended that should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd {
    /// Without an error, but before it was told to.
    Early,
    /// With this error and its causes.
    Failed(String),
    /// With this message.
    Panicked(String),
}

impl fmt::Display for TaskEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Early => f.write_str("ended without being told to"),
            Self::Failed(error) => f.write_str(error),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

/// A task that ended as it should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailure {
    /// Its name.
    pub task: String,
    /// How it ended.
    pub end: TaskEnd,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExitSummary {
    /// Why it stopped.
    pub reason: StopReason,
    /// The tasks that failed, the cause first.
    pub failures: Vec<TaskFailure>,
    /// The tasks that did not end in time and were dropped.
    pub abandoned: Vec<String>,
    /// How long the process lived.
    pub uptime: Duration,
    /// How long the end took.
    pub drained_in: Duration,
}

impl ExitSummary {
    /// Whether nothing failed and nothing was dropped.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.abandoned.is_empty()
    }

    /// 0 for a clean end, 1 for any other.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        if self.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    pub(super) fn log(&self) {
        let uptime_seconds = self.uptime.as_secs();
        let drained_ms = u64::try_from(self.drained_in.as_millis()).unwrap_or(u64::MAX);
        if self.is_clean() {
            tracing::info!(reason = %self.reason, uptime_seconds, drained_ms, "ended in order");
        } else {
            let abandoned = self.abandoned.join(", ");
            let failed = self.failures.len();
            tracing::error!(reason = %self.reason, uptime_seconds, drained_ms, failed, abandoned, "ended with faults");
        }
    }
}

/// What is known so far about the end.
#[derive(Debug, Default)]
pub(super) struct Verdict(Mutex<(Option<StopReason>, Vec<TaskFailure>)>);

impl Verdict {
    pub(super) fn decide(&self, reason: StopReason) {
        self.lock().0.get_or_insert(reason);
    }

    pub(super) fn failed(&self, failure: TaskFailure) {
        self.lock().1.push(failure);
    }

    pub(super) fn reason(&self) -> StopReason {
        let known = self.lock().0.clone();
        known.unwrap_or_else(|| StopReason::Requested("cancelled".to_owned()))
    }

    pub(super) fn failures(&self) -> Vec<TaskFailure> {
        self.lock().1.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Option<StopReason>, Vec<TaskFailure>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
