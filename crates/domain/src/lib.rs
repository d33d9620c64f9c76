//! The vocabulary of Ploy: money, identifiers, instruments, market facts, orders and their state
//! machine, executions, positions, the ledger and the events that record them.
//!
//! Everything here is a pure value: no clock, no randomness, no I/O, no floats in money. Services,
//! protocols and databases convert to and from these types at their own doors.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

pub mod bars;
pub mod book;
pub mod event;
pub mod execution;
pub mod ids;
pub mod instrument;
pub mod ledger;
pub mod market;
pub mod money;
pub mod order;
pub mod position;
pub mod risk;
pub mod session;
pub mod text;
pub mod time;

pub use bars::{Bar, BarAggregator, BarFlags, BarInterval};
pub use book::{Book, BookError};
pub use event::{Cause, EventId, OrderEvent, OrderEventPayload, Source, TraceContext};
pub use execution::{Execution, Liquidity};
pub use ids::{
    AccountId, Asset, ClientOrderId, DecisionId, ExecutionId, IdempotencyKey, InstrumentId,
    OrderIdParts, StrategyId, Symbol, VenueId, VenueOrderId,
};
pub use instrument::{Instrument, InstrumentStatus, InstrumentViolation};
pub use ledger::{Entry, Ledger, LedgerAccount, LedgerError, Posting};
pub use market::{BookDelta, BookLevel, FeedState, FeedStatus, MarketEvent, Quote, Trade};
pub use money::{Amount, Bps, MoneyError, Price, Quantity, Rounding, SCALE};
pub use order::{IllegalTransition, Intent, Order, OrderKind, OrderState, Side, Step, TimeInForce};
pub use position::{Position, PositionChange, PositionError};
pub use risk::{Approval, Reason, ReasonCode, RiskDecision, Scope, TradingState};
pub use session::{Session, SessionPhase};
pub use text::{Text, TextError};
pub use time::{Nanos, Timestamp};
