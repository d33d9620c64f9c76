//! A circuit breaker (RET-4, RET-5): closed, open, half-open. One for each target and class of calls.
//!
//! Business refusals are not failures. Whether a call passes is asked before its first byte, so a
//! call refused here was certainly not sent.

use super::Chance;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// When it opens and closes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    /// How far back calls count.
    pub window: Duration,
    /// Calls in the window below which no share is computed.
    pub calls_min: usize,
    /// Failures in a hundred calls that open it.
    pub failures_percent: usize,
    /// Timeouts in a row that open it.
    pub timeouts_in_a_row: u32,
    /// How long it stays open at first; doubled each time a probe fails.
    pub open_for: Duration,
    /// The longest it stays open.
    pub open_for_max: Duration,
    /// Good probes that close it.
    pub probes_to_close: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            calls_min: 10,
            failures_percent: 50,
            timeouts_in_a_row: 5,
            open_for: Duration::from_secs(5),
            open_for_max: Duration::from_secs(60),
            probes_to_close: 3,
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, be it with a refusal.
    Answered,
    /// It failed.
    Failed,
    /// No answer came in time.
    TimedOut,
    /// The target does not accept who we are. Opens at once.
    Unauthenticated,
}

/// Whether calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// All do.
    Closed,
    /// One at a time does, to see whether the target is back.
    HalfOpen,
    /// None does.
    Open,
}

impl BreakerState {
    /// The value of `ploy_breaker_state`.
    #[must_use]
    pub const fn gauge(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::HalfOpen => 1.0,
            Self::Open => 2.0,
        }
    }
}

#[derive(Debug, Clone)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { probing: bool, good: u32 },
}

/// The breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    /// When each call of the window ended, and whether it failed.
    calls: VecDeque<(Instant, bool)>,
    timeouts: u32,
    /// How often it opened since it was last closed.
    opened: u32,
    chance: Chance,
}

impl Breaker {
    /// A closed breaker; `seed` spreads the ends of open times by ±20 %.
    #[must_use]
    pub const fn new(settings: BreakerSettings, seed: u64) -> Self {
        Self {
            settings,
            state: State::Closed,
            calls: VecDeque::new(),
            timeouts: 0,
            opened: 0,
            chance: Chance(seed),
        }
    }

