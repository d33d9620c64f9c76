//! A stream in memory and the positions of its consumers. Pure: time is an argument.

use crate::{
    Appended, BusError, ConsumerSpec, Discard, Message, Pattern, StartAt, StreamSpec, StreamState,
    Subject, port::Settlement,
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

#[derive(Debug)]
struct Entry {
    at: Instant,
    message: Message,
}

/// A delivered and unanswered message.
#[derive(Debug, Clone, Copy)]
struct Pending {
    delivered: u32,
    due: Instant,
}

#[derive(Debug)]
struct Cursor {
    spec: ConsumerSpec,
    next: u64,
    pending: BTreeMap<u64, Pending>,
}

/// A message handed to a consumer.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) sequence: u64,
    pub(super) delivered: u32,
    pub(super) message: Message,
}

#[derive(Debug)]
pub(super) struct Log {
    spec: StreamSpec,
    patterns: Vec<Pattern>,
    created_ns: i64,
    entries: VecDeque<Entry>,
    first: u64,
    bytes: u64,
    ids: HashMap<Box<str>, u64>,
    ids_by_age: VecDeque<(Instant, Box<str>)>,
    cursors: BTreeMap<String, Cursor>,
}

impl Log {
    pub(super) fn new(spec: StreamSpec, created_ns: i64) -> Result<Self, BusError> {
        Ok(Self {
            patterns: spec.patterns()?,
            spec,
            created_ns,
            entries: VecDeque::new(),
            first: 1,
            bytes: 0,
            ids: HashMap::new(),
            ids_by_age: VecDeque::new(),
            cursors: BTreeMap::new(),
        })
    }

    pub(super) fn keeps(&self, subject: &Subject) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(subject))
    }

    pub(super) fn check_spec(&self, spec: &StreamSpec) -> Result<(), BusError> {
        if self.spec == *spec {
            return Ok(());
        }
        let difference = format!("expected {spec:?}, found {:?}", self.spec);
        Err(BusError::Differs {
            what: "stream",
            name: spec.name.to_owned(),
            differences: vec![difference],
        })
    }

    pub(super) fn state(&self) -> StreamState {
        StreamState {
            stream: self.spec.name.to_owned(),
            created_ns: self.created_ns,
            last_sequence: self.end() - 1,
            messages: self.entries.len() as u64,
            bytes: self.bytes,
        }
    }

    /// The sequence after the last.
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub(super) fn append(
        &mut self,
        msg_id: &str,
        message: Message,
        now: Instant,
    ) -> Result<Appended, BusError> {
        self.forget_old(now);
        if let Some(sequence) = self.ids.get(msg_id) {
            return Ok(self.appended(*sequence, true));
        }
        let size = message.size();
        if size > self.spec.message_bytes_max as usize {
            return Err(BusError::TooLarge {
                subject: message.subject.to_string(),
                bytes: size,
            });
        }
        while self.bytes + size as u64 > self.spec.bytes_max {
            if self.spec.discard == Discard::New || self.entries.is_empty() {
                return Err(BusError::StreamFull {
                    subject: message.subject.to_string(),
                });
            }
            self.forget_first();
        }
        let sequence = self.end();
        self.bytes += size as u64;
        self.entries.push_back(Entry { at: now, message });
        self.ids.insert(msg_id.into(), sequence);
        self.ids_by_age.push_back((now, msg_id.into()));
        Ok(self.appended(sequence, false))
    }

    fn appended(&self, sequence: u64, duplicate: bool) -> Appended {
        Appended {
            stream: self.spec.name.to_owned(),
            sequence,
            duplicate,
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while self
            .entries
            .front()
            .is_some_and(|e| now - e.at > self.spec.age_max)
        {
            self.forget_first();
        }
        while let Some((at, _)) = self.ids_by_age.front()
            && now - *at > self.spec.dedupe_window
        {
            if let Some((_, id)) = self.ids_by_age.pop_front() {
                self.ids.remove(&id);
            }
        }
    }

    fn forget_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.message.size() as u64;
            self.first += 1;
        }
    }

    pub(super) fn open_consumer(&mut self, spec: &ConsumerSpec) -> Result<(), BusError> {
        if let Some(cursor) = self.cursors.get(&spec.name) {
            if cursor.spec == *spec {
                return Ok(());
            }
            let difference = format!("expected {spec:?}, found {:?}", cursor.spec);
            return Err(BusError::Differs {
                what: "consumer",
                name: spec.name.clone(),
                differences: vec![difference],
            });
        }
        let next = match spec.start {
            StartAt::First => self.first,
            StartAt::Next => self.end(),
        };
        let cursor = Cursor {
            spec: spec.clone(),
            next,
            pending: BTreeMap::new(),
        };
        self.cursors.insert(spec.name.clone(), cursor);
        Ok(())
    }

    pub(super) fn restart_consumer(&mut self, spec: &ConsumerSpec) {
        let cursor = Cursor {
            spec: spec.clone(),
            next: self.first,
            pending: BTreeMap::new(),
        };
        self.cursors.insert(spec.name.clone(), cursor);
    }

    /// Hands out at most `max` messages: those due again first, then new ones.
    pub(super) fn take(&mut self, consumer: &str, max: usize, now: Instant) -> Vec<Handed> {
        self.forget_old(now);
        let (first, end) = (self.first, self.end());
        let Some(cursor) = self.cursors.get_mut(consumer) else {
            return Vec::new();
        };
        let (wait, deliver_max) = (cursor.spec.ack_wait, cursor.spec.deliver_max);
        // Forgotten messages and those out of attempts are never delivered again.
        cursor.pending.retain(|sequence, pending| {
            *sequence >= first && (pending.due > now || pending.delivered < deliver_max)
        });
        let mut handed: Vec<(u64, u32)> = Vec::new();
        for (sequence, pending) in &mut cursor.pending {
            if pending.due <= now && handed.len() < max {
                pending.delivered += 1;
                pending.due = now + wait;
                handed.push((*sequence, pending.delivered));
            }
        }
        cursor.next = cursor.next.max(first);
        while handed.len() < max
            && cursor.next < end
            && cursor.pending.len() < cursor.spec.ack_pending_max as usize
        {
            let sequence = cursor.next;
            cursor.next += 1;
            let wanted = entry(&self.entries, first, sequence)
                .is_some_and(|entry| cursor.spec.filter.matches(&entry.message.subject));
            if wanted {
                cursor.pending.insert(
                    sequence,
                    Pending {
                        delivered: 1,
                        due: now + wait,
                    },
                );
                handed.push((sequence, 1));
            }
        }
        let message = |(sequence, delivered): (u64, u32)| {
            let message = entry(&self.entries, first, sequence)?.message.clone();
            Some(Handed {
                sequence,
                delivered,
                message,
            })
        };
        handed.into_iter().filter_map(message).collect()
    }

    /// When a delivery of `consumer` comes again.
    pub(super) fn next_due(&self, consumer: &str) -> Option<Instant> {
        self.cursors
            .get(consumer)?
            .pending
            .values()
            .map(|pending| pending.due)
            .min()
    }

    pub(super) fn settle(&mut self, consumer: &str, sequence: u64, how: Settlement, now: Instant) {
        let Some(cursor) = self.cursors.get_mut(consumer) else {
            return;
        };
        let postpone = |cursor: &mut Cursor, delay: Duration| {
            if let Some(pending) = cursor.pending.get_mut(&sequence) {
                pending.due = now + delay;
            }
        };
        match how {
            Settlement::Handled | Settlement::Never => {
                cursor.pending.remove(&sequence);
            }
            Settlement::Again(delay) => postpone(cursor, delay),
            Settlement::InProgress => {
                let wait = cursor.spec.ack_wait;
                postpone(cursor, wait);
            }
        }
    }
}

