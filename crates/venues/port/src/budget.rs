//! Stays below a venue's limits: decides whether a request may be sent now or when it may, and
//! keeps a part of each limit for cancels and reconciliation. Does not queue: a caller that may
//! wait waits itself.

use crate::declaration::RateLimit;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// New orders and everything that can wait: may use 80 % of a limit.
    Normal,
    /// Cancels, queries of unknown orders and reconciliation: may use all of it (ORD-18).
    Reserved,
}

/// No budget now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {scope} budget is used up for {} ms", after.as_millis())]
pub struct BudgetExhausted {
    /// Which limit.
    pub scope: &'static str,
    /// When there is budget again.
    pub after: Duration,
}

/// Percent of every limit that only [`Priority::Reserved`] may use.
const RESERVE_PERCENT: u64 = 20;
/// A sliding window is counted in this many slots.
const SLOTS: u32 = 20;

/// The budget of one scope: one or more sliding windows and a ban.
///
/// Sliding windows never spend more than the limit in *any* span of their length, so they also
/// keep fixed windows that are aligned to a clock we cannot see.
#[derive(Debug)]
pub struct RateBudget {
    scope: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    windows: Vec<Window>,
    banned_until: Option<Instant>,
}

#[derive(Debug)]
struct Window {
    limit: u64,
    length: Duration,
    /// Start of each slot and what was spent in it, oldest first.
    spent: VecDeque<(Instant, u64)>,
}

impl RateBudget {
    /// The budget of the limits named `scope` among `limits`. Without one, only bans hold.
    #[must_use]
    pub fn new(scope: &'static str, limits: &[RateLimit]) -> Self {
        let budget = Self {
            scope,
            state: Mutex::new(State {
                windows: Vec::new(),
                banned_until: None,
            }),
        };
        budget.configure(limits);
        budget
    }

    /// Replaces the limits by what the venue states now, if it states any; what was spent counts
    /// on in the windows that stay.
    pub fn configure(&self, limits: &[RateLimit]) {
        let limits: Vec<_> = limits.iter().filter(|l| l.scope == self.scope).collect();
        if limits.is_empty() {
            return;
        }
        let mut state = self.lock();
        let old = std::mem::take(&mut state.windows);
        let spent = |length| old.iter().find(|window| window.length == length);
        state.windows = limits
            .iter()
            .map(|limit| Window {
                limit: u64::from(limit.limit),
                length: limit.window,
                spent: spent(limit.window).map_or_else(VecDeque::new, |w| w.spent.clone()),
            })
            .collect();
    }

    /// Spends `weight` in every window, or nothing in any.
    ///
    /// # Errors
    /// [`BudgetExhausted`] says when to ask again.
    pub fn try_spend(&self, weight: u32, priority: Priority) -> Result<(), BudgetExhausted> {
        let now = Instant::now();
        let weight = u64::from(weight);
        let mut state = self.lock();
        let banned = state.banned_until.filter(|until| *until > now);
        let wait = banned.map(|until| until - now);
        let waits = state.windows.iter_mut().map(|window| {
            window.forget(now);
            window.wait(weight, priority, now)
        });
        let wait = waits.chain([wait]).flatten().max();
        if let Some(after) = wait {
            let scope = self.scope;
            return Err(BudgetExhausted { scope, after });
        }
        for window in &mut state.windows {
            window.spend(weight, now);
        }
        drop(state);
        Ok(())
    }

    /// The venue asked for silence (`Retry-After`): nothing is sent in this scope before `after`.
    pub fn ban(&self, after: Duration) {
        let until = Instant::now() + after;
        let mut state = self.lock();
        state.banned_until = Some(state.banned_until.map_or(until, |old| old.max(until)));
    }

