//! Why a venue's answer is missing or not usable, in the classes that decide what a caller does
//! next. A refusal of an *order* is not here: that is a value of [`crate::SubmitOutcome`].

use ploy_domain::Reason;
use std::time::Duration;

/// A request that brought no usable answer. Never to be read as an empty answer (failure-model
/// G-4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VenueError {
    /// The venue definitely refused; nothing happened.
    #[error("{operation} was refused: {reason}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// The venue's reason.
        reason: Reason,
    },
    /// It may have happened; only a query can tell.
    #[error("the outcome of {operation} is unknown: {detail}")]
    Unknown {
        /// What was asked.
        operation: &'static str,
        /// What raised the doubt.
        detail: String,
    },
    /// Not processed, because a limit was reached.
    #[error("{operation} exceeds a rate limit; retry after {} ms", after.as_millis())]
    RateLimited {
        /// What was asked.
        operation: &'static str,
        /// How long the whole scope has to wait.
        after: Duration,
    },
    /// Not processed: the venue cannot be reached or is in maintenance.
    #[error("the venue is not available for {operation}: {detail}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// What failed.
        detail: String,
    },
    /// Not processed: our clock is outside the venue's window.
    #[error("{operation} is outside the venue's time window: {detail}")]
    Clock {
        /// What was asked.
        operation: &'static str,
        /// The venue's words.
        detail: String,
    },
    /// Not processed: key, signature or session are not valid.
    #[error("the venue does not accept the credentials for {operation}: {detail}")]
    Auth {
        /// What was asked.
        operation: &'static str,
        /// The venue's words.
        detail: String,
    },
    /// There was an answer, and it is not understood.
    #[error("the answer to {operation} is not understood: {detail}")]
    Protocol {
        /// What was asked.
        operation: &'static str,
        /// What is wrong with it, with the beginning of the raw text.
        detail: String,
    },
}

/// What a caller may do about a failed *read*. Writes of orders are never repeated (ORD-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request fails again.
    Never,
    /// Back off with jitter, then ask again.
    Backoff,
    /// Ask again after this time, and nothing else in the scope before.
    After(Duration),
}

impl VenueError {
    /// The class as a word for metrics.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unknown { .. } => "unknown",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Clock { .. } => "clock",
            Self::Auth { .. } => "auth",
            Self::Protocol { .. } => "protocol",
        }
    }

    /// Whether asking again makes sense.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Refused { .. } | Self::Auth { .. } => Retry::Never,
            Self::RateLimited { after, .. } => Retry::After(*after),
            Self::Unknown { .. }
            | Self::Unavailable { .. }
            | Self::Clock { .. }
            | Self::Protocol { .. } => Retry::Backoff,
        }
    }
}
