//! The platform in one thread under one seed, in simulated time, with everything going wrong that
//! the failure model allows.
//!
//! The deciders are the real ones: order, risk, strategy and matching core. Around them are the
//! rules that the services keep — commit before effect, one leader by lease, a last look before the
//! first byte, consumers that follow the log by its sequence — and a bus, a database, a network and
//! a venue that lose, double, delay, reorder and forget. After every step the [`Broken`] invariants
//! of the failure model are looked for; a run that fails is its seed and a plan made smaller.

mod bus;
mod dice;
mod disk;
mod effects;
mod execution;
mod gambler;
mod invariants;
mod letters;
mod people;
mod plan;
mod platform;
mod requests;
mod rest;
mod risk;
mod run;
mod strategies;
mod terms;
mod venue;
mod venue_books;
mod weather;

pub use invariants::Broken;
pub use plan::{CrashPoint, Fault, Part, Plan, Timed};
pub use run::{Failure, Story, run, shrink};
