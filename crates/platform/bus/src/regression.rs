//! Notices that a stream lost its tail or was replaced: an acknowledged message may be gone, and
//! sequences may be given again. What to do about it is the relay's matter.

use crate::{Appended, StreamState};
use std::collections::BTreeMap;

/// A stream is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Regression {
    /// The stream was deleted and created again.
    #[error("stream '{stream}' was created again")]
    Recreated {
        /// Its name.
        stream: String,
    },
    /// The stream ends before a message that it acknowledged.
    #[error("stream '{stream}' ends at {found}, but had acknowledged {acknowledged}")]
    Shortened {
        /// Its name.
        stream: String,
        /// The highest acknowledged sequence.
        acknowledged: u64,
        /// Its last sequence now.
        found: u64,
    },
}

/// Remembers how far each stream had come.
#[derive(Debug, Clone, Default)]
pub struct RegressionWatch {
    known: BTreeMap<String, Known>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    created_ns: Option<i64>,
    last_sequence: u64,
}

impl RegressionWatch {
    /// Notes an acknowledged append.
    pub fn acknowledged(&mut self, appended: &Appended) {
        let known = self.known.entry(appended.stream.clone()).or_default();
        known.last_sequence = known.last_sequence.max(appended.sequence);
    }

    /// Compares a stream's state with what is known, and accepts the state as known from now on.
    ///
    /// # Errors
    /// The [`Regression`]: recreate the durable consumers and publish again from the database.
    pub fn check(&mut self, state: &StreamState) -> Result<(), Regression> {
        let known = self.known.entry(state.stream.clone()).or_default();
        let before = std::mem::replace(
            known,
            Known {
                created_ns: Some(state.created_ns),
                last_sequence: state.last_sequence,
            },
        );
        if before
            .created_ns
            .is_some_and(|created| created != state.created_ns)
        {
            return Err(Regression::Recreated {
                stream: state.stream.clone(),
            });
        }
        if state.last_sequence < before.last_sequence {
            return Err(Regression::Shortened {
                stream: state.stream.clone(),
                acknowledged: before.last_sequence,
                found: state.last_sequence,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(created_ns: i64, last_sequence: u64) -> StreamState {
        StreamState {
            stream: "S".into(),
            created_ns,
            last_sequence,
            messages: 0,
            bytes: 0,
        }
    }

    #[test]
    fn a_growing_stream_is_fine() {
        let mut watch = RegressionWatch::default();
        assert_eq!(watch.check(&state(1, 0)), Ok(()));
        watch.acknowledged(&Appended {
            stream: "S".into(),
            sequence: 5,
            duplicate: false,
        });
        assert_eq!(watch.check(&state(1, 5)), Ok(()));
        assert_eq!(watch.check(&state(1, 9)), Ok(()));
    }

    #[test]
    fn a_lost_tail_is_reported_once() {
        let mut watch = RegressionWatch::default();
        watch.acknowledged(&Appended {
            stream: "S".into(),
            sequence: 5,
            duplicate: false,
        });
        let lost = Regression::Shortened {
            stream: "S".into(),
            acknowledged: 5,
            found: 4,
        };
        assert_eq!(watch.check(&state(1, 4)), Err(lost));
        assert_eq!(watch.check(&state(1, 4)), Ok(()));
    }

    #[test]
    fn a_new_stream_of_the_same_name_is_reported() {
        let mut watch = RegressionWatch::default();
        assert_eq!(watch.check(&state(1, 3)), Ok(()));
        assert_eq!(
            watch.check(&state(2, 9)),
            Err(Regression::Recreated { stream: "S".into() })
        );
    }
}
