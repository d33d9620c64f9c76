//! What the services offer each other, as traits over domain types.
//!
//! Callers hold an `Arc<dyn …Api>` and cannot tell whether the answer comes from this process
//! ([`crate::local`]) or over gRPC ([`crate::client`]). Meaning and errors are fixed here; transport
//! is not.

mod call;
mod error;
mod execution;
mod ingestion;
mod page;
mod risk;
mod strategy;

pub use call::{Actor, ActorError, Call};
pub use error::{ApiCode, ApiError, Retry};
pub use execution::{
    AccountView, CancelAll, CancelAllAnswer, CancelOrder, ExecutionApi, FillQuery, FillView, Head,
    OrderQuery, OrderView, PositionView, SubmitOrder,
};
pub use ingestion::{IngestionApi, MarketView};
pub use page::{PAGE_LIMIT_MAX, Page};
pub use risk::{
    CheckRequest, ExposureView, KillRequest, LimitsView, RiskApi, RiskState, ScopeState,
    StateChange,
};
pub use strategy::{StrategyApi, StrategyState, StrategyView};
