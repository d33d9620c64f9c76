//! What callers send, read strictly: every value has a type and a bound, every name is known, and
//! all mistakes are told at once (SEC-17, SEC-26, SEC-27).

mod body;
mod fields;
mod headers;
mod order;
mod query;

pub(crate) use body::{BODY_MAX, Body};
pub(crate) use fields::Fields;
pub(crate) use headers::{Key, OptionalKey};
pub(crate) use order::{Draft, Named, Terms};
pub(crate) use query::{Paging, Query};
