//! What is known about one account's log, and what follows from it. Pure: time is an argument.

use super::Standing;
use ploy_domain::ids::Hash128;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A heartbeat beyond the position is believed after this long: its events may be on the way.
const PATIENCE: Duration = Duration::from_secs(1);
/// A log whose head was not heard of for this long is asked for it.
const SILENCE_MAX: Duration = Duration::from_secs(2);
/// How often a silent log's owner is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Waits after failures in a row, the last one for ever.
const RETRY_AFTER: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];
/// Applied events whose content is remembered, to tell a duplicate from a forgery (MSG-15).
const REMEMBERED: usize = 256;

/// The content of an event, in short.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    let mut hash = Hash128::new();
    hash.write(bytes);
    hash.finish()
}

/// What an event is to a consumer at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The next one.
    Next,
    /// Known already.
    Duplicate,
    /// Known already, with other content.
    Forged,
    /// Something before it is missing.
    Gap,
}

/// One account's log.
#[derive(Debug, Default)]
pub(super) struct Track {
    position: u64,
    head: u64,
    heard: Option<Instant>,
    asked: Option<Instant>,
    /// The owner did not answer when asked last.
    unanswered: bool,
    replay_at: Option<Instant>,
    failures: usize,
    suspended: bool,
    applied: VecDeque<(u64, u128)>,
    told: Option<Standing>,
}

impl Track {
    /// Takes the position that the consumer says it has.
    pub(super) const fn at(&mut self, position: u64) {
        self.position = position;
    }

    /// Whether events are worth looking at: not when all of them will be fetched anyway.
    pub(super) const fn is_open(&self) -> bool {
        !self.suspended && self.failures == 0
    }

    /// What event `seq` is when the last one taken is `last`.
    pub(super) fn arrival(&self, last: u64, seq: u64, digest: u128) -> Arrival {
        if seq > last {
            return if seq - last == 1 {
                Arrival::Next
            } else {
                Arrival::Gap
            };
        }
        let known = self.applied.iter().find(|(known, _)| *known == seq);
        match known {
            Some((_, content)) if *content != digest => Arrival::Forged,
            Some(_) | None => Arrival::Duplicate,
        }
    }

    /// Notes that an event was applied.
    pub(super) fn applied(&mut self, seq: u64, digest: u128) {
        self.position = seq;
        self.head = self.head.max(seq);
        self.failures = 0;
        if self.applied.len() == REMEMBERED {
            self.applied.pop_front();
        }
        self.applied.push_back((seq, digest));
    }

    /// Takes the heartbeat of the head.
    pub(super) fn heard(&mut self, head: u64, now: Instant) {
        self.heard = Some(now);
        self.unanswered = false;
        self.head = head;
        if head <= self.position {
            self.replay_at = None;
        } else {
            // The first word of a log is believed at once: there is no event on the way to a
            // consumer that has just begun.
            let patience = if self.told.is_none() {
                Duration::ZERO
            } else {
                PATIENCE
            };
            self.replay_at.get_or_insert(now + patience);
        }
    }

    /// Whether the owner has to be asked for its head now; if so, that counts as asked.
    pub(super) fn ask(&mut self, now: Instant) -> bool {
        let older = |at: Option<Instant>, than| at.is_none_or(|at| now.duration_since(at) >= than);
        let ask = !self.suspended && older(self.heard, SILENCE_MAX) && older(self.asked, ASK_EVERY);
        if ask {
            self.asked = Some(now);
        }
        ask
    }

    /// Notes that the owner of the log did not answer.
    pub(super) const fn unanswered(&mut self) {
        self.unanswered = true;
    }

    /// Notes that fetching or applying failed.
    pub(super) fn failed(&mut self, now: Instant) {
        let wait = RETRY_AFTER[self.failures.min(RETRY_AFTER.len() - 1)];
        self.failures += 1;
        self.replay_at = Some(now + wait);
    }

    /// Notes that everything the owner had was fetched.
    pub(super) fn healed(&mut self) {
        self.failures = 0;
        self.replay_at = None;
        self.head = self.head.max(self.position);
    }

