//! A sliding one-second window of order times, bounded by the largest rate it can be asked about.

use ploy_domain::{Nanos, Timestamp};
use std::collections::VecDeque;

const WINDOW: Nanos = Nanos::from_secs(1);
/// More orders than this in one second are never allowed, so more need not be remembered.
const REMEMBERED_MAX: usize = 10_000;

/// When the orders of the last second were approved.
#[derive(Debug, Clone, Default)]
pub(crate) struct RateWindow {
    times: VecDeque<Timestamp>,
}

impl RateWindow {
    /// Orders within the second before `now`.
    pub(crate) fn count(&self, now: Timestamp) -> usize {
        let since = now.minus(WINDOW);
        self.times
            .iter()
            .rev()
            .take_while(|at| **at > since)
            .count()
    }

    pub(crate) fn record(&mut self, now: Timestamp) {
        let since = now.minus(WINDOW);
        while self.times.front().is_some_and(|at| *at <= since)
            || self.times.len() >= REMEMBERED_MAX
        {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }
}
