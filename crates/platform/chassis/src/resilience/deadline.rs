//! The moment after which nobody waits for an answer any more.

use std::time::{Duration, Instant};

/// A moment on the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `limit` from `now`.
    #[must_use]
    pub fn after(now: Instant, limit: Duration) -> Self {
        Self(now + limit)
    }

    /// What is left; zero when it has passed.
    #[must_use]
    pub fn left(&self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(&self, now: Instant) -> bool {
        now >= self.0
    }

    /// What a call on the way may take: what is left without `hop`, so that the answer "too late"
    /// still arrives, and at most `limit`. `None` when there is no time for it.
    #[must_use]
    pub fn for_call(&self, now: Instant, hop: Duration, limit: Duration) -> Option<Duration> {
        let left = self.left(now).checked_sub(hop)?;
        (!left.is_zero()).then(|| left.min(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hop_keeps_some_time_for_itself() {
        let ms = Duration::from_millis;
        let now = Instant::now();
        let deadline = Deadline::after(now, ms(100));
        assert_eq!(deadline.for_call(now, ms(20), ms(1_000)), Some(ms(80)));
        assert_eq!(deadline.for_call(now, ms(20), ms(50)), Some(ms(50)));
        assert_eq!(deadline.for_call(now + ms(80), ms(20), ms(50)), None);
        assert!(deadline.has_passed(now + ms(100)) && !deadline.has_passed(now + ms(99)));
        assert_eq!(deadline.left(now + ms(200)), Duration::ZERO);
    }
}
