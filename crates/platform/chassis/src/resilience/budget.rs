//! The retry budget of a target (RET-1): repetitions are at most a tenth of the calls of the last
//! ten seconds plus one a second, so that retries never multiply an outage.

use std::time::{Duration, Instant};

/// Repetitions earned without any call, in a second.
const FREE_PER_SECOND: u64 = 1;
/// Calls that earn one repetition.
const CALLS_PER_RETRY: u64 = 10;
/// How many repetitions may be saved up: those of ten seconds.
const SAVED_SECONDS: u64 = 10;
/// The bucket counts in thousandths of a repetition.
const ONE: u64 = 1_000;

/// A bucket of repetitions, filled by time and by calls.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    milli: u64,
    filled_at: Instant,
    /// Thousandths earned by calls that may be saved, lately.
    earned: u64,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            milli: FREE_PER_SECOND * SAVED_SECONDS * ONE,
            filled_at: now,
            earned: 0,
        }
    }

    /// Notes a first attempt, which earns a tenth of a repetition.
    pub fn call(&mut self, now: Instant) {
        self.fill(now);
        let tenth = ONE / CALLS_PER_RETRY;
        self.earned = self.earned.saturating_add(tenth);
        self.milli = self.milli.saturating_add(tenth);
    }

    /// Whether a call may be repeated now; if so, that is paid for.
    pub fn retry(&mut self, now: Instant) -> bool {
        self.fill(now);
        let may = self.milli >= ONE;
        if may {
            self.milli -= ONE;
        }
        may
    }

    /// What is left, in repetitions.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.milli / ONE
    }

    /// Adds what time earned; what calls earned fades over ten seconds.
    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled_at);
        let ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return;
        }
        self.filled_at += Duration::from_millis(ms);
        let span_ms = SAVED_SECONDS * 1_000;
        self.earned -= self.earned.saturating_mul(ms.min(span_ms)) / span_ms;
        let bound = FREE_PER_SECOND * SAVED_SECONDS * ONE + self.earned;
        let free = ms.saturating_mul(FREE_PER_SECOND);
        self.milli = self.milli.saturating_add(free).min(bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(budget: &mut RetryBudget, now: Instant) -> usize {
        (0..10_000).take_while(|_| budget.retry(now)).count()
    }

    #[test]
    fn an_outage_is_not_multiplied() {
        let start = Instant::now();
        let mut budget = RetryBudget::new(start);
        assert_eq!(
            drain(&mut budget, start),
            10,
            "what ten quiet seconds saved"
        );
        let mut retries = 0;
        for ms in (0..10_000).step_by(10) {
            let now = start + Duration::from_millis(ms);
            budget.call(now);
            retries += drain(&mut budget, now);
        }
        // 1 000 calls in ten seconds: a tenth of them, and one a second.
        assert!((105..=112).contains(&retries), "{retries}");
    }

    #[test]
    fn a_quiet_target_saves_no_more_than_ten() {
        let start = Instant::now();
        let mut budget = RetryBudget::new(start);
        (0..100).for_each(|_| budget.call(start));
        assert_eq!(budget.left(), 20);
        let later = start + Duration::from_secs(3_600);
        assert_eq!(drain(&mut budget, later), 10);
    }
}