    /// Whether calls pass at `now`.
    #[must_use]
    pub fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Asks for one call. Every permitted call has to be [recorded](Self::record).
    pub fn permit(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Closed => true,
            State::Open { until } if now < *until => false,
            State::Open { .. } => {
                self.state = State::HalfOpen {
                    probing: true,
                    good: 0,
                };
                true
            }
            State::HalfOpen { probing, .. } => !std::mem::replace(probing, true),
        }
    }

    /// Records how a permitted call ended.
    pub fn record(&mut self, outcome: Outcome, now: Instant) {
        let good = matches!(outcome, Outcome::Answered);
        match &mut self.state {
            State::HalfOpen { probing, good: had } if good => {
                *probing = false;
                *had += 1;
                if *had >= self.settings.probes_to_close {
                    self.close();
                }
            }
            State::HalfOpen { .. } => self.open(now),
            State::Closed => self.count(outcome, now),
            // A call from before it opened: its news is old.
            State::Open { .. } => {}
        }
    }

    fn count(&mut self, outcome: Outcome, now: Instant) {
        let failed = !matches!(outcome, Outcome::Answered);
        self.timeouts = match outcome {
            Outcome::TimedOut => self.timeouts + 1,
            Outcome::Answered | Outcome::Failed | Outcome::Unauthenticated => 0,
        };
        self.calls.push_back((now, failed));
        let window = self.settings.window;
        while (self.calls.front()).is_some_and(|(at, _)| now.duration_since(*at) > window) {
            self.calls.pop_front();
        }
        let total = self.calls.len();
        let failures = self.calls.iter().filter(|(_, failed)| *failed).count();
        let too_many = total >= self.settings.calls_min
            && failures * 100 >= total * self.settings.failures_percent;
        if too_many
            || self.timeouts >= self.settings.timeouts_in_a_row
            || outcome == Outcome::Unauthenticated
        {
            self.open(now);
        }
    }

    fn open(&mut self, now: Instant) {
        let factor = 1u32.checked_shl(self.opened).unwrap_or(u32::MAX);
        let base = self.settings.open_for.saturating_mul(factor);
        let base = base.min(self.settings.open_for_max);
        let jitter = self.chance.up_to(base * 2 / 5);
        self.opened = self.opened.saturating_add(1);
        self.state = State::Open {
            until: now + base * 4 / 5 + jitter,
        };
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.calls.clear();
        self.timeouts = 0;
        self.opened = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings::default(), 7)
    }

    fn call(breaker: &mut Breaker, outcome: Outcome, now: Instant) {
        assert!(breaker.permit(now));
        breaker.record(outcome, now);
    }

    #[test]
    fn half_of_ten_calls_failing_opens_it() {
        let (mut breaker, now) = (breaker(), Instant::now());
        for n in 0..9 {
            let outcome = if n % 2 == 0 {
                Outcome::Failed
            } else {
                Outcome::Answered
            };
            call(&mut breaker, outcome, now);
        }
        assert_eq!(
            breaker.state(now),
            BreakerState::Closed,
            "nine calls say nothing"
        );
        call(&mut breaker, Outcome::Answered, now);
        assert_eq!(breaker.state(now), BreakerState::Open);
        assert!(!breaker.permit(now));
    }

    #[test]
    fn old_failures_do_not_count() {
        let (mut breaker, now) = (breaker(), Instant::now());
        (0..9).for_each(|_| call(&mut breaker, Outcome::Failed, now));
        let later = now + 11 * S;
        (0..9).for_each(|_| call(&mut breaker, Outcome::Answered, later));
        call(&mut breaker, Outcome::Failed, later);
        assert_eq!(breaker.state(later), BreakerState::Closed);
    }

    #[test]
    fn five_timeouts_in_a_row_or_one_wrong_key_open_it() {
        let now = Instant::now();
        let mut timeouts = breaker();
        (0..4).for_each(|_| call(&mut timeouts, Outcome::TimedOut, now));
        assert_eq!(timeouts.state(now), BreakerState::Closed);
        call(&mut timeouts, Outcome::TimedOut, now);
        assert_eq!(timeouts.state(now), BreakerState::Open);
        let mut key = breaker();
        call(&mut key, Outcome::Unauthenticated, now);
        assert_eq!(key.state(now), BreakerState::Open);
    }

    #[test]
    fn one_probe_at_a_time_passes_and_three_good_ones_close_it() {
        let (mut breaker, now) = (breaker(), Instant::now());
        call(&mut breaker, Outcome::Unauthenticated, now);
        let later = now + 7 * S;
        for _ in 0..3 {
            assert!(breaker.permit(later));
            assert!(!breaker.permit(later), "one at a time");
            breaker.record(Outcome::Answered, later);
        }
        assert_eq!(breaker.state(later), BreakerState::Closed);
    }

    #[test]
    fn open_times_double_with_a_fifth_of_jitter_up_to_the_bound() {
        for seed in 0..50 {
            let mut breaker = Breaker::new(BreakerSettings::default(), seed);
            let mut now = Instant::now();
            call(&mut breaker, Outcome::Unauthenticated, now);
            for seconds in [5u64, 10, 20, 40, 60, 60] {
                let base = Duration::from_secs(seconds);
                assert!(!breaker.permit(now + base * 4 / 5 - Duration::from_millis(1)));
                now += base * 6 / 5;
                assert!(breaker.permit(now), "seed {seed}, {seconds} s");
                breaker.record(Outcome::Failed, now);
            }
        }
    }
}
