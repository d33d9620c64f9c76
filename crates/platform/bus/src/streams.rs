//! The durable streams of Ploy: which subjects they keep, for how long and how much.

use crate::{Pattern, Subject, SubjectError};
use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MINUTES: u64 = 60;
const DAYS: u64 = 24 * 60 * 60;

/// What a full stream does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discard {
    /// Forgets its oldest messages.
    Old,
    /// Refuses new ones; the rows of the relay wait.
    New,
}

/// The declaration of a stream: file storage, limits retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Its name in capitals.
    pub name: &'static str,
    /// The patterns of the subjects it keeps.
    pub subjects: &'static [&'static str],
    /// How long it keeps a message.
    pub age_max: Duration,
    /// How many bytes it keeps.
    pub bytes_max: u64,
    /// The largest message it takes, headers included.
    pub message_bytes_max: u32,
    /// What it does when full.
    pub discard: Discard,
    /// For how long a message id is known.
    pub dedupe_window: Duration,
    /// Whether the server refuses to delete and purge.
    pub protected: bool,
    /// Copies in a cluster: one in development, three in production.
    pub replicas: u8,
}

impl StreamSpec {
    /// This stream with another bound of bytes, for small disks.
    #[must_use]
    pub const fn with_bytes_max(mut self, bytes_max: u64) -> Self {
        self.bytes_max = bytes_max;
        self
    }

    /// This stream with another number of replicas.
    #[must_use]
    pub const fn with_replicas(mut self, replicas: u8) -> Self {
        self.replicas = replicas;
        self
    }

    /// The parsed patterns of its subjects.
    pub(crate) fn patterns(&self) -> Result<Vec<Pattern>, SubjectError> {
        self.subjects
            .iter()
            .map(|subject| Pattern::new(subject))
            .collect()
    }

    /// Whether it keeps messages on `subject`.
    #[must_use]
    pub fn keeps(&self, subject: &Subject) -> bool {
        self.patterns()
            .is_ok_and(|patterns| patterns.iter().any(|p| p.matches(subject)))
    }
}

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * DAYS)
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * MINUTES)
}

const fn kib(n: u32) -> u32 {
    n * 1024
}

/// What the streams of the table have in common; the rest is replaced by each.
const BASE: StreamSpec = StreamSpec {
    name: "",
    subjects: &[],
    age_max: days(14),
    bytes_max: GIB,
    message_bytes_max: kib(64),
    discard: Discard::Old,
    dedupe_window: minutes(10),
    protected: true,
    replicas: 1,
};

/// The order log, one subject for each account.
pub const PLOY_ORDERS: StreamSpec = StreamSpec {
    name: "PLOY_ORDERS",
    subjects: &["ploy.orders.*"],
    bytes_max: 4 * GIB,
    discard: Discard::New,
    ..BASE
};

/// Closed bars.
pub const PLOY_BARS: StreamSpec = StreamSpec {
    name: "PLOY_BARS",
    subjects: &["ploy.md.*.*.bar"],
    age_max: days(7),
    bytes_max: 2 * GIB,
    message_bytes_max: kib(16),
    dedupe_window: minutes(2),
    ..BASE
};

/// Trading states, kill trips and resets.
pub const PLOY_CONTROL: StreamSpec = StreamSpec {
    name: "PLOY_CONTROL",
    subjects: &["ploy.risk.state", "ploy.control.>"],
    age_max: days(30),
    bytes_max: 64 * MIB,
    ..BASE
};

/// Strategy states, configuration, deployments.
pub const PLOY_FACTS: StreamSpec = StreamSpec {
    name: "PLOY_FACTS",
    subjects: &["ploy.facts.>"],
    discard: Discard::New,
    ..BASE
};

/// Copies of audit records.
pub const PLOY_AUDIT: StreamSpec = StreamSpec {
    name: "PLOY_AUDIT",
    subjects: &["ploy.audit.>"],
    age_max: days(30),
    ..BASE
};

/// Notifications to people.
pub const PLOY_ALERTS: StreamSpec = StreamSpec {
    name: "PLOY_ALERTS",
    subjects: &["ploy.alerts.>"],
    age_max: days(7),
    bytes_max: 64 * MIB,
    ..BASE
};

/// Messages that nobody could handle.
pub const PLOY_DLQ: StreamSpec = StreamSpec {
    name: "PLOY_DLQ",
    subjects: &["ploy.dlq.>"],
    age_max: days(30),
    bytes_max: 256 * MIB,
    message_bytes_max: kib(128),
    ..BASE
};

/// Proof that the server still writes.
pub const PLOY_CANARY: StreamSpec = StreamSpec {
    name: "PLOY_CANARY",
    subjects: &["ploy.canary.*"],
    age_max: minutes(60),
    bytes_max: MIB,
    message_bytes_max: KIB as u32,
    dedupe_window: minutes(2),
    protected: false,
    ..BASE
};

/// Every stream of Ploy.
pub const PLOY_STREAMS: [StreamSpec; 8] = [
    PLOY_ORDERS,
    PLOY_BARS,
    PLOY_CONTROL,
    PLOY_FACTS,
    PLOY_AUDIT,
    PLOY_ALERTS,
    PLOY_DLQ,
    PLOY_CANARY,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_belongs_to_two_streams() {
        for text in [
            "ploy.orders.main",
            "ploy.md.sim.BTCUSDT.bar",
            "ploy.risk.state",
            "ploy.control.kill.main",
            "ploy.facts.strategy.a",
            "ploy.audit.login",
            "ploy.alerts.p1",
            "ploy.dlq.PLOY_ORDERS.risk-0",
            "ploy.canary.execution",
        ] {
            let subject = Subject::new(text).unwrap();
            assert_eq!(
                PLOY_STREAMS.iter().filter(|s| s.keeps(&subject)).count(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn heartbeats_and_ticks_are_not_stored() {
        for text in ["ploy.orders.main.head", "ploy.md.sim.BTCUSDT.trade"] {
            let subject = Subject::new(text).unwrap();
            assert!(!PLOY_STREAMS.iter().any(|s| s.keeps(&subject)), "{text}");
        }
    }
}
