//! Asks a dependency at intervals and reports what it says.

use super::Check;
use std::{
    fmt::Display,
    time::{Duration, Instant},
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How a dependency is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probing {
    /// How often.
    pub every: Duration,
    /// How long an answer may take.
    pub deadline: Duration,
    /// Failures in a row that make it down; fewer make it degraded.
    pub failures_to_down: u32,
}

impl Default for Probing {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            deadline: Duration::from_secs(1),
            failures_to_down: 3,
        }
    }
}

impl Check {
    /// Asks with `probe` until `stop` is cancelled.
    pub async fn probe<F, Fut, E>(self, how: Probing, stop: CancellationToken, mut probe: F)
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Display,
    {
        let mut ticks = tokio::time::interval(how.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failures = 0;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let began = Instant::now();
            let answer = match tokio::time::timeout(how.deadline, probe()).await {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} ms", how.deadline.as_millis())),
            };
            match answer {
                Ok(()) => {
                    failures = 0;
                    self.up(began.elapsed());
                }
                Err(reason) => {
                    failures += 1;
                    self.failed(reason, failures >= how.failures_to_down);
                }
            }
        }
    }

    fn failed(&self, reason: String, down: bool) {
        if down {
            self.down(reason);
        } else {
            self.degraded(reason);
        }
    }
}
