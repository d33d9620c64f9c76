//! HTTP around the routes: connections, who may come in, what is noted, how answers leave.

pub(crate) mod admit;
pub(crate) mod caller;
pub(crate) mod connection;
pub(crate) mod observe;
mod origin;
pub(crate) mod quota;
