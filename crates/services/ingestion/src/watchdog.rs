//! Staleness: which instruments were not heard of for too long. Stale is a fact too (MSG-24).

use ploy_domain::{FeedState, InstrumentId};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What is known of one instrument's feed.
#[derive(Debug, Clone, Copy)]
struct Watched {
    heard: Instant,
    /// What the feed says of itself.
    claimed: FeedState,
    stale: bool,
}

/// Judges by the monotonic time of receipt.
#[derive(Debug)]
pub(crate) struct Watchdog {
    limit: Duration,
    watched: BTreeMap<InstrumentId, Watched>,
}

impl Watchdog {
    pub(crate) fn new(
        limit: Duration,
        instruments: impl IntoIterator<Item = InstrumentId>,
        now: Instant,
    ) -> Self {
        let fresh = Watched {
            heard: now,
            claimed: FeedState::Disconnected,
            stale: false,
        };
        Self {
            limit,
            watched: instruments.into_iter().map(|id| (id, fresh)).collect(),
        }
    }

    /// Notes a fact about an instrument; answers its state when that ended a silence.
    pub(crate) fn heard(&mut self, instrument: &InstrumentId, now: Instant) -> Option<FeedState> {
        let watched = self.watched.get_mut(instrument)?;
        watched.heard = now;
        std::mem::take(&mut watched.stale).then_some(watched.claimed)
    }

    /// Notes what the feed says of itself.
    pub(crate) fn claimed(&mut self, instrument: Option<&InstrumentId>, state: FeedState) {
        let chosen = self.watched.iter_mut();
        let chosen = chosen.filter(|(id, _)| instrument.is_none_or(|wanted| wanted == *id));
        chosen.for_each(|(_, watched)| watched.claimed = state);
    }

    /// The instruments that have just become stale.
    pub(crate) fn newly_stale(&mut self, now: Instant) -> Vec<InstrumentId> {
        let limit = self.limit;
        let silent = |watched: &Watched| {
            watched.claimed == FeedState::Good
                && !watched.stale
                && now.saturating_duration_since(watched.heard) > limit
        };
        let chosen = self
            .watched
            .iter_mut()
            .filter(|(_, watched)| silent(watched));
        chosen
            .map(|(id, watched)| {
                watched.stale = true;
                *id
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_reported_once_and_ends_with_the_next_fact() {
        let id: InstrumentId = "BTCUSDT.SIM".parse().unwrap();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut dog = Watchdog::new(Duration::from_secs(3), [id], start);
        assert!(
            dog.newly_stale(at(9_000)).is_empty(),
            "a feed that never was good is not stale"
        );
        dog.claimed(None, FeedState::Good);
        assert_eq!(dog.heard(&id, at(10_000)), None);
        assert!(dog.newly_stale(at(13_000)).is_empty());
        assert_eq!(dog.newly_stale(at(13_001)), [id]);
        assert!(dog.newly_stale(at(14_000)).is_empty());
        assert_eq!(dog.heard(&id, at(15_000)), Some(FeedState::Good));
        assert_eq!(dog.heard(&id, at(15_001)), None);
    }
}
