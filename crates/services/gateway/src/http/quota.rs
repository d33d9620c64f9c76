//! How often an address may ask: a token bucket each for reads and mutations (SEC-21).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Addresses remembered at once. When there are more, those that have rested longest are forgotten.
const ADDRESSES_MAX: usize = 4_096;
/// Seconds of the rate that may be used at once.
const BURST_SECONDS: f64 = 2.0;

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Requests that change nothing.
    Read,
    /// Requests that may change something.
    Mutation,
}

/// The buckets of all addresses.
#[derive(Debug)]
pub(crate) struct Quota {
    reads_per_second: f64,
    mutations_per_second: f64,
    buckets: Mutex<HashMap<(IpAddr, Class), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Quota {
    pub(crate) fn new(reads_per_second: u32, mutations_per_second: u32) -> Self {
        Self {
            reads_per_second: f64::from(reads_per_second),
            mutations_per_second: f64::from(mutations_per_second),
            buckets: Mutex::default(),
        }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// How long until there is one.
    pub(crate) fn take(&self, address: IpAddr, class: Class, now: Instant) -> Result<(), Duration> {
        let rate = match class {
            Class::Read => self.reads_per_second,
            Class::Mutation => self.mutations_per_second,
        };
        let full = rate * BURST_SECONDS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&(address, class)) {
            forget_rested(&mut buckets);
        }
        let fresh = Bucket {
            tokens: full,
            at: now,
        };
        let bucket = buckets.entry((address, class)).or_insert(fresh);
        let rested = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + rested * rate).min(full);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            Ok(())
        } else {
            Err(Duration::from_secs_f64((1.0 - bucket.tokens) / rate))
        }
    }
}

/// Keeps the half that asked last.
fn forget_rested(buckets: &mut HashMap<(IpAddr, Class), Bucket>) {
    let mut times: Vec<_> = buckets.values().map(|bucket| bucket.at).collect();
    times.sort_unstable();
    if let Some(median) = times.get(times.len() / 2).copied() {
        buckets.retain(|_, bucket| bucket.at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_burst_is_allowed_then_the_rate() {
        let (quota, start) = (Quota::new(60, 10), Instant::now());
        for _ in 0..20 {
            assert_eq!(quota.take(LOCAL, Class::Mutation, start), Ok(()));
        }
        let wait = quota.take(LOCAL, Class::Mutation, start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert_eq!(quota.take(LOCAL, Class::Read, start), Ok(()));
        assert_eq!(quota.take(LOCAL, Class::Mutation, start + wait), Ok(()));
    }

    #[test]
    fn the_number_of_remembered_addresses_is_bounded() {
        let (quota, start) = (Quota::new(60, 10), Instant::now());
        for n in 0..3 * ADDRESSES_MAX {
            let address = IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
            let now = start + Duration::from_micros(u64::try_from(n).unwrap());
            assert_eq!(quota.take(address, Class::Read, now), Ok(()));
        }
        assert!(quota.buckets.lock().unwrap().len() <= ADDRESSES_MAX);
    }
}
