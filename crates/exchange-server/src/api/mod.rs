//! The API: which requests there are, who may send them, what they mean. REST and the WebSocket
//! API are two ways in; both end in [`dispatch::answer`].

mod account;
pub(crate) mod dispatch;
pub(crate) mod endpoint;
pub(crate) mod error;
mod exchange_info;
mod market;
pub(crate) mod params;
pub(crate) mod security;
mod trading;

pub(crate) use error::ApiError;
pub use security::sign;
