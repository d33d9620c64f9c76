//! The query of a request, and how a list is cut into pages.

use super::Fields;
use crate::problem::{Kind, Problem};
use axum::{
    extract::{FromRequestParts, Query as AxumQuery},
    http::request::Parts,
};
use ploy_wire::api::PAGE_LIMIT_MAX;
use serde_json::Value;
use std::str::FromStr;

const LIMIT_DEFAULT: u32 = 100;
const CURSOR_MAX: usize = 256;

/// The parameters of the query.
#[derive(Debug)]
pub(crate) struct Query(pub(crate) Fields);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let pairs = AxumQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let AxumQuery(pairs) = pairs
            .map_err(|_| Problem::new(Kind::Validation, "the query is not name=value pairs"))?;
        let entries = pairs
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)));
        Ok(Self(Fields::new(entries)))
    }
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) after: Option<String>,
    pub(crate) limit: u32,
}

impl Paging {
    /// Reads `limit` and `after`.
    pub(crate) fn read(fields: &mut Fields) -> Self {
        let limit = fields.optional("limit", &Limit::bound());
        let after = fields.optional("after", "the cursor in 'next' of the page before");
        Self {
            after: after.map(|Cursor(text)| text),
            limit: limit.map_or(LIMIT_DEFAULT, |Limit(limit)| limit),
        }
    }
}

struct Limit(u32);

impl Limit {
    fn bound() -> String {
        format!("a whole number from 1 to {PAGE_LIMIT_MAX}")
    }
}

impl FromStr for Limit {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let limit: u32 = text.parse().map_err(|_| ())?;
        (1..=PAGE_LIMIT_MAX)
            .contains(&limit)
            .then_some(Self(limit))
            .ok_or(())
    }
}

/// What a service gave as `next`; only it knows what is inside.
struct Cursor(String);

impl FromStr for Cursor {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = (1..=CURSOR_MAX).contains(&text.len());
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && visible).then(|| Self(text.to_owned())).ok_or(())
    }
}
