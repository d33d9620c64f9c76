//! Execution: the owner of accounts, their orders and their logs.

use super::{ApiError, Call, Page};
use async_trait::async_trait;
use ploy_domain::{
    AccountId, Amount, Asset, ClientOrderId, Execution, IdempotencyKey, InstrumentId, Intent,
    OrderEvent, OrderKind, OrderState, Price, Quantity, Reason, Scope, Side, StrategyId,
    TimeInForce, Timestamp, VenueId, VenueOrderId,
};
use std::fmt::Debug;

/// An order to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitOrder {
    /// The order.
    pub intent: Intent,
    /// The same key is the same command.
    pub idempotency_key: IdempotencyKey,
}

/// An order to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOrder {
    /// Whose order.
    pub account: AccountId,
    /// Which order.
    pub order_id: ClientOrderId,
    /// Why, for people.
    pub reason: String,
}

/// All open orders of a scope to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelAll {
    /// Whose orders.
    pub scope: Scope,
    /// Why, for people.
    pub reason: String,
}

/// What became of a [`CancelAll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelAllAnswer {
    /// Cancels that were journaled.
    pub requested: u32,
}

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// Whose order.
    pub account: AccountId,
    /// Which order.
    pub order_id: ClientOrderId,
    /// Whose decision.
    pub strategy: StrategyId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How.
    pub kind: OrderKind,
    /// How much.
    pub quantity: Quantity,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// Where it stands.
    pub state: OrderState,
    /// How much was filled.
    pub filled: Quantity,
    /// At which average price.
    pub average_price: Option<Price>,
    /// The venue's id of it.
    pub venue_order_id: Option<VenueOrderId>,
    /// Why it was refused or ended; the first is *the* reason.
    pub reasons: Vec<Reason>,
    /// Whether a fill came after its end.
    pub late_fill: bool,
    /// Rises with each change.
    pub version: u64,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which orders to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Only those that something can still happen to.
    pub open_only: bool,
    /// Of this strategy.
    pub strategy: Option<StrategyId>,
    /// In this instrument.
    pub instrument: Option<InstrumentId>,
    /// From the cursor of the page before.
    pub after: Option<String>,
    /// At most so many, 1 to [`super::PAGE_LIMIT_MAX`].
    pub limit: u32,
}

/// Which fills to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FillQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// From the cursor of the page before.
    pub after: Option<String>,
    /// At most so many, 1 to [`super::PAGE_LIMIT_MAX`].
    pub limit: u32,
}

/// A fill and its place in the account's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillView {
    /// Its place in the account's log.
    pub seq: u64,
    /// The fill.
    pub execution: Execution,
}

/// What an account holds of an instrument through a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionView {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub instrument: InstrumentId,
    /// Through which strategy.
    pub strategy: StrategyId,
    /// Signed quantity.
    pub quantity: Quantity,
    /// Average entry price; `None` when flat.
    pub average_price: Option<Price>,
    /// Profit realised before charges.
    pub realised_gross: Amount,
    /// Charges, in the quote asset.
    pub charges: Amount,
    /// Profit realised after charges.
    pub realised_net: Amount,
    /// Profit that closing at the mark would bring; `None` without a mark.
    pub unrealised: Option<Amount>,
    /// The price it is valued at.
    pub mark: Option<Price>,
    /// Since when it is not flat.
    pub opened_at: Option<Timestamp>,
}

/// An account as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Which account.
    pub account: AccountId,
    /// Where it trades.
    pub venue: VenueId,
    /// Whether it may take new risk.
    pub ready: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The fencing epoch of its owner.
    pub epoch: u64,
    /// The last sequence of its log.
    pub head_seq: u64,
    /// What it holds.
    pub balances: Vec<(Asset, Amount)>,
    /// Orders whose outcome is not known.
    pub unknown_orders: u32,
    /// Orders that something can still happen to.
    pub open_orders: u32,
}

/// The end of an account's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whose log.
    pub account: AccountId,
    /// Its last sequence, 0 when empty.
    pub seq: u64,
    /// The fencing epoch of its writer.
    pub epoch: u64,
}

/// What the execution service offers.
#[async_trait]
pub trait ExecutionApi: Debug + Send + Sync {
    /// Places an order. The answer comes after the order is journaled, or denied: a denial is an
    /// answer. The same key answers the same order.
    ///
    /// # Errors
    /// [`ApiError`] with `AlreadyExists` when the key was used for another order, with
    /// `DeadlineExceeded` when the outcome is not known: ask again with the same key.
    async fn submit(&self, command: SubmitOrder, call: Call) -> Result<OrderView, ApiError>;

    /// Asks the venue to cancel an order. The answer comes after the request is journaled; an order
    /// that has ended is answered as it is.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an order nobody knows.
    async fn cancel(&self, command: CancelOrder, call: Call) -> Result<OrderView, ApiError>;

    /// Asks for the cancel of every open order of a scope.
    ///
    /// # Errors
    /// [`ApiError`] when not every cancel is certain to be journaled.
    async fn cancel_all(&self, command: CancelAll, call: Call)
    -> Result<CancelAllAnswer, ApiError>;

    /// One order.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an order nobody knows.
    async fn order(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<OrderView, ApiError>;

    /// Orders, newest first.
    ///
    /// # Errors
    /// [`ApiError`] with `InvalidArgument` for a limit or cursor that is none.
    async fn orders(&self, query: OrderQuery, call: Call) -> Result<Page<OrderView>, ApiError>;

    /// Fills, newest first.
    ///
    /// # Errors
    /// [`ApiError`] with `InvalidArgument` for a limit or cursor that is none.
    async fn fills(&self, query: FillQuery, call: Call) -> Result<Page<FillView>, ApiError>;

    /// Positions of one account or of all.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an account nobody knows.
    async fn positions(
        &self,
        account: Option<AccountId>,
        call: Call,
    ) -> Result<Vec<PositionView>, ApiError>;

    /// One account.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an account nobody knows.
    async fn account(&self, account: AccountId, call: Call) -> Result<AccountView, ApiError>;

    /// All accounts.
    ///
    /// # Errors
    /// [`ApiError`] when they cannot be told.
    async fn accounts(&self, call: Call) -> Result<Vec<AccountView>, ApiError>;

    /// Events of an account's log from `from_seq` on, in order and without gaps. There may be fewer
    /// than `limit` although more exist: an answer is at most 4 MiB. Ask on until the head.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an account nobody knows.
    async fn replay(
        &self,
        account: AccountId,
        from_seq: u64,
        limit: u32,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError>;

    /// Every event of one order, in order: what became of it and why.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an order nobody knows.
    async fn order_events(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError>;

    /// The end of an account's log.
    ///
    /// # Errors
    /// [`ApiError`] with `NotFound` for an account nobody knows.
    async fn head(&self, account: AccountId, call: Call) -> Result<Head, ApiError>;
}