fn entry(entries: &VecDeque<Entry>, first: u64, sequence: u64) -> Option<&Entry> {
    entries.get(usize::try_from(sequence.checked_sub(first)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PLOY_ORDERS;

    fn log(bytes_max: u64) -> Log {
        Log::new(PLOY_ORDERS.with_bytes_max(bytes_max), 0).unwrap()
    }

    fn message(n: u8) -> Message {
        Message::new(Subject::new("ploy.orders.main").unwrap(), vec![n; 100])
    }

    fn spec() -> ConsumerSpec {
        let mut spec = ConsumerSpec::new("c", "PLOY_ORDERS", Pattern::new(">").unwrap());
        spec.deliver_max = 2;
        spec
    }

    #[tokio::test]
    async fn a_full_stream_that_discards_new_refuses() {
        let (mut log, now) = (log(250), Instant::now());
        for id in ["a", "b"] {
            log.append(id, message(1), now).unwrap();
        }
        assert!(matches!(
            log.append("c", message(1), now),
            Err(BusError::StreamFull { .. })
        ));
        assert_eq!(log.state().messages, 2);
    }

    #[tokio::test]
    async fn ids_are_forgotten_after_the_window_and_messages_after_their_age() {
        let (mut log, now) = (log(10_000), Instant::now());
        log.append("a", message(1), now).unwrap();
        let later = now + PLOY_ORDERS.dedupe_window + Duration::from_secs(1);
        assert!(!log.append("a", message(1), later).unwrap().duplicate);
        log.append(
            "b",
            message(1),
            now + PLOY_ORDERS.age_max + Duration::from_secs(1),
        )
        .unwrap();
        assert_eq!((log.state().messages, log.state().last_sequence), (2, 3));
    }

    #[tokio::test]
    async fn a_message_out_of_attempts_is_never_delivered_again() {
        let (mut log, mut now) = (log(10_000), Instant::now());
        log.open_consumer(&spec()).unwrap();
        log.append("a", message(1), now).unwrap();
        for attempt in 1..=2 {
            assert_eq!(log.take("c", 9, now)[0].delivered, attempt);
            now += spec().ack_wait;
        }
        assert!(log.take("c", 9, now).is_empty());
        assert_eq!(log.next_due("c"), None);
    }
}
