//! A failure as the API shows it: problem details (RFC 9457).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A failure. Its media type is `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemJson {
    /// What kind of failure, as a URN.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The path that was asked for.
    pub instance: String,
    /// By which the log speaks of it.
    pub request_id: String,
    /// `never`: the same request fails again; `same_key`: safe with the same idempotency key;
    /// `later`: the same, but not before `Retry-After`.
    pub retry: String,
    /// Every value that is not acceptable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldErrorJson>,
    /// What else belongs to this kind: `order` and `reasons` of a refusal, `order_id` of a doubt.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A value that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrorJson {
    /// The field, parameter or header.
    pub field: String,
    /// Its value, cut to 64 characters; `null` when it is missing.
    pub value: Option<String>,
    /// What would be acceptable.
    pub bound: String,
}
