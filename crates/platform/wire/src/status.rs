//! The one mapping between [`ApiError`] and gRPC status. Details that a status has no room for
//! travel as an `ErrorDetail` in the trailing metadata `ploy-error-bin`.

use crate::{
    api::{ApiCode, ApiError, Retry},
    proto::{self, error_detail},
};
use prost::Message as _;
use std::time::Duration;
use tonic::{
    Code, Status,
    metadata::{BinaryMetadataValue, MetadataMap},
};

const DETAIL: &str = "ploy-error-bin";
/// What of a text fits into a header, in bytes.
const TEXT_MAX: usize = 512;

/// The status that tells `error` to a caller.
#[must_use]
pub fn to_status(error: &ApiError) -> Status {
    let mut metadata = MetadataMap::new();
    let detail = detail(error).encode_to_vec();
    metadata.insert_bin(DETAIL, BinaryMetadataValue::from_bytes(&detail));
    Status::with_metadata(code(&error.code), cut(&error.message), metadata)
}

/// What a service meant, or what became of the connection to it.
#[must_use]
pub fn from_status(status: &Status) -> ApiError {
    let detail = status
        .metadata()
        .get_bin(DETAIL)
        .and_then(|value| value.to_bytes().ok())
        .and_then(|bytes| proto::ErrorDetail::decode(bytes).ok());
    let message = status.message().to_owned();
    let (retry, code) = match detail {
        Some(detail) => (retry_of(&detail), api_code(status.code(), detail)),
        // Not from one of our services but from gRPC itself.
        None => foreign(status.code()),
    };
    ApiError {
        code,
        message,
        retry,
    }
}

const fn code(code: &ApiCode) -> Code {
    match code {
        ApiCode::InvalidArgument { .. } => Code::InvalidArgument,
        ApiCode::NotFound => Code::NotFound,
        ApiCode::AlreadyExists => Code::AlreadyExists,
        ApiCode::FailedPrecondition => Code::FailedPrecondition,
        ApiCode::PermissionDenied => Code::PermissionDenied,
        ApiCode::ResourceExhausted => Code::ResourceExhausted,
        ApiCode::Unavailable => Code::Unavailable,
        ApiCode::DeadlineExceeded => Code::DeadlineExceeded,
        ApiCode::Internal => Code::Internal,
    }
}

fn api_code(code: Code, detail: proto::ErrorDetail) -> ApiCode {
    match code {
        Code::InvalidArgument => ApiCode::InvalidArgument {
            field: detail.field,
            value: detail.value,
            bound: detail.bound,
        },
        Code::NotFound => ApiCode::NotFound,
        Code::AlreadyExists => ApiCode::AlreadyExists,
        Code::FailedPrecondition => ApiCode::FailedPrecondition,
        Code::PermissionDenied | Code::Unauthenticated => ApiCode::PermissionDenied,
        Code::ResourceExhausted | Code::OutOfRange => ApiCode::ResourceExhausted,
        Code::Unavailable | Code::Cancelled | Code::Aborted => ApiCode::Unavailable,
        Code::DeadlineExceeded => ApiCode::DeadlineExceeded,
        Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            ApiCode::Internal
        }
    }
}

fn foreign(code: Code) -> (Retry, ApiCode) {
    let code = match code {
        // A connection that broke in the middle of a call.
        Code::Unknown => ApiCode::Unavailable,
        other => api_code(other, proto::ErrorDetail::default()),
    };
    let retry = match code {
        ApiCode::Unavailable | ApiCode::DeadlineExceeded => Retry::SameKey,
        ApiCode::InvalidArgument { .. }
        | ApiCode::NotFound
        | ApiCode::AlreadyExists
        | ApiCode::FailedPrecondition
        | ApiCode::PermissionDenied
        | ApiCode::ResourceExhausted
        | ApiCode::Internal => Retry::Never,
    };
    (retry, code)
}

fn detail(error: &ApiError) -> proto::ErrorDetail {
    use error_detail::Retry as Word;
    let (word, after) = match error.retry {
        Retry::Never => (Word::Never, Duration::ZERO),
        Retry::SameKey => (Word::SameKey, Duration::ZERO),
        Retry::After(span) => (Word::After, span),
    };
    let (field, value, bound) = match &error.code {
        ApiCode::InvalidArgument {
            field,
            value,
            bound,
        } => (cut(field), cut(value), cut(bound)),
        ApiCode::NotFound
        | ApiCode::AlreadyExists
        | ApiCode::FailedPrecondition
        | ApiCode::PermissionDenied
        | ApiCode::ResourceExhausted
        | ApiCode::Unavailable
        | ApiCode::DeadlineExceeded
        | ApiCode::Internal => <_>::default(),
    };
    proto::ErrorDetail {
        retry: word.into(),
        retry_after_ns: i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        field,
        value,
        bound,
    }
}

fn retry_of(detail: &proto::ErrorDetail) -> Retry {
    use error_detail::Retry as Word;
    match detail.retry() {
        Word::Unspecified | Word::Never => Retry::Never,
        Word::SameKey => Retry::SameKey,
        Word::After => Retry::After(Duration::from_nanos(
            u64::try_from(detail.retry_after_ns).unwrap_or_default(),
        )),
    }
}

fn cut(text: &str) -> String {
    let end = (0..=text.len().min(TEXT_MAX))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or_default()].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_comes_back() {
        let errors = [
            ApiError::invalid("intent.quantity", "-1", "above 0"),
            ApiError::not_found("no order x"),
            ApiError::idempotency_mismatch("key k was used for another order"),
            ApiError::failed_precondition("halted; reset needs two people"),
            ApiError::permission_denied("auditors only read"),
            ApiError::resource_exhausted("queue full", Duration::from_millis(250)),
            ApiError::unavailable("reconciling"),
            ApiError::deadline_exceeded("no answer in 50 ms"),
            ApiError::internal("ünexpected\nstate"),
        ];
        for error in errors {
            assert_eq!(from_status(&to_status(&error)), error);
        }
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let status = to_status(&ApiError::internal("é".repeat(TEXT_MAX)));
        assert_eq!(status.message().len(), TEXT_MAX);
        let status = to_status(&ApiError::internal(format!("a{}", "é".repeat(TEXT_MAX))));
        assert_eq!(status.message().len(), TEXT_MAX - 1);
    }

    #[test]
    fn trouble_of_the_connection_is_worth_another_try() {
        let error = from_status(&Status::unavailable("connection refused"));
        assert_eq!(
            (error.code, error.retry),
            (ApiCode::Unavailable, Retry::SameKey)
        );
        let error = from_status(&Status::unimplemented("no such method"));
        assert_eq!((error.code, error.retry), (ApiCode::Internal, Retry::Never));
    }
}
