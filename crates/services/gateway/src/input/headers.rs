//! The idempotency key of a command.

use crate::problem::{Problem, field_error};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, request::Parts},
};
use ploy_domain::IdempotencyKey;

const HEADER: &str = "idempotency-key";
const BOUND: &str = "1 to 64 characters A-Z a-z 0-9 _ . : -, new for every command, the same for every repetition of it";

/// The key that a command has to carry.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) IdempotencyKey);

/// The key that a command may carry; what cannot be read counts as none.
#[derive(Debug)]
pub(crate) struct OptionalKey(pub(crate) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let given = parts.headers.get(HEADER);
        match given.and_then(parse) {
            Some(key) => Ok(Self(key)),
            None => {
                let value = given.map(|value| String::from_utf8_lossy(value.as_bytes()));
                let error = field_error("Idempotency-Key", value, BOUND);
                Err(Problem::invalid(vec![error]))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self(parts.headers.get(HEADER).and_then(parse)))
    }
}

fn parse(value: &HeaderValue) -> Option<IdempotencyKey> {
    value.to_str().ok()?.parse().ok()
}