    /// The venue says that `used` is spent in the window of this length; where that is more than
    /// we counted, others share the limit and the venue is right.
    pub fn observe(&self, length: Duration, used: u64) {
        let now = Instant::now();
        let mut state = self.lock();
        for window in state.windows.iter_mut().filter(|w| w.length == length) {
            window.forget(now);
            let missing = used.saturating_sub(window.total());
            window.spend(missing, now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn total(&self) -> u64 {
        self.spent.iter().map(|(_, weight)| weight).sum()
    }

    /// A slot is forgotten once even its last request has left the window.
    fn forget(&mut self, now: Instant) {
        let lifetime = self.length + self.length / SLOTS;
        while let Some((start, _)) = self.spent.front()
            && now.saturating_duration_since(*start) >= lifetime
        {
            self.spent.pop_front();
        }
    }

    fn spend(&mut self, weight: u64, now: Instant) {
        if weight == 0 {
            return;
        }
        let slot = self.length / SLOTS;
        match self.spent.back_mut() {
            Some((start, spent)) if now.saturating_duration_since(*start) < slot => {
                *spent += weight;
            }
            _ => self.spent.push_back((now, weight)),
        }
    }

    /// How long until `weight` fits; `None` when it fits now.
    fn wait(&self, weight: u64, priority: Priority, now: Instant) -> Option<Duration> {
        let usable = match priority {
            Priority::Normal => self.limit - (self.limit * RESERVE_PERCENT).div_ceil(100),
            Priority::Reserved => self.limit,
        };
        let mut excess = (self.total() + weight).saturating_sub(usable);
        if excess == 0 {
            return None;
        }
        let lifetime = self.length + self.length / SLOTS;
        for (start, spent) in &self.spent {
            excess = excess.saturating_sub(*spent);
            if excess == 0 {
                return Some((*start + lifetime).saturating_duration_since(now));
            }
        }
        // More than the whole limit at once never fits; the caller hears the longest wait.
        Some(lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::time::advance;

    const MINUTE: Duration = Duration::from_secs(60);

    fn budget(limit: u32) -> RateBudget {
        let limits = [RateLimit {
            scope: "weight",
            limit,
            window: MINUTE,
        }];
        RateBudget::new("weight", &limits)
    }

    fn spend_all(budget: &RateBudget, priority: Priority) -> u32 {
        let mut spent = 0;
        while budget.try_spend(1, priority).is_ok() {
            spent += 1;
        }
        spent
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_limit_is_kept_for_cancels() {
        let budget = budget(100);
        assert_eq!(spend_all(&budget, Priority::Normal), 80);
        assert_eq!(spend_all(&budget, Priority::Reserved), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_as_told_is_enough() {
        let budget = budget(10);
        spend_all(&budget, Priority::Reserved);
        let after = budget.try_spend(1, Priority::Reserved).unwrap_err().after;
        assert!(
            after > MINUTE && after <= MINUTE + MINUTE / SLOTS,
            "{after:?}"
        );
        advance(after).await;
        assert_eq!(budget.try_spend(1, Priority::Reserved), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ban_silences_even_the_reserve_until_it_ends() {
        let budget = budget(10);
        budget.ban(Duration::from_secs(30));
        let exhausted = budget.try_spend(1, Priority::Reserved).unwrap_err();
        assert_eq!(exhausted.after, Duration::from_secs(30));
        advance(Duration::from_secs(30)).await;
        assert_eq!(budget.try_spend(1, Priority::Reserved), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_venues_own_count_wins_where_it_is_higher() {
        let budget = budget(100);
        budget.observe(MINUTE, 75);
        assert_eq!(spend_all(&budget, Priority::Normal), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn new_limits_keep_what_was_spent() {
        let budget = budget(100);
        assert_eq!(spend_all(&budget, Priority::Normal), 80);
        let scope = "weight";
        let (limit, window) = (200, MINUTE);
        budget.configure(&[RateLimit {
            scope,
            limit,
            window,
        }]);
        assert_eq!(spend_all(&budget, Priority::Normal), 80);
    }

    proptest! {
        #[test]
        fn no_span_of_the_windows_length_exceeds_the_limit(
            steps in proptest::collection::vec((0u64..4_000, 1u32..6), 1..300)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time().start_paused(true).build()?;
            let passed = runtime.block_on(async {
                let (budget, mut passed, mut at) = (budget(40), Vec::new(), 0);
                for (wait_ms, weight) in steps {
                    advance(Duration::from_millis(wait_ms)).await;
                    at += wait_ms;
                    if budget.try_spend(weight, Priority::Reserved).is_ok() {
                        passed.push((at, weight));
                    }
                }
                passed
            });
            for (start, _) in &passed {
                let within = |at: &u64| (*start..start + 60_000).contains(at);
                let sum: u32 = passed.iter().filter(|(at, _)| within(at)).map(|(_, w)| w).sum();
                prop_assert!(sum <= 40, "{sum} spent in a minute from {start} ms");
            }
        }
    }
}
