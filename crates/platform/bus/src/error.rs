//! What can go wrong on the bus and whether asking again can help.

use crate::SubjectError;
use std::time::Duration;

/// What a caller may do after a [`BusError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The operation may or may not have happened. Repeating it with the same message id is safe.
    SameId,
    /// Nothing happened; it may work later.
    Later,
    /// It will fail the same way again.
    Never,
}

/// A failure of the bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The address names no bus.
    #[error("bus url '{url}': {reason}")]
    Url {
        /// The address without its password.
        url: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// No server could be reached.
    #[error("cannot connect to the bus at '{url}'")]
    Connect {
        /// The address without its password.
        url: String,
        /// What the client reported.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer in time: the outcome is unknown, not failed.
    #[error("the bus did not answer {operation} within {} ms", after.as_millis())]
    Timeout {
        /// What was asked.
        operation: &'static str,
        /// The deadline that passed.
        after: Duration,
    },
    /// The message exceeds what its stream or the server takes.
    #[error("message of {bytes} bytes on '{subject}' is larger than the bus takes")]
    TooLarge {
        /// Where it should have gone.
        subject: String,
        /// Its size.
        bytes: usize,
    },
    /// No declared stream takes this subject.
    #[error("no stream stores subject '{subject}'; declare its stream first")]
    NoStream {
        /// The subject of the message.
        subject: String,
    },
    /// The stream does not exist.
    #[error("stream '{stream}' does not exist")]
    UnknownStream {
        /// Its name.
        stream: String,
    },
    /// A stream with `Discard::New` is full.
    #[error("the stream of '{subject}' is full and refuses new messages")]
    StreamFull {
        /// The subject of the message.
        subject: String,
    },
    /// The server's stream or consumer is not what this program declares.
    #[error("{what} '{name}' on the server differs from its declaration: {}", differences.join("; "))]
    Differs {
        /// `stream` or `consumer`.
        what: &'static str,
        /// Its name.
        name: String,
        /// One entry for each differing field: name, expected, found.
        differences: Vec<String>,
    },
    /// The server or the client refused.
    #[error("the bus refused {operation}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A subject or pattern is not valid.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// The bus was closed.
    #[error("the bus is closed")]
    Closed,
}

impl BusError {
    /// What the caller may do about it.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Timeout { .. } => Retry::SameId,
            Self::Connect { .. }
            | Self::NoStream { .. }
            | Self::UnknownStream { .. }
            | Self::StreamFull { .. }
            | Self::Refused { .. } => Retry::Later,
            Self::Url { .. }
            | Self::TooLarge { .. }
            | Self::Differs { .. }
            | Self::Subject(_)
            | Self::Closed => Retry::Never,
        }
    }

    pub(crate) fn refused(
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Refused {
            operation,
            source: source.into(),
        }
    }
}

/// Runs `work` with an outer deadline: the client's own deadlines do not cover a full queue.
pub(crate) async fn within<T>(
    limit: Duration,
    operation: &'static str,
    work: impl Future<Output = Result<T, BusError>>,
) -> Result<T, BusError> {
    // Boxed, since the client's futures are large and would grow every caller.
    tokio::time::timeout(limit, Box::pin(work))
        .await
        .unwrap_or(Err(BusError::Timeout {
            operation,
            after: limit,
        }))
}

/// `url` with every password replaced.
pub(crate) fn redacted(url: &str) -> String {
    let one = |address: &str| match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let user = address[scheme + 3..at]
                .split(':')
                .next()
                .unwrap_or_default();
            format!("{}{user}:***{}", &address[..scheme + 3], &address[at..])
        }
        _ => address.to_owned(),
    };
    url.split(',').map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_reach_an_error_text() {
        assert_eq!(
            redacted("nats://ploy:secret@bus:4222"),
            "nats://ploy:***@bus:4222"
        );
        assert_eq!(redacted("nats://a:1@x,nats://b"), "nats://a:***@x,nats://b");
        assert_eq!(redacted("nats://bus:4222"), "nats://bus:4222");
    }
}
