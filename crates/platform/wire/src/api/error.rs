//! Why a call failed, and whether it makes sense to try again.
//!
//! A refusal by a rule of trading is no error: a denied order is an answer. Mapping to gRPC lives in
//! [`crate::status`], to HTTP in the gateway.

use std::{fmt, time::Duration};

/// What kind of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiCode {
    /// A value of the request is not acceptable.
    InvalidArgument {
        /// The field, as a path: `intent.quantity`.
        field: String,
        /// Its value.
        value: String,
        /// What would be acceptable.
        bound: String,
    },
    /// What was asked for does not exist.
    NotFound,
    /// The idempotency key was used before, for something else.
    AlreadyExists,
    /// The present state does not allow it.
    FailedPrecondition,
    /// The actor may not do this.
    PermissionDenied,
    /// A queue or a quota is full; nothing was done.
    ResourceExhausted,
    /// The service is not ready or cannot be reached; if the connection broke during the call, it
    /// may have happened.
    Unavailable,
    /// No answer in time; it may have happened or not.
    DeadlineExceeded,
    /// A fault of ours.
    Internal,
}

impl ApiCode {
    /// The stable word for it, for logs, metrics and problem details.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::InvalidArgument { .. } => "invalid_argument",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::FailedPrecondition => "failed_precondition",
            Self::PermissionDenied => "permission_denied",
            Self::ResourceExhausted => "resource_exhausted",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ApiCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail again.
    Never,
    /// The same request with the same idempotency key is safe and may succeed.
    SameKey,
    /// As [`Self::SameKey`], but not before this much time has passed.
    After(Duration),
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// What kind of failure.
    pub code: ApiCode,
    /// What happened, for people.
    pub message: String,
    /// Whether to try again.
    pub retry: Retry,
}

impl ApiError {
    /// `field` is `value`, but has to be `bound`.
    #[must_use]
    pub fn invalid(
        field: impl Into<String>,
        value: impl fmt::Display,
        bound: impl Into<String>,
    ) -> Self {
        let (field, value, bound) = (field.into(), value.to_string(), bound.into());
        let message = format!("{field} is '{value}'; expected {bound}");
        let code = ApiCode::InvalidArgument {
            field,
            value,
            bound,
        };
        Self::never(code, message)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::never(ApiCode::NotFound, message)
    }

    /// The idempotency key belongs to another request.
    #[must_use]
    pub fn idempotency_mismatch(message: impl Into<String>) -> Self {
        Self::never(ApiCode::AlreadyExists, message)
    }

    /// The present state does not allow it.
    #[must_use]
    pub fn failed_precondition(message: impl Into<String>) -> Self {
        Self::never(ApiCode::FailedPrecondition, message)
    }

    /// The actor may not do this.
    #[must_use]
    pub fn permission_denied(message: impl Into<String>) -> Self {
        Self::never(ApiCode::PermissionDenied, message)
    }

    /// Something is full; nothing was done.
    #[must_use]
    pub fn resource_exhausted(message: impl Into<String>, after: Duration) -> Self {
        Self {
            code: ApiCode::ResourceExhausted,
            message: message.into(),
            retry: Retry::After(after),
        }
    }

    /// The service cannot be reached or is not ready.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            code: ApiCode::Unavailable,
            message: message.into(),
            retry: Retry::SameKey,
        }
    }

    /// No answer in time: what was asked for may have happened or not.
    #[must_use]
    pub fn deadline_exceeded(message: impl Into<String>) -> Self {
        Self {
            code: ApiCode::DeadlineExceeded,
            message: message.into(),
            retry: Retry::SameKey,
        }
    }

    /// A fault of ours.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::never(ApiCode::Internal, message)
    }

    fn never(code: ApiCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry: Retry::Never,
        }
    }
}
