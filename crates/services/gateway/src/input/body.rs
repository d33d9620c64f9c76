//! The body of a request: one flat JSON object, or nothing.

use super::Fields;
use crate::problem::{Kind, Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// The largest body, in bytes (SEC-22).
pub(crate) const BODY_MAX: usize = 64 << 10;

/// The fields of the body; an empty body has none.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        if bytes.is_empty() {
            return Ok(Self(Fields::default()));
        }
        if !is_json {
            let detail = "send the body as content-type application/json";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let entries: Entries = serde_json::from_slice(&bytes).map_err(|error| {
            let detail = format!("the body is not one JSON object: {error}");
            Problem::new(Kind::Validation, detail)
        })?;
        Ok(Self(Fields::new(entries.0)))
    }
}

fn is_json(request: &Request) -> bool {
    let media = request.headers().get(header::CONTENT_TYPE);
    let media = media
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn unread(rejection: BytesRejection) -> Problem {
    if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("a body has at most {BODY_MAX} bytes");
        Problem::new(Kind::BodyTooLarge, detail)
    } else {
        Problem::new(Kind::Validation, "the body ended before its end")
    }
}

/// The entries of an object as they were written: a map would hide a name that is given twice.
struct Entries(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
