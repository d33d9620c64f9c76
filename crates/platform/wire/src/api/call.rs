//! What every call carries besides its request: how long it may take, its trace, and who asks.

use ploy_domain::TraceContext;
use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

/// The circumstances of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The time that is left; after it the caller no longer listens.
    pub deadline: Duration,
    /// The trace the call belongs to.
    pub trace: TraceContext,
    /// On whose behalf.
    pub actor: Actor,
}

impl Call {
    /// What a hop keeps for itself, so that the answer "too late" still arrives in time
    /// (failure-model §10.1).
    pub const HOP: Duration = Duration::from_millis(20);

    /// A call without a trace.
    #[must_use]
    pub const fn new(actor: Actor, deadline: Duration) -> Self {
        Self {
            deadline,
            trace: TraceContext::NONE,
            actor,
        }
    }

    /// This call as a part of `trace`.
    #[must_use]
    pub fn traced(self, trace: TraceContext) -> Self {
        Self { trace, ..self }
    }

    /// This call with at most `deadline` left.
    #[must_use]
    pub fn within(self, deadline: Duration) -> Self {
        Self {
            deadline: self.deadline.min(deadline),
            ..self
        }
    }
}

/// Who asks, for the audit: `operator:ann`, `service:strategy`. 1 to 64 characters
/// `[A-Za-z0-9_.:@-]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(Cow<'static, str>);

/// The text names no actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not an actor; expected 1 to 64 characters A-Z a-z 0-9 _ . : @ -")]
pub struct ActorError {
    /// The offending text, cut to 64 characters.
    pub value: String,
}

impl Actor {
    /// The longest name, in bytes.
    pub const LEN_MAX: usize = 64;
    /// Nobody said.
    pub const UNKNOWN: Self = Self(Cow::Borrowed("unknown"));
    /// The gateway on its own behalf.
    pub const GATEWAY: Self = Self(Cow::Borrowed("service:gateway"));
    /// The ingestion service.
    pub const INGESTION: Self = Self(Cow::Borrowed("service:ingestion"));
    /// The strategy service.
    pub const STRATEGY: Self = Self(Cow::Borrowed("service:strategy"));
    /// The risk service.
    pub const RISK: Self = Self(Cow::Borrowed("service:risk"));
    /// The execution service.
    pub const EXECUTION: Self = Self(Cow::Borrowed("service:execution"));

    /// Parses an actor.
    ///
    /// # Errors
    /// [`ActorError`] for empty, long or foreign text.
    pub fn parse(value: &str) -> Result<Self, ActorError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.:@-".contains(&b);
        if value.is_empty() || value.len() > Self::LEN_MAX || !value.bytes().all(allowed) {
            return Err(ActorError {
                value: value.chars().take(Self::LEN_MAX).collect(),
            });
        }
        Ok(Self(Cow::Owned(value.to_owned())))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Actor {
    type Err = ActorError;
    fn from_str(value: &str) -> Result<Self, ActorError> {
        Self::parse(value)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actor({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_short_plain_text() {
        assert_eq!(Actor::parse("service:risk").unwrap(), Actor::RISK);
        assert!(Actor::parse("operator:ann@desk").is_ok());
        for bad in ["", "a b", "a\n", "é", &"a".repeat(65)] {
            assert!(Actor::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_deadline_only_shrinks() {
        let call = Call::new(Actor::RISK, Duration::from_millis(50));
        assert_eq!(call.clone().within(Duration::from_secs(1)), call);
        assert_eq!(
            call.within(Duration::from_millis(5)).deadline,
            Duration::from_millis(5)
        );
    }
}
