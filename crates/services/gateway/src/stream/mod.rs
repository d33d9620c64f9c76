//! Live updates: the order log, the market and the health of all, turned into frames once and given to
//! every stream that wants them.
//!
//! Nothing here is the truth: a snapshot comes from the services, an update only says what changed
//! since. Whoever misses one starts over with snapshots.

mod books;
mod channel;
mod feeder;
mod follower;
mod hub;
mod markets;
mod session;
mod snapshot;

pub(crate) use channel::Channels;
pub(crate) use feeder::Feeder;
pub(crate) use hub::Hub;
pub(crate) use session::serve;
