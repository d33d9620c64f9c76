//! The order core: owns the orders, positions and ledger of one account and decides every step an
//! order takes, from the request to the last fill.
//!
//! Its whole surface is [`OrderCore::handle`]: one input in, events to commit and effects to carry
//! out after the commit. It never sends, stores, waits or asks by itself, and it never sends an
//! order twice: `Journaled` is the one send permit (failure-model §4).
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod book;
mod cancel;
mod core;
mod doubt;
mod evidence;
mod guard;
mod reconcile;
mod submit;
mod venue;

pub use crate::{
    book::{AccountBook, BookError},
    core::{Alert, Effect, Input, OrderCore, Output, Settings},
    guard::EgressGuard,
    reconcile::VenueSnapshot,
    venue::{
        CancelOutcome, QueryOutcome, Report, SendOutcome, Standing, VenueFill, VenueOrder,
        VenueStatus,
    },
};
