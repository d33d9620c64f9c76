//! The cache: rate counters that several instances share, in Redis, or that one keeps in memory.
//!
//! Decides what a counter says when Redis does not: each instance then counts for itself against a
//! quarter of the limit (failure-model §9). Nothing that correctness needs is kept here.

mod memory;
mod shared;

use crate::{BoxError, Clock, metrics::name};
use memory::Windows;
use shared::SharedWindows;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long Redis may take.
const DEADLINE: Duration = Duration::from_millis(100);
/// The part of the limit that an instance has to itself while Redis is away.
const ALONE: u64 = 4;

/// Why the cache cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The URL names no cache.
    #[error("cache url '{scheme}:…' is not usable: expected memory: or redis://host:port")]
    Url {
        /// What it begins with; the rest may hold a password.
        scheme: String,
        /// What the client reported.
        #[source]
        source: Option<BoxError>,
    },
    /// Redis does not answer.
    #[error("the cache does not answer: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// What a counter says about one more event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Whether it is within the limit.
    pub allowed: bool,
    /// Events in this window, this one included.
    pub count: u64,
    /// When the window ends.
    pub resets_in: Duration,
    /// Whether the count is this instance's own, since Redis is away.
    pub degraded: bool,
}

/// The cache.
#[derive(Debug)]
pub struct Cache {
    clock: Clock,
    shared: Option<SharedWindows>,
    own: Mutex<Windows>,
}

impl Cache {
    /// Opens the cache that `url` names: `memory:` or `redis://…`. Redis does not have to answer yet.
    ///
    /// # Errors
    /// [`CacheError::Url`].
    pub fn open(url: &str, clock: Clock) -> Result<Self, CacheError> {
        let scheme = || url.split(':').next().unwrap_or_default().to_owned();
        let shared = match scheme().as_str() {
            "memory" => None,
            "redis" => Some(SharedWindows::open(url).map_err(|source| CacheError::Url {
                scheme: scheme(),
                source: Some(source.into()),
            })?),
            _ => {
                return Err(CacheError::Url {
                    scheme: scheme(),
                    source: None,
                });
            }
        };
        Ok(Self {
            clock,
            shared,
            own: Mutex::default(),
        })
    }

    /// Counts one event of `key` in the present window of length `window` and compares with `limit`.
    /// Never fails and never takes longer than 100 ms.
    pub async fn incr_window(&self, key: &str, window: Duration, limit: u64) -> Rate {
        let slot = Slot::at(self.clock.now().as_millis(), window);
        if let Some(shared) = &self.shared {
            match in_time(shared.increment(key, slot)).await {
                Ok(count) => return slot.rate(count, limit, false),
                Err(error) => {
                    tracing::debug!(%error, "rate limits are counted in this process");
                    metrics::counter!(name::RETRIES, "target" => "cache").increment(1);
                }
            }
        }
        let count = self.own().increment(key, slot);
        match &self.shared {
            None => slot.rate(count, limit, false),
            Some(_) => slot.rate(count, (limit / ALONE).max(1), true),
        }
    }

    /// Whether the cache answers.
    ///
    /// # Errors
    /// [`CacheError::Unavailable`].
    pub async fn ping(&self) -> Result<(), CacheError> {
        match &self.shared {
            None => Ok(()),
            Some(shared) => in_time(shared.ping()).await,
        }
    }

    fn own(&self) -> std::sync::MutexGuard<'_, Windows> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn in_time<T>(
    work: impl Future<Output = Result<T, redis::RedisError>>,
) -> Result<T, CacheError> {
    let reason = match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} ms", DEADLINE.as_millis()),
    };
    Err(CacheError::Unavailable { reason })
}

/// One window of time: the same for every instance, since it is cut from the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    number: i64,
    window_ms: i64,
    ends_in_ms: i64,
}

impl Slot {
    fn at(now_ms: i64, window: Duration) -> Self {
        let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
        Self {
            number: now_ms.div_euclid(window_ms),
            window_ms,
            ends_in_ms: window_ms - now_ms.rem_euclid(window_ms),
        }
    }

    fn rate(self, count: u64, limit: u64, degraded: bool) -> Rate {
        Rate {
            allowed: count <= limit,
            count,
            resets_in: Duration::from_millis(self.ends_in_ms.unsigned_abs()),
            degraded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use ploy_domain::Timestamp;

    #[tokio::test]
    async fn a_window_counts_to_its_limit_and_begins_anew() {
        let hand = ManualClock::at(Timestamp::from_nanos(600_000_000));
        let cache = Cache::open("memory:", hand.clock()).unwrap();
        let second = Duration::from_secs(1);
        for expected in [true, true, true, false] {
            assert_eq!(cache.incr_window("ann", second, 3).await.allowed, expected);
        }
        let other = cache.incr_window("bob", second, 3).await;
        assert_eq!(
            (other.count, other.resets_in),
            (1, Duration::from_millis(400))
        );
        hand.advance(Duration::from_millis(400));
        assert_eq!(cache.incr_window("ann", second, 3).await.count, 1);
        assert!(cache.ping().await.is_ok());
    }

    #[test]
    fn a_url_of_nothing_we_know_is_refused_without_showing_it() {
        let error = Cache::open("memcached://u:hunter2@x", Clock::system()).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
