//! The one place where failures become HTTP: which kind an [`ApiError`] is, which status a kind has.
//!
//! A handler returns a [`Problem`]; request id and path are added where the answer leaves
//! ([`crate::http::observe`]), so that no handler has to carry them.

use crate::contract::{FieldErrorJson, ProblemJson};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ploy_wire::api::{ApiCode, ApiError, Retry};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{fmt::Display, time::Duration};

/// The longest piece of a request that is repeated in an answer.
const SHOWN_MAX: usize = 64;
/// How long to wait before asking a service again that cannot be reached.
const RETRY_DEFAULT: Duration = Duration::from_secs(1);

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Validation,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    IdempotencyMismatch,
    FailedPrecondition,
    BodyTooLarge,
    UrlTooLong,
    UnsupportedMediaType,
    OrderRefused,
    RateLimited,
    Internal,
    Unavailable,
    DeadlineExceeded,
}

impl Kind {
    /// The last part of the URN, also the label of the error counter.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::IdempotencyMismatch => "idempotency-mismatch",
            Self::FailedPrecondition => "failed-precondition",
            Self::BodyTooLarge => "body-too-large",
            Self::UrlTooLong => "url-too-long",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::OrderRefused => "order-refused",
            Self::RateLimited => "rate-limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline-exceeded",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Validation => "The request is not valid",
            Self::Unauthenticated => "A valid token is needed",
            Self::Forbidden => "This is not allowed",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "The path does not take this method",
            Self::IdempotencyMismatch => "The idempotency key belongs to another request",
            Self::FailedPrecondition => "The present state does not allow it",
            Self::BodyTooLarge => "The body is too large",
            Self::UrlTooLong => "The URL is too long",
            Self::UnsupportedMediaType => "The body is not JSON",
            Self::OrderRefused => "The order was refused",
            Self::RateLimited => "Too many requests",
            Self::Internal => "A fault of the platform",
            Self::Unavailable => "A service cannot be reached",
            Self::DeadlineExceeded => "No answer in time",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Validation => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::IdempotencyMismatch => StatusCode::CONFLICT,
            Self::FailedPrecondition => StatusCode::CONFLICT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::OrderRefused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: String,
    retry: Retry,
    errors: Vec<FieldErrorJson>,
    more: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry: Retry::Never,
            errors: Vec::new(),
            more: Map::new(),
        }
    }

    /// Values of the request that are not acceptable; at least one.
    pub(crate) fn invalid(errors: Vec<FieldErrorJson>) -> Self {
        let told: Vec<_> = errors.iter().map(sentence).collect();
        Self {
            errors,
            ..Self::new(Kind::Validation, told.join("; "))
        }
    }

    /// As [`Self::new`], with when to come again.
    pub(crate) fn retry_after(self, after: Duration) -> Self {
        Self {
            retry: Retry::After(after),
            ..self
        }
    }

    /// Adds a member of its own.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // Only texts, numbers and our own shapes come here, and they all serialise.
        let value = serde_json::to_value(value).unwrap_or_default();
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The whole answer.
    pub(crate) fn render(self, request_id: &str, path: &str) -> Response {
        let status = self.kind.status();
        let retry = self.retry;
        let body = ProblemJson {
            kind: format!("urn:ploy:problem:{}", self.kind.word()),
            title: self.kind.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            instance: path.to_owned(),
            request_id: request_id.to_owned(),
            retry: retry_word(retry).to_owned(),
            errors: self.errors,
            more: self.more,
        };
        let text = serde_json::to_string(&body).unwrap_or_default();
        let media = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, media, text).into_response();
        let headers = response.headers_mut();
        if let Retry::After(after) = retry {
            let seconds = after.as_millis().div_ceil(1_000).max(1);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                headers.insert(header::RETRY_AFTER, value);
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"ploy\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

fn sentence(error: &FieldErrorJson) -> String {
    let FieldErrorJson {
        field,
        value,
        bound,
    } = error;
    match value {
        Some(value) => format!("{field} is '{value}'; expected {bound}"),
        None => format!("{field} is missing; expected {bound}"),
    }
}

const fn retry_word(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "never",
        Retry::SameKey => "same_key",
        Retry::After(_) => "later",
    }
}

/// A value of the request, short enough to be repeated.
pub(crate) fn shown(value: impl Display) -> String {
    value.to_string().chars().take(SHOWN_MAX).collect()
}

/// A field that is not acceptable.
pub(crate) fn field_error(
    field: impl Into<String>,
    value: Option<impl Display>,
    bound: impl Into<String>,
) -> FieldErrorJson {
    FieldErrorJson {
        field: field.into(),
        value: value.map(shown),
        bound: bound.into(),
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let ApiError {
            code,
            message,
            retry,
        } = error;
        let kind = match code {
            ApiCode::InvalidArgument {
                field,
                value,
                bound,
            } => {
                // Services speak of their own request; the caller knows no intent.
                let field = field.strip_prefix("intent.").unwrap_or(&field);
                return Self::invalid(vec![field_error(field, Some(value), bound)]);
            }
            ApiCode::NotFound => Kind::NotFound,
            ApiCode::AlreadyExists => Kind::IdempotencyMismatch,
            ApiCode::FailedPrecondition => Kind::FailedPrecondition,
            ApiCode::PermissionDenied => Kind::Forbidden,
            ApiCode::ResourceExhausted => Kind::RateLimited,
            ApiCode::Unavailable => {
                let retry = match retry {
                    Retry::SameKey => Retry::After(RETRY_DEFAULT),
                    Retry::Never | Retry::After(_) => retry,
                };
                return Self {
                    retry,
                    ..Self::new(Kind::Unavailable, message)
                };
            }
            ApiCode::DeadlineExceeded => Kind::DeadlineExceeded,
            ApiCode::Internal => {
                tracing::error!(error = message, "a service failed");
                let detail = "see the log of the request id";
                return Self::new(Kind::Internal, detail);
            }
        };
        Self {
            retry,
            ..Self::new(kind, message)
        }
    }
}

impl IntoResponse for Problem {
    /// An answer without its body: what is missing is added where it leaves.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