    /// Whether events have to be fetched now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        !self.suspended && self.replay_at.is_some_and(|at| now >= at)
    }

    /// Stops the account.
    pub(super) fn suspend(&mut self) {
        self.suspended = true;
        self.replay_at = None;
    }

    /// How many events are missing.
    pub(super) const fn lag(&self) -> u64 {
        self.head.saturating_sub(self.position)
    }

    /// The standing, if it is another one than at the last call.
    pub(super) fn changed(&mut self) -> Option<Standing> {
        let now = if self.suspended {
            Standing::Suspended
        } else if self.unanswered || self.heard.is_none() {
            Standing::Unreachable
        } else if self.replay_at.is_some() {
            Standing::Behind
        } else {
            Standing::CaughtUp
        };
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now.clone());
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(position: u64) -> Track {
        let mut track = Track::default();
        track.at(position);
        track
    }

    #[test]
    fn an_event_is_next_known_or_beyond_a_gap() {
        let mut track = at(4);
        track.applied(5, 55);
        assert_eq!(track.arrival(5, 6, 0), Arrival::Next);
        assert_eq!(track.arrival(5, 7, 0), Arrival::Gap);
        assert_eq!(track.arrival(5, 5, 55), Arrival::Duplicate);
        assert_eq!(track.arrival(5, 5, 56), Arrival::Forged);
        assert_eq!(
            track.arrival(5, 4, 0),
            Arrival::Duplicate,
            "too long ago to compare"
        );
        assert_eq!(track.arrival(u64::MAX, 6, 0), Arrival::Duplicate);
    }

    #[test]
    fn a_head_beyond_the_position_is_believed_at_once_at_first_and_with_patience_later() {
        let now = Instant::now();
        let mut track = at(4);
        track.heard(9, now);
        assert!(track.is_due(now));
        track.applied(9, 0);
        track.healed();
        assert_eq!(track.changed(), Some(Standing::CaughtUp));
        track.heard(10, now);
        assert!(!track.is_due(now + 999 * MS));
        track.heard(11, now + 500 * MS);
        assert!(
            track.is_due(now + 1_000 * MS),
            "patience begins with the first sign"
        );
        track.applied(11, 0);
        track.heard(11, now + 1_000 * MS);
        assert!(!track.is_due(now + 5_000 * MS));
    }

    #[test]
    fn a_silent_log_is_asked_for_at_intervals() {
        let now = Instant::now();
        let mut track = at(0);
        assert!(track.ask(now), "nothing was heard yet");
        assert!(!track.ask(now + 499 * MS));
        assert!(track.ask(now + 500 * MS));
        track.heard(0, now + 600 * MS);
        assert!(!track.ask(now + 2_599 * MS));
        assert!(track.ask(now + 2_600 * MS));
    }

    #[test]
    fn failures_are_repeated_ever_more_slowly() {
        let now = Instant::now();
        let mut track = at(0);
        let mut waits = Vec::new();
        for _ in 0..6 {
            track.failed(now);
            assert!(!track.is_open());
            let due = (0..=5_000).find(|ms| track.is_due(now + MS * *ms));
            waits.push(due.unwrap());
        }
        assert_eq!(waits, [250, 1_000, 2_000, 5_000, 5_000, 5_000]);
        track.healed();
        assert!(track.is_open() && !track.is_due(now + 9_000 * MS));
    }

    #[test]
    fn a_change_of_standing_is_told_once() {
        let now = Instant::now();
        let mut track = at(3);
        assert_eq!(track.changed(), Some(Standing::Unreachable));
        assert_eq!(track.changed(), None);
        track.heard(3, now);
        assert_eq!(track.changed(), Some(Standing::CaughtUp));
        track.heard(4, now);
        assert_eq!((track.changed(), track.lag()), (Some(Standing::Behind), 1));
        track.suspend();
        assert_eq!(track.changed(), Some(Standing::Suspended));
        assert!(!track.is_due(now + 9_000 * MS) && !track.ask(now + 9_000 * MS));
    }
}
