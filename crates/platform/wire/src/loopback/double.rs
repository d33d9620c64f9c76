//! An implementation of every trait that answers what it was told to and notes what it was asked.

use crate::api::{
    AccountView, ApiError, Call, CancelAll, CancelAllAnswer, CancelOrder, CheckRequest,
    ExecutionApi, FillQuery, FillView, Head, IngestionApi, KillRequest, MarketView, OrderQuery,
    OrderView, Page, PositionView, RiskApi, RiskState, StateChange, StrategyApi, StrategyView,
    SubmitOrder,
};
use async_trait::async_trait;
use ploy_domain::{AccountId, ClientOrderId, OrderEvent, RiskDecision};
use std::{
    any::Any,
    fmt::Debug,
    sync::{Mutex, atomic::AtomicU32},
};
use tokio::sync::Notify;

/// What a call was asked, in words.
pub(super) fn asked(question: impl Debug) -> String {
    format!("{question:?}")
}

#[derive(Debug, Default)]
pub(super) struct Double {
    /// The answer to the next call: a `Result` of the type of the call.
    answer: Mutex<Option<Box<dyn Any + Send>>>,
    /// The last question, as [`asked`] shows it, and its call.
    pub(super) last: Mutex<Option<(String, Call)>>,
    /// When set, calls wait for it before they answer.
    pub(super) gate: Option<Notify>,
    /// Told when a call has begun.
    pub(super) began: Notify,
    /// How many calls have begun.
    pub(super) begun: AtomicU32,
    /// How many calls were finished.
    pub(super) finished: AtomicU32,
}

impl Double {
    /// One whose calls wait at the gate.
    pub(super) fn gated() -> Self {
        Self {
            gate: Some(Notify::new()),
            ..Self::default()
        }
    }

    pub(super) fn will_answer<T: Send + 'static>(&self, answer: Result<T, ApiError>) {
        *self.answer.lock().unwrap() = Some(Box::new(answer));
    }

    async fn reply<T: 'static>(
        &self,
        question: impl Debug + Send,
        call: Call,
    ) -> Result<T, ApiError> {
        use std::sync::atomic::Ordering::SeqCst;
        self.begun.fetch_add(1, SeqCst);
        *self.last.lock().unwrap() = Some((asked(question), call));
        self.began.notify_one();
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        self.finished.fetch_add(1, SeqCst);
        let answer = self.answer.lock().unwrap().take().unwrap();
        *answer.downcast::<Result<T, ApiError>>().unwrap()
    }
}

#[async_trait]
impl RiskApi for Double {
    async fn check(&self, request: CheckRequest, call: Call) -> Result<RiskDecision, ApiError> {
        self.reply(request, call).await
    }
    async fn set_state(&self, change: StateChange, call: Call) -> Result<RiskState, ApiError> {
        self.reply(change, call).await
    }
    async fn kill(&self, request: KillRequest, call: Call) -> Result<RiskState, ApiError> {
        self.reply(request, call).await
    }
    async fn state(&self, call: Call) -> Result<RiskState, ApiError> {
        self.reply("state", call).await
    }
}

#[async_trait]
impl ExecutionApi for Double {
    async fn submit(&self, command: SubmitOrder, call: Call) -> Result<OrderView, ApiError> {
        self.reply(command, call).await
    }
    async fn cancel(&self, command: CancelOrder, call: Call) -> Result<OrderView, ApiError> {
        self.reply(command, call).await
    }
    async fn cancel_all(
        &self,
        command: CancelAll,
        call: Call,
    ) -> Result<CancelAllAnswer, ApiError> {
        self.reply(command, call).await
    }
    async fn order(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<OrderView, ApiError> {
        self.reply((account, order_id), call).await
    }
    async fn orders(&self, query: OrderQuery, call: Call) -> Result<Page<OrderView>, ApiError> {
        self.reply(query, call).await
    }
    async fn fills(&self, query: FillQuery, call: Call) -> Result<Page<FillView>, ApiError> {
        self.reply(query, call).await
    }
    async fn positions(
        &self,
        account: Option<AccountId>,
        call: Call,
    ) -> Result<Vec<PositionView>, ApiError> {
        self.reply(account, call).await
    }
    async fn account(&self, account: AccountId, call: Call) -> Result<AccountView, ApiError> {
        self.reply(account, call).await
    }
    async fn accounts(&self, call: Call) -> Result<Vec<AccountView>, ApiError> {
        self.reply("accounts", call).await
    }
    async fn replay(
        &self,
        account: AccountId,
        from_seq: u64,
        limit: u32,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        self.reply((account, from_seq, limit), call).await
    }
    async fn order_events(
        &self,
        account: AccountId,
        order_id: ClientOrderId,
        call: Call,
    ) -> Result<Vec<OrderEvent>, ApiError> {
        self.reply((account, order_id), call).await
    }
    async fn head(&self, account: AccountId, call: Call) -> Result<Head, ApiError> {
        self.reply(account, call).await
    }
}

#[async_trait]
impl StrategyApi for Double {
    async fn strategies(&self, call: Call) -> Result<Vec<StrategyView>, ApiError> {
        self.reply("strategies", call).await
    }
}

#[async_trait]
impl IngestionApi for Double {
    async fn markets(&self, call: Call) -> Result<Vec<MarketView>, ApiError> {
        self.reply("markets", call).await
    }
}
