//! What every venue looks like from inside: a [`Feed`] (market data in) and a [`Broker`] (orders
//! out, account facts in).
//!
//! Decides the canonical forms an adapter must answer in, above all how an uncertain outcome is
//! told from a refusal, and offers the parts every adapter needs: [`Supervisor`] for connections
//! and [`RateBudget`] for limits. Leaves wires and codes to the adapters, and what to do about an
//! answer to ingestion and execution.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod backoff;
mod broker;
mod budget;
mod clock;
mod declaration;
mod error;
mod feed;
mod liveness;
mod order;
mod outcome;
mod report;
mod supervisor;

pub use backoff::Backoff;
pub use broker::Broker;
pub use budget::{BudgetExhausted, Priority, RateBudget};
pub use clock::{ReceiveClock, now};
pub use declaration::{ExecutionIdScope, IdUniqueness, RateLimit, VenueDeclaration};
pub use error::{Retry, VenueError};
pub use feed::{DecodeCounts, DecodeStats, Feed, FeedBody, FeedMessage, Subscription};
pub use liveness::{Liveness, LivenessEvent};
pub use order::{Balance, ExecutionCursor, Fee, VenueExecution, VenueOrder, VenueOrderState};
pub use outcome::{Acknowledgement, CancelOutcome, QueryAnswer, SubmitOutcome};
pub use report::{OrderChange, OrderReport, ReportBody, StreamState, VenueReport};
pub use supervisor::{ConnectionPolicy, Session, SessionEnd, Supervisor};
